"""Numbers as the official compiler reads them: leading digits count, the rest is ignored.

Contract: ECMAScript's parseInt and parseFloat as docs/spec/rules-language.md section 5 uses
them, linear in the text, never raising.  Tested by tests/lang/test_numbers.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# ECMAScript's white space; Python's \s has other members.
_SPACE = "[\t\n\x0b\x0c\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]*"
_DECIMAL = re.compile(_SPACE + r"([+-]?)([0-9]*)")
_HEX = re.compile(_SPACE + r"([+-]?)(?:0[xX])?([0-9a-fA-F]*)")
_IS_HEX = re.compile(_SPACE + r"[+-]?0[xX]")
_FLOAT = re.compile(
    _SPACE + r"([+-]?)(?:(Infinity)|((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?))"
)

# A double holds no more; the exact value no longer matters beyond it.
BEYOND = 1 << 1024
_MAX_DIGITS = 400


def parse_number(text: str) -> int | None:
    """The number that a word starts with, None where it starts with none.

    `0x…` is hexadecimal, anything else decimal: `80x` is 80, `-1` is -1, `x10` None.
    """
    if len(text) < 16 and text.isascii() and text.isdecimal():
        return int(text)
    if len(text) > 2 and text[0] == "0" and text[1] in "xX":
        return _read(text[2:], _HEX, 16)  # which knows a second 0x: 0x0x5 is 5
    return _read(text, _DECIMAL, 10)


def parse_default(text: str) -> int | None:
    """As `parse_number`, for a tag's default, where a sign or space may stand before the 0x."""
    return _read(text, _HEX, 16) if _IS_HEX.match(text) else _read(text, _DECIMAL, 10)


def _read(text: str, form: re.Pattern[str], base: int) -> int | None:
    found = form.match(text)
    assert found is not None
    sign, digits = found.groups()
    if not digits:
        return None
    digits = digits.lstrip("0")
    value = 0 if not digits else BEYOND if len(digits) > _MAX_DIGITS else int(digits, base)
    if value >> 53:
        try:
            value = int(float(value))  # the official compiler's numbers are doubles
        except OverflowError:
            value = BEYOND
    return -value if sign == "-" else value


def parse_fraction(text: str) -> float | None:
    """The float that a word starts with, None where it starts with none."""
    found = _FLOAT.match(text)
    if not found:
        return None
    sign, infinite, digits = found.groups()
    value = float("inf") if infinite else float(digits)
    return -value if sign == "-" else value


def parse_range(text: str, max_value: int) -> tuple[int, int] | None:
    """`N` or `N-M` with 0 ≤ N ≤ M ≤ max_value, else None.

    A leading dash is a sign: `-0` is a number, `-0-5` too.  A third number is refused.
    """
    first, dash, rest = text.partition("-") if text[:1] != "-" else (text, "", "")
    start = parse_number(first)
    end = parse_number(rest) if dash and "-" not in rest else None if dash else start
    if start is None or end is None or not 0 <= start <= end <= max_value:
        return None
    return start, end


def to_int32(value: int) -> int:
    """The value cut to a signed 32-bit number."""
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value & 0x80000000 else value


def mask_text(bits: Iterable[int]) -> str:
    """The 16 hex digits that the official compiler writes for a set of bits 0..63.

    Each half is the absolute value of a *signed* 32-bit OR: a half with its top bit and
    any other bit set comes out wrong, and that is what a controller gets.
    """
    high = low = 0
    for bit in bits:
        if bit >= 32:
            high |= 1 << (bit - 32)
        else:
            low |= 1 << bit
    return f"{abs(to_int32(high)):08x}{abs(to_int32(low)):08x}"
