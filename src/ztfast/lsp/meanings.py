"""What the words of the language mean, a sentence each, for hover and completion.

Contract: every match and action word has one, as docs/language.md's tables say.
Tested by tests/lsp/test_meanings.py.
"""

from __future__ import annotations

_NEVER = "false, also under `not`,"
_PORTS = (
    "both ends included; only TCP, UDP, SCTP and UDP-Lite have ports: for other protocols it is "
    f"false (true under `not`), and {_NEVER} without IP"
)
_TAGS = (
    f"{_NEVER} where the node that judges has no value, or as the receiver knows none of the "
    "sender; a sender that knows none of the receiver takes it as true and passes over the next "
    "true `drop`"
)

MATCHES_MEAN: dict[str, str] = {
    "ztsrc": "the sender has this ZeroTier address",
    "ztdest": "the receiver has this ZeroTier address",
    "vlan": "the VLAN id is this; nodes do not look into VLAN tags, it is 0 for every frame",
    "vlanpcp": "the number that stands here is 0; the frame is not looked at",
    "vlandei": "the number that stands here is 0; the frame is not looked at",
    "ethertype": "the frame's ethertype is this",
    "ipprotocol": f"IPv4's protocol, or IPv6's behind its extension headers, is this; {_NEVER} "
    "for other frames",
    "macsrc": "the source MAC is this",
    "macdest": "the destination MAC is this",
    "ipsrc": f"the source address is in this prefix; {_NEVER} for the other IP version",
    "ipdest": f"the destination address is in this prefix; {_NEVER} for the other IP version",
    "iptos": f"the type of service or traffic class, masked, is in the range; {_NEVER} without IP",
    "icmp": f"it is ICMP or ICMPv6 of this type and code (-1: any code); {_NEVER} for other "
    "frames and types: `not` turns the code around only",
    "sport": f"the source port is in the range, {_PORTS}",
    "dport": f"the destination port is in the range, {_PORTS}",
    "framesize": "the bytes behind the ethertype are in the range, both ends included",
    "chr": "any of these characteristics is set",
    "random": "a number drawn for each frame anew says so, for that share of frames",
    "tand": f"the two members' values of the tag, and-ed bit by bit, equal this; {_TAGS}",
    "tor": f"the two members' values of the tag, or-ed bit by bit, equal this; {_TAGS}",
    "txor": f"the two members' values of the tag, xor-ed bit by bit, equal this; {_TAGS}",
    "tdiff": f"the two members' values of the tag differ by this or less; {_TAGS}",
    "teq": f"both members have this value of the tag; {_TAGS}",
    "tseq": f"the sender has this value of the tag; {_NEVER} where it has none",
    "treq": f"the receiver has this value of the tag; {_NEVER} where it has none, but a sender "
    "that knows none of it takes it as true and passes over the next true `drop`",
}

ACTIONS_MEAN: dict[str, str] = {
    "accept": "accepts the frame where its matches are true",
    "drop": "drops the frame; in a capability: ends that capability only",
    "break": "ends the base rules without a verdict: capabilities are asked",
    "tee": "sends a copy of the first LENGTH bytes (-1: all) to a member, and goes on",
    "watch": "as `tee`, marked as a watched copy",
    "redirect": "sends the frame to that member instead",
}

OTHERS_MEAN: dict[str, str] = {
    "include": "puts the actions of a macro here",
    "macro": "a list of actions with parameters: `macro NAME($a,$b) ACTIONS… ;`",
    "tag": "a number that members carry: "
    "`tag NAME id N [default V] [enum N name]… [flag B name]… ;`",
    "cap": "rules for those members that hold it: `cap NAME id N [default] ACTIONS… ;`",
    "and": "the match behind it must be true as well; the default, so it may be left out",
    "or": "it suffices that the match behind it is true; there is no precedence",
    "not": "turns the match behind it around",
    "id": "the number that members are given",
    "default": "of a tag: what members have that were given nothing; of a capability: every member "
    "holds it",
    "enum": "a name for a value: `enum NUMBER name`",
    "flag": "a name for bits of the value: `flag BIT name`",
}
