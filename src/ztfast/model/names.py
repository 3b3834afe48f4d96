"""The words and numbers of the rules language: ethertypes, protocols, frame characteristics.

Contract: plain tables and small tests of text, from spec/rules-language.md sections 2, 3
and 5; the compiler, the printer, the linter and reports read the same ones.
Tested by tests/lang (through the compiler) and tests/model/test_printer.py.
"""

from __future__ import annotations

import re

from ztfast.model.kinds import KINDS

ETHERTYPES: dict[str, int] = {
    "ipv4": 0x0800,
    "arp": 0x0806,
    "wol": 0x0842,
    "rarp": 0x8035,
    "ipv6": 0x86DD,
    "atalk": 0x809B,
    "aarp": 0x80F3,
    "ipx_a": 0x8137,
    "ipx_b": 0x8138,
}

PROTOCOLS: dict[str, int] = {
    "icmp": 1,
    "icmp4": 1,
    "icmpv4": 1,
    "igmp": 2,
    "ipip": 4,
    "tcp": 6,
    "egp": 8,
    "igp": 9,
    "udp": 17,
    "rdp": 27,
    "esp": 50,
    "ah": 51,
    "icmp6": 58,
    "icmpv6": 58,
    "l2tp": 115,
    "sctp": 132,
    "udplite": 136,
}

CHARACTERISTICS: dict[str, int] = {
    "inbound": 63,
    "multicast": 62,
    "broadcast": 61,
    "ipauth": 60,
    "macauth": 59,
    "tcp_fin": 0,
    "tcp_syn": 1,
    "tcp_rst": 2,
    "tcp_psh": 3,
    "tcp_ack": 4,
    "tcp_urg": 5,
    "tcp_ece": 6,
    "tcp_cwr": 7,
    "tcp_ns": 8,
    "tcp_rs2": 9,
    "tcp_rs1": 10,
    "tcp_rs0": 11,
}

DEFINITION_WORDS = frozenset({"macro", "tag", "cap"})
ACTION_WORDS = frozenset({"drop", "accept", "break", "tee", "watch", "redirect"})
BLOCK_WORDS = DEFINITION_WORDS | ACTION_WORDS | {"priority"}
MATCH_WORDS = frozenset(
    info.word for kind, info in KINDS.items() if info.word is not None and not kind.is_action
)

# What the official compiler finds in every look-up table because JavaScript objects have
# it; it then fails in odd ways or accepts by accident.  Nobody needs them as names.
OBJECT_WORDS = frozenset(
    {
        "constructor",
        "hasOwnProperty",
        "isPrototypeOf",
        "propertyIsEnumerable",
        "toLocaleString",
        "toString",
        "valueOf",
        "__proto__",
        "__defineGetter__",
        "__defineSetter__",
        "__lookupGetter__",
        "__lookupSetter__",
    }
)

RESERVED = (
    BLOCK_WORDS
    | MATCH_WORDS
    | OBJECT_WORDS
    | {"default", "include", "import", "define", "type", "enum", "class", "log"}
    | {"not", "and", "or", "xor", "set", "var", "let"}
)

_ASCII_NAME = re.compile(r"[a-z_][a-z0-9_]*\Z")


def is_name(text: str) -> bool:
    """True for a lowered name: letters (Unicode ones count), digits but not first, `_`."""
    if _ASCII_NAME.match(text):
        return True
    if not text or text[0] in "0123456789":
        return False
    return all(c == "_" or c.isalpha() or c in "0123456789" for c in text)


_V6_FULL = re.compile(r"(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}")
_V6_SCOPED = re.compile(r"fe80:(?::[0-9a-fA-F]{0,4}){0,4}%[0-9a-zA-Z]+")
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_V4 = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}")


def looks_like_ipv6(text: str) -> bool:
    """True where the text *contains* something of an IPv6 address's shape (section 5)."""
    return "::" in text or _V6_FULL.search(text) is not None or _V6_SCOPED.search(text) is not None


def looks_like_ipv4(text: str) -> bool:
    """True where the text *contains* something of an IPv4 address's shape (section 5)."""
    return _V4.search(text) is not None
