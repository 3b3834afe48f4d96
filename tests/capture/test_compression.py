"""Compressed captures: recognised by content, several members, cut, damaged, bombs."""

from __future__ import annotations

import gzip
import io
import random
import sys
import tracemalloc
from functools import partial
from itertools import pairwise

import numpy as np
import pytest

from tests.capture.building import frame, pcap
from ztfast.capture import open_capture
from ztfast.capture.compressed_frames import FollowedReader, zstd_boundaries
from ztfast.capture.sources import ObjectReader
from ztfast.errors import CaptureError

zstandard = pytest.importorskip("zstandard")
lz4 = pytest.importorskip("lz4.frame")

PACK = {
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
    "lz4": partial(lz4.compress, content_checksum=True),
}
KINDS = sorted(PACK)
FRAMES = [frame(i, 100 + i % 900) for i in range(1000)]
DATA = pcap(FRAMES)


@pytest.fixture(params=["isal", "zlib"], autouse=True)
def gzip_library(request, monkeypatch):
    """gzip is read by either library."""
    if request.param == "zlib":
        monkeypatch.setitem(sys.modules, "isal", None)
    else:
        pytest.importorskip("isal")


def read(data, **arguments):
    with open_capture(io.BytesIO(data), **arguments) as capture:
        return [f for batch in capture for f in batch.frames()], capture


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["a.pcap", "a.pcap.gz", "b.zst"])
def test_by_content_not_by_name(tmp_path, kind, name):
    path = tmp_path / name
    path.write_bytes(PACK[kind](DATA))
    with open_capture(path) as capture:
        assert (capture.compression, capture.format) == (kind, "pcap")
        assert [f for b in capture for f in b.frames()] == FRAMES


@pytest.mark.parametrize("kind", KINDS)
def test_members_one_behind_the_other(kind):
    cuts = [0, 10, 24, 24, 5000, 70_001, len(DATA)]
    members = [PACK[kind](DATA[a:b]) for a, b in pairwise(cuts)]
    assert read(b"".join(members))[0] == FRAMES


def test_gzip_padding_and_rubbish_behind():
    packed = gzip.compress(DATA)
    assert read(packed + b"\0" * 1000)[0] == FRAMES
    with pytest.raises(CaptureError, match="damaged"):
        read(packed + b"rubbish behind it")


def test_gzip_header_fields_are_passed_over():
    """Extra field, name, comment and header check sum (RFC 1952, section 2.3)."""
    plain = gzip.compress(DATA)
    fields = b"\5\0extra" + b"name\0" + b"comment\0" + b"\1\2"
    assert read(plain[:3] + b"\x1e" + plain[4:10] + fields + plain[10:])[0] == FRAMES


def test_a_gzip_header_without_end_fills_no_memory():
    with pytest.raises(CaptureError, match="header without end"):
        read(gzip.compress(b"")[:3] + b"\x08" + b"\1" * 1_000_000)


def frames_before_the_error(data):
    found = []
    with pytest.raises(CaptureError) as caught:
        collect(open_capture(io.BytesIO(data)), found)
    return found, caught.value.diagnostics[0]


def flipped(data, place):
    return data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_check_sum_costs_no_frame(kind, size):
    packed = PACK[kind](pcap(FRAMES[:size]))
    sum_at = -5 if kind == "gzip" else -1  # a length stands behind gzip's
    found, diagnostic = frames_before_the_error(flipped(packed, sum_at))
    assert found == FRAMES[:size]
    assert "damaged" in diagnostic.message
    assert diagnostic.help is None  # there is nothing behind it to go on at


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize("kind", KINDS)
def test_rubbish_behind_costs_no_frame(kind, size):
    packed = PACK[kind](pcap(FRAMES[:size]))
    found, diagnostic = frames_before_the_error(packed + b"rubbish behind it")
    assert found == FRAMES[:size]
    assert "damaged" in diagnostic.message


