"""pcapng in: sections, interfaces, packet blocks, times, damage, and the shared captures."""

from __future__ import annotations

import csv
import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.capture.building import (
    DATA,
    block,
    frame,
    interface,
    old_packet,
    packet,
    section,
    simple,
)
from ztfast.capture import Interface, open_capture
from ztfast.capture.pcapng_times import nanoseconds
from ztfast.errors import CaptureError

EXPECTED = [
    row
    for row in csv.reader((DATA / "expected.tsv").read_text().splitlines(), delimiter="\t")
    if len(row) == 5 and row[1] == "pcapng"
]
T = 1_600_000_000_123_456


def read(data, **arguments):
    with open_capture(io.BytesIO(data), **arguments) as capture:
        return [batch for batch in capture if len(batch)]


def damage(data):
    batches = []
    try:
        for batch in open_capture(io.BytesIO(data)):
            batches.append(batch)
    except CaptureError as error:
        return sum(map(len, batches)), error.diagnostics[0]
    pytest.fail("no damage was found")


@pytest.mark.parametrize("pipe", [False, True], ids=["mapped", "stream"])
def test_counts_of_every_capture(pipe):
    assert len(EXPECTED) == 93
    wrong = []
    for name, _, _, frames, size in EXPECTED:
        path = DATA / name
        with open_capture(io.BytesIO(path.read_bytes()) if pipe else path) as capture:
            batches = list(capture)
        found = sum(map(len, batches)), sum(int(b.lengths.sum()) for b in batches)
        if found != (int(frames), int(size)):
            wrong.append((name, found, frames, size))
    assert wrong == []


@pytest.mark.parametrize("order", ["<", ">"])
def test_all_packet_blocks(order):
    data = (
        section(order)
        + interface(1, 5, order=order)
        + packet(b"enhanced", 0, T, 900, order=order)
        + simple(b"simpl", 77, order=order)
        + old_packet(b"obsolete!", 0, T + 1, order=order)
        + block(0x7777, b"unknown", order)
        + packet(b"", 0, T + 2, order=order)
    )
    (batch,) = read(data)
    assert list(batch.frames()) == [b"enhanced", b"simpl", b"obsolete!", b""]
    assert batch.lengths.tolist() == [900, 77, 9, 0]
    assert batch.timestamps.tolist() == [T * 1000, 0, (T + 1) * 1000, (T + 2) * 1000]
    assert batch.others.before.tolist() == [0, 3]
    assert batch.interfaces[0].snaplen == 5


def test_interfaces_of_several_kinds_split_batches():
    data = (
        section()
        + interface(1)
        + interface(101, pairs=[(2, b"tun0"), (9, b"\x09"), (14, struct.pack("<q", 5))])
        + packet(b"a", 0, T)
        + packet(b"b", 1, T)
        + packet(b"c", 1, T)
        + interface(1, pairs=[(13, b"\x04")])
        + packet(b"d", 2, T)
        + packet(b"e", 0, T)
    )
    batches = read(data)
    assert [(b.linktype, len(b), b.first, b.fcs) for b in batches] == [
        (1, 1, 0, 0),
        (101, 2, 1, 0),
        (1, 1, 3, 4),
        (1, 1, 4, 0),
    ]
    assert batches[1].interfaces[1].name == "tun0"
    assert batches[1].timestamps.tolist() == [T + 5_000_000_000] * 2


def test_sections_of_both_byte_orders():
    data = b"".join(
        section(o) + interface(kind, order=o) + packet(b"x", 0, T, order=o)
        for o, kind in (("<", 1), (">", 101), ("<", 113))
    )
    batches = read(data)
    assert [b.linktype for b in batches] == [1, 101, 113]
    assert len({b.section for b in batches}) == 3
    assert all(b.timestamps.tolist() == [T * 1000] for b in batches)


@pytest.mark.parametrize(
    ("resolution", "units", "expected"),
    [
        (6, 1_500_000, 1_500_000_000),
        (9, 1_500_000_000, 1_500_000_000),
        (0, 3, 3_000_000_000),
        (3, 1500, 1_500_000_000),
        (12, 1_500_000_000_999, 1_500_000_000),
        (0x80 | 10, 1536, 1_500_000_000),
        (0x80 | 32, 3 << 31, 1_500_000_000),
        (0x80 | 40, 3 << 39, 1_500_000_000),
        (0x80 | 63, 3 << 62, 1_500_000_000),
        (0x80 | 37, 2**64 - 1, 134_217_727_999_999_999),
        (0x80 | 64, 3 << 62, 750_000_000),
        (0x80 | 127, 2**64 - 1, 0),
        (28, 2**64 - 1, 1),
        (29, 2**64 - 1, 0),
        (127, 10**18, 0),
        (0, 2**63, 2**63 - 1),
    ],
)
def test_units_of_time(resolution, units, expected):
    found = nanoseconds(np.array([units], np.uint64), Interface(1, resolution=resolution))
    assert found.tolist() == [expected]


