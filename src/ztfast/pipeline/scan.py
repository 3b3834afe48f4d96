"""Scans that judge: frames are judged, or only counted, while their records are being found.

Contract: both keep `capture.pcap_scan.RecordScan`'s contract and are handed to
`Capture.batches`; what they found of a batch's frames is its `judged`.  The verdicts are those
of judging batch by batch (tests/pipeline/test_judge.py), only the cache misses differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.capture.packets import MAX_FRAMES, ScanOutcome
from ztfast.capture.pcap_scan import PLAIN, RecordShape, ScannedRecords, record_columns
from ztfast.engine.engine import Engine
from ztfast.engine.native import Mark, RecordColumns, ScanCounts, ScanResults, Wanted
from ztfast.engine.native_tables import SideOutputs
from ztfast.frames.buffer_pool import BufferPool
from ztfast.model.result import Result

if TYPE_CHECKING:
    from ztfast.pipeline.followed import Following, SentCounts

JUDGED_FRAMES = 2 * MAX_FRAMES  # of a batch that is judged: most mapped windows hold fewer
COUNTED_FRAMES = 4 * MAX_FRAMES  # of a batch that is counted: few of them need columns


class Judged(NamedTuple):
    """The results of a scan that judges, for `Engine.verdicts`.

    outputs: each side's columns.  marks: uint8[frames], each frame's `Mark`s; None where no members
    are looked up.
    """

    frames: int
    outputs: list[SideOutputs]
    marks: npt.NDArray[np.uint8] | None

    def marked(self, mark: Mark) -> npt.NDArray[np.bool_] | None:
        """Which frames have a mark, bool[frames]."""
        return None if self.marks is None else (self.marks & np.uint8(mark)) != 0


class SideCounts(NamedTuple):
    """What a scan counted of the frames that one table decided.

    totals: frames and original bytes, uint64[2, keys] by (deciding entry counted over all rule
    sets + 1) * 5 + Result.  starts: int64, the first entry of each rule set.  sender, receiver:
    the sides that were asked.
    """

    totals: npt.NDArray[np.uint64]
    starts: npt.NDArray[np.int64]
    sender: bool
    receiver: bool


class Counted(NamedTuple):
    """The results of a scan that counts; its columns hold the frames apart, or accepted ones too.

    frames: of the capture that were scanned.  sides: what was counted.  reads: uint64[65536],
    frames by bits of model.reads.Reads, None where nothing can be missing.  apart: bool, for each
    frame kept: it was not counted, and is to be judged by itself.  sent: what became of copies and
    redirects of the frames that were counted; None where nothing was followed.
    """

    frames: int
    sides: tuple[SideCounts, ...]
    reads: npt.NDArray[np.uint64] | None
    apart: npt.NDArray[np.bool_]
    sent: SentCounts | None = None


class JudgingScan:
    """A scan that judges every frame it finds."""

    def __init__(self, engine: Engine) -> None:
        evaluator = engine.scan_evaluator
        assert evaluator is not None
        self._evaluator = evaluator
        self._pool = BufferPool()

    def __call__(
        self,
        buffer: Any,
        start: int,
        end: int,
        shape: RecordShape = PLAIN,
        max_frames: int = JUDGED_FRAMES,
    ) -> ScannedRecords:
        """As `capture.pcap_scan.scan_records`; `judged` is `Judged`."""
        columns = record_columns(max_frames, end - start, self._pool)
        marks = np.empty(len(columns[0]), np.uint8) if self._evaluator.looks_up else None
        found = self._evaluator.scan(buffer, start, end, shape, columns, marks)
        judged = Judged(
            found.frames, found.outputs, None if marks is None else marks[: found.frames]
        )
        return _scanned(columns, found.frames, found, judged)


class CountingScan:
    """A scan that only counts, and keeps the frames apart; where it `keeps`, accepted ones too.

    Apart are frames of which a count does not say enough: those that a rule copies or redirects,
    and undirected ones where the members are known.  follows: what is sent of directed ones is
    followed to its end, and counted, too.
    """

    def __init__(self, engine: Engine, keeps: bool, follows: bool = False) -> None:
        evaluator = engine.scan_evaluator
        assert evaluator is not None
        self._evaluator, self._keeps = evaluator, keeps
        sides = evaluator.sides
        self._forwards = tuple(side.forwards for side in sides)
        self._asks_recipients = engine.asks_recipients
        self._watched = any(side.watched for side in sides)
        self._asked: tuple[tuple[bool, bool], ...] = ((engine.side != "in", engine.side != "out"),)
        if len(sides) == 2:
            self._asked = (True, False), (False, True)
        self._sides = tuple(
            (len(side.entries.address) * len(Result), side.entries.starts) for side in sides
        )
        self._pool = BufferPool()
        self._following = _following(engine) if follows else None

    @property
    def _may_keep(self) -> bool:
        return self._keeps or self._asks_recipients or any(self._forwards)

    def __call__(
        self,
        buffer: Any,
        start: int,
        end: int,
        shape: RecordShape = PLAIN,
        max_frames: int = COUNTED_FRAMES,
    ) -> ScannedRecords:
        """As `capture.pcap_scan.scan_records`; `judged` is `Counted`."""
        columns = record_columns(max_frames if self._may_keep else 0, end - start, self._pool)
        wanted = self._wanted(len(columns[0]))
        kept = columns if self._may_keep else None
        found = self._evaluator.count(buffer, start, end, shape, kept, wanted)
        return _scanned(columns, found.kept, found, self._counted(found, wanted))

    def _wanted(self, room: int) -> Wanted:
        keys = sum(count for count, _ in self._sides)
        return Wanted(
            frames=np.zeros(keys, np.uint64),
            octets=np.zeros(keys, np.uint64),
            reads=np.zeros(1 << 16, np.uint64) if self._watched else None,
            receiver=self._sides[0][0],
            forwards=self._forwards,
            asks_recipients=self._asks_recipients,
            keeps=self._keeps,
            apart=np.zeros(room, np.uint8) if self._may_keep else None,
            followed=None if self._following is None else self._following.anew(),
        )

    def _counted(self, found: ScanCounts, wanted: Wanted) -> Counted:
        sides: list[SideCounts] = []
        at = 0
        for (keys, starts), asked in zip(self._sides, self._asked, strict=True):
            part = slice(at, at + keys)
            totals = np.stack((wanted.frames[part], wanted.octets[part]))
            sides.append(SideCounts(totals, starts, *asked))
            at += keys
        marks = np.zeros(0, np.bool_) if wanted.apart is None else wanted.apart[: found.kept] != 0
        sent = None
        if self._following is not None and wanted.followed is not None:
            sent = self._following.counts(wanted.followed)
        return Counted(found.frames, tuple(sides), wanted.reads, marks, sent)


def _following(engine: Engine) -> Following | None:
    from ztfast.pipeline.followed import following  # start-up stays short

    return following(engine)


def _scanned(
    columns: RecordColumns, kept: int, found: ScanResults | ScanCounts, judged: ScanOutcome
) -> ScannedRecords:
    offsets, captured, lengths = columns
    places = offsets[:kept], captured[:kept], lengths[:kept]
    return ScannedRecords(*places, found.next, found.error, judged)
