"""Stretches of a file: no read crosses the stop, and behind it little is fetched."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from ztfast.capture.ranges import DiskFile, RangeReader, Ranges
from ztfast.capture.sources import Feed

DATA = bytes(range(256)) * 4096  # 1 MiB


class Asked:
    """Ranges in memory that note what they are asked for."""

    path, size, stretch, near = "x", len(DATA), 300_000, False

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def piece(self, start: int, end: int) -> bytes:
        self.asked.append((start, end))
        return DATA[start:end]

    def feed(self, start: int, stop: int) -> Feed:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is held."""


def read(file: Ranges, start: int, end: int, stop: int | None = None) -> list[bytes]:
    reader, found, space = RangeReader(file, start, end, stop), list[bytes](), bytearray(1 << 20)
    while count := reader.readinto(memoryview(space)):
        found.append(bytes(space[:count]))
    assert reader.taken == sum(map(len, found))
    return found


def test_stretch_by_stretch_up_to_the_end() -> None:
    file = Asked()
    assert b"".join(read(file, 10, 700_000)) == DATA[10:700_000]
    assert file.asked == [(10, 300_010), (300_010, 600_010), (600_010, 700_000)]


def test_no_read_crosses_the_stop_and_little_is_read_behind() -> None:
    file = Asked()
    pieces = read(file, 0, len(DATA), 350_000)
    assert b"".join(pieces) == DATA
    assert [len(piece) for piece in pieces[:3]] == [300_000, 50_000, 1 << 18]
    assert [end - start for start, end in file.asked[2:]] == [1 << 18, 1 << 18, 174_288]


def test_more_is_wanted_up_to_the_stop() -> None:
    reader, space = RangeReader(Asked(), 0, len(DATA), 350_000), bytearray(300_000)
    wanted = [reader.ready(0)]
    for _ in range(3):
        reader.readinto(memoryview(space))
        wanted.append(reader.ready(0))
    assert wanted == [True, True, False, False]


@pytest.mark.parametrize(("start", "end"), [(0, 0), (5, 5), (len(DATA), len(DATA))])
def test_nothing(start: int, end: int) -> None:
    assert read(Asked(), start, end) == []


def test_a_file_that_shrank_ends(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(DATA)
    with closing(DiskFile(str(path))) as file:
        assert file.size == len(DATA)
        assert file.piece(100, 200) == DATA[100:200]
        path.write_bytes(DATA[:50])
        assert file.piece(100, 200) == b""
        assert read(file, 0, file.size) == [DATA[:50]]
