"""The one table of entry types: every match and action, its fields and their widths.

Contract: `KINDS` drives the JSON reader (`model.entries`), the printer, the encoder's
completeness test and the documentation.  Adding a type touches the places that
ARCHITECTURE.md lists; tests/model/test_kinds.py fails for any forgotten.
Source: docs/spec/evaluation.md sections 3 and 10; the numbers are the engine's own.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Kind(IntEnum):
    """The type of an entry; the value is the number that the engine uses on the wire."""

    ACTION_DROP = 0
    ACTION_ACCEPT = 1
    ACTION_TEE = 2
    ACTION_WATCH = 3
    ACTION_REDIRECT = 4
    ACTION_BREAK = 5
    ACTION_PRIORITY = 6
    MATCH_SOURCE_ZEROTIER_ADDRESS = 24
    MATCH_DEST_ZEROTIER_ADDRESS = 25
    MATCH_VLAN_ID = 26
    MATCH_VLAN_PCP = 27
    MATCH_VLAN_DEI = 28
    MATCH_MAC_SOURCE = 29
    MATCH_MAC_DEST = 30
    MATCH_IPV4_SOURCE = 31
    MATCH_IPV4_DEST = 32
    MATCH_IPV6_SOURCE = 33
    MATCH_IPV6_DEST = 34
    MATCH_IP_TOS = 35
    MATCH_IP_PROTOCOL = 36
    MATCH_ETHERTYPE = 37
    MATCH_ICMP = 38
    MATCH_IP_SOURCE_PORT_RANGE = 39
    MATCH_IP_DEST_PORT_RANGE = 40
    MATCH_CHARACTERISTICS = 41
    MATCH_FRAME_SIZE_RANGE = 42
    MATCH_RANDOM = 43
    MATCH_TAGS_DIFFERENCE = 44
    MATCH_TAGS_BITWISE_AND = 45
    MATCH_TAGS_BITWISE_OR = 46
    MATCH_TAGS_BITWISE_XOR = 47
    MATCH_TAGS_EQUAL = 48
    MATCH_TAG_SENDER = 49
    MATCH_TAG_RECEIVER = 50
    INTEGER_RANGE = 51

    @property
    def is_action(self) -> bool:
        """True for actions, False for matches."""
        return self < 16


class Field(NamedTuple):
    """One field of an entry as JSON spells it.

    `form` says how the controller reads it (docs/spec/evaluation.md section 10):
    an unsigned number of `bits`, or one of the named forms.
    """

    json: str
    bits: int
    form: str = "number"


class KindInfo(NamedTuple):
    """What is known of a type: its word in the rules language and its fields.

    `word` is None for the types that the language cannot write (PRIORITY, INTEGER_RANGE).
    An `Entry.value` of this type has one item a field, in this order; the form
    "cidr4" gives (address, bits) and "cidr6" the same, as two items.
    """

    word: str | None
    fields: tuple[Field, ...]


_PORTS = (Field("start", 16), Field("end", 16, "end"))
_TAG = (Field("id", 32), Field("value", 32))
_COPY = (Field("address", 40, "zt"), Field("length", 16))

KINDS: dict[Kind, KindInfo] = {
    Kind.ACTION_DROP: KindInfo("drop", ()),
    Kind.ACTION_ACCEPT: KindInfo("accept", ()),
    Kind.ACTION_TEE: KindInfo("tee", _COPY),
    Kind.ACTION_WATCH: KindInfo("watch", _COPY),
    Kind.ACTION_REDIRECT: KindInfo("redirect", (Field("address", 40, "zt"),)),
    Kind.ACTION_BREAK: KindInfo("break", ()),
    Kind.ACTION_PRIORITY: KindInfo(None, (Field("qosBucket", 8),)),
    Kind.MATCH_SOURCE_ZEROTIER_ADDRESS: KindInfo("ztsrc", (Field("zt", 40, "zt"),)),
    Kind.MATCH_DEST_ZEROTIER_ADDRESS: KindInfo("ztdest", (Field("zt", 40, "zt"),)),
    Kind.MATCH_VLAN_ID: KindInfo("vlan", (Field("vlanId", 16),)),
    Kind.MATCH_VLAN_PCP: KindInfo("vlanpcp", (Field("vlanPcp", 8),)),
    Kind.MATCH_VLAN_DEI: KindInfo("vlandei", (Field("vlanDei", 8),)),
    Kind.MATCH_MAC_SOURCE: KindInfo("macsrc", (Field("mac", 48, "mac"),)),
    Kind.MATCH_MAC_DEST: KindInfo("macdest", (Field("mac", 48, "mac"),)),
    Kind.MATCH_IPV4_SOURCE: KindInfo("ipsrc", (Field("ip", 32, "cidr4"),)),
    Kind.MATCH_IPV4_DEST: KindInfo("ipdest", (Field("ip", 32, "cidr4"),)),
    Kind.MATCH_IPV6_SOURCE: KindInfo("ipsrc", (Field("ip", 128, "cidr6"),)),
    Kind.MATCH_IPV6_DEST: KindInfo("ipdest", (Field("ip", 128, "cidr6"),)),
    Kind.MATCH_IP_TOS: KindInfo("iptos", (Field("mask", 8), Field("start", 8), Field("end", 8))),
    Kind.MATCH_IP_PROTOCOL: KindInfo("ipprotocol", (Field("ipProtocol", 8),)),
    Kind.MATCH_ETHERTYPE: KindInfo("ethertype", (Field("etherType", 16),)),
    Kind.MATCH_ICMP: KindInfo("icmp", (Field("icmpType", 8), Field("icmpCode", 8, "optional"))),
    Kind.MATCH_IP_SOURCE_PORT_RANGE: KindInfo("sport", _PORTS),
    Kind.MATCH_IP_DEST_PORT_RANGE: KindInfo("dport", _PORTS),
    Kind.MATCH_CHARACTERISTICS: KindInfo("chr", (Field("mask", 64, "hex"),)),
    Kind.MATCH_FRAME_SIZE_RANGE: KindInfo("framesize", _PORTS),
    Kind.MATCH_RANDOM: KindInfo("random", (Field("probability", 32),)),
    Kind.MATCH_TAGS_DIFFERENCE: KindInfo("tdiff", _TAG),
    Kind.MATCH_TAGS_BITWISE_AND: KindInfo("tand", _TAG),
    Kind.MATCH_TAGS_BITWISE_OR: KindInfo("tor", _TAG),
    Kind.MATCH_TAGS_BITWISE_XOR: KindInfo("txor", _TAG),
    Kind.MATCH_TAGS_EQUAL: KindInfo("teq", _TAG),
    Kind.MATCH_TAG_SENDER: KindInfo("tseq", _TAG),
    Kind.MATCH_TAG_RECEIVER: KindInfo("treq", _TAG),
    Kind.INTEGER_RANGE: KindInfo(
        None,
        (
            Field("start", 64, "hex"),
            Field("end", 64, "hex"),
            Field("idx", 16),
            Field("bits", 8, "bits"),
            Field("little", 1, "flag"),
        ),
    ),
}


class Entry(NamedTuple):
    """One entry as the engine holds it: numbers cut to their widths.

    `value` holds the fields of `KINDS[kind]` in order (an absent ICMP code is None).
    `rule` is the entry's index in the JSON list it was read from: entries of unknown
    type are left out, so it can be larger than the entry's own index.
    """

    kind: Kind
    inverted: bool = False
    alternative: bool = False
    value: tuple[int | None, ...] = ()
    rule: int = 0
