"""The words and numbers of the rules language: ethertypes, protocols, frame characteristics.

Contract: plain tables and small tests of text, from docs/spec/rules-language.md sections 2, 3
and 5; the compiler, the printer, the linter and reports read the same ones.
Tested by tests/lang (through the compiler) and tests/lang/test_printer.py.
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
# The official compiler knows the letters of Unicode 6.1 up to U+FFFF.  What later versions
# added is told by these ranges, which hold no letter of 6.1, so that names do not depend on
# the Unicode of the running Python.
_LATER_LETTERS = re.compile(
    "["
    "\u0529-\u052f\u0560\u0588\u05ef\u0860-\u088f\u08a1\u08ad-\u08c9\u0978\u0980\u09fc\u0af9"
    "\u0c34\u0c5a-\u0c5d\u0c80\u0cdc\u0cdd\u0d04\u0d54-\u0d5f\u0e86\u0e89\u0e8c\u0e8e-\u0e93"
    "\u0e98\u0ea0\u0ea8\u0ea9\u0eac\u13f8-\u13fd\u16f1-\u16f8\u170d\u171f\u1878\u191d\u191e"
    "\u19b0-\u19c0\u19c8\u19c9\u1b4c\u1c80-\u1c8a\u1cf2\u1cf3\u1cfa\u2c5f\u312e\u312f"
    "\u31bb-\u31bf\u4db6-\u4dbf\u9fcd-\u9fff\ua699-\ua69d\ua78f\ua794-\ua79f\ua7af"
    "\ua7b5-\ua7c3\ua7c8-\ua7ca\ua7cd-\ua7db\ua7f1-\ua7f7\ua8fd\ua8fe\ua9e0-\ua9fe\uaa7e\uaa7f"
    "\uab30-\uabbf\U00010000-\U0010ffff"
    "]"
)
_NO_LONGER_LETTERS = "\u1885\u1886"


def is_name(text: str) -> bool:
    """True for a lowered name: letters (Unicode 6.1's, up to U+FFFF), digits but not first, `_`."""
    if _ASCII_NAME.match(text):
        return True
    if not text or text[0] in "0123456789" or _LATER_LETTERS.search(text):
        return False
    return all(c.isalpha() or c in "_0123456789" or c in _NO_LONGER_LETTERS for c in text)


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
