"""The match words: how many arguments each takes and how they become a JSON entry.

Contract: the tables of docs/spec/rules-language.md section 5, one reader a kind of argument.
A reader takes the arguments (with `$x` already replaced) and the tags, and gives the
entry's own fields in the official order, or raises `BadArgument` for one of them.
Tested by tests/lang/test_compiler.py and the compile vectors.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ztfast.lang.numbers import mask_text, parse_fraction, parse_number, parse_range
from ztfast.lang.pasted import range_help
from ztfast.model.names import (
    CHARACTERISTICS,
    ETHERTYPES,
    PROTOCOLS,
    looks_like_ipv4,
    looks_like_ipv6,
)
from ztfast.model.policy import Tag

Fields = dict[str, Any]
Tags = Mapping[str, Tag]
Reader = Callable[[list[str], Tags], Fields]

_NOT_HEX = re.compile(r"[^0-9a-f]")
_UINT32 = 0xFFFFFFFF


class BadArgument(Exception):
    """The argument at `index` is refused: a code, what is wrong, what was expected."""

    def __init__(self, index: int, code: str, message: str, help: str) -> None:
        super().__init__(message)
        self.index = index
        self.code = code
        self.message = message
        self.help = help


class Match(NamedTuple):
    """A match word: the type it makes, its arguments' names, their reader."""

    type: str
    arguments: tuple[str, ...]
    read: Reader


def quote(text: str) -> str:
    """A word for a message: shortened, in quotes."""
    return f"`{text if len(text) <= 40 else text[:37] + '…'}`"


def _a(word: str) -> str:
    return f"{'an' if word[0] in 'aeiouI' else 'a'} {word}"


def _address(args: list[str], tags: Tags) -> Fields:
    digits = _NOT_HEX.sub("", args[0].lower())
    if len(digits) != 10:
        raise BadArgument(
            0,
            "ZT015",
            f"{quote(args[0])} is not a ZeroTier address: it has {len(digits)} hex digits",
            "a ZeroTier address has exactly 10 hex digits, as in 8e30f50a25",
        )
    return {"zt": digits}


def _mac(args: list[str], tags: Tags) -> Fields:
    digits = _NOT_HEX.sub("", args[0].lower())
    if len(digits) < 12:
        raise BadArgument(
            0,
            "ZT016",
            f"{quote(args[0])} is not a MAC address: it has {len(digits)} hex digits",
            "a MAC address has 12 hex digits, as in 02:00:5e:10:00:01",
        )
    return {"mac": ":".join(digits[i : i + 2] for i in range(0, 12, 2))}


def _number_of(name: str, names: Mapping[str, int], json: str) -> Reader:
    known = "" if not names else "; known names: " + ", ".join(names)

    def read(args: list[str], tags: Tags) -> Fields:
        value = names.get(args[0])
        if value is None:
            value = parse_number(args[0])
        if value is None or not 0 <= value <= _UINT32:
            raise BadArgument(
                0,
                "ZT013",
                f"{quote(args[0])} is not {_a(name)}",
                f"expected a number from 0 to 4294967295 (0x… is hexadecimal){known}",
            )
        return {json: value}

    return read


def _prefix(side: str) -> Reader:
    type6 = f"MATCH_IPV6_{side}"
    type4 = f"MATCH_IPV4_{side}"

    def read(args: list[str], tags: Tags) -> Fields:
        text = args[0]
        address, slash, _ = text.partition("/")
        if not slash:
            raise BadArgument(
                0,
                "ZT017",
                f"{quote(text)} has no prefix length",
                "write address/bits in one word, as in 10.0.0.0/8; /32 (IPv6: /128) is one host",
            )
        if looks_like_ipv6(address):
            return {"type": type6, "ip": text}
        if looks_like_ipv4(address):
            return {"type": type4, "ip": text}
        raise BadArgument(
            0,
            "ZT017",
            f"{quote(text)} is not an IP prefix",
            "expected an IPv4 or IPv6 address and a prefix length, as in 10.0.0.0/8 or fd00::/8",
        )

    return read


def _range(index: int, text: str, max_value: int, what: str) -> tuple[int, int]:
    found = parse_range(text, max_value)
    if found is None:
        raise BadArgument(
            index,
            "ZT014",
            f"{quote(text)} is not {_a(what)}",
            range_help(text)
            or f"expected N or N-M with N ≤ M, both from 0 to {max_value}, without spaces",
        )
    return found


def _range_of(what: str) -> Reader:
    def read(args: list[str], tags: Tags) -> Fields:
        start, end = _range(0, args[0], 0xFFFF, what)
        return {"start": start, "end": end}

    return read


def _tos(args: list[str], tags: Tags) -> Fields:
    mask = parse_number(args[0])
    if mask is None or not 0 <= mask <= 255:
        raise BadArgument(
            0, "ZT013", f"{quote(args[0])} is not a TOS mask", "expected a number from 0 to 255"
        )
    start, end = _range(1, args[1], 255, "TOS value or range")
    return {"mask": mask, "start": start, "end": end}


def _icmp(args: list[str], tags: Tags) -> Fields:
    kind = parse_number(args[0])
    if kind is None or not 0 <= kind <= 255:
        raise BadArgument(
            0, "ZT013", f"{quote(args[0])} is not an ICMP type", "expected a number from 0 to 255"
        )
    code = parse_number(args[1])
    if code is not None and code > 255:
        raise BadArgument(
            1,
            "ZT013",
            f"{quote(args[1])} is not an ICMP code",
            "expected a number from 0 to 255, or -1 for any code",
        )
    return {"icmpType": kind, "icmpCode": None if code is None or code < 0 else code}


