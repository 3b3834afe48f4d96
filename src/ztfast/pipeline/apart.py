"""Frames that a count leaves over, gathered over many batches and judged together.

Contract: frames are copied, so their batch's buffer may be used again; they keep the order in which
they came, and nothing of them depends on their numbers (a scan that counts has no draws).  Held is
at most what `full` says, and one batch.  Tested by tests/pipeline/test_apart.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.capture.packets import PacketBatch
from ztfast.frames.batch import FrameBatch
from ztfast.sinks.copy_ranges import gather

MOST_FRAMES, MOST_BYTES = 1 << 13, 1 << 22


class _Copied(NamedTuple):
    """What is kept of a batch: the frames' bytes one behind the other, and their lengths."""

    data: bytes
    captured: npt.NDArray[np.uint32]
    lengths: npt.NDArray[np.uint32]  # as rules see them
    whole: npt.NDArray[np.uint32]  # as they were captured


class ApartFrames:
    """Ethernet frames that are yet to be judged."""

    def __init__(self) -> None:
        self._parts: list[_Copied] = []
        self._frames = self._bytes = 0

    @property
    def full(self) -> bool:
        """Are there so many that they should be taken?"""
        return self._frames >= MOST_FRAMES or self._bytes >= MOST_BYTES

    def add(self, packets: PacketBatch) -> None:
        """Copy all frames of a batch of Ethernet packets."""
        frames = FrameBatch.from_packets(packets)
        data = gather(frames.buffer, frames.offsets, frames.offsets + frames.captured)
        self._parts.append(_Copied(data, frames.captured, frames.lengths, packets.lengths))
        self._frames += len(frames)
        self._bytes += len(data)

    def take(self) -> tuple[FrameBatch, npt.NDArray[np.uint32]]:
        """All of them, and their original lengths, uint32[n]; none are left."""
        parts, self._parts = self._parts, []
        self._frames = self._bytes = 0
        captured, lengths, whole = (
            np.concatenate([np.zeros(0, np.uint32), *columns])
            for columns in zip(*(part[1:] for part in parts), strict=True)
        )
        ends = np.cumsum(captured, dtype=np.int64)
        buffer = np.frombuffer(b"".join(part.data for part in parts), np.uint8)
        return FrameBatch(buffer, ends - captured, captured, lengths), whole

    def __len__(self) -> int:
        return self._frames
