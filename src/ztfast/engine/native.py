"""The native evaluator: programs' tables run by the compiled loops over a batch.

Contract: `NativeEvaluator.evaluate` gives the same `SideVerdicts` as the reference, which the
differential tests compare; `scan` and `count` give the same while a capture's records are being
found.  One or both directions are judged over headers that are decoded once, block by block.
Tested by tests/differential, tests/engine/test_engine_threads.py and tests/pipeline/test_judge.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from ztfast import dispatch
from ztfast.engine.native_columns import side_verdicts
from ztfast.engine.native_inputs import InputColumns, input_columns, side_facts
from ztfast.engine.native_tables import NativeSide, SideOutputs
from ztfast.engine.side_verdicts import SideVerdicts
from ztfast.frames.batch import FrameBatch, RawFrames
from ztfast.frames.buffer_pool import BufferPool
from ztfast.network.batch_context import BatchContext
from ztfast.program.opcodes import FIRST_OWN_COLUMN

if TYPE_CHECKING:
    from ztfast.dispatch import Machine

BLOCK = 1024

RecordColumns = tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32], npt.NDArray[np.uint32]]
_Part = TypeVar("_Part")


class ScanResults(NamedTuple):
    """What a scan that judges gives.

    frames: how many were found.  next, error: where it stopped and why, as in
    capture.pcap_scan.  outputs: each side's results on these frames.
    """

    frames: int
    next: int
    error: int
    outputs: list[SideOutputs]


class ScanCounts(NamedTuple):
    """What a scan that counts gives.

    frames: how many were found.  kept: accepted ones, which stand in the columns.  next, error: as
    in ScanResults.  missing: something that the rules look at was not captured, and nothing was
    counted.
    """

    frames: int
    kept: int
    next: int
    error: int
    missing: bool


class NativeEvaluator:
    """One or both directions over the same frames: decoded once, judged by each.

    seeds: one a side.  batch_contexts: where every frame's batch context is the same (nobody is
    known), that batch context for each side, of one frame; else None, and `evaluate` is given them.
    """

    def __init__(
        self,
        sides: Sequence[NativeSide],
        seeds: Sequence[int],
        batch_contexts: Sequence[BatchContext] | None = None,
    ) -> None:
        self.sides = tuple(sides)
        self._seeds = tuple(seeds)
        self._batch_contexts = None if batch_contexts is None else tuple(batch_contexts)
        self._random = any(side.random for side in self.sides)
        self._needs_columns = any(side.has_integers for side in self.sides)
        self._machine: Machine | None = None
        self._pools = tuple(BufferPool() for _ in self.sides)

    def _outputs(self, count: int) -> list[SideOutputs]:
        """Memory for each side's results on `count` frames."""
        sides = zip(self.sides, self._pools, strict=True)
        return [side.outputs(count, pool) for side, pool in sides]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_machine": None}

    def machine(self) -> Machine:
        """The compiled loops with this judge's tables in them; made once."""
        if self._machine is not None:
            return self._machine
        need = np.zeros(FIRST_OWN_COLUMN, dtype=np.uint8)
        for side in self.sides:
            need[list(side.headers())] = 1
        contexts = self._batch_contexts or (None,) * len(self.sides)
        tables = [
            side.tables(side_facts(side, seed, batch_context))
            for side, seed, batch_context in zip(self.sides, self._seeds, contexts, strict=True)
        ]
        machine: Machine = dispatch.require().Machine(tables, need)
        self._machine = machine
        return machine

    def evaluate(
        self,
        batch: FrameBatch,
        batch_contexts: Sequence[BatchContext] | None = None,
        first: int = 0,
        threads: int = 1,
    ) -> list[SideVerdicts]:
        """Each side's verdicts on each frame; `threads` share the batch by ranges.

        first: number of the batch's first frame, where `batch_contexts` do not number them.
        """
        count = len(batch)
        outputs = self._outputs(count)
        fixed = batch_contexts is None
        used = self._batch_contexts if batch_contexts is None else batch_contexts
        assert used is not None
        frames: RawFrames | None = batch.raw()
        given: list[InputColumns] | None = None
        numbers = None
        if batch.ready and all(side.headers() <= set(batch.ready) for side in self.sides):
            frames = None
        if not fixed or frames is None or self._needs_columns:
            given = [
                input_columns(side, batch, batch_context, fixed, frames is None)
                for side, batch_context in zip(self.sides, used, strict=True)
            ]
        if not fixed and self._random:
            numbers = np.ascontiguousarray(used[0].number)
        run = self.machine().run
        if threads == 1:
            noted = run(frames, outputs, given, first, numbers, 0, count)
        else:
            parts = _in_parts(
                lambda start, stop: run(frames, outputs, given, first, numbers, start, stop),
                count,
                threads,
            )
            noted = [any(part) for part in zip(*parts, strict=True)]
        if given is not None:
            noted = [seen or inputs.use_exact for seen, inputs in zip(noted, given, strict=True)]
        return [
            side_verdicts(side, batch, batch_context, made.noted(seen))
            for side, batch_context, made, seen in zip(
                self.sides, used, outputs, noted, strict=True
            )
        ]

    @property
    def can_scan(self) -> bool:
        """Can frames be judged while their records are being found?

        Not where a verdict needs a frame's number or facts about members.
        """
        return self._batch_contexts is not None and not self._random and not self._needs_columns

    def scan(
        self,
        buffer: Any,
        start: int,
        end: int,
        swapped: bool,
        header: int,
        max_captured: int,
        columns: RecordColumns,
    ) -> ScanResults:
        """Scan the records of a classic pcap and judge its Ethernet frames on the way.

        columns: offsets int64, captured uint32, lengths uint32, space for the frames found.
        Raises ValueError for a window that is not inside the buffer.
        """
        outputs = self._outputs(len(columns[0]))
        count, place, error, noted = self.machine().scan(
            buffer, start, end, int(swapped), header, max_captured, columns, outputs
        )
        found = [made.noted(seen).first(count) for made, seen in zip(outputs, noted, strict=True)]
        return ScanResults(count, place, error, found)

    @property
    def can_count(self) -> bool:
        """Can frames be counted while they are found: one table, no copies, no redirects?"""
        return self.can_scan and len(self.sides) == 1 and not self.sides[0].forwards

    def count(
        self,
        buffer: Any,
        start: int,
        end: int,
        swapped: bool,
        header: int,
        max_captured: int,
        totals: npt.NDArray[np.uint64],
        columns: RecordColumns | None,
    ) -> ScanCounts:
        """Scan records as `scan` does and only count what becomes of their frames.

        totals: uint64[2, (entries + 1) * 5], frames and bytes by (deciding entry + 1) * 5 +
        Result, added to.  columns: as in `scan`, for the accepted frames only, or None.
        Where something was missing nothing was added: use `scan` there.
        Raises ValueError for a window that is not inside the buffer.
        """
        outputs = self._outputs(0)
        window = (buffer, start, end, int(swapped), header, max_captured)
        return ScanCounts(*self.machine().count(*window, outputs, totals, columns))

    def verdicts(self, batch: FrameBatch, outputs: Sequence[SideOutputs]) -> list[SideVerdicts]:
        """Each side's verdicts out of the results that `scan` gave for these frames."""
        assert self._batch_contexts is not None
        return [
            side_verdicts(side, batch, batch_context, made)
            for side, batch_context, made in zip(
                self.sides, self._batch_contexts, outputs, strict=True
            )
        ]


def _in_parts(part: Callable[[int, int], _Part], count: int, threads: int) -> list[_Part]:
    """Run `part` over ranges of whole blocks, in as many threads as asked for and useful."""
    blocks = -(-count // BLOCK)
    threads = max(1, min(threads, blocks))
    from concurrent.futures import ThreadPoolExecutor

    edges = [min(count, blocks * i // threads * BLOCK) for i in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(part, edges[:-1], edges[1:]))
