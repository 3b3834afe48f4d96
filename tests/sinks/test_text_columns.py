"""Texts as columns: the compiled loops and plain Python write the same bytes, and no others."""

from __future__ import annotations

import random
from ipaddress import IPv4Address, IPv6Address

import numpy as np
import pytest

from tests.needs import needs_loops
from ztfast import dispatch
from ztfast.sinks.text_columns import (
    Addresses,
    Macs,
    Texts,
    address_text,
    address_texts,
    coded,
    different_rows,
    each_once,
    mac_texts,
    texts_of,
)


def addresses(rng, count=400):
    """(version, high, low) columns; many groups are zero, as in real addresses."""
    groups = [0, 0, 0, 1, 0xF, 0xABC, 0xFFFF]
    wide = [int("".join(f"{rng.choice(groups):04x}" for _ in range(8)), 16) for _ in range(count)]
    version = np.array([rng.choice([0, 4, 6, 6]) for _ in range(count)], np.uint8)
    return (
        version,
        np.array([number >> 64 for number in wide], np.uint64),
        np.array([number & (1 << 64) - 1 for number in wide], np.uint64),
    )


@pytest.mark.parametrize("seed", range(10))
def test_addresses_as_the_standard_library_writes_them(seed):
    version, high, low = addresses(random.Random(seed))
    texts = address_texts(version, high, low).tolist()
    rows = zip(version.tolist(), high.tolist(), low.tolist(), texts, strict=True)
    for kind, top, rest, text in rows:
        number = top << 64 | rest
        if kind == 4:
            assert text == str(IPv4Address(rest & 0xFFFFFFFF))
        elif kind == 0:
            assert text == ""
        else:
            assert IPv6Address(text) == IPv6Address(number)
            if number >> 32 != 0xFFFF:  # later versions of Python write these with dots
                assert text == str(IPv6Address(number))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "::"),
        (1, "::1"),
        (1 << 112, "1::"),
        (0xFFFF_0A010203, "::ffff:a01:203"),
        (0x0001_0000_0000_0001_0000_0000_0000_0001, "1:0:0:1::1"),
        (0x0001_0000_0000_0001_0001_0000_0000_0001, "1::1:1:0:0:1"),
        (0x0001_0000_0001_0001_0001_0001_0001_0001, "1:0:1:1:1:1:1:1"),
        ((1 << 128) - 1, ":".join(["ffff"] * 8)),
        (0xFFFF << 112 | 0xFFFF, "ffff::ffff"),
    ],
)
def test_zeros_that_are_left_out(number, text):
    high, low = number >> 64, number & (1 << 64) - 1
    assert address_text(6, high, low) == text
    columns = np.array([6], np.uint8), np.array([high], np.uint64), np.array([low], np.uint64)
    assert address_texts(*columns).tolist() == [text]


@needs_loops
@pytest.mark.parametrize("seed", range(5))
def test_loops_and_plain_python_write_the_same(seed, monkeypatch):
    rng = random.Random(seed)
    columns = addresses(rng)
    ends = [0, 2**48 - 1]
    macs = np.array([rng.choice([*ends, rng.getrandbits(48)]) for _ in range(300)], np.uint64)
    known = np.array([rng.choice([0, 1, 1]) for _ in range(300)], np.uint8)
    made = [address_texts(*columns), mac_texts(known, macs)]
    monkeypatch.setattr(dispatch, "core", None)
    plain = [address_texts(*columns), mac_texts(known, macs)]
    for mine, its in zip(made, plain, strict=True):
        assert mine.offsets.tolist() == its.offsets.tolist()
        assert mine.data.tobytes() == its.data.tobytes()


def numbers(seed, count=500):
    """MACs and addresses of which many stand more than once."""
    rng = random.Random(seed)
    version, high, low = addresses(rng)
    again = np.array([rng.randrange(40) for _ in range(count)])
    known = np.array([rng.choice([0, 1, 1]) for _ in range(count)], np.uint8)
    unlike = rng.choice([0, 1]) * np.arange(count, dtype=np.uint64)
    return Macs(known, low[again] >> 16), Addresses(
        version[again], high[again], low[again] ^ unlike
    )


