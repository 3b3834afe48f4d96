from __future__ import annotations

import math

import pytest

from ztfast.lang.numbers import (
    BEYOND,
    mask_text,
    parse_default,
    parse_fraction,
    parse_number,
    parse_range,
    to_int32,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("007", 7),
        ("80x", 80),
        ("+5", 5),
        ("-1", -1),
        ("1e3", 1),
        ("0X10", 16),
        ("0x", 0),
        ("0xg", None),
        ("0x-5", -5),
        ("0x0x5", 5),
        ("0x0X", None),
        ("0x+0x-", None),
        ("-0x5", 0),
        ("x10", None),
        ("", None),
        ("-", None),
        ("\xa05", 5),
        ("\x855", None),
        ("٥", None),
        ("4294967296", 4294967296),
        ("9007199254740993", 9007199254740992),
        ("0" * 500 + "7", 7),
        ("9" * 5000, BEYOND),
        ("9" * 350, BEYOND),
        ("0x" + "f" * 5000, BEYOND),
    ],
)
def test_numbers(text: str, value: int | None) -> None:
    assert parse_number(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0x10", 16),
        ("-0x5", -5),
        ("\xa00X5", 5),
        ("0x", None),
        ("0x0x5", 0),
        ("0x-5", None),
        ("12x", 12),
        ("x", None),
    ],
)
def test_defaults_know_a_sign_before_the_base(text: str, value: int | None) -> None:
    assert parse_default(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (".75", 0.75),
        ("5.", 5.0),
        ("5e-1", 0.5),
        ("5e", 5.0),
        ("0.5x", 0.5),
        ("-Infinity", -math.inf),
        ("1e400", math.inf),
        ("NaN", None),
        (".", None),
        ("infinity", None),
    ],
)
def test_fractions(text: str, value: float | None) -> None:
    assert parse_fraction(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("80", (80, 80)),
        ("80-90", (80, 90)),
        ("0x50-0x5a", (80, 90)),
        ("80-90-100", None),
        ("-0", (0, 0)),
        ("-0-5", (0, 0)),
        ("+1-+2", (1, 2)),
        ("1--2", None),
        ("90-80", None),
        ("80-", None),
        ("-80", None),
        ("65536", None),
        ("0-65535", (0, 65535)),
    ],
)
def test_ranges(text: str, value: tuple[int, int] | None) -> None:
    assert parse_range(text, 65535) == value


def test_masks_are_two_signed_halves() -> None:
    assert mask_text([]) == "0" * 16
    assert mask_text([63]) == "8000000000000000"
    assert mask_text([63, 62]) == "4000000000000000"
    assert mask_text([31, 1, 2]) == "000000007ffffffa"
    assert mask_text([63, 31]) == "8000000080000000"
    assert to_int32(0xFFFFFFFF) == -1
    assert to_int32(BEYOND) == 0
