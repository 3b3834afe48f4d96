"""The native evaluator: programs' tables run by the compiled loops over a batch.

Contract: `NativeEvaluator.evaluate` gives the same `SideVerdicts` as the reference, which the
differential tests compare; `scan` and `count` give the same while a capture's records are being
found.  One or both directions are judged over headers that are decoded once, block by block.
Tested by tests/differential, tests/engine/test_engine_threads.py and tests/pipeline/test_judge.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntFlag
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from ztfast import dispatch
from ztfast.engine.native_columns import Destinations, Situation, side_verdicts
from ztfast.engine.native_inputs import InputColumns, cast_columns, input_columns, side_facts
from ztfast.engine.native_tables import NativeSide, Results, SideOutputs
from ztfast.engine.side_verdicts import SideVerdicts
from ztfast.frames.batch import FrameBatch, RawFrames
from ztfast.frames.buffer_pool import BufferPool
from ztfast.frames.columns import IP_COLUMNS, MAC_COLUMNS
from ztfast.network.batch_context import BatchContext, MemberTable
from ztfast.program.opcodes import FIRST_OWN_COLUMN, Column

if TYPE_CHECKING:
    from ztfast.dispatch import Machine
    from ztfast.engine.native_follow import Followed
    from ztfast.network.resolve import MemberIndex

BLOCK = 1024
_SEVERAL = 4  # of the bits that `Machine.run` returns: a frame is undirected

# what ownership looks at
_OWNED_BY = frozenset(
    (Column.CHARACTERISTICS, Column.AUTH_HIGH, Column.AUTH_LOW, Column.MAC_SOURCE)
)

_BOOL = np.dtype(np.bool_)

RecordShape = tuple[bool, int, int, int]  # a capture.pcap_scan.RecordShape
RecordColumns = tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32], npt.NDArray[np.uint32]]
_Part = TypeVar("_Part")


class Mark(IntFlag):
    """What a scan says of a frame where members are looked up."""

    UNDIRECTED = 1  # each of several recipients is to judge it (engine/multicast.py)
    STRANGER = 2  # it is from a MAC or for one of which no member is known


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

    frames: how many were found.  kept: of how many the records stand in the columns.  next,
    error: as in ScanResults.
    """

    frames: int
    kept: int
    next: int
    error: int


class Wanted(NamedTuple):
    """What a scan that counts fills, and what it is told of the sides.

    frames, octets: uint64[keys], by (deciding entry + 1) * 5 + Result, `receiver` keys further on
    where the second side decided.  reads: uint64[65536], frames by bits of model.reads.Reads; None
    where nothing is watched.  forwards: for each side, does any rule copy or redirect?
    asks_recipients: undirected frames stand apart, as those that are copied or redirected do: they
    are not counted, but kept.  keeps: accepted frames are kept, too.  apart: uint8 for each record
    kept, 1 for those apart; None where no record is.  followed: by this, an
    engine.native_follow.Followed, frames that are copied or redirected are counted, too; None: they
    stand apart.
    """

    frames: npt.NDArray[np.uint64]
    octets: npt.NDArray[np.uint64]
    reads: npt.NDArray[np.uint64] | None
    receiver: int
    forwards: tuple[bool, ...]
    asks_recipients: bool
    keeps: bool
    apart: npt.NDArray[np.uint8] | None
    followed: Followed | None


class Found(NamedTuple):
    """What the loops found of a batch.

    sides: gives each side's verdicts; outputs: the results that these are made of.  accepted:
    bool[n], by every side, and not redirected.  undirected: bool[n], frames that each of several
    recipients is to judge (engine/multicast.py); None: no frame is, or who is who was told.
    """

    sides: Callable[[], list[SideVerdicts]]
    outputs: Callable[[], list[SideOutputs]]
    accepted: npt.NDArray[np.bool_]
    undirected: npt.NDArray[np.bool_] | None


