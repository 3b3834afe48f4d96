"""How the blocks of a pcapng batch stand in its buffer.

Contract: `packets.Layout`, for writers and for times.
Tested by tests/capture/test_pcapng.py and tests/sinks/test_pcapng.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ztfast.capture.packets import Int64s, PacketBatch, Uint32s, unaligned
from ztfast.capture.pcapng_scan import SIMPLE_PACKET
from ztfast.capture.pcapng_times import nanoseconds


@dataclass(frozen=True, eq=False)
class PcapngLayout:
    """Byte order, the blocks of a batch's frames, and the section header as it stood.

    `defined`: how many interfaces the section had before the batch's first block (the batch
    may know more: those that come later in the same window).  `gaps`: blocks of the section were
    passed over, so its length is another now.
    """

    swapped: bool
    section: bytes
    defined: int
    types: Uint32s
    starts: Int64s
    ends: Int64s
    gaps: bool = False

    @property
    def kind(self) -> str:
        """The format's name."""
        return "pcapng"

    def spans(self, batch: PacketBatch) -> tuple[Int64s, Int64s]:
        """Whole blocks."""
        return self.starts, self.ends

    def part(self, low: int, high: int, skipped: Uint32s) -> PcapngLayout:
        """The blocks of some frames; skipped interface blocks are defined by then."""
        one = 1 << 24 if self.swapped else 1
        return replace(
            self,
            defined=self.defined + int(np.count_nonzero(skipped == one)),
            types=self.types[low:high],
            starts=self.starts[low:high],
            ends=self.ends[low:high],
        )

    def chosen(self, index: npt.NDArray[np.intp]) -> PcapngLayout:
        """The blocks of some frames."""
        columns = self.types[index], self.starts[index], self.ends[index]
        return replace(self, types=columns[0], starts=columns[1], ends=columns[2])

    def timestamps(self, batch: PacketBatch) -> Int64s:
        """In each interface's unit in the file; simple packet blocks have none and get 0."""
        out = np.zeros(len(batch), np.int64)
        timed = np.flatnonzero(self.types != SIMPLE_PACKET)
        words = unaligned(batch.buffer, ">u4" if self.swapped else "<u4")
        at = self.starts[timed] + 12
        units = words[at].astype(np.uint64) << np.uint64(32) | words[at + 4]
        ids = batch.interface_ids[timed]
        numbers: list[int] = np.flatnonzero(np.bincount(ids)).tolist()
        for number in numbers:
            mine = ids == number
            out[timed[mine]] = nanoseconds(units[mine], batch.interfaces[number])
        return out
