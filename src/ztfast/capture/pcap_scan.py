"""Scanning from record to record of a classic pcap: the one place that follows the chain.

Contract (`scan_records`): shared by the plain version here and by the compiled one; both give the
same answer for the same arguments, and neither reads outside `buffer[start:end]`.  A window that is
not inside the buffer is a ValueError in both: the compiled loop reads where it is told to.
Tested by tests/capture/test_pcap_scan.py.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np

from ztfast import dispatch
from ztfast.capture.packets import MAX_CAPTURED, MAX_FRAMES, Buffer, Int64s, ScanOutcome, Uint32s
from ztfast.frames.buffer_pool import BufferPool

OK = 0
TOO_LONG = 1
_POOL = BufferPool()


class ScannedRecords(NamedTuple):
    """What `scan_records` found: the columns, where the next record starts, and why it stopped.

    `judged` is for a scan that judges frames on the way (pipeline/scan.py): its results.
    """

    offsets: Int64s
    captured: Uint32s
    lengths: Uint32s
    next: int
    error: int
    judged: ScanOutcome | None = None

    @property
    def scanned(self) -> int:
        """Frames that were found, also those left out of the columns."""
        return len(self.offsets) if self.judged is None else self.judged.frames


class RecordScan(Protocol):
    """A scan of Ethernet records that keeps `scan_records`'s contract, and may judge on the way."""

    def __call__(
        self,
        buffer: Buffer,
        start: int,
        end: int,
        swapped: bool,
        header: int = 16,
        max_frames: int = MAX_FRAMES,
        max_captured: int = MAX_CAPTURED,
    ) -> ScannedRecords:
        """As `scan_records`."""
        ...


def scan_records(
    buffer: Buffer,
    start: int,
    end: int,
    swapped: bool,
    header: int = 16,
    max_frames: int = MAX_FRAMES,
    max_captured: int = MAX_CAPTURED,
) -> ScannedRecords:
    """Scan the records of a classic pcap from byte `start` of `buffer` up to byte `end`.

    A record is a header of `header` bytes (16, or 24 in the modified format), whose bytes
    8–11 are the captured and 12–15 the original length (32 bits, in the other byte order
    than this machine's little endian where `swapped`), and then the captured bytes.

    Gives `offsets` int64[n] (the first captured byte of each record), `captured` and
    `lengths` uint32[n], `next` (where the scan stopped: always the start of a record), and
    `error`: `OK` where the next record is not complete before `end` (or nothing is left, or
    `max_frames` were found), `TOO_LONG` where its captured length is over `max_captured`;
    that is reported as soon as the length can be read, complete or not.  Raises ValueError where
    `start` and `end` are not in this order inside the buffer.
    """
    arguments = (buffer, start, end, swapped, header, max_frames, max_captured)
    return _scan_plain(*arguments) if dispatch.core is None else _scan_compiled(*arguments)


class OldScan:
    """`scan_records` for old versions, whose records hold their two lengths otherwise.

    original_first: the original length comes first; else the larger one is the original.
    """

    def __init__(self, original_first: bool) -> None:
        self._original_first = original_first

    def __call__(
        self,
        buffer: Buffer,
        start: int,
        end: int,
        swapped: bool,
        header: int = 16,
        max_frames: int = MAX_FRAMES,
        max_captured: int = MAX_CAPTURED,
    ) -> ScannedRecords:
        """As `scan_records`."""
        turn = _turned if self._original_first else _ascending
        return _scan_plain(buffer, start, end, swapped, header, max_frames, max_captured, turn)


def _as_they_stand(lengths: tuple[int, int]) -> tuple[int, int]:
    return lengths


def _turned(lengths: tuple[int, int]) -> tuple[int, int]:
    return lengths[1], lengths[0]


def _ascending(lengths: tuple[int, int]) -> tuple[int, int]:
    return min(lengths), max(lengths)


def _scan_compiled(
    buffer: Buffer,
    start: int,
    end: int,
    swapped: bool,
    header: int,
    max_frames: int,
    max_captured: int,
) -> ScannedRecords:
    columns = record_columns(max_frames, end - start, _POOL)
    count, place, error = dispatch.require().scan_records(
        buffer, start, end, int(swapped), header, max_captured, columns
    )
    offsets, captured, lengths = columns
    return ScannedRecords(offsets[:count], captured[:count], lengths[:count], place, error)


def record_columns(max_frames: int, size: int, pool: BufferPool) -> tuple[Int64s, Uint32s, Uint32s]:
    """Memory for the columns of a scan over `size` bytes: offsets, captured, lengths."""
    space = max(0, min(max_frames, size // 16 + 1))
    offsets, captured, lengths = pool.take(space, (np.int64, np.uint32, np.uint32))
    return offsets, captured, lengths


def _scan_plain(
    buffer: Buffer,
    start: int,
    end: int,
    swapped: bool,
    header: int,
    max_frames: int,
    max_captured: int,
    turn: Callable[[tuple[int, int]], tuple[int, int]] = _as_they_stand,
) -> ScannedRecords:
    size = memoryview(buffer).nbytes
    if not 0 <= start <= end <= size:
        raise ValueError(f"the scan from {start} to {end} is outside the buffer of {size} bytes")
    read = struct.Struct(">II" if swapped else "<II").unpack_from
    offsets: list[int] = []
    sizes: list[tuple[int, int]] = []
    position, error = start, OK
    while len(offsets) < max_frames and position + 16 <= end:
        lengths = turn(read(buffer, position + 8))
        if lengths[0] > max_captured:
            error = TOO_LONG
            break
        body = position + header
        if body + lengths[0] > end:
            break
        offsets.append(body)
        sizes.append(lengths)
        position = body + lengths[0]
    columns = np.array(sizes, np.uint32).reshape(-1, 2)
    return ScannedRecords(
        np.array(offsets, np.int64),
        np.ascontiguousarray(columns[:, 0]),
        np.ascontiguousarray(columns[:, 1]),
        position,
        error,
    )
