"""Scanning from record to record: the one place that follows the chain of a classic pcap.

The packet blocks of a pcapng are scanned in the same way as far as they follow each other.

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
from ztfast.capture.packets import (
    MAX_BUFFER,
    MAX_CAPTURED,
    MAX_FRAMES,
    Buffer,
    Int64s,
    ScanOutcome,
    Uint32s,
)
from ztfast.frames.buffer_pool import BufferPool

OK = 0
TOO_LONG = 1
_POOL = BufferPool()
_ENHANCED_PACKET = 6
_BLOCK_HEAD = 32  # bytes of such a block without a frame
_FLAGS, _FCS_BITS = 2, 0x1E0  # an option, and where its value tells of a check sequence's bytes


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


class RecordShape(NamedTuple):
    """How records look.

    swapped: their numbers are in the other byte order than this machine's little endian.  header:
    bytes before a frame, 16, or 24 in the modified format.  max_captured: the most captured bytes
    that a frame can have.  interfaces: 0; or the records are a pcapng's enhanced packet blocks,
    whose section has so many interfaces, none of them with a check sequence.
    """

    swapped: bool = False
    header: int = 16
    max_captured: int = MAX_CAPTURED
    interfaces: int = 0


PLAIN = RecordShape()


class RecordScan(Protocol):
    """A scan of Ethernet records that keeps `scan_records`'s contract, and may judge on the way."""

    def __call__(
        self,
        buffer: Buffer,
        start: int,
        end: int,
        shape: RecordShape = PLAIN,
        max_frames: int = MAX_FRAMES,
    ) -> ScannedRecords:
        """As `scan_records`."""
        ...


def scan_records(
    buffer: Buffer,
    start: int,
    end: int,
    shape: RecordShape = PLAIN,
    max_frames: int = MAX_FRAMES,
) -> ScannedRecords:
    """Scan records from byte `start` of `buffer` up to byte `end`.

    A record of a classic pcap is a header, whose bytes 8–11 are the captured and 12–15 the original
    length, 32 bits each, and then the captured bytes.  One of a pcapng is an enhanced packet block
    whose two lengths agree, of an interface that there is, and which tells of no check sequence;
    any other block ends the scan, `OK`.

    Gives `offsets` int64[n] (the first captured byte of each record), `captured` and
    `lengths` uint32[n], `next` (where the scan stopped: always the start of a record), and
    `error`: `OK` where the next record is not complete before `end` (or nothing is left, or
    `max_frames` were found), `TOO_LONG` where its captured length is over `max_captured`;
    that is reported as soon as the length can be read, complete or not.  Raises ValueError where
    `start` and `end` are not in this order inside the buffer.
    """
    scan = _scan_plain if dispatch.core is None else _scan_compiled
    return scan(buffer, start, end, shape, max_frames)


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
        shape: RecordShape = PLAIN,
        max_frames: int = MAX_FRAMES,
    ) -> ScannedRecords:
        """As `scan_records`."""
        turn = _turned if self._original_first else _ascending
        return _scan_plain(buffer, start, end, shape, max_frames, turn)


def _as_they_stand(lengths: tuple[int, int]) -> tuple[int, int]:
    return lengths


def _turned(lengths: tuple[int, int]) -> tuple[int, int]:
    return lengths[1], lengths[0]


def _ascending(lengths: tuple[int, int]) -> tuple[int, int]:
    return min(lengths), max(lengths)


def _scan_compiled(
    buffer: Buffer, start: int, end: int, shape: RecordShape, max_frames: int
) -> ScannedRecords:
    columns = record_columns(max_frames, end - start, _POOL)
    count, place, error = dispatch.require().scan_records(buffer, start, end, shape, columns)
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
    shape: RecordShape,
    max_frames: int,
    turn: Callable[[tuple[int, int]], tuple[int, int]] = _as_they_stand,
) -> ScannedRecords:
    size = memoryview(buffer).nbytes
    if not 0 <= start <= end <= size:
        raise ValueError(f"the scan from {start} to {end} is outside the buffer of {size} bytes")
    offsets: list[int] = []
    sizes: list[tuple[int, int]] = []
    position, error = start, OK
    while len(offsets) < max_frames:
        if shape.interfaces:
            found = _block(memoryview(buffer)[:end], position, shape)
        else:
            found = _record(memoryview(buffer)[:end], position, shape, turn)
        if found is None:
            break
        if found.after < 0:
            error = TOO_LONG
            break
        offsets.append(found.body)
        sizes.append((found.captured, found.length))
        position = found.after
    columns = np.array(sizes, np.uint32).reshape(-1, 2)
    return ScannedRecords(
        np.array(offsets, np.int64),
        np.ascontiguousarray(columns[:, 0]),
        np.ascontiguousarray(columns[:, 1]),
        position,
        error,
    )


class _Record(NamedTuple):
    """Where a record's frame is, and where the next record starts; −1: it cannot be so long."""

    body: int
    captured: int
    length: int
    after: int


def _record(
    view: memoryview,
    place: int,
    shape: RecordShape,
    turn: Callable[[tuple[int, int]], tuple[int, int]],
) -> _Record | None:
    """The record of a classic pcap at `place`; None where it is not whole."""
    if place + 16 > len(view):
        return None
    read = struct.unpack_from(">II" if shape.swapped else "<II", view, place + 8)
    captured, length = turn(read)
    if captured > shape.max_captured:
        return _Record(place, captured, length, -1)
    body = place + shape.header
    return (
        _Record(body, captured, length, body + captured) if body + captured <= len(view) else None
    )


def _block(view: memoryview, place: int, shape: RecordShape) -> _Record | None:
    """The enhanced packet block at `place`; None where another is, or one that is not whole."""
    if place + _BLOCK_HEAD > len(view):
        return None
    order = ">" if shape.swapped else "<"
    kind, size, interface, _, _, captured, length = struct.unpack_from(order + "7I", view, place)
    after = place + size
    if kind != _ENHANCED_PACKET or size % 4 or not _BLOCK_HEAD <= size <= MAX_BUFFER:
        return None
    if after > len(view) or struct.unpack_from(order + "I", view, after - 4) != (size,):
        return None
    least = _BLOCK_HEAD + (captured + 3 & ~3)
    if captured > shape.max_captured or least > size or interface >= shape.interfaces:
        return None
    if not _without_fcs(view[place + least - 4 : after - 4], order):
        return None
    return _Record(place + 28, captured, length, after)


def _without_fcs(options: memoryview, order: str) -> bool:
    """Are options whole, and does none of them tell of a check sequence?"""
    at = 0
    while at + 4 <= len(options):
        code, size = struct.unpack_from(order + "HH", options, at)
        at += 4
        if code == 0:
            return True
        if size > len(options) - at:
            return False
        if code == _FLAGS:
            flags = struct.unpack_from(order + "I", options, at)[0] if size == 4 else _FCS_BITS
            if flags & _FCS_BITS:
                return False
        at += size + 3 & ~3
    return at == len(options)