@pytest.mark.parametrize("compiled", [pytest.param(True, marks=needs_loops), False])
@pytest.mark.parametrize("seed", range(6))
def test_each_different_text_stands_once(seed, compiled, monkeypatch):
    if not compiled:
        monkeypatch.setattr(dispatch, "core", None)
    for column in numbers(seed):
        by_number, expected = column.coded(), column.texts().tolist()
        assert by_number.tolist() == expected == column.tolist()
        assert len(by_number) == len(column) == len(expected)
        values = by_number.values.tolist()
        assert sorted(values) == sorted(set(expected))


@needs_loops
@pytest.mark.parametrize("count", [0, 1, 3, 4, 1000])
def test_rows_that_differ_are_numbered_as_they_come(count):
    rng = random.Random(count)
    kind = np.array([rng.choice([0, 4, 6]) for _ in range(count)], np.uint8)
    high, low = (
        np.array([rng.choice([0, 1, 2**64 - 1, rng.getrandbits(64)]) for _ in kind], np.uint64)
        for _ in range(2)
    )
    first, codes = different_rows(kind, high, low)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(dispatch, "core", None)
        plain_first, plain_codes = different_rows(kind, high, low)
    assert first.tolist() == plain_first.tolist()
    assert codes.tolist() == plain_codes.tolist()


@needs_loops
def test_rows_that_cannot_be_numbered():
    number = dispatch.require().different_rows
    kind, half = np.zeros(4, np.uint8), np.zeros(4, np.uint64)
    codes, slots = np.zeros(4, np.int32), np.zeros(8, np.int32)
    assert number(kind, half, half, (1, 1), slots, codes, codes.copy()) == 1
    with pytest.raises(ValueError, match="as many"):
        number(kind, half[:3], half, (1, 1), slots, codes, codes)
    with pytest.raises(ValueError, match="no room"):
        number(kind, half, half, (1, 1), slots, codes, codes[:3])
    for wrong in (slots[:4], slots[:7], slots[:0]):
        with pytest.raises(ValueError, match="slots"):
            number(kind, half, half, (1, 1), wrong, codes, codes)


def test_macs():
    macs = np.array([0x0A0B0C0D0E0F, 0, 0x0A0B0C0D0E0F], np.uint64)
    found = mac_texts(np.array([1, 1, 0], np.uint8), macs)
    assert found.tolist() == ["0a:0b:0c:0d:0e:0f", "00:00:00:00:00:00", ""]
    assert mac_texts(np.zeros(0, np.uint8), macs[:0]).tolist() == []


@needs_loops
def test_nothing_is_written_outside():
    core = dispatch.require()
    macs, known = np.arange(3, dtype=np.uint64), np.ones(3, np.uint8)
    short, offsets = np.zeros(50, np.uint8), np.zeros(4, np.int32)
    with pytest.raises(ValueError, match="no room"):
        core.mac_texts(known, macs, offsets, short)
    with pytest.raises(ValueError, match="one offset more"):
        core.mac_texts(known, macs, offsets[:3], np.zeros(51, np.uint8))
    with pytest.raises(ValueError, match="as many"):
        core.mac_texts(known[:2], macs, offsets, np.zeros(51, np.uint8))
    version, half = np.full(3, 6, np.uint8), np.full(3, (1 << 64) - 1, np.uint64)
    with pytest.raises(ValueError, match="no room"):
        core.address_texts(version, half, half, offsets, np.zeros(116, np.uint8))
    with pytest.raises(ValueError, match="one offset more"):
        core.address_texts(version, half, half, offsets[:3], np.zeros(117, np.uint8))
    assert core.address_texts(version, half, half, offsets, np.zeros(117, np.uint8)) == 117


def test_texts_by_number():
    some = coded(["", "ä", "b"], [2, 1, 0, 1])
    assert (len(some), some.tolist()) == (4, ["b", "ä", "", "ä"])
    assert some.part(slice(1, 3)).tolist() == ["ä", ""]
    asked = []
    named = each_once(np.array([7, 9, 7], np.uint64), lambda key: asked.append(key) or f"<{key}>")
    assert named.tolist() == ["<7>", "<9>", "<7>"]
    assert asked == [7, 9]
    assert texts_of([]).tolist() == []
    assert isinstance(texts_of(["x"]), Texts)
