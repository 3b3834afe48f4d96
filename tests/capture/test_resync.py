"""Going on after damage: the next valid record, and how much was skipped."""

from __future__ import annotations

import gzip
import io
import random
import struct

import pytest

from tests import seeds
from tests.capture.building import frame, interface, packet, pcap, section
from ztfast.capture import open_capture

FRAMES = [frame(i, 60 + i) for i in range(40)]


def places():
    at, out = 24, []
    for body in FRAMES:
        out.append(at)
        at += 16 + len(body)
    return out


def read(data, span=1 << 24):
    with open_capture(io.BytesIO(data), resync=True, span=span) as capture:
        frames = [f for batch in capture for f in batch.frames()]
    return frames, capture


@pytest.mark.parametrize("span", [1 << 24, 2048])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_bad_length_costs_one_record(span, order):
    data = bytearray(pcap(FRAMES, order=order))
    at = places()[10]
    struct.pack_into(order + "I", data, at + 8, 0x7FFF_FFFF)
    frames, capture = read(bytes(data), span)
    assert frames == FRAMES[:10] + FRAMES[11:]
    assert capture.skipped_bytes == 16 + len(FRAMES[10])
    damage, note = capture.diagnostics
    assert damage.offset == at
    assert str(capture.skipped_bytes) in note.message
    assert note.severity == "note"


def test_garbage_between_records():
    data, at = pcap(FRAMES), places()[20]
    garbage = b"\xff" * 1001
    frames, capture = read(data[:at] + garbage + data[at:])
    assert frames == FRAMES
    assert capture.skipped_bytes == 1001


def test_last_record_cut():
    data = pcap(FRAMES)
    frames, capture = read(data[:-5])
    assert frames == FRAMES[:-1]
    assert capture.skipped_bytes == 16 + len(FRAMES[-1]) - 5


def test_a_plausible_but_wrong_length_at_the_end_hides_nothing():
    """A length that reaches past the end of the file: the records behind it are found."""
    data, at = bytearray(pcap(FRAMES)), places()[30]
    struct.pack_into("<I", data, at + 8, 200_000)
    frames, _ = read(bytes(data))
    assert frames == FRAMES[:30] + FRAMES[31:]


def test_first_record_damaged():
    data = bytearray(pcap(FRAMES))
    struct.pack_into("<I", data, 24 + 8, 0xFFFF_FFFF)
    frames, _ = read(bytes(data))
    assert frames == FRAMES[1:]


@pytest.mark.parametrize("fill", [b"\0", b"\xff", b"\x01\0\0\0"])
def test_nothing_but_damage_ends(fill):
    data = pcap(FRAMES[:1]) + b"\xff" * 16 + fill * (3_000_000 // len(fill))
    frames, capture = read(data)
    assert frames[0] == FRAMES[0]
    assert capture.skipped_bytes + 16 * len(frames) + sum(map(len, frames)) + 24 == len(data)


def test_random_damage_loses_only_what_it_touches():
    """A length over the bound is always seen; a wrong one below it may swallow neighbours."""
    seed = seeds.seed()
    print("seed", seed)
    rng = random.Random(seed)
    starts = places()
    for _ in range(60):
        data = bytearray(pcap(FRAMES))
        hit = rng.randrange(len(FRAMES) - 5)
        at = starts[hit] + rng.randrange(9)
        size = rng.randrange(16, 200)
        data[at : at + size] = b"\xff" * 12 + rng.randbytes(size - 12)
        frames, capture = read(bytes(data))
        touched = {i for i, s in enumerate(starts) if s < at + size and at < s + 16 + 60 + i}
        kept = [f for i, f in enumerate(FRAMES) if i not in touched]
        assert [f for f in frames if f in kept] == kept, capture.diagnostics


@pytest.mark.parametrize("span", [1 << 24, 2048])
def test_no_record_is_named_where_nothing_follows(span):
    data = pcap(FRAMES)
    note = read(data[:-5], span)[1].diagnostics[-1]
    assert note.message == f"{16 + len(FRAMES[-1]) - 5} bytes skipped; nothing follows"
    packed = bytearray(gzip.compress(data))
    packed[-8] ^= 1  # its check sum
    frames, capture = read(bytes(packed), span)
    assert frames == FRAMES
    assert [one.message for one in capture.diagnostics][1:] == ["nothing follows"]
    blocks = section() + interface() + packet(FRAMES[0])
    bad = packet(FRAMES[1], number=7)
    for rest, end in ((b"", "nothing follows"), (packet(FRAMES[2]), "the next record is at byte")):
        frames, capture = read(blocks + bad + rest, span)
        assert len(frames) == 1 + bool(rest)
        assert f"{len(bad)} bytes skipped; {end}" in capture.diagnostics[-1].message
