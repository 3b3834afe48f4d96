"""What one side sends beside the frame: copies and redirects as columns, with their lines.

Contract: pure functions of one side's verdicts; columns have one item a frame of the batch.
Tested by tests/engine/test_side_copies.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.engine.side_verdicts import SideVerdicts
from ztfast.frames.batch import FrameBatch


class Lines(NamedTuple):
    """Source lines by entry: of the base rules, then of each capability; 0 where not known.

    Each array's last item, 0, is for entry −1.
    """

    base: npt.NDArray[np.int32]
    capabilities: tuple[npt.NDArray[np.int32], ...]

    def of(
        self, entry: npt.NDArray[np.int32], capability: npt.NDArray[np.int16]
    ) -> npt.NDArray[np.int32]:
        """The line of each entry, in the base rules or (capability >= 0) in that capability."""
        # a capability's entries are counted apart, and can be more than the base rules'
        lines = self.base[np.where(capability < 0, entry, np.int32(-1))]
        for index, own in enumerate(self.capabilities):
            mine = capability == index
            if mine.any():
                lines[mine] = own[entry[mine]]
        return lines


class SideCopy(NamedTuple):
    """One kind of copy from one side, n items a column.

    kind: "tee", "watch" or "redirect".  from_capability: the accepting capability's, not the base
    rules'.  sent: bool[n].  target: uint64[n] ZeroTier addresses.  length: uint32[n] payload
    bytes behind the ethertype.  line: int32[n], source line of the rule, 0 where it has none.
    """

    kind: str
    from_capability: bool
    sent: npt.NDArray[np.bool_]
    target: npt.NDArray[np.uint64]
    length: npt.NDArray[np.uint32]
    line: npt.NDArray[np.int32]


def side_copies(side: SideVerdicts, batch: FrameBatch, lines: Lines) -> Iterator[SideCopy]:
    """Every kind of copy that any frame of the batch sends, in sending order."""
    if not side.sends:
        return
    in_base = np.full(len(side), -1, np.int16)
    for prefix, capability in (("capability_copy_", side.capability), ("copy_", in_base)):
        entry: npt.NDArray[np.int32] = getattr(side, prefix + "entry")
        has = entry >= 0
        if not has.any():
            continue
        watch = getattr(side, prefix + "watch")
        line = lines.of(entry, capability)
        for kind, sent in (("tee", has & ~watch), ("watch", has & watch)):
            if sent.any():
                target, length = getattr(side, prefix + "target"), getattr(side, prefix + "length")
                yield SideCopy(kind, prefix != "copy_", sent, target, length, line)
    away = side.accepted & (side.accept == 0)
    if away.any():
        line = lines.of(side.entry, side.capability)
        yield SideCopy("redirect", False, away, side.destination, batch.payload_lengths(), line)
