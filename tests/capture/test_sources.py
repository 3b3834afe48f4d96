"""Feeds: windows of maps and streams, and pipes that are slow."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from tests.capture.building import pcap
from ztfast.capture import open_capture
from ztfast.capture.ahead import AheadFeed
from ztfast.capture.sources import Feed, MapFeed, ObjectReader, StreamFeed

DATA = bytes(range(256)) * 40
SPAN = 4096  # a page


def feeds(tmp_path: Path) -> list[Feed]:
    path = tmp_path / "data"
    path.write_bytes(DATA)
    descriptor = os.open(path, os.O_RDONLY)
    mapped = MapFeed(descriptor, len(DATA), "data", SPAN)
    os.close(descriptor)
    return [
        mapped,
        StreamFeed(ObjectReader(io.BytesIO(DATA)), "data", b"", SPAN),
        AheadFeed(ObjectReader(io.BytesIO(DATA)), "data", b"", SPAN),
    ]


@pytest.mark.parametrize("step", [1, 100, SPAN, 10 * SPAN])
def test_windows_give_every_byte_in_order(tmp_path: Path, step: int) -> None:
    """A reader that uses `step` bytes of a window at most, and asks for the rest again."""
    for feed in feeds(tmp_path):
        seen, position = bytearray(), 0
        while True:
            window = feed.window(position)
            assert window.base + window.start == position
            piece = bytes(memoryview(window.buffer)[window.start : window.end])
            used = piece if step > SPAN else piece[: max(step, len(piece) - step)]
            seen += used
            position += len(used)
            if window.last and len(used) == len(piece):
                break
        assert bytes(seen) == DATA
        assert feed.done == len(DATA)
        feed.close()


def test_a_reader_that_is_stuck_gets_more_each_time(tmp_path: Path) -> None:
    for feed in feeds(tmp_path):
        window = feed.window(0)
        sizes = [window.end - window.start]
        while not window.last:
            window = feed.window(0)
            sizes.append(window.end - window.start)
        assert sizes[-1] == len(DATA)
        assert sizes[:-1] == sorted(set(sizes[:-1]))  # only the last may bring nothing more
        assert sizes == sorted(sizes)
        feed.close()


def test_frames_that_came_with_the_header_do_not_wait() -> None:
    """A live pipe: what is there is given before more is asked for, which would block."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb", buffering=0) as live, os.fdopen(reading, "rb") as pipe:
        live.write(pcap([b"x" * 60, b"y" * 60]))
        with open_capture(f"/dev/fd/{pipe.fileno()}") as found:
            batches = iter(found)
            assert len(next(batches)) == 0  # the header alone
            assert len(next(batches)) == 2
            live.write(pcap([b"z" * 60])[24:])
            assert len(next(batches)) == 1
