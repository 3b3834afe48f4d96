"""What other rules would make of the same frames: old verdict → new verdict, with examples.

Contract: both engines judge each frame in the same pass.  A `Matrix` counts frames that change by
both verdicts and both lines, and keeps the first few of each as examples; matrices of parts merge,
in the order of the parts, into that of the whole.
Tested by tests/archive/test_changes.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.capture.packets import PacketBatch
from ztfast.engine.engine import Engine
from ztfast.engine.network_verdicts import Verdicts
from ztfast.frames.batch import FrameBatch
from ztfast.frames.text import frame_text
from ztfast.pipeline.changes import changed_frames, in_words
from ztfast.pipeline.count import Count, add, read_count, whole
from ztfast.pipeline.judge import Judgement

_EXAMPLES = 3


class Change(NamedTuple):
    """Verdicts in words, and the deciding lines (0: none), before and after."""

    old: str
    old_line: int
    new: str
    new_line: int


@dataclass
class Matrix:
    """Frames judged, and those that change.

    examples: of each change the first frames, as `path`, `byte` (where the record begins in the
    capture, or in what it holds compressed), `time` (ns since 1970) and `frame`, a text.
    """

    frames: int = 0
    counts: dict[Change, Count] = field(default_factory=dict[Change, Count])
    examples: dict[Change, list[dict[str, Any]]] = field(
        default_factory=dict[Change, list[dict[str, Any]]]
    )

    @property
    def changed(self) -> int:
        """Frames that change."""
        return sum(count.frames for count in self.counts.values())

    def rows(self) -> list[dict[str, Any]]:
        """One row a change, most frames first."""
        order = sorted(self.counts.items(), key=lambda item: (-item[1].frames, item[0]))
        return [
            {**change._asdict(), **count._asdict(), "examples": self.examples[change]}
            for change, count in order
        ]

    def merge(self, other: Matrix) -> None:
        """Add what comes behind this one."""
        self.frames += other.frames
        for change, count in other.counts.items():
            add(self.counts, change, *count)
            mine = self.examples.setdefault(change, [])
            mine += other.examples[change][: _EXAMPLES - len(mine)]

    def to_json(self) -> dict[str, Any]:
        """Everything as one JSON-ready object."""
        return {"frames": self.frames, "changed": self.changed, "rows": self.rows()}

    @classmethod
    def from_json(cls, document: dict[str, Any], before: int = 0) -> Matrix:
        """The matrix that `to_json` wrote; before: bytes in front of what it is of."""
        found = cls(whole(document["frames"]))
        for row in document["rows"]:
            change = Change(*(row[name] for name in Change._fields))
            add(found.counts, change, *read_count(row))
            examples = row["examples"]
            found.examples[change] = [{**one, "byte": one["byte"] + before} for one in examples]
        return found

    def lines(self) -> list[str]:
        """For people."""
        found = [f"of {self.frames:,} frames {self.changed:,} change from the old rules"]
        for row in self.rows():
            before, after = (_by(row[which], row[f"{which}_line"]) for which in ("old", "new"))
            found.append(f"  {row['frames']:,} {before} → {after}")
            for one in row["examples"][:1]:
                found.append(f"    as {one['frame']} ({one['path']}: byte {one['byte']})")
        return found


def _by(verdict: str, line: int) -> str:
    return f"{verdict} (line {line})" if line else verdict


class Comparison:
    """Shown each batch as the new rules judged it, has the old ones judge it, and counts."""

    def __init__(self, old: Engine, matrix: Matrix, vlan: str) -> None:
        self._old, self._matrix, self._vlan = old, matrix, vlan

    def __call__(self, judgement: Judgement, _: object = None) -> None:
        """Take a batch."""
        packets, frames, verdicts = judgement[:3]
        if frames is None or verdicts is None or not len(packets):
            return
        before = self._old.evaluate(frames, first=packets.first)
        self._matrix.frames += len(packets)
        index = np.flatnonzero(changed_frames(before, verdicts))
        if len(index):
            self._count(packets, frames, before, verdicts, index)

    def _count(
        self,
        packets: PacketBatch,
        frames: FrameBatch,
        before: Verdicts,
        after: Verdicts,
        index: npt.NDArray[np.intp],
    ) -> None:
        columns = (before.action, before.line, after.action, after.line)
        keys = np.stack([column[index].astype(np.int64) for column in columns])
        different, which = np.unique(keys, axis=1, return_inverse=True)
        which = which.reshape(-1)
        for number, (old, old_line, new, new_line) in enumerate(different.T.tolist()):
            words = in_words(old, new)
            change = Change(words[0], old_line, words[1], new_line)
            these = index[which == number]
            octets = int(packets.lengths[these].sum(dtype=np.uint64))
            add(self._matrix.counts, change, len(these), octets)
            mine = self._matrix.examples.setdefault(change, [])
            for frame in these[: _EXAMPLES - len(mine)].tolist():
                mine.append(_example(packets, frames, frame))


def _example(packets: PacketBatch, frames: FrameBatch, index: int) -> dict[str, Any]:
    return {
        "path": packets.path,
        "byte": packets.base + int(packets.record_start[index]),
        "time": int(packets.timestamps[index]),
        "frame": frame_text(frames.frame(index)),
    }
