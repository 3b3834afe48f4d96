"""Hostile captures: whatever the bytes, either frames inside their buffer or a CaptureError."""

from __future__ import annotations

import gzip
import io
import random
import struct

import numpy as np
import pytest

from tests import seeds
from tests.capture.building import DATA, block, interface, old_packet, packet, pcap, section, simple
from ztfast.capture import open_capture
from ztfast.errors import CaptureError, OutputError
from ztfast.frames.links import is_known, normalise
from ztfast.sinks.files import FileSink

ROUNDS = seeds.rounds(400)
INTERESTING = [
    0,
    1,
    7,
    8,
    11,
    12,
    16,
    28,
    31,
    32,
    255,
    65_535,
    262_144,
    262_145,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**32 - 4,
    0x0A0D0D0A,
    0x1A2B3C4D,
    0xA1B2C3D4,
]


def undamaged() -> list[bytes]:
    """Small captures of every kind: made by hand, and the smallest of the shared ones."""
    out = []
    for order in "<>":
        for magic in (0xA1B2_C3D4, 0xA1B2_3C4D, 0xA1B2_CD34):
            out.append(pcap([b"x" * n for n in (60, 0, 14, 1)], order=order, magic=magic))
        out.append(
            section(order)
            + interface(1, 60, [(9, b"\x8a"), (14, b"\xff" * 8), (13, b"\4")], order)
            + packet(b"a" * 30, 0, 2**63, 99, [(1, b"comment")], order)
            + interface(113, 0, [], order)
            + simple(b"b" * 21, order=order)
            + old_packet(b"c" * 22, 1, 5, order)
            + block(0xBAD, b"custom", order)
        )
    paths = sorted(DATA.glob("**/*.pcap*"), key=lambda p: (p.stat().st_size, p.name))
    return out + [p.read_bytes() for p in paths if p.stat().st_size < 3000][::8]


SEEDS = undamaged()
DAMAGED: list[object] = []


def mutated(rng: random.Random, data: bytes) -> bytes:
    out = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        at = rng.randrange(len(out) + 1)
        way = rng.randrange(6)
        if way == 0 and at < len(out):
            out[at] ^= 1 << rng.randrange(8)
        elif way == 1:
            word = struct.pack(rng.choice("<>") + "I", rng.choice(INTERESTING))
            at -= at % 4
            out[at : at + 4] = word[: max(0, len(out) - at)]
        elif way == 2:
            del out[at:]
        elif way == 3:
            out[at:at] = rng.randbytes(rng.randrange(40))
        elif way == 4:
            del out[at : at + rng.randrange(40)]
        else:
            other = rng.choice(SEEDS)
            out[at:at] = other[rng.randrange(len(other)) :][:200]
    return bytes(out)


def check(batch) -> None:
    size = len(memoryview(batch.buffer))
    ends = batch.offsets + batch.captured
    assert bool((batch.offsets >= 0).all())
    assert bool((ends <= size).all())
    assert bool((batch.record_start >= 0).all())
    assert bool((batch.record_end <= size).all())
    assert bool((batch.record_start <= batch.offsets).all())
    assert bool((ends <= batch.record_end).all())
    assert bool((batch.interface_ids < max(1, len(batch.interfaces))).all())
    assert batch.timestamps.dtype == np.int64
    assert len(batch.timestamps) == len(batch)
    if is_known(batch.linktype):
        link = normalise(
            batch.buffer,
            batch.offsets,
            batch.captured,
            batch.lengths,
            batch.linktype,
            vlan="decode",
            fcs=batch.fcs,
        )
        assert bool((link.payload_offsets + link.captured <= np.maximum(ends, 0)).all())


def walk(source, sinks, **arguments) -> int:
    frames = 0
    try:
        with open_capture(source, **arguments) as capture:
            for batch in capture:
                assert batch.first == frames
                frames += len(batch)
                check(batch)
                for sink in sinks:
                    sink(batch)
    except CaptureError:
        DAMAGED.append(source)
    return frames


def test_mutated_captures(tmp_path):
    seed = seeds.seed()
    print("seed", seed)
    rng = random.Random(seed)
    path = tmp_path / "a.bin"
    DAMAGED.clear()
    frames = 0
    for _ in range(ROUNDS):
        data = mutated(rng, rng.choice(SEEDS))
        path.write_bytes(data)
        for resync in (False, True):
            mapped = walk(path, [], resync=resync)
            streamed = walk(
                io.BytesIO(data), [], resync=resync, span=rng.choice([64, 500, 1 << 20])
            )
            assert mapped == streamed, data.hex()
            frames += mapped
    # the mutations reach both ends: damage is found, and frames around it are still read
    assert len(DAMAGED) > ROUNDS // 10
    assert frames > ROUNDS


def test_what_can_be_read_can_be_written(tmp_path):
    seed = seeds.seed()
    print("seed", seed)
    rng = random.Random(seed)
    for _ in range(ROUNDS // 4):
        data = mutated(rng, rng.choice(SEEDS))
        path = tmp_path / "out.pcapng"
        if wide_linktype(data):
            continue
        with FileSink(str(path)) as sink:
            frames = walk(io.BytesIO(data), [sink.write], resync=True)
        assert walk(path, []) == frames, data.hex()
        with FileSink(str(path)) as sink:
            walk(io.BytesIO(data), [lambda batch, sink=sink: cut_into(sink, batch)], resync=True)
        assert walk(path, []) == frames, data.hex()
        with FileSink(str(tmp_path / "out.pcap")) as sink:
            try:
                walk(io.BytesIO(data), [sink.write], resync=True)
            except OutputError as error:
                # two link types in one pcap, or a time that it cannot hold
                if error.diagnostics[0].code not in ("ZT602", "ZT611"):
                    raise
        walk(tmp_path / "out.pcap", [])


def wide_linktype(data: bytes) -> bool:
    """Class bits in a classic pcap's link type, which pcapng has no place for."""
    kinds = []
    walk(io.BytesIO(data), [lambda batch: kinds.append(batch.linktype)], resync=True)
    return any(kind > 0xFFFF for kind in kinds)


def cut_into(sink, batch) -> None:
    cut = np.full(len(batch), 9, np.uint32)
    sink.write(batch, np.arange(len(batch)), cut, np.minimum(cut, batch.lengths))


def test_mutated_compressed_captures():
    seed = seeds.seed()
    print("seed", seed)
    rng = random.Random(seed)
    packers = [gzip.compress]
    zstandard = pytest.importorskip("zstandard")
    lz4 = pytest.importorskip("lz4.frame")
    packers += [zstandard.ZstdCompressor().compress, lz4.compress]
    for _ in range(ROUNDS // 2):
        packed = rng.choice(packers)(rng.choice(SEEDS))
        walk(io.BytesIO(mutated(rng, packed)), [], span=1 << 16)