def _characteristics(args: list[str], tags: Tags) -> Fields:
    bits: list[int] = []
    for item in args[0].split(","):
        if not item:
            continue
        bit = CHARACTERISTICS.get(item)
        if bit is None:
            bit = parse_number(item)
        if bit is None or not 0 <= bit <= 63:
            raise BadArgument(
                0,
                "ZT018",
                f"{quote(item)} is not a frame characteristic",
                "expected bit numbers 0 to 63 or names in lower case, joined by commas: "
                + ", ".join(CHARACTERISTICS),
            )
        bits.append(bit)
    return {"mask": mask_text(bits)}


def _random(args: list[str], tags: Tags) -> Fields:
    share = parse_fraction(args[0])
    share = 0.0 if share is None else min(max(share, 0.0), 1.0)
    return {"probability": math.floor(4294967295.0 * share)}


def _tag(args: list[str], tags: Tags) -> Fields:
    name, text = args
    tag = tags.get(name)
    number = tag.id if tag is not None else parse_number(name)
    if number is None or not 0 <= number <= _UINT32:
        raise BadArgument(
            0,
            "ZT020",
            f"there is no tag {quote(name)}",
            _tag_help(name, tags),
        )
    value = None
    if tag is not None:
        value = tag.flags.get(text, tag.enums.get(text))
    if value is None:
        value = parse_number(text)
    if value is None or not 0 <= value <= _UINT32:
        raise BadArgument(1, "ZT021", *_tag_value_trouble(text, tag, value))
    return {"id": number, "value": value}


def _tag_help(name: str, tags: Tags) -> str:
    if name.lower() in tags:
        return f"names are lowered when defined but not when used: write {quote(name.lower())}"
    if tags:
        return "expected an id from 0 to 4294967295 or one of: " + ", ".join(list(tags)[:20])
    return "expected an id from 0 to 4294967295; no tag is defined"


def _tag_value_trouble(text: str, tag: Tag | None, value: int | None) -> tuple[str, str]:
    if tag is not None and value is not None and value < 0 and text in tag.flags:
        return (
            f"the flag {quote(text)} holds bit 31, which makes it negative ({value})",
            f"write the number instead: {value & _UINT32}",
        )
    if tag is None:
        return (
            f"{quote(text)} is not a tag value",
            "expected a number from 0 to 4294967295 (names need the tag's name, not its id)",
        )
    known = [*tag.flags, *tag.enums][:20]
    names = f" or one of: {', '.join(known)}" if known else ""
    if text.lower() in known:
        return (
            f"the tag has no value {quote(text)}",
            f"names are lowered when defined but not when used: write {quote(text.lower())}",
        )
    return (
        f"{quote(text)} is not a value of the tag {quote(tag.name or '')}",
        f"expected a number from 0 to 4294967295{names}",
    )


_NONE: Mapping[str, int] = {}
_PREFIX = ("address/bits",)
_TAG = ("tag", "value")

MATCHES: dict[str, Match] = {
    "ztsrc": Match("MATCH_SOURCE_ZEROTIER_ADDRESS", ("address",), _address),
    "ztdest": Match("MATCH_DEST_ZEROTIER_ADDRESS", ("address",), _address),
    "vlan": Match("MATCH_VLAN_ID", ("id",), _number_of("VLAN id", _NONE, "vlanId")),
    "vlanpcp": Match("MATCH_VLAN_PCP", ("pcp",), _number_of("VLAN priority", _NONE, "vlanPcp")),
    "vlandei": Match("MATCH_VLAN_DEI", ("dei",), _number_of("VLAN DEI", _NONE, "vlanDei")),
    "ethertype": Match(
        "MATCH_ETHERTYPE", ("type",), _number_of("ethertype", ETHERTYPES, "etherType")
    ),
    "ipprotocol": Match(
        "MATCH_IP_PROTOCOL", ("protocol",), _number_of("IP protocol", PROTOCOLS, "ipProtocol")
    ),
    "macsrc": Match("MATCH_MAC_SOURCE", ("mac",), _mac),
    "macdest": Match("MATCH_MAC_DEST", ("mac",), _mac),
    "ipsrc": Match("MATCH_IPV4_SOURCE", _PREFIX, _prefix("SOURCE")),
    "ipdest": Match("MATCH_IPV4_DEST", _PREFIX, _prefix("DEST")),
    "iptos": Match("MATCH_IP_TOS", ("mask", "value or range"), _tos),
    "icmp": Match("MATCH_ICMP", ("type", "code"), _icmp),
    "sport": Match("MATCH_IP_SOURCE_PORT_RANGE", ("port",), _range_of("port or port range")),
    "dport": Match("MATCH_IP_DEST_PORT_RANGE", ("port",), _range_of("port or port range")),
    "framesize": Match("MATCH_FRAME_SIZE_RANGE", ("size",), _range_of("size or size range")),
    "chr": Match("MATCH_CHARACTERISTICS", ("bits",), _characteristics),
    "random": Match("MATCH_RANDOM", ("probability",), _random),
    "tand": Match("MATCH_TAGS_BITWISE_AND", _TAG, _tag),
    "tor": Match("MATCH_TAGS_BITWISE_OR", _TAG, _tag),
    "txor": Match("MATCH_TAGS_BITWISE_XOR", _TAG, _tag),
    "tdiff": Match("MATCH_TAGS_DIFFERENCE", _TAG, _tag),
    "teq": Match("MATCH_TAGS_EQUAL", _TAG, _tag),
    "tseq": Match("MATCH_TAG_SENDER", _TAG, _tag),
    "treq": Match("MATCH_TAG_RECEIVER", _TAG, _tag),
}
