"""What one direction's table needs, and what its actions say: made once for a program.

Contract: `NativeSide` holds the optimised tables of one direction and which columns, bits of
MISSING, draws and copies they ask for; `SideTables` is what the compiled loops are given of it,
`Results` the memory that they fill.  Nothing here looks at frames.
Tested by tests/program/test_verify.py, tests/program/passes and the differential tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.frames.buffer_pool import BufferPool
from ztfast.model.kinds import Entry, Kind
from ztfast.network.batch_context import BatchContext
from ztfast.program.opcodes import (
    FIRST_OWN_COLUMN,
    Column,
    Flag,
    Missing,
    Op,
    column_width,
)
from ztfast.program.passes import optimise, without_reads
from ztfast.program.program import FRAME_FACTS, Fact, Program

ADDRESS_COLUMNS = (Column.ZT_SOURCE, Column.ZT_DEST, Column.NODE)
_COMPARING = (Op.TEST, Op.TAGS, Op.READ)

Columns = list[tuple[int, npt.NDArray[Any]]]  # (column's number, one item a frame)


class SideOutputs(NamedTuple):
    """One side's results on n frames, as the compiled loops fill them.

    entry: int32[n], the deciding entry counted over all rule sets, −1 none.  code: uint8[n],
    `Result`.  copy, capability_copy: int32[n], the entry whose copy is sent, −1 none; None where
    no rule copies.  reads: uint32[n], bits of MISSING and of integers that the verdict read; None
    where they are known to be 0.
    """

    entry: npt.NDArray[np.int32]
    code: npt.NDArray[np.uint8]
    copy: npt.NDArray[np.int32] | None
    capability_copy: npt.NDArray[np.int32] | None
    reads: npt.NDArray[np.uint32] | None

    def noted(self, seen: bool) -> SideOutputs:
        """These results, without `reads` where nothing that is watched was missing."""
        if seen or self.reads is None:
            return self
        return SideOutputs(self.entry, self.code, self.copy, self.capability_copy, None)

    def first(self, count: int) -> SideOutputs:
        """The results on the first `count` frames."""
        return SideOutputs(
            self.entry[:count],
            self.code[:count],
            None if self.copy is None else self.copy[:count],
            None if self.capability_copy is None else self.capability_copy[:count],
            None if self.reads is None else self.reads[:count],
        )


class Results(NamedTuple):
    """Memory for all sides' results on `room` frames, one column behind the other.

    First, side after side, those of four bytes an item, in the order of SideOutputs, as far as
    there are any; then each side's `code`.  `_core/machine.pxi` (`lay_results`) says the same.
    """

    memory: npt.NDArray[np.uint8]
    room: int

    @classmethod
    def of(cls, sides: Sequence[NativeSide], room: int, pool: BufferPool) -> Results:
        """Memory for so many frames."""
        return cls(pool.block(room * sum([side.result_size for side in sides])), room)

    def outputs(self, sides: Sequence[NativeSide]) -> list[SideOutputs]:
        """The columns in it; sides: those that it was made for."""
        wide = sum(side.wide_results for side in sides)
        found: list[SideOutputs] = []
        at = 0
        for number, side in enumerate(sides):
            columns = [self._wide(at + k) for k in range(side.wide_results)]
            at += side.wide_results
            reads = columns.pop().view(np.uint32) if side.has_reads else None
            code = self.memory[(4 * wide + number) * self.room :][: self.room]
            found.append(
                SideOutputs(
                    columns[0],
                    code,
                    columns[1] if side.copy_columns else None,
                    columns[2] if side.copy_columns > 1 else None,
                    reads,
                )
            )
        return found

    def _wide(self, number: int) -> npt.NDArray[np.int32]:
        return np.ndarray(self.room, np.int32, self.memory, 4 * number * self.room)


class SideFacts(NamedTuple):
    """What the compiled loops are told of one side beside its tables.

    inbound, random: 0 or 1.  seed: 64 bits, of random draws.  watched: bits of MISSING that the
    exact table looks at.  The rest is for a batch context that is every frame's: assumed, bits of
    OWNERSHIP for a sender of whom nothing is known; context, bits of MISSING that hold for all
    frames; ownership, 1 where OWNERSHIP is to be made of them; constants, columns of one item.
    """

    inbound: int
    seed: int
    watched: int
    random: int
    assumed: int = 0
    context: int = 0
    ownership: int = 0
    constants: Columns = []  # noqa: RUF012  (nobody changes it)


class SideTables(NamedTuple):
    """One side as the compiled loops take it.

    exact, fast: instruction arrays.  exact_lookups, fast_lookups: lists of program.lookup.Lookup.
    widths: uint8[columns], bytes an item.  address: uint64 by entry, where it redirects to; None
    where none redirects.  copies: how many columns of copies there are.  has_reads: is there one
    of what was read?
    """

    exact: npt.NDArray[Any]
    fast: npt.NDArray[Any]
    exact_lookups: list[Any]
    fast_lookups: list[Any]
    widths: npt.NDArray[np.uint8]
    address: npt.NDArray[np.uint64] | None
    copies: int
    has_reads: bool
    facts: SideFacts


class NativeSide:
    """One direction's tables and what they ask for.

    `exact` is the table that notes what was read without being known, `fast` the one for
    blocks where nothing of that kind is missing; both are optimised by `passes`.
    """

    def __init__(
        self,
        program: Program,
        passes: tuple[str, ...] | None = None,
        batch_context: BatchContext | None = None,
    ) -> None:
        self.program = program
        constants = {} if batch_context is None else constant_columns(program, batch_context)
        # READ stands between tests that would be joined or looked up: only what helps there
        safe = tuple(name for name in ("fold", "dead") if passes is None or name in passes)
        self.exact = optimise(program, safe, constants)
        context = 0 if batch_context is None else unknown_bits(batch_context)
        self.fast = optimise(without_reads(program, context), passes, constants)
        needs = _Needs(self.exact).merged(_Needs(self.fast))
        self.columns, self.watched = needs.columns, needs.watched
        self.random, self.copies, self.forwards = needs.random, needs.copies, needs.forwards
        self.entries = EntryFacts(program)
        self.has_integers = any(own.fact is Fact.INTEGER for own in program.own)
        self.has_reads = bool(self.watched) or self.has_integers
        # of copies: the base rules', a capability's
        self.copy_columns = self.copies * (1 + (len(program.starts) > 1))
        self.wide_results = 1 + self.copy_columns + self.has_reads
        self.result_size = 4 * self.wide_results + 1  # bytes a frame

    def headers(self) -> set[int]:
        """The header columns that must be decoded."""
        wanted = {column for column in self.columns if column < FIRST_OWN_COLUMN}
        if self.watched & Missing.OWNED_IP or Column.OWNERSHIP in wanted:
            wanted.add(Column.CHARACTERISTICS)
        return wanted - set(ADDRESS_COLUMNS)

    def widths(self) -> npt.NDArray[np.uint8]:
        """Bytes an item, by column number."""
        fixed = [column_width(column) // 8 for column in range(FIRST_OWN_COLUMN)]
        return np.array([*fixed, *(own.width // 8 for own in self.program.own)], dtype=np.uint8)

    def same_tables(self, other: NativeSide) -> bool:
        """Do both sides run the same instructions over the same columns?"""
        return all(
            mine.table.tobytes() == its.table.tobytes()
            and mine.own == its.own
            and mine.lookups == its.lookups
            for mine, its in ((self.exact, other.exact), (self.fast, other.fast))
        )

    def tables(self, facts: SideFacts) -> SideTables:
        """The tables as the compiled loops take them."""
        return SideTables(
            self.exact.table,
            self.fast.table,
            list(self.exact.lookups),
            list(self.fast.lookups),
            self.widths(),
            self.entries.address if self.entries.redirects else None,
            self.copy_columns,
            self.has_reads,
            facts,
        )


class _Needs:
    """What a table reads: columns, bits of MISSING, draws, copies."""

    def __init__(self, program: Program) -> None:
        table = program.table
        ops = table["op"]
        comparing = np.isin(ops, _COMPARING)
        columns = set(table["column"][comparing].tolist())
        columns |= set(table["other"][ops == Op.TAGS].tolist())
        columns |= set(table["column"][ops == Op.SECTION].tolist())
        copying = np.isin(ops, (Op.COPY, Op.REDIRECT))
        compared = copying & (table["flags"] & np.uint8(Flag.FREE) == 0)
        self.copies = bool((ops == Op.COPY).any())
        self.forwards = bool(copying.any())
        if compared.any():
            columns |= set(ADDRESS_COLUMNS)
        for number in table["other"][ops == Op.LOOKUP].tolist():
            columns |= set(program.lookups[number].columns)
        watched = table["mask"][(ops == Op.READ) & (table["column"] == Column.MISSING)]
        self.watched = int(np.bitwise_or.reduce(watched)) if len(watched) else 0
        self.random = bool((ops == Op.RANDOM).any())
        self.columns = frozenset(int(column) for column in columns)

    def merged(self, other: _Needs) -> _Needs:
        self.columns |= other.columns
        self.watched |= other.watched
        self.random |= other.random
        self.copies |= other.copies
        self.forwards |= other.forwards
        return self


def constant_columns(program: Program, where: BatchContext) -> dict[int, int]:
    """column → value for every column that has one value wherever this batch context holds."""
    addresses = (where.zt_source, where.zt_dest, where.node)
    known: dict[int, int] = {
        int(column): int(array[0]) for column, array in zip(ADDRESS_COLUMNS, addresses, strict=True)
    }
    for number, asked in enumerate(program.own, FIRST_OWN_COLUMN):
        if asked.fact is Fact.HOLDS:
            known[number] = int(where.members.capabilities[asked.number][where.sender[0]])
        elif asked.fact not in FRAME_FACTS:
            known[number] = _tag_fact(asked.fact, asked.number, where)
    return known


def _tag_fact(fact: Fact, tag: int, where: BatchContext) -> int:
    """One of the facts about a tag, of the first frame; nobody has tags where no table says so."""
    members, local, remote = where.members, int(where.local[0]), int(where.remote[0])
    if tag not in members.tag_ids:
        return 0
    row = members.tag_ids.index(tag)
    present, value = members.tag_present[row], members.tag_value[row]
    if fact is Fact.TAG_PRESENCE:
        return int(present[local]) | (int(present[remote]) << 1 if remote >= 0 else 0)
    number = local if fact is Fact.LOCAL_TAG else remote
    return int(value[number]) if number >= 0 else 0


def unknown_bits(where: BatchContext) -> int:
    """The bits of MISSING for members and addresses that are only assumed, of the first frame."""
    known = [*where.members.known.tolist(), True]  # the last item is for −1: a fact
    bits = 0 if known[where.sender[0]] else Missing.OWNED_IP | Missing.OWNED_MAC
    bits |= 0 if known[where.local[0]] else Missing.LOCAL_TAGS
    bits |= 0 if known[where.remote[0]] else Missing.REMOTE_TAGS
    bits |= 0 if where.addresses_known[0] else Missing.ADDRESSES
    return int(bits)


class EntryFacts:
    """What the actions of a program say, by global entry number."""

    def __init__(self, program: Program) -> None:
        entries: list[Entry] = list(program.view.base)
        for rules in program.view.capabilities:
            entries.extend(rules)
        count = len(entries)
        self.starts = np.array(program.starts, dtype=np.int64)
        self.base = len(program.view.base)
        # by entry number over all rule sets; the last item is for −1, no entry
        section = np.searchsorted(self.starts[1:], np.arange(count), side="right")
        self.section = np.append(section - 1, -1).astype(np.int16)
        self.local = np.append(np.arange(count) - self.starts[section], -1).astype(np.int32)
        self.address = np.zeros(count + 1, dtype=np.uint64)
        self.length = np.zeros(count + 1, dtype=np.uint32)
        self.watch = np.zeros(count + 1, dtype=np.bool_)
        self.bucket = np.full(count + 1, -1, dtype=np.int16)
        self.redirect = np.zeros(count + 1, dtype=np.bool_)
        self.sends = np.zeros(count + 1, dtype=np.bool_)  # a copy, or the frame elsewhere
        for number, entry in enumerate(entries):
            if entry.kind in (Kind.ACTION_TEE, Kind.ACTION_WATCH, Kind.ACTION_REDIRECT):
                self.address[number] = entry.value[0] or 0
                self.watch[number] = entry.kind is Kind.ACTION_WATCH
                self.redirect[number] = entry.kind is Kind.ACTION_REDIRECT
                self.sends[number] = True
            if entry.kind in (Kind.ACTION_TEE, Kind.ACTION_WATCH):
                self.length[number] = entry.value[1] or 0
            if entry.kind is Kind.ACTION_PRIORITY:
                bucket = entry.value[0] or 0
                self.bucket[number] = bucket if bucket <= 8 else 4
        self.redirects = bool(self.redirect.any())