class NativeEvaluator:
    """One or both directions over the same frames: decoded once, judged by each.

    seeds: one a side.  batch_contexts: where every frame's batch context is the same (nobody is
    known), that batch context for each side, of one frame.  indexes: where members are found by
    the frames' addresses, the index for each side.  With neither, `evaluate` is told who is who.
    """

    def __init__(
        self,
        sides: Sequence[NativeSide],
        seeds: Sequence[int],
        batch_contexts: Sequence[BatchContext] | None = None,
        indexes: Sequence[MemberIndex] | None = None,
    ) -> None:
        self.sides = tuple(sides)
        self._seeds = tuple(seeds)
        self._batch_contexts = None if batch_contexts is None else tuple(batch_contexts)
        self._indexes = None if indexes is None else tuple(indexes)
        self._random = any(side.random for side in self.sides)
        self._needs_columns = any(side.has_integers for side in self.sides)
        self._machine: Machine | None = None
        self._told: list[tuple[MemberTable, Any]] = []
        self._pool = BufferPool()
        self._fixed = None if batch_contexts is None else [Situation.of(x) for x in batch_contexts]
        self._marks = (_BOOL, _BOOL) if self.looks_up else (_BOOL,)
        self._marks_pool = BufferPool()

    @property
    def looks_up(self) -> bool:
        """Are members found by the frames' addresses?"""
        return self._indexes is not None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_machine": None, "_told": []}

    def machine(self) -> Machine:
        """The compiled loops with this judge's tables in them; made once."""
        if self._machine is not None:
            return self._machine
        need = np.zeros(FIRST_OWN_COLUMN, dtype=np.uint8)
        need[list(self._headers())] = 1
        contexts = self._batch_contexts or (None,) * len(self.sides)
        tables = [
            side.tables(side_facts(side, seed, batch_context))
            for side, seed, batch_context in zip(self.sides, self._seeds, contexts, strict=True)
        ]
        members = None
        if self._indexes is not None:
            from ztfast.engine.native_members import side_members  # start-up stays short

            pairs = zip(self.sides, self._indexes, strict=True)
            members = [side_members(side, index.table, index) for side, index in pairs]
        machine: Machine = dispatch.require().Machine(tables, need, members)
        self._machine = machine
        return machine

    def _headers(self) -> set[int]:
        """The header columns that must be decoded."""
        need: set[int] = set()
        for side in self.sides:
            need |= side.headers()
        if self._batch_contexts is None and Column.OWNERSHIP in need:
            need |= _OWNED_BY
        return need | set(MAC_COLUMNS) if self.looks_up else need

    def _is_ready(self, batch: FrameBatch) -> bool:
        """Does a batch have all the columns, so that its frames need not be touched?"""
        if not batch.ready:
            return False
        need = self._headers() | set(IP_COLUMNS if self.looks_up else ())
        return need <= set(batch.ready)

    def evaluate(
        self,
        batch: FrameBatch,
        batch_contexts: Sequence[BatchContext] | None = None,
        first: int = 0,
        threads: int = 1,
    ) -> list[SideVerdicts]:
        """Each side's verdicts on each frame, as `judge` finds them."""
        return self.judge(batch, batch_contexts, first, threads).sides()

    def judge(
        self,
        batch: FrameBatch,
        batch_contexts: Sequence[BatchContext] | None,
        first: int,
        threads: int,
    ) -> Found:
        """What becomes of each frame; `threads` share the batch by ranges.

        first: number of the batch's first frame, where `batch_contexts` do not number them.
        """
        count = len(batch.offsets)
        results = Results.of(self.sides, count, self._pool)
        marks = self._marks_pool.take(count, self._marks)
        accepted, undirected = marks[0], marks[-1] if self.looks_up else None
        frames: RawFrames | None = None if batch.ready and self._is_ready(batch) else batch.raw()
        given: list[InputColumns] | None = None
        numbers = None
        if batch_contexts is not None or frames is None or self._needs_columns:
            given = self._given(batch, batch_contexts, frames is None)
        if batch_contexts is not None and self._random:
            numbers = np.ascontiguousarray(batch_contexts[0].number)
        run = self.machine().run
        if threads == 1:
            bits = run(frames, results, given, first, numbers, 0, count, undirected, accepted)
        else:
            parts = _in_parts(
                lambda start, stop: run(
                    frames, results, given, first, numbers, start, stop, undirected, accepted
                ),
                count,
                threads,
            )
            bits = 0
            for part in parts:
                bits |= part
        if given is not None:
            bits |= sum(inputs.use_exact << number for number, inputs in enumerate(given))
        if not bits & _SEVERAL:
            undirected = None
        sides = partial(self._verdicts_in, results, batch, batch_contexts, bits)
        return Found(sides, partial(self._noted, results, bits), accepted, undirected)

    def _given(
        self, batch: FrameBatch, batch_contexts: Sequence[BatchContext] | None, ready: bool
    ) -> list[InputColumns]:
        """What each side is handed beside the frames."""
        if batch_contexts is None:
            return [input_columns(side, batch, None, None, ready) for side in self.sides]
        told = self._members_told([where.members for where in batch_contexts])
        return [
            input_columns(side, batch, cast_columns(batch_context), members, ready)
            for side, batch_context, members in zip(self.sides, batch_contexts, told, strict=True)
        ]

    def _members_told(self, tables: list[MemberTable]) -> list[Any]:
        """The members of these tables for the loops: the last ones asked for are kept."""
        from ztfast.engine.native_members import side_members

        told = self._told  # read once: another thread may put others in its place
        if [id(table) for table, _ in told] != [id(table) for table in tables]:
            pairs = zip(self.sides, tables, strict=True)
            told = self._told = [(table, side_members(side, table)) for side, table in pairs]
        return [members for _, members in told]

    @property
    def can_scan(self) -> bool:
        """Can frames be judged while their records are being found?

        Not where a verdict needs a frame's number or integers of its payload.
        """
        knows = self._batch_contexts is not None or self.looks_up
        return knows and not self._random and not self._needs_columns

    def scan(
        self,
        buffer: Any,
        start: int,
        end: int,
        shape: RecordShape,
        columns: RecordColumns,
        marks: npt.NDArray[np.uint8] | None = None,
    ) -> ScanResults:
        """Scan records and judge their Ethernet frames on the way.

        columns: offsets int64, captured uint32, lengths uint32, space for the frames found;
        marks: uint8, space for as many, where members are looked up: filled with `Mark`s.
        Raises ValueError for a window that is not inside the buffer.
        """
        results = Results.of(self.sides, len(columns[0]), self._pool)
        count, place, error, bits = self.machine().scan(
            buffer, start, end, shape, columns, results, marks
        )
        outputs = [made.first(count) for made in self._noted(results, bits)]
        return ScanResults(count, place, error, outputs)

    def count(
        self,
        buffer: Any,
        start: int,
        end: int,
        shape: RecordShape,
        columns: RecordColumns | None,
        wanted: Wanted,
    ) -> ScanCounts:
        """Scan records as `scan` does and only count what becomes of their frames.

        columns: as in `scan`, for the frames that are kept; None: none is to be.
        Raises ValueError for a window that is not inside the buffer.
        """
        found = self.machine().count(buffer, start, end, shape, columns, wanted)
        return ScanCounts(*found)

    def verdicts(self, batch: FrameBatch, outputs: Sequence[SideOutputs]) -> list[SideVerdicts]:
        """Each side's verdicts out of the results that `scan` gave for these frames."""
        return self._verdicts(batch, outputs, None)

    def _noted(self, results: Results, bits: int) -> list[SideOutputs]:
        """Each side's results; bits: as `Machine.run` returns them."""
        outputs = results.outputs(self.sides)
        return [made.noted(bool(bits >> n & 1)) for n, made in enumerate(outputs)]

    def _verdicts_in(
        self,
        results: Results,
        batch: FrameBatch,
        batch_contexts: Sequence[BatchContext] | None,
        bits: int,
    ) -> list[SideVerdicts]:
        return self._verdicts(batch, self._noted(results, bits), batch_contexts)

    def _verdicts(
        self,
        batch: FrameBatch,
        outputs: Sequence[SideOutputs],
        batch_contexts: Sequence[BatchContext] | None,
    ) -> list[SideVerdicts]:
        situations = self._fixed
        if batch_contexts is not None:
            situations = [Situation.of(batch_context) for batch_context in batch_contexts]
        if situations is None:
            assert self._indexes is not None
            # where frames go, members of both directions say alike
            where = Destinations(batch, self._indexes[0])
            situations = [
                Situation.looked_up(side.program.view.direction, where) for side in self.sides
            ]
        return [
            side_verdicts(side, batch, situation, made)
            for side, situation, made in zip(self.sides, situations, outputs, strict=True)
        ]


def _in_parts(part: Callable[[int, int], _Part], count: int, threads: int) -> list[_Part]:
    """Run `part` over ranges of whole blocks, in as many threads as asked for and useful."""
    blocks = -(-count // BLOCK)
    threads = max(1, min(threads, blocks))
    from concurrent.futures import ThreadPoolExecutor

    edges = [min(count, blocks * i // threads * BLOCK) for i in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(part, edges[:-1], edges[1:]))
