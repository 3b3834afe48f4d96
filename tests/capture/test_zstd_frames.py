"""zstd files whose frames are inflated by several threads: what a stream of them gives, always."""

from __future__ import annotations

import io
import os
import random
import struct
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from tests.capture.building import frame, pcap
from tests.capture.zstd_building import SKIPPABLE, frames_of
from tests.needs import needs
from ztfast.capture import open_capture
from ztfast.capture.zstd_frames import ZstdFramesFeed, runs
from ztfast.errors import CaptureError

pytestmark = [needs("zstandard"), pytest.mark.skipif(not hasattr(os, "pread"), reason="POSIX")]
RANDOM = random.Random(7)
FRAMES = [frame(i, 60) + RANDOM.randbytes(1400) for i in range(1200)]
DATA = pcap(FRAMES)  # 1.7 MB that hardly shrink


RUN = 400_000


@pytest.fixture(autouse=True)
def several(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processors, and runs, of a capture that is small."""
    monkeypatch.setattr("ztfast.capture.zstd_frames._processors", lambda: 3)
    monkeypatch.setattr("ztfast.capture.zstd_frames._RUN", RUN)


def packed(data: bytes, sized: bool = True, checked: bool = True) -> bytes:
    import zstandard

    packer = zstandard.ZstdCompressor(1, write_content_size=sized, write_checksum=checked)
    return packer.compress(data)


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def outcome(source: Any, resync: bool = False) -> tuple[list[bytes], Any, bool]:
    """Frames, what is said of damage without the path, and whether threads were at work."""
    frames: list[bytes] = []
    shared = False
    try:
        with open_capture(source, resync=resync) as capture:
            shared = isinstance(capture._feed, ZstdFramesFeed)
            for batch in capture:
                frames += batch.frames()
            told: Any = [(found.code, found.message, found.offset) for found in capture.diagnostics]
    except CaptureError as error:
        found = error.diagnostics[0]
        told = found.code, found.message, found.offset
    return frames, told, shared


def check(path: Path, parts: list[bytes], shared: bool = True) -> tuple[list[bytes], Any]:
    """Read from the file and as a stream alike, with and without resync; what it gave without."""
    path.write_bytes(b"".join(parts))
    for resync in (True, False):
        found = outcome(path, resync)
        assert found[:2] == outcome(io.BytesIO(b"".join(parts)), resync)[:2]
        assert found[2] == shared
    return found[:2]


@pytest.mark.parametrize("sized", [True, False])
@pytest.mark.parametrize("size", [70_000, 300_000, 900_000])
def test_frames_of_several_sizes(tmp_path: Path, size: int, sized: bool) -> None:
    parts = [packed(piece, sized) for piece in cut(DATA, size)]
    assert check(tmp_path / "c", parts) == (FRAMES, [])


def spoilt(part: bytes, place: int) -> bytes:
    return part[:place] + bytes([part[place] ^ 0x55]) + part[place + 1 :]


@pytest.mark.parametrize("checked", [True, False])
@pytest.mark.parametrize("which", [0, 2, 5])
def test_a_damaged_frame_costs_none_before_it(tmp_path: Path, which: int, checked: bool) -> None:
    parts = [packed(piece, checked=checked) for piece in cut(DATA, 300_000)]
    for place in (20, len(parts[which]) // 2, len(parts[which]) - 1):
        damaged = [*parts[:which], spoilt(parts[which], place), *parts[which + 1 :]]
        frames, told = check(tmp_path / "c", damaged, shared=True)
        assert frames[: which * 200] == FRAMES[: which * 200]
        assert told or not checked


@pytest.mark.parametrize("left", [1, 4, 5, 100_000])
def test_cut_short(tmp_path: Path, left: int) -> None:
    parts = [packed(piece) for piece in cut(DATA, 300_000)]
    whole = b"".join(parts)
    frames, told = check(tmp_path / "c", [whole[:-left]])
    assert "cut short" in told[1]
    assert frames == FRAMES[: len(frames)]
    assert len(frames) > 1000


def test_rubbish_behind(tmp_path: Path) -> None:
    parts = [packed(piece) for piece in cut(DATA, 300_000)]
    for behind in (b"x", b"rubbish behind it all"):
        frames, told = check(tmp_path / "c", [*parts, behind])
        assert frames == FRAMES
        assert told


def test_skippable_and_empty_frames(tmp_path: Path) -> None:
    parts = [packed(piece) for piece in cut(DATA, 300_000)]
    mixed = [part for each in parts for part in (each, SKIPPABLE, packed(b""), SKIPPABLE * 2)]
    assert check(tmp_path / "c", [SKIPPABLE, *mixed], shared=True) == (FRAMES, [])


def test_one_frame_alone_is_read_by_one_thread(tmp_path: Path) -> None:
    assert check(tmp_path / "c", [packed(DATA)], shared=False) == (FRAMES, [])


def test_tiny_frames_are_read_by_one_thread(tmp_path: Path) -> None:
    parts = [packed(piece) for piece in cut(pcap([frame(i, 60) for i in range(900)]), 100)]
    assert len(parts) > 600
    frames, told = check(tmp_path / "c", parts, shared=False)
    assert (len(frames), told) == (900, [])


def test_hundreds_of_small_frames_are_put_together(tmp_path: Path) -> None:
    parts = [packed(piece) for piece in cut(DATA, 5_000)]
    assert check(tmp_path / "c", parts) == (FRAMES, [])
    whole = b"".join(parts)
    found = list(runs(lambda start, stop: whole[start:stop], len(whole)))
    assert 3 < len(found) < len(parts) // 50
    assert [run.start for run in found[1:]] == [run.stop for run in found[:-1]]


def lying(data: bytes, size: int) -> bytes:
    """A frame whose header states another size than it holds."""
    part = bytearray(packed(data))
    assert part[4] >> 6 == 2  # four bytes of it
    struct.pack_into("<I", part, 5, size)
    return bytes(part)


@pytest.mark.parametrize("size", [1_000_000, 0xFFFF_FFFF])
def test_a_size_that_is_another_is_damage(tmp_path: Path, size: int) -> None:
    parts = [packed(piece) for piece in cut(DATA, 300_000)]
    frames, told = check(tmp_path / "c", [*parts[:3], lying(DATA[900_000:1_200_000], size)])
    assert told
    assert frames[:600] == FRAMES[:600]


@pytest.mark.parametrize("size", [40 << 20, 400 << 20])
def test_a_bomb_among_them_fills_no_memory(tmp_path: Path, size: int) -> None:
    """Of the one more is inflated than a run has room for; the other has too many blocks."""
    parts = [packed(piece) for piece in cut(DATA, 300_000)]
    path = tmp_path / "c"
    path.write_bytes(b"".join([*parts, packed(bytes(size)), *parts]))
    tracemalloc.start()
    try:
        with open_capture(path, limit=9000) as capture:
            frames = sum(len(batch) for batch in capture)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert frames == 9000  # zeros are records of nothing
    assert peak < 80 << 20


def test_a_pipe_is_read_by_one_thread() -> None:
    whole = b"".join(packed(piece) for piece in cut(DATA, 300_000))
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb") as out:
            out.write(whole)

    thread = threading.Thread(target=write)
    thread.start()
    with os.fdopen(reading, "rb") as pipe:
        assert outcome(f"/dev/fd/{pipe.fileno()}") == (FRAMES, [], False)
    thread.join()


def test_with_one_processor_one_thread_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ztfast.capture.zstd_frames._processors", lambda: 1)
    parts = [packed(piece) for piece in cut(DATA, 300_000)]
    assert check(tmp_path / "c", parts, shared=False) == (FRAMES, [])


@pytest.mark.parametrize("seed", range(12))
def test_any_frames_and_any_damage(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    parts = frames_of(DATA, rng, rng.choice([30_000, 400_000]))
    path = tmp_path / "c"
    for _ in range(4):
        whole = bytearray(b"".join(parts))
        for _ in range(rng.randrange(3)):
            whole[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        del whole[rng.choice([len(whole), rng.randrange(5, len(whole))]) :]
        path.write_bytes(whole)
        for resync in (False, True):
            stream = outcome(io.BytesIO(whole), resync)
            assert outcome(path, resync)[:2] == stream[:2]


def test_runs_end_at_what_is_too_large() -> None:
    small, large = packed(DATA[:300_000]), packed(RANDOM.randbytes(17 << 20))
    whole = small + large + small
    found = list(runs(lambda start, stop: whole[start:stop], len(whole)))
    assert [(run.start, run.stop) for run in found] == [(0, len(small))]
    assert found[0].most >= 300_000
