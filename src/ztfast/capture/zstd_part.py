"""zstd files of several frames: where frames begin, and the bytes that some of them hold.

Contract: `frame_starts` is a guess (from the seek table at the file's end, or by following frame
headers and blocks).  `ZstdPartReader` decodes the frames from one place on; it fails as damaged
where `stop` is not exactly the end of one of them, and only then reads on behind it.  So where the
first frame begins at byte 0, and each part at a stop that held, every part began at a frame.
Source: RFC 8878, section 3.1; zstd's contrib/seekable_format/zstd_seekable_compression_format.md.
Tested by tests/capture/test_zstd_part.py.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from ztfast.capture.compressed_frames import zstd_boundaries
from ztfast.capture.compression import decompressed, kind_of
from ztfast.capture.ranges import RangeReader, Ranges
from ztfast.capture.sources import Reader

_FOOTER, _SKIPPABLE = struct.Struct("<IBI"), struct.Struct("<II")
_TABLE_MAGIC, _FRAME_MAGIC = 0x8F92EAB1, 0x184D2A5E
_CHECKED = 0x80  # of the footer's descriptor: entries have a check sum; lower bits must be 0
_MOST_TABLE = 64 << 20  # bytes of a seek table: five million frames
_LONGEST = 4  # a frame longer than so many parts is followed no further
_FRAME_HEAD = 8  # bytes that are looked at where a frame begins, and nowhere else


def is_zstd(file: Ranges) -> bool:
    """Does it begin as zstd?  Raises OSError."""
    return kind_of(file.piece(0, 4)) == "zstd"


def head_within(file: Ranges, size: int) -> bytes:
    """The first bytes of what a zstd file holds; fewer where it is damaged.  Raises OSError."""
    return decoded_from(file, 0, size)


def decoded_from(file: Ranges, start: int, size: int) -> bytes:
    """Up to so many bytes, decoded from a frame's start on, none where no frame starts there."""
    reader = decompressed("zstd", RangeReader(file, start, file.size, start), file.path)
    found = bytearray(size)
    filled = 0
    try:
        while filled < size:
            count = reader.readinto(memoryview(found)[filled:])
            if count == 0:
                break
            filled += count
    except (EOFError, ValueError):
        pass  # whoever reads it all says so
    return bytes(found[:filled])


def frame_starts(file: Ranges, apart: int) -> list[int]:
    """Where frames begin, about so many bytes apart, ascending and without the first, 0.

    A file in a store is not followed through: it needs a seek table.  Raises OSError.
    """
    starts = _table(file)
    if starts is None:
        starts = _followed(file, apart) if file.near else iter(())
    found, place = list[int](), 0
    for start in starts:
        if start - place >= apart and file.size - start >= apart // 2:
            found.append(start)
            place = start
    return found


def _table(file: Ranges) -> Iterator[int] | None:
    """Frames' starts as the seek table has them; None where there is none that can be true."""
    foot = file.piece(max(0, file.size - _FOOTER.size), file.size)
    if len(foot) < _FOOTER.size:
        return None
    frames, descriptor, magic = _FOOTER.unpack(foot)
    words = 3 if descriptor & _CHECKED else 2
    size = _SKIPPABLE.size + 4 * words * frames + _FOOTER.size
    if magic != _TABLE_MAGIC or descriptor & 0x7C or size > min(file.size, _MOST_TABLE):
        return None
    table = file.piece(file.size - size, file.size - _FOOTER.size)
    head = _SKIPPABLE.pack(_FRAME_MAGIC, size - _SKIPPABLE.size)
    if len(table) != size - _FOOTER.size or table[: len(head)] != head:
        return None
    sizes = np.frombuffer(table, "<u4", offset=len(head)).reshape(-1, words)[:, 0]
    ends = np.cumsum(sizes, dtype=np.int64)
    if not frames or ends[-1] != file.size - size:
        return None
    starts: list[int] = ends[:-1].tolist()
    return iter(starts)


def _followed(file: Ranges, apart: int) -> Iterator[int]:
    """Frames' starts by their headers and blocks, up to what is no frame or is a very long one."""
    boundaries = zstd_boundaries()
    look, step = next(boundaries)
    place = frame = 0
    while (look or step) and place <= file.size and place - frame <= _LONGEST * apart:
        if step:
            place += step
            look, step = next(boundaries, (0, 0))
            continue
        if look == _FRAME_HEAD:
            frame = place
            if 0 < place < file.size:
                yield place
        look, step = boundaries.send(file.piece(place, place + look))


class ZstdPartReader:
    """Decoded bytes from the frame at `start` on; mark: how many there are up to byte `stop`."""

    def __init__(self, file: Ranges, start: int, stop: int) -> None:
        self.mark: int | None = None
        self._stop, self._given = stop, 0
        self._sources = [RangeReader(file, start, stop), RangeReader(file, stop, file.size, stop)]
        self._own = decompressed("zstd", self._sources[0], file.path)
        self._following = decompressed("zstd", self._sources[1], file.path)

    @property
    def taken(self) -> int:
        """Compressed bytes that were read."""
        return sum(source.taken for source in self._sources)

    def readinto(self, buffer: memoryview) -> int:
        """Some output; 0 only at the end of the file."""
        count = self._reader.readinto(buffer)
        if not count and self.mark is None:
            self.mark = self._given
            count = self._reader.readinto(buffer)
        self._given += count
        return count

    @property
    def _reader(self) -> Reader:
        return self._own if self.mark is None else self._following

    def ready(self, patience: float) -> bool:
        """Is more wanted at once?  Not from the stop on."""
        del patience
        return self.mark is None

    def close(self) -> None:
        """Nothing: who opened the file closes it."""
