"""The entries of `diagnostics.codes` for warnings about rules, ZT1xx.

Contract: data only.  Tested by tests/diagnostics/test_codes.py.
"""

from __future__ import annotations

from ztfast.diagnostics.code import Code

WARNINGS: tuple[Code, ...] = (
    Code(
        "ZT101",
        "an empty block swallows what follows",
        "`accept`, `drop`, `break` and the others open a block as soon as they are written in "
        "lower case, and `;` closes a block only if it holds something. So `accept;` stays "
        "open, and what follows becomes its matches, or is lost at the end of the file. Write "
        "`Accept` (a word with a capital opens no block), or put `accept;` last.",
        "accept;\nnot dport 80 ;",
    ),
    Code(
        "ZT102",
        "blocks are lost at the end of the file",
        "At the end of the file open blocks are closed, but not where the innermost one is "
        "empty: then the contents of all open blocks are lost, and only the outermost opening "
        "word stays. A missing `;` before a last `accept;` does this.",
        "drop dport 80\naccept ;\n",
    ),
    Code(
        "ZT103",
        "a block ended early",
        "`accept;` closes the block around it. Inside a capability or macro it ends the "
        "capability or macro itself, and what follows belongs to the base rules. Write `Accept` "
        "without `;` there.",
        "cap c id 1 accept;\ndrop dport 80 ;",
    ),
    Code(
        "ZT105",
        "`and` and `or` without precedence",
        "Matches fold from left to right. `a or b and c` is (a or b) and c. What cannot be said "
        "in one rule can be said in two with the same action. A note where only ports follow one "
        "another, as in `ipprotocol tcp and dport 22 or dport 80`: the later ones count for every "
        "protocol.",
        "accept dport 80 or dport 443 and ipprotocol tcp ;",
    ),
    Code(
        "ZT106",
        "a first match with `or`",
        "A set of matches starts true, so `or` before its first match makes it true whatever "
        "the match says.",
        "accept or dport 80 and ipprotocol tcp ;",
    ),
    Code(
        "ZT107",
        "characteristics that overwrite each other",
        "The compiler builds the mask of `chr` from two signed 32-bit halves: bit 63 (inbound) "
        "or 31 together with others of its half gives a wrong mask, and a controller deploys "
        "it. Give that bit a match of its own, joined by `or`: a `chr` with several bits means "
        "any of them.",
        "accept chr inbound,multicast ;",
    ),
    Code(
        "ZT108",
        "not an address",
        "The compiler only looks for something like an address in the word. A controller then "
        "reads 0.0.0.0 (or ::, or the leading hex digits of a ZeroTier address), and the rule "
        "matches something else or nothing.",
        "accept ipsrc 999.1.1.1/8 ;",
    ),
    Code(
        "ZT109",
        "not a prefix length",
        "The compiler does not look after the slash. A controller cuts the number to 8 bits "
        "and then to 32 or 128; nothing readable becomes 0, and /0 matches everything.",
        "accept ipsrc 10.0.0.0/ ;",
    ),
    Code(
        "ZT110",
        "an IPv6 prefix that never matches",
        "Nodes compare the masked address of the frame with the rule's unmasked address, so an "
        "IPv6 prefix with bits set behind its length matches nothing.",
        "accept ipsrc fd00::1/8 ;",
    ),
    Code(
        "ZT111",
        "an IPv4 prefix with host bits",
        "Only the first bits of an IPv4 prefix count, so it works, but reads as if one host was "
        "meant.",
        "accept ipsrc 10.0.0.1/8 ;",
    ),
    Code(
        "ZT112",
        "a number that a controller cuts",
        "The compiler takes ethertypes, VLAN ids and protocols up to 4294967295; a controller "
        "keeps the low 16 or 8 bits.",
        "accept ipprotocol 262 ;",
    ),
    Code(
        "ZT113",
        "a `$` that is not replaced",
        "Macro parameters are replaced in the arguments of matches only: not in the length and "
        "address of tee, watch and redirect, and not in the arguments of an include.",
        "macro m($n) tee $n 8e30f50a25 ; ;\ninclude m(64)",
    ),
    Code(
        "ZT114",
        "a tag's default that names nothing",
        "The default is looked up among the tag's enums and flags (in lower case) and else read "
        "as a number; what is neither becomes 0.",
        "tag t id 1 enum 5 Yes default Yes ;\naccept teq t 5 ;",
    ),
    Code(
        "ZT115",
        "a tag's default that becomes negative",
        "Defaults and flags are signed 32-bit numbers. A number above 2147483647, or a flag "
        "that holds bit 31, comes out negative.",
        "tag t id 1 default 4294967295 ;\naccept teq t 5 ;",
    ),
    Code(
        "ZT116",
        "two tags with one id",
        "A member has one value for each tag id, so both tags are the same tag.",
        "tag a id 1 ;\ntag b id 1 ;\naccept teq a 1 or teq b 2 ;",
    ),
    Code(
        "ZT117",
        "a name that can never be used as written",
        "Names are lowered where they are defined but not where they are used: `Sales` is "
        "defined as `sales`, and a match must say `sales`. An enum is hidden by a flag of the "
        "same name, a flag that holds bit 31 or is a reserved word is refused by matches, and a "
        "parameter without `$` is never replaced.",
        "tag t id 1 enum 5 Sales ;\naccept teq t sales ;",
    ),
    Code(
        "ZT118",
        "an unused macro or tag",
        "Nothing refers to it. The body of a macro that is never included is not checked at all.",
        "macro m accept dport 80 ; ;\naccept;",
    ),
    Code(
        "ZT119",
        "`drop` in a capability",
        "Capabilities only add permissions. A drop ends the evaluation of this capability; the "
        "next one may still accept the frame. What must never pass belongs in the base rules.",
        "cap c id 1\n  drop dport 80 ;\n  accept dport 81 ;\n;",
    ),
    Code(
        "ZT120",
        "a match that no action follows",
        "Matches work on the action behind them; at the end of a list they do nothing. The "
        "language cannot write this, JSON can.",
        '[{"type": "ACTION_ACCEPT"}, {"type": "MATCH_VLAN_ID", "vlanId": 1}]',
    ),
    Code(
        "ZT121",
        "more than 1,024 base entries",
        "Each match and each action is an entry. A controller cuts the rest off silently, often "
        "the final accept or drop. A set that is cut before its action does nothing.",
    ),
    Code(
        "ZT122",
        "more than 64 entries in a capability",
        "As ZT121, for each capability.",
    ),
    Code(
        "ZT123",
        "more than 128 capabilities of every member",
        "A controller gives a member at most 128 capabilities and leaves out the rest silently. "
        "Counted are those marked default, which every member gets; commands with --network "
        "count each member's own (ZT561).",
    ),
    Code(
        "ZT124",
        "more than 128 tags of every member",
        "A controller gives a member at most 128 tags and leaves out the rest silently. Counted "
        "are those with a default, which every member has; commands with --network count each "
        "member's own (ZT561).",
    ),
    Code(
        "ZT125",
        "nothing is accepted",
        "Frames that no rule accepts are dropped, so rules without any accept (or redirect) "
        "discard everything.",
        "drop dport 80 ;",
    ),
    Code(
        "ZT126",
        "the rest of a number is ignored",
        "Leading digits count and the rest of the word is ignored: `dport 80,443` matches port "
        "80 only, `random abc` is 0, and an unreadable ICMP code means any code.",
        "accept dport 80,443 ;",
    ),
    Code(
        "ZT127",
        "odd parentheses of a macro",
        "In the parentheses of a macro or include `)` separates items like a comma, several "
        "in a row count as one, and the last `)` may be missing. So `macro m($a, $b)`, which is "
        "two words, has one parameter, and its body begins with `$b)`.",
        "macro m($a accept dport $a ; ;\ninclude m(80)",
    ),
    Code(
        "ZT128",
        "not a MAC address",
        "A controller removes `:` and `-` and reads six pairs of characters. A character that is "
        "no hex digit is a 0, a last odd one is lost, and what is missing is 0. So Cisco's "
        "`b0b9.d589.8e64` becomes b0:b9:0d:58:90:8e. The compiler writes MACs as they are meant; "
        "JSON from elsewhere may not.",
        '[{"type": "MATCH_MAC_SOURCE", "mac": "b0b9.d589.8e64"}, {"type": "ACTION_ACCEPT"}]',
    ),
    Code(
        "ZT129",
        "MAC addresses that old controllers misread",
        "The compiler writes MACs with colons, and a controller before 1.14.1 takes them for "
        "digits: its nodes compare with another address, so that `macsrc` and `macdest` match "
        "other frames or none. This is about the controller; the version of the nodes makes no "
        "difference. ztfast reads MACs as controllers from 1.14.1 on do, and says so where "
        "an older version is asked for (`--engine 1.12`).",
    ),
    Code(
        "ZT130",
        "`macauth`, which no member ever has",
        "A certificate of ownership could hold a MAC, but no controller puts one in: `chr macauth` "
        "is false for every frame of every network, and `not chr macauth` true. Addresses that "
        "members own are asked for with `chr ipauth`.",
        "drop not chr macauth ;\naccept;",
    ),
)