@given(st.integers(0, 2**64 - 1), st.integers(0, 255), st.integers(-(2**63), 2**63 - 1))
def test_units_of_time_are_exact_or_at_the_limit(units, resolution, offset):
    power = resolution & 127
    per_second = 2**power if resolution & 128 else 10**power
    exact = units * 10**9 // per_second + offset * 10**9
    interface = Interface(1, resolution=resolution, offset=offset)
    (found,) = nanoseconds(np.array([units], np.uint64), interface).tolist()
    if abs(exact) < 2**63 - 2 * 10**9:
        assert found == exact
    else:
        assert abs(found) >= 2**63 - 3 * 10**9


def test_small_windows_give_the_same_frames(tmp_path):
    frames = [frame(i, i % 700) for i in range(600)]
    body = [
        packet(f, i % 2, T + i) + (block(0x99, b"n") if i % 50 == 0 else b"")
        for i, f in enumerate(frames)
    ]
    data = section() + interface() + interface() + b"".join(body)
    path = tmp_path / "a.pcapng"
    path.write_bytes(data)
    for source in (path, io.BytesIO(data)):
        with open_capture(source, span=2048) as capture:
            batches = list(capture)
        assert [f for b in batches for f in b.frames()] == frames
        assert sum(len(b.others.before) for b in batches) == 15
        assert len(batches) > 50


def test_a_block_larger_than_the_window(tmp_path):
    data = section() + interface() + block(0x99, b"n" * 50_000) + packet(b"abc", 0, T)
    path = tmp_path / "a.pcapng"
    path.write_bytes(data)
    for source in (path, io.BytesIO(data)):
        with open_capture(source, span=4096) as capture:
            assert sum(map(len, capture)) == 1


HEAD = section() + interface() + packet(b"good", 0, T)
BAD = {
    "interface": (packet(b"x", 3), "interface 3"),
    "too long": (block(6, struct.pack("<IIIII", 0, 0, 0, 300_000, 1) + b"x" * 20), "300000"),
    "beyond its block": (block(6, struct.pack("<IIIII", 0, 0, 0, 99, 1) + b"x" * 20), "99 capt"),
    "simple beyond": (block(3, struct.pack("<I", 60) + b"x" * 20), "60 captured"),
    "short packet": (block(6, b"x" * 16), "too short"),
    "short interface": (block(1, b"x" * 4), "too short"),
    "length 13": (struct.pack("<II", 6, 13) + b"x" * 40, "13 bytes"),
    "length 8": (struct.pack("<II", 6, 8) + b"x" * 40, "8 bytes"),
    "huge": (struct.pack("<II", 6, 0x7FFF_FFF0) + b"x" * 40, "2147483632 bytes: .*to 16777216"),
    "trailer": (packet(b"x")[:-4] + b"\x10\0\0\0", "does not end with"),
    "cut": (packet(b"x")[:-7], "inside|bytes into a block"),
    "no byte order": (block(0x0A0D0D0A, b"x" * 16), "byte-order mark"),
    "version": (section()[:12] + b"\x02" + section()[13:], "version 2"),
    "section trailer": (section()[:-4] + b"\x20\0\0\0", "lengths differ"),
}


@pytest.mark.parametrize("fault", BAD)
def test_damage(fault):
    bad, message = BAD[fault]
    after = b"" if fault == "cut" else packet(b"after", 0, T)
    frames, found = damage(HEAD + bad + after)
    assert frames == 1
    assert found.offset == len(HEAD)
    assert pytest.importorskip("re").search(message, found.message), found.message


@pytest.mark.parametrize("fault", [name for name in BAD if name not in ("cut", "huge")])
def test_resync_goes_on_behind_it(fault):
    data = HEAD + BAD[fault][0] + packet(b"after", 0, T) + packet(b"more", 0, T)
    with open_capture(io.BytesIO(data), resync=True) as capture:
        frames = [f for b in capture for f in b.frames()]
    assert frames == [b"good", b"after", b"more"]
    assert capture.skipped_bytes == len(BAD[fault][0])
    assert capture.diagnostics[0].offset == len(HEAD)


@pytest.mark.parametrize("size", [4, 27, 28, 30, 47])
def test_cut_inside_headers(size):
    with pytest.raises(CaptureError) as caught:
        list(open_capture(io.BytesIO(HEAD[:size] if size != 28 else HEAD[:29])))
    assert caught.value.diagnostics[0].offset in (0, 28)


def test_many_bad_blocks_take_linear_time():
    """20,000 bad blocks and as many interfaces of alternating kinds: over in a moment."""
    bad = packet(b"x", 60_000)
    data = section() + interface() + bad * 20_000
    with open_capture(io.BytesIO(data), resync=True) as capture:
        assert sum(map(len, capture)) == 0
    assert len(capture.diagnostics) == 1000
    data = section() + interface(1) + interface(101) + (packet(b"", 0) + packet(b"", 1)) * 30_000
    assert len(read(data)) == 60_000
