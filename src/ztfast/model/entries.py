"""Reading a JSON entry into engine numbers, as a controller does.

Contract: `read_entry` follows docs/spec/evaluation.md section 10 (widths, defaults, odd
texts) and never raises for a JSON object; an entry of unknown type, or with a `mask` that a
controller cannot read, gives None.
`read_entries` leaves those out.  Tested by tests/model/test_entries.py and, through
the evaluators, by the eval-edge vectors.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Union

from ztfast.model.kinds import KINDS, Entry, Field, Kind

# A value that a JSON parser gave: `isinstance` then tells a type checker what is in it, too.
Json = Union["Mapping[str, Json]", "list[Json]", str, float, int, bool, None]

_KIND_BY_NAME = {kind.name: kind for kind in Kind}
_NOT_HEX = re.compile(r"[^0-9a-fA-F]")
_DECIMAL, _HEX = 10, 16
_LEADING = {
    _DECIMAL: re.compile(r"[ \t\n\v\f\r]*([+-]?)0*([0-9]*)"),
    _HEX: re.compile(r"[ \t\n\v\f\r]*([+-]?)(?:0[xX](?=[0-9a-fA-F]))?0*([0-9a-fA-F]*)"),
}
_DIGITS = {_DECIMAL: 20, _HEX: 16}  # no more can fit into 64 bits
_MOST = (1 << 64) - 1
_MAX_IP_TEXT = 64


def read_entries(rules: Iterable[Any], limit: int | None = None) -> tuple[Entry, ...]:
    """The entries of a JSON rule list; those that give none are left out.

    `limit`: the network keeps that many of them and cuts the rest off.
    """
    entries = (read_entry(rule, index) for index, rule in enumerate(rules))
    return tuple(islice((entry for entry in entries if entry is not None), limit))


def read_entry(rule: Json, index: int = 0) -> Entry | None:
    """One JSON entry as the controller installs it, or None where it installs none.

    `index` is kept as `Entry.rule`.
    """
    if not isinstance(rule, Mapping):
        return None
    name = rule.get("type")
    kind = _KIND_BY_NAME.get(name) if isinstance(name, str) else None
    if kind is None or (kind is Kind.MATCH_CHARACTERISTICS and not _has_readable_mask(rule)):
        return None
    value: list[int | None] = []
    for field in KINDS[kind].fields:
        value.extend(_read_field(field, rule, value))
    return Entry(
        kind,
        _read_bool(rule.get("not")),
        _read_bool(rule.get("or")),
        tuple(value),
        index,
    )


def _has_readable_mask(rule: Mapping[str, Any]) -> bool:
    """A mask of characteristics that is there is a number or a text, or there is no entry."""
    mask = rule.get("mask", 0)
    return isinstance(mask, int | float | str) and not isinstance(mask, bool)


def _read_field(
    field: Field, rule: Mapping[str, Any], before: list[int | None]
) -> tuple[int | None, ...]:
    raw = rule.get(field.json)
    width = (1 << field.bits) - 1
    if field.form == "cidr4":
        return _read_ipv4(raw)
    if field.form == "cidr6":
        return _read_ipv6(raw)
    if field.form == "mac":
        return (read_mac(raw),)
    if field.form == "zt":
        return (_unsigned(_text(raw), _HEX) & width,)
    if field.form == "hex":
        value = _unsigned(raw, _HEX) if isinstance(raw, str) else _read_number(raw)
        return (value & width,)
    if field.form == "optional":
        return (None if raw is None else _read_number(raw) & width,)
    if field.form == "end":
        return (_read_number(raw, before[0] or 0) & width,)
    if field.form == "bits":
        return (_read_number(raw, 1) & width,)
    if field.form == "flag":
        return (int(_read_bool(raw)),)
    return (_read_number(raw) & width,)


def _read_bool(raw: Any) -> bool:
    """A JSON truth value as the controller takes it: also numbers from 1 up, and t…, T…, 1…."""
    if isinstance(raw, str):
        return raw[:1] in ("t", "T", "1")
    if isinstance(raw, int | float):
        return math.isfinite(raw) and int(raw) != 0
    return False


def _read_number(raw: Any, missing: int = 0) -> int:
    """A JSON number (or a text that starts with one) as an integer; else `missing`."""
    if isinstance(raw, int):  # a truth value too: false is 0, true is 1
        return int(raw)
    if isinstance(raw, float):
        return int(raw) if math.isfinite(raw) else missing
    if isinstance(raw, str):
        return _unsigned(raw, _DECIMAL)
    return missing


def _text(raw: Any) -> str:
    """A JSON value where the controller wants a text: numbers in decimal, else nothing."""
    if isinstance(raw, str):
        return raw.partition("\0")[0]
    return str(_read_number(raw) & _MOST) if isinstance(raw, int | float) else ""


def _unsigned(text: str, base: int) -> int:
    """The leading number of a text, as C's strtoull reads it: the surplus is cut to 2^64 - 1."""
    found = _LEADING[base].match(text)
    if found is None:
        return 0
    sign, digits = found.groups()
    number = int(digits, base) if 0 < len(digits) <= _DIGITS[base] else 0 if not digits else _MOST
    if number >= _MOST:
        return _MOST
    return -number & _MOST if sign == "-" else number


def read_mac(raw: Any) -> int:
    """A MAC (48 bits) as a controller from 1.14.1 on reads it.

    Six pairs of characters of a text without `:` and `-`, padded with zeros behind.
    A character that is no hex digit counts as 0, and a last odd one is lost: `b0b9.d589.8e64` is
    b0:b9:0d:58:90:8e.
    """
    text = (raw if isinstance(raw, str) else _text(raw)).replace(":", "").replace("-", "")
    digits = _NOT_HEX.sub("0", text[: min(12, len(text) & ~1)])
    return int(digits.ljust(12, "0"), 16)


def _split_prefix(raw: Any, max_bits: int) -> tuple[str, int]:
    """(address, bits) of `address/bits`: bits are cut to 8 bits, then to `max_bits`.

    A text of `_MAX_IP_TEXT` characters or more is no address, with 0 bits.
    """
    text = _text(raw)
    address, _, bits = text.partition("/")
    if len(text) >= _MAX_IP_TEXT or ("." not in address and ":" not in address):
        return "", 0
    return address, min(_unsigned(bits, _DECIMAL) & 0xFF, max_bits)


def _read_ipv4(raw: Any) -> tuple[int, int]:
    """(address, bits) of `a.b.c.d/bits`; text that is no address is 0.0.0.0."""
    address, bits = _split_prefix(raw, 32)
    return (_packed(4, address), bits)


def _read_ipv6(raw: Any) -> tuple[int, int]:
    """(address, bits) of an IPv6 prefix; text that is no address is 0."""
    address, bits = _split_prefix(raw, 128)
    # A zone is part of Python's IPv6 addresses, and not of inet_pton's.
    return (0 if "%" in address else _packed(6, address), bits)


def _packed(version: int, address: str) -> int:
    """The address as a number; spellings that inet_pton refuses (leading zeros too) are 0."""
    from ipaddress import AddressValueError, IPv4Address, IPv6Address  # start-up stays short

    try:
        return int(IPv4Address(address) if version == 4 else IPv6Address(address))
    except AddressValueError:
        return 0