@pytest.mark.parametrize("kind", KINDS)
def test_damage_in_the_middle_costs_no_more_than_a_block(kind):
    """Blocks of 64 and 128 KiB; of gzip a sixteenth of what was read."""
    packed = PACK[kind](DATA)
    middle = len(packed) // 2
    found, _ = frames_before_the_error(packed[:middle] + bytes(64) + packed[middle + 64 :])
    sizes = np.cumsum([16 + len(data) for data in FRAMES])
    sure = int(np.searchsorted(sizes, len(DATA) // 2 - (1 << 17) - (1 << 15)))
    assert sure > 200
    assert found[:sure] == FRAMES[:sure]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_a_slow_pipe_of_compressed_bytes(kind, step):
    """Whatever pieces the stream comes in, the frames are the same."""
    packed = PACK[kind](pcap(FRAMES[:20])) + PACK[kind](pcap(FRAMES[:40])[24:])

    class Slow(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, step))

    with open_capture(Slow(packed)) as capture:
        assert [f for b in capture for f in b.frames()] == FRAMES[:20] + FRAMES[:40]


def test_zstd_skippable_frames():
    skip = b"\x50\x2a\x4d\x18\x07\0\0\0ignored"
    packed = PACK["zstd"](DATA)
    for data in (skip + packed, packed + skip, packed + skip + PACK["zstd"](b"")):
        assert read(data)[0] == FRAMES


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("left", [0.5, 0.9, -1, -5])
def test_cut_short_after_its_frames(kind, left):
    packed = PACK[kind](DATA)
    packed = packed[: left if left < 0 else int(len(packed) * left)]
    frames = []
    capture = open_capture(io.BytesIO(packed))
    with pytest.raises(CaptureError, match="cut short"):
        collect(capture, frames)
    assert frames == FRAMES[: len(frames)]
    assert len(frames) >= 1000 * abs(left) * 0.7 if left in (0.5, 0.9) and kind != "zstd" else True
    assert capture.diagnostics[0].offset >= 24


def collect(capture, frames):
    for batch in capture:
        frames.extend(batch.frames())


@pytest.mark.parametrize("kind", KINDS)
def test_every_cut_of_a_small_one_is_an_error(kind):
    packed = PACK[kind](pcap(FRAMES[:2]))
    for size in range(5, len(packed)):
        with pytest.raises(CaptureError):
            read(packed[:size])


@pytest.mark.parametrize("kind", KINDS)
def test_damaged(kind):
    packed = bytearray(PACK[kind](DATA))
    middle = len(packed) // 2
    packed[middle : middle + 64] = bytes(64)
    with pytest.raises(CaptureError):
        read(bytes(packed))


@pytest.mark.parametrize("kind", KINDS)
def test_compressed_twice(kind):
    with pytest.raises(CaptureError, match="twice"):
        read(PACK[kind](PACK["gzip"](DATA)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_bomb_fills_no_memory(kind):
    """120 MB: read in windows, never as a whole."""
    zeros = pcap([bytes(200_000)] * 5)[24:] * 120
    packed = PACK[kind](pcap([]) + zeros)
    assert len(packed) < 3_000_000
    tracemalloc.start()
    try:
        frames = sum(map(len, open_capture(io.BytesIO(packed))))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert frames == 600
    assert peak < 40_000_000


def test_missing_library_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(CaptureError, match="compression"):
        read(PACK["zstd"](DATA))


def outcome(source, resync):
    """Frames, what was damaged, and the error without its path."""
    frames, told = [], None
    try:
        with open_capture(source, resync=resync) as capture:
            collect(capture, frames)
            told = [(found.code, found.message, found.offset) for found in capture.diagnostics]
    except CaptureError as error:
        found = error.diagnostics[0]
        told = found.code, found.message, found.offset
    return frames, told


def spoiled(data, rng):
    """Cut, with a bit turned, with bytes missing, or with rubbish behind."""
    place = rng.randrange(len(data))
    ways = {
        "cut": data[:place],
        "bit": flipped(data, place),
        "gap": data[:place] + data[place + rng.randrange(1, 300) :],
        "more": data + rng.randbytes(rng.randrange(1, 40)),
        "whole": data,
    }
    return ways[rng.choice(list(ways))]


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_in_large_pieces_gives_what_a_stream_in_small_ones_does(tmp_path, kind, stored):
    rng = random.Random(f"{kind} {stored}")
    data = pcap([rng.randbytes(900) for _ in range(400)]) if stored else DATA
    packed = PACK[kind](data[:200_001]) + PACK[kind](data[200_001:])
    path = tmp_path / "file"
    for turn in range(20):
        spoilt = spoiled(packed, rng)
        path.write_bytes(spoilt)
        for resync in (False, True):
            stream = outcome(io.BytesIO(spoilt), resync)
            assert outcome(path, resync) == stream, (turn, resync)


@pytest.mark.parametrize("piece", [1, 3, 7, 1000, 1 << 20])
def test_a_followed_stream_is_whole_where_a_frame_ends(piece):
    skippable = b"\x50\x2a\x4d\x18\x05\x00\x00\x00abcde"
    packed = PACK["zstd"](pcap(FRAMES[:5])) + skippable + PACK["zstd"](pcap(FRAMES[5:9]))
    for cut in (len(packed), len(packed) - 1, len(packed) - 5, 100, 7, 2):
        followed = FollowedReader(ObjectReader(io.BytesIO(packed[:cut])), zstd_boundaries)
        passed = b"".join(iter(lambda reader=followed: bytes(reader.read(piece)), b""))
        assert passed == packed[:cut]
        assert followed.whole == (cut == len(packed))


def test_frames_stay_as_they_are_while_later_ones_are_inflated(tmp_path):
    """Buffers are filled again, but none that somebody still looks at."""
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(DATA))
    with open_capture(path, span=1 << 15) as capture:
        kept = list(capture)
    assert len(kept) > 10
    assert [data for batch in kept for data in batch.frames()] == FRAMES


def test_a_buffer_that_nobody_looks_at_is_filled_again(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(DATA))
    with open_capture(path, span=1 << 15) as capture:
        seen = [batch.buffer.__array_interface__["data"][0] for batch in capture if len(batch)]
    assert len(seen) > 10
    assert len(set(seen)) <= 4
