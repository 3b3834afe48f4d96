"""Frames that are to be written: which of a batch, and how much of each; and who writes them.

Contract: plain values over the batch's columns, nothing is copied before it is asked for.
`FrameWriter` is what the writers of both formats do.
Tested by tests/sinks/test_pcap.py, test_pcapng.py and test_files.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ztfast.capture.packets import Int64s, PacketBatch, Uint32s
from ztfast.errors import Diagnostic, OutputError
from ztfast.sinks.output import Output

Comments = npt.NDArray[np.object_]
MOST_COMMENT = 4096


@dataclass(frozen=True, slots=True)
class Chosen:
    """Frames of a batch.

    index: int64[k], ascending; None: all.  captured: uint32[k] cuts each frame to so many bytes.
    lengths: uint32[k] replaces the original lengths.  comments: bytes[n] (object), one UTF-8 text
    for each frame of the batch, at most `MOST_COMMENT` bytes; only pcapng has a place for them.
    """

    batch: PacketBatch
    index: Int64s | None = None
    captured: Uint32s | None = None
    lengths: Uint32s | None = None
    comments: Comments | None = None

    @property
    def frames(self) -> int:
        """How many they are."""
        return len(self.batch) if self.index is None else len(self.index)

    @property
    def changed(self) -> bool:
        """Is any of them cut, its length another one, or has it a comment?"""
        return any(one is not None for one in (self.captured, self.lengths, self.comments))

    @property
    def numbers(self) -> Int64s:
        """Their numbers in the batch."""
        return np.arange(len(self.batch)) if self.index is None else self.index

    def of(self, column: Any) -> Any:
        """Their items of one of the batch's columns."""
        return column if self.index is None else column[self.index]

    @property
    def kept(self) -> Uint32s:
        """Bytes that are written of each."""
        there: Uint32s = self.of(self.batch.captured)
        return there if self.captured is None else np.minimum(there, self.captured)

    @property
    def original(self) -> Uint32s:
        """Bytes that each had."""
        had: Uint32s = self.of(self.batch.lengths) if self.lengths is None else self.lengths
        return had

    def from_to(self, first: int, last: int) -> Chosen:
        """Those from the `first` of them to before the `last`, of the whole batch still."""
        mine = slice(first, last)
        return replace(
            self,
            index=self.numbers[mine],
            captured=None if self.captured is None else self.captured[mine],
            lengths=None if self.lengths is None else self.lengths[mine],
        )

    def within(self, low: int, high: int) -> Chosen:
        """The same frames, the batch being only its frames from `low` to before `high`."""
        comments = None if self.comments is None else self.comments[low:high]
        part = self.batch.part(low, high)
        return replace(self, batch=part, index=self.numbers - low, comments=comments)


LAST_TIME = (1 << 63) - 1  # what is later counts as this: in 2262


def refuse_times(chosen: Chosen, path: str, first: int, last: int, what: str) -> None:
    """Raise OutputError where a frame's time is before `first`, or not before `last`.

    first, last: nanoseconds since 1970, what a file of this kind (`what`) can hold.
    """
    times = chosen.of(chosen.batch.timestamps)
    wrong = np.flatnonzero((times < first) | (times >= last))
    if not len(wrong):
        return
    number = chosen.batch.first + int(chosen.numbers[wrong[0]]) + 1
    moment = np.datetime64(int(times[wrong[0]]), "ns").astype("datetime64[s]")
    raise OutputError(
        Diagnostic(
            "ZT611",
            f"frame {number} is of {moment}: {what} holds no such time",
            path=path,
            help="write the pcapng as it is: a name that ends in .pcapng, without --merge; or "
            "correct the times first (editcap -t)",
        )
    )


class FrameWriter(Protocol):
    """Writes frames into one file.

    output: where to.  empty_linktype: what a file without any batch says that it holds.
    """

    output: Output
    empty_linktype: int | None

    def write(self, chosen: Chosen) -> None:
        """Write frames of a batch; raises `OutputError`."""
        ...

    def close(self) -> None:
        """Finish the file; raises `OutputError`."""
        ...
