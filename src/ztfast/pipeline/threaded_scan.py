"""A scan in several threads: each takes a part of the window, and parts count once they are proved.

Contract: gives what one thread's scan gives.  Where a part begins is a guess; it counts only where
the part before ends exactly there, else it and what is behind it is scanned again by the next call.
Tested by tests/pipeline/test_threaded_scan.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from ztfast import dispatch
from ztfast.capture.packets import MAX_FRAMES
from ztfast.capture.pcap_scan import OK, PLAIN, RecordScan, RecordShape, ScannedRecords
from ztfast.pipeline.scan import Counted, Judged, joined_counts, joined_judged

_LEAST = 1 << 19  # bytes of a part: what is less is sooner scanned than handed out


class ThreadedScan:
    """As the scans that `make` gives, one a thread."""

    def __init__(self, make: Callable[[], RecordScan], threads: int) -> None:
        self._scans = [make() for _ in range(threads)]
        self._pool = ThreadPoolExecutor(threads)
        self._size = 0.0  # bytes of a record, as records were so far

    def __call__(
        self,
        buffer: Any,
        start: int,
        end: int,
        shape: RecordShape = PLAIN,
        max_frames: int = MAX_FRAMES,
    ) -> ScannedRecords:
        """As `capture.pcap_scan.scan_records`; `judged` is what the scans give, joined."""
        most = max(1, max_frames // len(self._scans))
        starts = self._starts(buffer, start, end, most, shape)
        ends = [*starts[1:], self._end(start, end, most)]
        if len(starts) == 1:
            most, ends = max_frames, [end]

        def scanned(number: int) -> ScannedRecords:
            return self._scans[number](buffer, starts[number], ends[number], shape, most)

        found = _proved(list(self._pool.map(scanned, range(len(starts)))), starts)
        joined = found[0] if len(found) == 1 else _joined(found)
        if joined.scanned:
            self._size = (joined.next - start) / joined.scanned
        return joined

    def _end(self, start: int, end: int, most: int) -> int:
        """As far as all threads together have room for what they find."""
        return min(end, start + int(self._size * most * len(self._scans) * 7 / 8))

    def _starts(
        self, buffer: Any, start: int, end: int, most: int, shape: RecordShape
    ) -> list[int]:
        """Where the parts begin; one part where there is too little, or no guess."""
        threads = len(self._scans)
        apart = (self._end(start, end, most) - start) // threads
        if apart < _LEAST:
            return [start]
        starts = [start]
        for number in range(1, threads):
            at = start + number * apart
            place = dispatch.require().guess_record(buffer, start, at, end, shape)
            if place > starts[-1]:
                starts.append(place)
        return starts


def _proved(parts: list[ScannedRecords], starts: list[int]) -> list[ScannedRecords]:
    """The parts up to the first that does not begin where the one before ended."""
    for number in range(1, len(parts)):
        if parts[number - 1].next != starts[number] or parts[number - 1].error != OK:
            return parts[:number]
    return parts


def _joined(parts: Sequence[ScannedRecords]) -> ScannedRecords:
    """Parts that follow each other as one."""
    judged = [part.judged for part in parts]
    counts = [one for one in judged if isinstance(one, Counted)]
    verdicts = [one for one in judged if isinstance(one, Judged)]
    return ScannedRecords(
        np.concatenate([part.offsets for part in parts]),
        np.concatenate([part.captured for part in parts]),
        np.concatenate([part.lengths for part in parts]),
        parts[-1].next,
        parts[-1].error,
        joined_counts(counts) if counts else joined_judged(verdicts),
    )
