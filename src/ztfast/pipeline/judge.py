"""Judging a capture: batch after batch, or already while its records are being found.

Contract: `judgements(capture, engine, …)` yields each packet batch with its frames and
verdicts; the results are the same either way (tests/pipeline/test_judge.py), only the cache
misses differ.  A batch of an unknown link type has no verdicts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ztfast.capture.packets import MAX_CAPTURED, MAX_FRAMES, Counted, PacketBatch
from ztfast.capture.pcap_scan import ScannedRecords, record_columns
from ztfast.engine.engine import Engine
from ztfast.engine.network_verdicts import Verdicts
from ztfast.engine.side_verdicts import Result
from ztfast.frames.batch import FrameBatch
from ztfast.frames.buffer_pool import BufferPool
from ztfast.pipeline.tally import Tally

_ETHERNET = 1


class JudgingScan:
    """A scan with `capture.pcap_scan`'s contract that judges frames on the way."""

    def __init__(self, engine: Engine) -> None:
        assert engine.scan_evaluator is not None
        self._evaluator = engine.scan_evaluator
        self.can_count = self._evaluator.can_count
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
        """As `capture.pcap_scan.scan_records`; the result's `judged` holds the results."""
        columns = record_columns(max_frames, end - start, self._pool)
        count, place, error, outputs = self._evaluator.scan(
            buffer, start, end, swapped, header, max_captured, columns
        )
        offsets, captured, lengths = columns
        return ScannedRecords(
            offsets[:count], captured[:count], lengths[:count], place, error, outputs
        )


class CountingScan(JudgingScan):
    """A scan that only counts, and `keeps` the accepted frames or none.

    Where a window's frames need more than counting (bytes were not captured), it judges as
    `JudgingScan` does.
    """

    def __init__(self, engine: Engine, keeps: bool) -> None:
        super().__init__(engine)
        self._keeps = keeps
        self._keys = len(self._evaluator.sides[0].entries.address) * len(Result)

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
        """As `capture.pcap_scan`, but for accepted frames only; `judged` is `Counted`."""
        totals = np.zeros((2, self._keys), np.uint64)
        columns = record_columns(max_frames if self._keeps else 0, end - start, self._pool)
        count, kept, place, error, missing = self._evaluator.count(
            *(buffer, start, end, swapped, header, max_captured),
            totals,
            columns if self._keeps else None,
        )
        if missing:
            return super().__call__(buffer, start, end, swapped, header, max_frames, max_captured)
        found = [column[: kept if self._keeps else 0] for column in columns]
        return ScannedRecords(*found, place, error, Counted(count, totals))  # type: ignore[call-arg]


def add_counted(tally: Tally, engine: Engine, counted: Counted) -> None:
    """Count what a scan of `judgements` with `counts` found."""
    assert engine.scan_evaluator is not None
    starts = engine.scan_evaluator.sides[0].entries.starts
    tally.add_totals(counted.totals, starts, engine.side != "in", engine.side != "out")


def judging_scan(engine: Engine, vlan: str, threads: int) -> JudgingScan | None:
    """The scan to read with, where this engine can judge on the way."""
    if engine.scan_evaluator is None or vlan != "tag" or threads > 1:
        return None
    return JudgingScan(engine)


class Judgement(NamedTuple):
    """A packet batch, its frames as rules see them, and the verdicts (None: unknown link type)."""

    packets: PacketBatch
    frames: FrameBatch | None
    verdicts: Verdicts | None


def judge(engine: Engine, packets: PacketBatch, vlan: str, threads: int) -> Judgement:
    """The verdicts on a packet batch, judged already or now."""
    if packets.linktype != _ETHERNET and not _is_known(packets.linktype):
        return Judgement(packets, None, None)
    frames = FrameBatch.from_packets(packets, vlan)
    if packets.judged is not None:
        return Judgement(packets, frames, engine.verdicts(frames, packets.judged))
    verdicts = engine.evaluate(frames, first=packets.first, threads=threads)
    return Judgement(packets, frames, verdicts)


def _is_known(linktype: int) -> bool:
    from ztfast.frames.links import is_known  # not needed for Ethernet: start-up stays short

    return is_known(linktype)


def judgements(
    capture: Any,
    engine: Engine,
    vlan: str = "tag",
    threads: int = 1,
    counts: bool = False,
    keeps: bool = False,
) -> Iterator[Judgement]:
    """Each batch of a capture, judged.  A merge judges frames in their final order.

    counts: figures are all that is wanted, and the accepted frames where the caller `keeps`
    them.  Frames may then be counted while they are found: their batch has no verdicts,
    `packets.judged` is `Counted` (for `add_counted`), and its frames are the accepted ones, or
    none.
    """
    scan = None if getattr(capture, "merge", False) else judging_scan(engine, vlan, threads)
    # after damage the reader looks at the last records' places, which counting does not keep
    if scan is not None and counts and scan.can_count and not capture.session.resync:
        scan = CountingScan(engine, keeps)
    capture.session.scan = scan
    for packets in capture:
        if isinstance(packets.judged, Counted):
            yield Judgement(packets, None, None)
        else:
            yield judge(engine, packets, vlan, threads)


def judged(
    capture: Any, engine: Engine, vlan: str = "tag", threads: int = 1
) -> Iterator[tuple[PacketBatch, Verdicts]]:
    """Each batch of a known link type with its verdicts."""
    for packets, _, verdicts in judgements(capture, engine, vlan, threads):
        if verdicts is not None:
            yield packets, verdicts
