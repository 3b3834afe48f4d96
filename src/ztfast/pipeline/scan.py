"""Scans that judge: frames are judged, or only counted, while their records are being found.

Contract: both keep `capture.pcap_scan.RecordScan`'s contract and are handed to
`Capture.batches`; what they found of a batch's frames is its `judged`.  The verdicts are those
of judging batch by batch (tests/pipeline/test_judge.py), only the cache misses differ.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.capture.packets import MAX_CAPTURED, MAX_FRAMES, ScanOutcome
from ztfast.capture.pcap_scan import ScannedRecords, record_columns
from ztfast.engine.engine import Engine
from ztfast.engine.native import RecordColumns, ScanCounts, ScanResults
from ztfast.engine.native_tables import SideOutputs
from ztfast.frames.buffer_pool import BufferPool
from ztfast.model.result import Result


class Judged(NamedTuple):
    """The results of a scan that judges: each side's columns, for `Engine.verdicts`."""

    frames: int
    outputs: list[SideOutputs]


class Counted(NamedTuple):
    """The results of a scan that counts; its columns hold the accepted frames, or none.

    totals: frames and original bytes, uint64[2, keys] by (deciding entry counted over all rule
    sets + 1) * 5 + Result.  starts: int64, the first entry of each rule set.  sender, receiver:
    the sides that were asked.
    """

    frames: int
    totals: npt.NDArray[np.uint64]
    starts: npt.NDArray[np.int64]
    sender: bool
    receiver: bool


class JudgingScan:
    """A scan that judges every frame it finds."""

    def __init__(self, engine: Engine) -> None:
        evaluator = engine.scan_evaluator
        assert evaluator is not None
        self._evaluator = evaluator
        self.can_count = evaluator.can_count
        self._pool = BufferPool()

    def __call__(
        self,
        buffer: Any,
        start: int,
        end: int,
        swapped: bool,
        header: int = 16,
        max_frames: int = MAX_FRAMES,
        max_captured: int = MAX_CAPTURED,
    ) -> ScannedRecords:
        """As `capture.pcap_scan.scan_records`; `judged` is `Judged`."""
        columns = record_columns(max_frames, end - start, self._pool)
        found = self._evaluator.scan(buffer, start, end, swapped, header, max_captured, columns)
        return _scanned(columns, found.frames, found, Judged(found.frames, found.outputs))


class CountingScan(JudgingScan):
    """A scan that only counts, and `keeps` the accepted frames or none.

    Where a window's frames need more than counting (bytes were not captured), it judges as
    `JudgingScan` does.
    """

    def __init__(self, engine: Engine, keeps: bool) -> None:
        super().__init__(engine)
        self._keeps = keeps
        self._sides = engine.side != "in", engine.side != "out"
        entries = self._evaluator.sides[0].entries
        self._keys, self._starts = len(entries.address) * len(Result), entries.starts

    def __call__(
        self,
        buffer: Any,
        start: int,
        end: int,
        swapped: bool,
        header: int = 16,
        max_frames: int = MAX_FRAMES,
        max_captured: int = MAX_CAPTURED,
    ) -> ScannedRecords:
        """As `capture.pcap_scan.scan_records`; `judged` is `Counted` (or `Judged`)."""
        totals = np.zeros((2, self._keys), np.uint64)
        columns = record_columns(max_frames if self._keeps else 0, end - start, self._pool)
        found = self._evaluator.count(
            *(buffer, start, end, swapped, header, max_captured),
            totals,
            columns if self._keeps else None,
        )
        if found.missing:
            return super().__call__(buffer, start, end, swapped, header, max_frames, max_captured)
        counted = Counted(found.frames, totals, self._starts, *self._sides)
        return _scanned(columns, found.kept if self._keeps else 0, found, counted)


def _scanned(
    columns: RecordColumns, kept: int, found: ScanResults | ScanCounts, judged: ScanOutcome
) -> ScannedRecords:
    offsets, captured, lengths = columns
    places = offsets[:kept], captured[:kept], lengths[:kept]
    return ScannedRecords(*places, found.next, found.error, judged)
