"""Finding the next record after damage: the first place that proves itself.

Contract: a record proves itself if it and the records that follow it look like records
(time near the last good one, lengths that fit each other), four in all, or fewer that end
exactly with the file.  Every byte is looked at once, in pieces, so a file of nothing but
damage takes linear time and bounded memory.  Tested by tests/capture/test_resync.py.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.capture.packets import MAX_CAPTURED, Int64s, unaligned
from ztfast.capture.pcapng_scan import MAX_BLOCK
from ztfast.capture.scanner import Place
from ztfast.capture.sources import Window

_PROOF = 4
_PIECE = 1 << 16
_NEAR = 400 * 86_400  # seconds between neighbours of one capture


class Shape(NamedTuple):
    """How records of this capture look: for `next_record`."""

    swapped: bool
    nanoseconds: bool
    header: int
    seconds: int | None  # of recent good records
    turned: bool = False  # the two lengths may stand in either order


def next_record(window: Window, start: int, shape: Shape) -> Place:
    """The first record at or behind `start` in the window that proves itself."""
    for low in range(start, window.end, _PIECE):
        for position in _candidates(window, low, min(low + _PIECE, window.end), shape).tolist():
            proved = _proves(window, position, shape)
            if proved is None:
                return Place(position, False)
            if proved:
                return Place(position, True)
    if window.last:
        return Place(window.end, False)
    return Place(max(start, window.end - shape.header), False)


def _candidates(window: Window, low: int, high: int, shape: Shape) -> Int64s:
    """Places from `low` to `high` whose 16 bytes can be a record's header, int64[]."""
    order = ">u4" if shape.swapped else "<u4"
    piece = np.frombuffer(window.buffer, np.uint8, min(high + 15, window.end) - low, low)
    words = unaligned(piece, order)
    count = len(words) - 12
    if count <= 0:
        return np.zeros(0, np.int64)
    captured, lengths = words[8 : 8 + count], words[12 : 12 + count]
    if shape.turned:
        captured, lengths = np.minimum(captured, lengths), np.maximum(captured, lengths)
    fits = (captured > 0) & (captured <= MAX_CAPTURED) & (captured <= lengths)
    fits &= (lengths <= MAX_CAPTURED) & (words[4 : 4 + count] < _fractions(shape))
    places = np.flatnonzero(fits)
    near: Int64s = low + places[_near(words[places].astype(np.int64), shape)]
    return near


def _near(seconds: Int64s, shape: Shape) -> npt.NDArray[np.bool_]:
    middle, reach = (shape.seconds, _NEAR) if shape.seconds is not None else (1 << 33, 1 << 33)
    near: npt.NDArray[np.bool_] = np.abs(seconds - middle) <= reach
    near &= seconds != 0
    return near


def _fractions(shape: Shape) -> int:
    return 1_000_000_000 if shape.nanoseconds else 1_000_000


def _proves(window: Window, position: int, shape: Shape) -> bool | None:
    """Does the chain from `position` hold?  None where the window does not reach far enough."""
    read = struct.Struct((">" if shape.swapped else "<") + "IIII").unpack_from
    for _ in range(_PROOF):
        if position == window.end and window.last:
            return True
        if position + 16 > window.end:
            return False if window.last else None
        seconds, fraction, captured, length = read(window.buffer, position)
        if shape.turned:
            captured, length = min(captured, length), max(captured, length)
        if not 0 < captured <= length <= MAX_CAPTURED or fraction >= _fractions(shape):
            return False
        if shape.seconds is not None and abs(seconds - shape.seconds) > _NEAR:
            return False
        position += shape.header + captured
    return position <= window.end or (None if not window.last else False)


_BLOCK_TYPES = (1, 2, 3, 4, 5, 6, 7, 9, 10, 0x0A0D_0D0A, 0xBAD, 0x4000_0BAD)


def next_block(window: Window, start: int, swapped: bool) -> Place:
    """The first pcapng block of a known type at or behind `start` whose two lengths agree."""
    order = ">I" if swapped else "<I"
    for low in range(start, window.end, _PIECE):
        for position, size in _block_candidates(window, low, low + _PIECE, order):
            if position + size > window.end:
                if not window.last:
                    return Place(position, False)
                continue
            (again,) = struct.unpack_from(order, window.buffer, position + size - 4)
            if again == size:
                return Place(position, True)
    return Place(window.end if window.last else max(start, window.end - 8), False)


def _block_candidates(window: Window, low: int, high: int, order: str) -> list[tuple[int, int]]:
    """Place and length of what can be a block's first 8 bytes."""
    count = min(high + 7, window.end) - low
    words = unaligned(np.frombuffer(window.buffer, np.uint8, count, low), order[0] + "u4")
    if len(words) < 5:
        return []
    types, sizes = words[:-4], words[4:]
    fits = (sizes >= 12) & (sizes % 4 == 0) & (sizes <= MAX_BLOCK)
    places = np.flatnonzero(fits)
    places = places[np.isin(types[places], _BLOCK_TYPES)]
    return list(zip((low + places).tolist(), sizes[places].tolist(), strict=True))
