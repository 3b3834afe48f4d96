"""The entries of `diagnostics.codes` for errors in rules, ZT0xx.

Contract: data only.  Tested by tests/diagnostics/test_codes.py.
"""

from __future__ import annotations

from ztfast.diagnostics.code import Code

ERRORS: tuple[Code, ...] = (
    Code(
        "ZT001",
        "wrong usage",
        "An argument of a command or function has no meaning. The message says what is expected.",
    ),
    Code(
        "ZT003",
        "a file cannot be written",
        "The output could not be written, for the reason that the system gave. Files are "
        "replaced whole: what was there before is still there.",
    ),
    Code(
        "ZT009",
        "too many errors",
        "Only the first errors of a text are reported, since many errors usually have one cause.",
    ),
    Code(
        "ZT010",
        "not an action",
        "A word stands where an action is expected: drop, accept, break, tee, watch, redirect, "
        "or include. Matches go between a lower-case action word and its `;`. The upper-case "
        "word is an action too, but opens no block, so matches cannot follow it. `priority` is "
        "reserved, but the language has no such action.",
        "Accept dport 80 ;",
    ),
    Code(
        "ZT011",
        "not a match",
        "A word inside an action's block is not a match. Often the block is still open only "
        "because `;` does not close an empty block: after `accept ;` everything up to the next "
        "`;` is read as matches of that accept. Write `Accept` (no block) in such a place, or "
        "put it last.",
        "accept ;\ndrop dport 80 ;",
    ),
    Code(
        "ZT012",
        "a match lacks an argument",
        "The block ends before the match has all its arguments, or a reserved word (any match "
        "or block word, in lower case) stands in their place. `ipprotocol icmp` is refused for "
        "that reason: write `icmp4`.",
        "accept ipprotocol icmp ;",
    ),
    Code(
        "ZT013",
        "not a number in range",
        "Numbers are decimal, or hexadecimal with 0x; names of ethertypes and protocols are in "
        "lower case.",
        "accept vlan -1 ;",
    ),
    Code(
        "ZT014",
        "not a range",
        "Ports, frame sizes and TOS values are one number or two joined by a minus sign without "
        "spaces, the smaller one first.",
        "accept dport 90-80 ;",
    ),
    Code(
        "ZT015",
        "not a ZeroTier address",
        "A ZeroTier address has exactly 10 hexadecimal digits; other characters are ignored.",
        "accept ztsrc 8e30f50a2 ;",
    ),
    Code(
        "ZT016",
        "not a MAC address",
        "A MAC address has 12 hexadecimal digits; other characters are ignored.",
        "accept macsrc 02:00:5e ;",
    ),
    Code(
        "ZT017",
        "not an IP prefix",
        "`ipsrc` and `ipdest` take address/bits in one word; there is no default prefix length.",
        "accept ipsrc 10.0.0.1 ;",
    ),
    Code(
        "ZT018",
        "not a frame characteristic",
        "`chr` takes names (in lower case) and bit numbers 0 to 63, joined by commas without "
        "spaces.",
        "accept chr TCP_SYN ;",
    ),
    Code(
        "ZT019",
        "an undefined `$` word",
        "Only a macro's parameters can be used, as whole words, in the arguments of matches. "
        "The macro's head is lowered, its body is not: a parameter `$P` is defined as `$p`.",
        "macro m($P) accept dport $P ; ;\ninclude m(80)",
    ),
    Code(
        "ZT020",
        "no such tag",
        "A tag match takes the name of a tag that is defined anywhere at the top level, or an "
        "id. Names are lowered when defined, but not when used.",
        "accept teq nosuch 1 ;",
    ),
    Code(
        "ZT021",
        "no such tag value",
        "The value is a flag or enum of the named tag, or a number from 0 to 4294967295. Flags "
        "that hold bit 31 are negative and refused: write the number.",
        "tag t id 1 enum 1 a ;\naccept teq t b ;",
    ),
    Code(
        "ZT022",
        "wrong arguments of tee, watch or redirect",
        "`tee` and `watch` take a length (-1: the whole frame) and an address, `redirect` an "
        "address of 10 characters. Macro parameters are not replaced here.",
        "tee 8e30f50a25 64 ;",
    ),
    Code(
        "ZT030",
        "a definition without name or body",
        "`macro`, `tag` and `cap` in lower case open a block that starts with a name. The "
        "message also comes where the text ends inside an empty block: the contents of every "
        "block that is open there are lost, and only their first words stay.",
        "cap c id 1\naccept ;",
    ),
    Code(
        "ZT031",
        "not a name",
        "A name is letters (of any language, as Unicode 6.1 has them up to U+FFFF), digits (not "
        "first) and `_`, and not a reserved word in any case. Names that every JavaScript object "
        "has, such as `constructor`, are refused wherever they stand.",
        "tag Drop id 1 ;",
    ),
    Code(
        "ZT032",
        "defined twice",
        "Macros, tags and capabilities each need different names; case does not count.",
        "tag a id 1 ;\ntag A id 2 ;",
    ),
    Code(
        "ZT033",
        "not a part of a tag definition",
        "A tag has `id N`, `default V`, `enum N name` and `flag BITS name`, in any order.",
        "tag t id 1 colour 3 ;",
    ),
    Code(
        "ZT034",
        "a missing or wrong id",
        "Tags and capabilities need an id from 0 to 4294967295; those of capabilities differ.",
        "tag t id x ;",
    ),
    Code(
        "ZT035",
        "a wrong enum or flag",
        "An enum takes a number and a name, a flag bit numbers 0 to 31 or names of earlier "
        "flags, joined by commas, and a name.",
        "tag t id 1 flag 32 a ;",
    ),
    Code(
        "ZT036",
        "given twice",
        "A definition has one id and one default, and enums (and flags) of different names.",
        "tag t id 1 id 2 ;",
    ),
    Code(
        "ZT037",
        "a definition is not closed",
        "The `;` of a tag or capability is missing, so that what follows is read as part of it. A "
        "capability ends with two: one closes its last action, one the capability.",
        "tag t id 1 enum 1 x\naccept tseq t 1 ;",
    ),
    Code(
        "ZT040",
        "no such macro",
        "`include` takes the name of a macro that is defined at the top level, before or after. "
        "Names are lowered when defined, but not when used.",
        "include nosuch",
    ),
    Code(
        "ZT041",
        "too few arguments of a macro",
        "An include gives a value for each parameter, by position, in parentheses without "
        "spaces; empty values are dropped.",
        "macro m($p) accept dport $p ; ;\ninclude m",
    ),
    Code(
        "ZT042",
        "a macro that includes itself",
        "A macro cannot be part of its own body, directly or through other macros.",
        "macro m include m ;\ninclude m",
    ),
    Code(
        "ZT043",
        "macros expand too far",
        "Macros that include others several times grow fast. No network could hold the result: "
        "it takes 1,024 base entries and 64 in each of 128 capabilities.",
    ),
    Code(
        "ZT044",
        "too long",
        "The input is far beyond what any network holds, so it is not read.",
    ),
    Code(
        "ZT050",
        "not UTF-8",
        "Rules and JSON are UTF-8; the byte offset of the first wrong byte is given.",
    ),
    Code(
        "ZT051",
        "a file cannot be read",
        "The file is missing or may not be read.",
    ),
    Code(
        "ZT052",
        "not JSON",
        "What starts with `{` or `[` is read as JSON.",
        '{"rules": [}',
    ),
    Code(
        "ZT053",
        "JSON of the wrong shape",
        "A value has another type than a controller expects. Accepted are the official "
        "compiler's output, a controller's network (rules, capabilities, tags), Central's "
        "network (config.rules or rulesSource), a bare list of rules, and what docs/network.md "
        "lists. Where the document is known but holds no rules, the message says what it is.",
        '{"rules": {}}',
    ),
    Code(
        "ZT054",
        "an unknown entry type",
        "A controller leaves out entries whose type it does not know, which can widen a rule: "
        "an accept without one of its matches accepts more.",
        '[{"type": "MATCH_ETHERTYP"}, {"type": "ACTION_ACCEPT"}]',
    ),
    Code(
        "ZT055",
        "a key twice in one JSON object",
        "Readers of JSON disagree about which of the two counts.",
        '[{"type": "ACTION_DROP", "type": "ACTION_ACCEPT"}]',
    ),
    Code(
        "ZT056",
        "a JSON value out of range",
        "An id, a value or a field that a controller would cut, ignore, or read as 0.",
        '{"rules": [], "tags": [{"id": -1}]}',
    ),
    Code(
        "ZT057",
        "more entries than a network takes",
        "A network holds 1,024 base entries and 64 in each capability, counting each match and "
        "each action; the rest is cut off silently.",
    ),
    Code(
        "ZT058",
        "JSON nested too deep",
        "No rules are nested so deep.",
    ),
    Code(
        "ZT059",
        "rulesSource and rules differ",
        "Central's JSON holds the text and its compiled rules. Where they do not say the same, "
        "the compiled rules are what the network runs, so they are used.",
        '{"config": {"rules": [{"type": "ACTION_ACCEPT"}]}, "rulesSource": "drop;"}',
    ),
    Code(
        "ZT060",
        "no text gives this",
        "JSON can say what the rules language cannot: ACTION_PRIORITY, INTEGER_RANGE, matches "
        "without an action, numbers out of range. Such a policy cannot be written as text.",
    ),
    Code(
        "ZT061",
        "cannot be laid out",
        "`ztfast fmt` writes back what the text says. Where parts of a text are lost (ZT102), or a "
        "macro that is never included holds what cannot be read, it leaves the file alone.",
    ),
    Code(
        "ZT062",
        "Terraform without one rules text",
        "Of a `.tf` each `flow_rules` is read that is a heredoc or a quoted text. A function, a "
        "variable or a template (`${…}`) has its value from Terraform alone: check the file that "
        "it reads, or the state (`terraform show -json`). Where one policy is needed, there must "
        "be one text; `ztfast check` takes them all.",
    ),
)
