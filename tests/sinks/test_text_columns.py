"""Texts as columns: the compiled loops and plain Python write the same bytes, and no others."""

from __future__ import annotations

import random
from ipaddress import IPv4Address, IPv6Address

import numpy as np
import pytest

from tests.needs import needs_loops
from ztfast import dispatch
from ztfast.sinks.text_columns import (
    Texts,
    address_text,
    address_texts,
    coded,
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
    missing = np.array([rng.choice([0, 1, 2, 3]) for _ in range(300)], np.uint32)
    made = [address_texts(*columns), mac_texts(macs, missing, 2)]
    monkeypatch.setattr(dispatch, "core", None)
    plain = [address_texts(*columns), mac_texts(macs, missing, 2)]
    for mine, its in zip(made, plain, strict=True):
        assert mine.offsets.tolist() == its.offsets.tolist()
        assert mine.data.tobytes() == its.data.tobytes()


def test_macs():
    macs = np.array([0x0A0B0C0D0E0F, 0, 0x0A0B0C0D0E0F], np.uint64)
    found = mac_texts(macs, np.array([0, 0, 4], np.uint32), 4)
    assert found.tolist() == ["0a:0b:0c:0d:0e:0f", "00:00:00:00:00:00", ""]
    assert mac_texts(macs[:0], np.zeros(0, np.uint32), 4).tolist() == []


@needs_loops
def test_nothing_is_written_outside():
    core = dispatch.require()
    macs, none = np.arange(3, dtype=np.uint64), np.zeros(3, np.uint32)
    short, offsets = np.zeros(50, np.uint8), np.zeros(4, np.int32)
    with pytest.raises(ValueError, match="no room"):
        core.mac_texts(macs, none, 1, offsets, short)
    with pytest.raises(ValueError, match="one offset more"):
        core.mac_texts(macs, none, 1, offsets[:3], np.zeros(51, np.uint8))
    with pytest.raises(ValueError, match="as many"):
        core.mac_texts(macs, none[:2], 1, offsets, np.zeros(51, np.uint8))
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
