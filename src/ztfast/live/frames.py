"""Frames just taken from a ring, what became of them, which go where: columns, nothing copied.

Contract: plain values.  The columns are used again for the next frames: what is to be kept longer
is copied by who keeps it.  Tested by tests/live/test_judge.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.frames.batch import FrameBatch, RawFrames


class Columns(NamedTuple):
    """Room for frames: offset of each in the buffer, bytes there, bytes it had, nanoseconds."""

    offsets: npt.NDArray[np.int64]
    captured: npt.NDArray[np.uint32]
    lengths: npt.NDArray[np.uint32]
    times: npt.NDArray[np.int64]

    @classmethod
    def of(cls, room: int) -> Columns:
        """Columns for so many frames."""
        return cls(
            np.zeros(room, np.int64),
            np.zeros(room, np.uint32),
            np.zeros(room, np.uint32),
            np.zeros(room, np.int64),
        )


class Frames(NamedTuple):
    """The first `size` frames of some columns, which lie in `buffer`.

    interface: the number of the input that they came from.  octets: bytes that they had.
    """

    buffer: npt.NDArray[np.uint8]
    columns: Columns
    size: int
    interface: int = 0
    octets: int = 0

    def raw(self) -> RawFrames:
        """All the columns as the compiled loops take them."""
        offsets, captured, lengths, _ = self.columns
        return RawFrames(self.buffer, offsets, captured, lengths)

    def batch(self) -> FrameBatch:
        """They as the engine takes them."""
        offsets, captured, lengths, _ = self.columns
        return FrameBatch.trusted(
            self.buffer, offsets[: self.size], captured[: self.size], lengths[: self.size]
        )


class Judged(NamedTuple):
    """What became of some frames: `Action` of each, and `rows` copies by frame.

    row_frame, row_target, row_limit: the frame, the number of the target (`LiveJudge.addresses`),
    and how many bytes of the frame a copy holds at most.
    """

    action: npt.NDArray[np.uint8]
    row_frame: npt.NDArray[np.int64]
    row_target: npt.NDArray[np.int32]
    row_limit: npt.NDArray[np.uint32]
    rows: int


class Chosen(NamedTuple):
    """Room for the frames that go to one output, an item each.

    numbers: which they are.  kept: bytes that are sent.  noted: bytes that they are said to have
    had.  copies: how many copies, or how many comings, each stands for.
    """

    numbers: npt.NDArray[np.int64]
    kept: npt.NDArray[np.uint32]
    noted: npt.NDArray[np.uint32]
    copies: npt.NDArray[np.int32]

    @classmethod
    def of(cls, room: int) -> Chosen:
        """Columns for so many frames."""
        return cls(
            np.zeros(room, np.int64),
            np.zeros(room, np.uint32),
            np.zeros(room, np.uint32),
            np.zeros(room, np.int32),
        )
