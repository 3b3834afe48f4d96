"""Frames in a buffer, read at a place of each: what the readers of link types work with.

Contract: reads only captured bytes inside the buffer; what was not captured reads as 0, and
`missing` tells whether it existed.  Tested by tests/frames/test_links.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
Uint32s = npt.NDArray[np.uint32]
Uint16s = npt.NDArray[np.uint16]
Uint64s = npt.NDArray[np.uint64]


class FrameBytes:
    """Frames in a buffer, read at a place of each: 0 where nothing was captured."""

    def __init__(self, buffer: Any, offsets: Int64s, captured: Uint32s, lengths: Uint32s) -> None:
        raw = np.frombuffer(buffer, np.uint8)
        if len(raw) < 8:
            raw = np.concatenate((raw, np.zeros(8, np.uint8)))
        # one overlapping word for each byte offset
        self._words: Uint64s = np.ndarray((len(raw) - 7,), ">u8", raw, 0, (1,))
        self.offsets = offsets
        self.captured = captured.astype(np.int64)
        self.lengths = np.maximum(lengths.astype(np.int64), self.captured)

    def behind(self, which: npt.NDArray[np.bool_], header: Int64s) -> FrameBytes:
        """Some of the frames without their first bytes; header: int64[n], of all of them."""
        inner = object.__new__(FrameBytes)
        inner._words = self._words
        cut = np.minimum(header, self.captured)[which]
        inner.offsets = self.offsets[which] + cut
        inner.captured = self.captured[which] - cut
        inner.lengths = np.maximum(self.lengths[which] - header[which], inner.captured)
        return inner

    def little(self, at: int | Int64s, size: int) -> Uint64s:
        """As `number`, little endian."""
        number = np.zeros(len(self.offsets), np.uint64)
        for i in range(size):
            number |= self.number(at + i, 1) << np.uint64(8 * i)
        return number

    def number(self, at: int | Int64s, size: int) -> Uint64s:
        """The big-endian number of `size` (at most 7) bytes at `at` of each frame, uint64[n]."""
        place = self.offsets + at
        inside = np.minimum(place, len(self._words) - 1)
        words = self._words[inside].astype(np.uint64)
        words <<= np.minimum((place - inside) * 8, 63).astype(np.uint64)
        there = np.clip(self.captured - at, 0, size)
        known = ~((np.uint64(1) << (8 * (size - there)).astype(np.uint64)) - np.uint64(1))
        number: Uint64s = words >> np.uint64(64 - 8 * size) & known
        return number

    def missing(self, at: int | Int64s, size: int | Int64s) -> npt.NDArray[np.bool_]:
        """Did bytes of `at` to `at + size` exist that were not captured?  bool[n]."""
        lost: npt.NDArray[np.bool_] = self.captured < np.minimum(at + size, self.lengths)
        return lost & (self.lengths > at)


class Link(NamedTuple):
    """What one link type says of each frame; macs: source and destination, None: there are none.

    trailer: bytes at the end that are not the payload's (a check sequence).
    """

    header: int | Int64s
    ethertype: Any
    type_missing: Any
    macs: tuple[Uint64s, Uint64s] | None = None
    mac_missing: Any = 0
    trailer: Any = 0
