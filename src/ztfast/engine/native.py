"""The native evaluator: a program's table run by the compiled loops over a batch.

Contract: `NativeSide` holds what one direction needs (tables, own columns); `evaluate`
gives the same `SideVerdicts` as the reference, which the differential tests compare.
Facts about members are gathered into columns by number, once a batch; header columns
are decoded block by block inside the loops unless the batch has them already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ztfast import dispatch
from ztfast.engine.side_verdicts import SideVerdicts
from ztfast.frames.batch import FrameBatch
from ztfast.frames.buffer_pool import BufferPool
from ztfast.frames.frame import Frame
from ztfast.model.kinds import Entry, Kind
from ztfast.model.reads import Reads
from ztfast.model.result import Result
from ztfast.model.view import View
from ztfast.network.batch_context import BatchContext, MemberTable
from ztfast.program.encode import encode
from ztfast.program.opcodes import (
    FIRST_OWN_COLUMN,
    Chr,
    Column,
    Flag,
    Missing,
    Op,
    Owned,
    column_width,
)
from ztfast.program.passes import optimise, without_reads
from ztfast.program.program import FRAME_FACTS, Fact, Program

BLOCK = 1024
Outputs = list[tuple[Any, ...]]
_REDIRECT = np.uint8(Result.REDIRECT)  # the least of the results that pass; of the column's type
_COMPARING = (Op.TEST, Op.TAGS, Op.READ)
_ADDRESS_COLUMNS = (Column.ZT_SOURCE, Column.ZT_DEST, Column.NODE)


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
        context = 0 if batch_context is None else int(_unknown_bits(batch_context)[0])
        self.fast = optimise(without_reads(program, context), passes, constants)
        needs = _Needs(self.exact).merged(_Needs(self.fast))
        self.columns, self.watched = needs.columns, needs.watched
        self.random, self.copies, self.forwards = needs.random, needs.copies, needs.forwards
        self.entries = _EntryFacts(program)
        self.has_integers = any(own.fact is Fact.INTEGER for own in program.own)
        self._has_reads = bool(self.watched) or self.has_integers
        copies = self.copies * (1 + (len(program.starts) > 1))  # the base rules', a capability's
        reads = int(self._has_reads)
        self._result_types = (np.int32, np.uint8, *(np.int32,) * copies, *(np.uint32,) * reads)
        self._not_made = (None,) * (2 - copies)

    def headers(self) -> set[int]:
        """The header columns that must be decoded."""
        wanted = {column for column in self.columns if column < FIRST_OWN_COLUMN}
        if self.watched & Missing.OWNED_IP or Column.OWNERSHIP in wanted:
            wanted.add(Column.CHARACTERISTICS)
        return wanted - set(_ADDRESS_COLUMNS)

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

    def outputs(self, count: int, pool: BufferPool) -> tuple[Any, ...]:
        """Memory for the loops' results on `count` frames: entry, code, copies, reads."""
        made = pool.take(count, self._result_types)
        if self._has_reads:
            return (*made[:-1], *self._not_made, made[-1])
        return (*made, *self._not_made, None)


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
        self._machine: Any = None
        self._pools = tuple(BufferPool() for _ in self.sides)

    def _outputs(self, count: int) -> list[tuple[Any, ...]]:
        """Memory for each side's results on `count` frames."""
        sides = zip(self.sides, self._pools, strict=True)
        return [side.outputs(count, pool) for side, pool in sides]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_machine": None}

    def machine(self) -> Any:
        """The compiled loops with this judge's tables in them; made once."""
        if self._machine is None:
            need = np.zeros(FIRST_OWN_COLUMN, dtype=np.uint8)
            for side in self.sides:
                need[list(side.headers())] = 1
            specs = [self._spec(number) for number in range(len(self.sides))]
            self._machine = dispatch.require().Machine(specs, need)
        return self._machine

    def _spec(self, number: int) -> tuple[Any, ...]:
        side = self.sides[number]
        facts: dict[str, Any] = {
            "inbound": int(side.program.view.direction == "in"),
            "seed": self._seeds[number] & 0xFFFFFFFFFFFFFFFF,
            "watched": side.watched,
            "assumed": 0,
            "random": int(side.random),
            "context": 0,
            "constants": [],
            "ownership": 0,
        }
        if self._batch_contexts is not None:
            known = constant_facts(side, self._batch_contexts[number])
            facts.update(known)
        return (
            side.exact.table,
            side.fast.table,
            list(side.exact.lookups),
            list(side.fast.lookups),
            side.widths(),
            facts,
        )

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
        frames: Any = batch.raw()
        given, numbers = None, None
        if batch.ready and all(side.headers() <= set(batch.ready) for side in self.sides):
            frames = None
        if not fixed or frames is None or self._needs_columns:
            given = [
                gather(side, batch, batch_context, fixed, frames is None)
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
            noted = [seen or columns[2] for seen, columns in zip(noted, given, strict=True)]
        return [
            side_verdicts(side, batch, batch_context, _without_reads(made, seen))
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
        most: int,
        columns: tuple[npt.NDArray[Any], ...],
    ) -> tuple[int, int, int, Outputs]:
        """Scan the records of a classic pcap and judge its Ethernet frames on the way.

        columns: offsets int64, captured uint32, lengths uint32, space for the frames found.
        Returns (frames found, where the scan stopped, error as in capture.pcap_scan, results).
        """
        outputs = self._outputs(len(columns[0]))
        count, place, error, noted = self.machine().scan(
            buffer, start, end, int(swapped), header, most, columns, outputs
        )
        found = [
            tuple(
                None if column is None else column[:count] for column in _without_reads(made, seen)
            )
            for made, seen in zip(outputs, noted, strict=True)
        ]
        return count, place, error, found

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
        most: int,
        totals: npt.NDArray[np.uint64],
        columns: tuple[npt.NDArray[Any], ...] | None,
    ) -> tuple[int, int, int, int, bool]:
        """Scan records as `scan` does and only count what becomes of their frames.

        totals: uint64[2, (entries + 1) * 5], frames and bytes by (deciding entry + 1) * 5 +
        Result, added to.  columns: as in `scan`, for the accepted frames only, or None.
        Returns (frames, accepted frames in `columns`, where the scan stopped, error, was
        anything that the rules look at missing); in the last case nothing was added: use `scan`
        there.
        """
        outputs = self._outputs(0)
        found: tuple[int, int, int, int, bool] = self.machine().count(
            buffer, start, end, int(swapped), header, most, outputs, totals, columns
        )
        return found

    def verdicts(self, batch: FrameBatch, outputs: Outputs) -> list[SideVerdicts]:
        """Each side's verdicts out of the results that `scan` gave for these frames."""
        assert self._batch_contexts is not None
        return [
            side_verdicts(side, batch, batch_context, made)
            for side, batch_context, made in zip(
                self.sides, self._batch_contexts, outputs, strict=True
            )
        ]


def side_verdicts(
    side: NativeSide, batch: FrameBatch, batch_context: BatchContext, outputs: tuple[Any, ...]
) -> SideVerdicts:
    """The loops' results on a batch as one side's columns."""
    derived = _Derived(side, batch, batch_context, outputs)
    return SideVerdicts(
        batch_context.direction,
        {"entry": derived.entry()},
        derived,
        noteworthy=outputs[4] is not None,
        sends=side.forwards,
        raw=(outputs[0], outputs[1], side.entries.starts),
        redirects=side.entries.redirects,
    )


def _without_reads(outputs: tuple[Any, ...], noted: bool) -> tuple[Any, ...]:
    """The results without the column `reads` where it is known to be all zero."""
    return outputs if noted else (*outputs[:4], None)


def _in_parts(part: Callable[[int, int], Any], count: int, threads: int) -> list[Any]:
    """Run `part` over ranges of whole blocks, in as many threads as asked for and useful."""
    blocks = -(-count // BLOCK)
    threads = max(1, min(threads, blocks))
    from concurrent.futures import ThreadPoolExecutor

    edges = [min(count, blocks * i // threads * BLOCK) for i in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(part, edges[:-1], edges[1:]))


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
            columns |= set(_ADDRESS_COLUMNS)
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


def constant_columns(program: Program, batch_context: BatchContext) -> dict[int, int]:
    """column → value for every column that has one value wherever this batch context holds."""
    addresses = (batch_context.zt_source, batch_context.zt_dest, batch_context.node)
    known: dict[int, int] = {
        int(column): int(array[0])
        for column, array in zip(_ADDRESS_COLUMNS, addresses, strict=True)
    }
    for number, asked in enumerate(program.own, FIRST_OWN_COLUMN):
        if asked.fact is Fact.HOLDS:
            known[number] = int(
                batch_context.members.capabilities[asked.number][batch_context.sender[0]]
            )
        elif asked.fact not in FRAME_FACTS:
            known[number] = int(_tag_column(asked.fact, asked.number, batch_context)[0])
    return known


Columns = list[tuple[int, npt.NDArray[Any]]]


def constant_facts(side: NativeSide, batch_context: BatchContext) -> dict[str, Any]:
    """What the machine is told once, where one frame's batch context is every frame's."""
    columns = [
        *_address_columns(side, batch_context),
        *_own_columns(side, batch_context),
    ]
    return {
        "constants": [(column, np.ascontiguousarray(array[:1])) for column, array in columns],
        "context": int(_unknown_bits(batch_context)[0]) & side.watched,
        "assumed": _assumed(batch_context.members),
        "ownership": int(Column.OWNERSHIP in side.columns),
    }


def gather(
    side: NativeSide, batch: FrameBatch, batch_context: BatchContext, fixed: bool, ready: bool
) -> tuple[Columns, npt.NDArray[np.uint32] | None, bool]:
    """(columns, missing bits, use the exact table) of one batch, one item a frame.

    fixed: what does not change from frame to frame is in the machine already.
    ready: the batch's decoded columns are handed in instead of its frames.
    """
    columns: Columns = list(batch.ready.items()) if ready else []
    missing = None
    if not fixed:
        columns.extend(_address_columns(side, batch_context))
        columns.extend(_own_columns(side, batch_context))
        if Column.OWNERSHIP in side.columns:
            columns.append((Column.OWNERSHIP, _owned(batch, batch_context)))
        if side.watched:
            missing = _unknown_bits(batch_context) & np.uint32(side.watched)
    integers, some_missing = _integer_columns(side, batch)
    columns.extend(integers)
    return (
        [(column, np.ascontiguousarray(array)) for column, array in columns],
        missing,
        some_missing,
    )


def _assumed(members: MemberTable) -> int:
    ip = Owned.IP if members.assumed_ipauth else 0
    return int(ip | (Owned.MAC if members.assumed_macauth else 0))


def _address_columns(side: NativeSide, batch_context: BatchContext) -> Columns:
    arrays = (batch_context.zt_source, batch_context.zt_dest, batch_context.node)
    return [
        (column, array)
        for column, array in zip(_ADDRESS_COLUMNS, arrays, strict=True)
        if column in side.columns
    ]


def _own_columns(side: NativeSide, batch_context: BatchContext) -> Columns:
    """The program's own columns of facts about members: tags and capabilities."""
    columns: Columns = []
    for number, asked in enumerate(side.program.own, FIRST_OWN_COLUMN):
        if number not in side.columns or asked.fact in FRAME_FACTS:
            continue
        if asked.fact is Fact.HOLDS:
            held = batch_context.members.capabilities[asked.number].astype(np.uint8)
            columns.append((number, held[batch_context.sender]))
        else:
            columns.append((number, _tag_column(asked.fact, asked.number, batch_context)))
    return columns


def _integer_columns(side: NativeSide, batch: FrameBatch) -> tuple[Columns, bool]:
    """(the columns of INTEGER_RANGE matches, was any of their bytes not captured)."""
    columns: Columns = []
    some_missing = False
    for number, asked in enumerate(side.program.own, FIRST_OWN_COLUMN):
        if asked.fact not in FRAME_FACTS:
            continue
        values, missing = np.empty(len(batch), np.uint64), np.empty(len(batch), np.uint32)
        index, bits, little = asked.integer
        dispatch.require().integers(batch.raw(), index, bits, int(little), values, missing)
        some_missing |= bool(missing.any())
        columns.append((number, values if asked.fact is Fact.INTEGER else missing))
    return columns, some_missing


def _unknown_bits(batch_context: BatchContext) -> npt.NDArray[np.uint32]:
    """The bits of MISSING that come from members and addresses that are only assumed."""
    known = batch_context.members.known
    unknown = np.zeros(len(known) + 1, dtype=np.bool_)  # the last item is for −1: a fact
    unknown[:-1] = ~known
    parts = (
        (unknown[batch_context.sender], Missing.OWNED_IP | Missing.OWNED_MAC),
        (unknown[batch_context.local], Missing.LOCAL_TAGS),
        (unknown[batch_context.remote], Missing.REMOTE_TAGS),
        (~batch_context.addresses_known, Missing.ADDRESSES),
    )
    bits = np.zeros(len(batch_context.sender), dtype=np.uint32)
    for column, bit in parts:
        bits |= column.astype(np.uint32) * np.uint32(bit)
    return bits


def _tag_column(fact: Fact, tag: int, batch_context: BatchContext) -> npt.NDArray[Any]:
    members = batch_context.members
    if tag in members.tag_ids:
        row = members.tag_ids.index(tag)
        present, value = members.tag_present[row], members.tag_value[row]
    else:
        present = np.zeros(len(members.address), dtype=np.bool_)
        value = np.zeros(len(members.address), dtype=np.uint32)
    if fact is Fact.TAG_PRESENCE:
        has = np.append(present, False).astype(np.uint8)  # −1: membership not known
        both: npt.NDArray[np.uint8] = has[batch_context.local] | has[
            batch_context.remote
        ] << np.uint8(1)
        return both
    numbers = batch_context.local if fact is Fact.LOCAL_TAG else batch_context.remote
    values: npt.NDArray[np.uint32] = np.append(value, np.uint32(0))[numbers]
    return values


def _owned(batch: FrameBatch, batch_context: BatchContext) -> npt.NDArray[np.uint8]:
    """Column OWNERSHIP of a batch whose senders are (partly) known."""
    members, sender = batch_context.members, batch_context.sender
    columns = batch.decoded(
        (Column.CHARACTERISTICS, Column.AUTH_HIGH, Column.AUTH_LOW, Column.MAC_SOURCE)
    )
    chr_, high, low, mac = columns.values()
    from ztfast.network.ownership import ownership

    owners = ownership(members)
    has_address = (chr_ & Chr.AUTH_ADDRESS) != 0
    ipv6 = (chr_ & Chr.AUTH_IPV6) != 0
    known = members.known[sender]
    owns = np.where(ipv6, owners.owns_v6(high, low, sender), owners.owns_v4(low, sender))
    ip = has_address & np.where(known, owns, members.assumed_ipauth)
    ip |= (chr_ & Chr.AUTH_ALWAYS) != 0
    macs = np.where(known, owners.owns_mac(mac, sender), members.assumed_macauth)
    found: npt.NDArray[np.uint8] = (ip * np.uint8(Owned.IP) | macs * np.uint8(Owned.MAC)).astype(
        np.uint8
    )
    return found


class _EntryFacts:
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
        self.redirects = any(entry.kind is Kind.ACTION_REDIRECT for entry in entries)
        for number, entry in enumerate(entries):
            if entry.kind in (Kind.ACTION_TEE, Kind.ACTION_WATCH, Kind.ACTION_REDIRECT):
                self.address[number] = entry.value[0] or 0
                self.watch[number] = entry.kind is Kind.ACTION_WATCH
            if entry.kind in (Kind.ACTION_TEE, Kind.ACTION_WATCH):
                self.length[number] = entry.value[1] or 0
            if entry.kind is Kind.ACTION_PRIORITY:
                bucket = entry.value[0] or 0
                self.bucket[number] = bucket if bucket <= 8 else 4


class _Derived:
    """Makes the columns of SideVerdicts out of the loops' results, when they are asked for."""

    def __init__(
        self,
        side: NativeSide,
        batch: FrameBatch,
        batch_context: BatchContext,
        outputs: tuple[Any, ...],
    ) -> None:
        self._facts, self._batch, self._batch_context = side.entries, batch, batch_context
        self._zt_dest, self._no_tee = batch_context.zt_dest, batch_context.no_tee
        if len(self._zt_dest) != len(batch):  # one item for every frame
            self._zt_dest, self._no_tee = self._zt_dest[:1], self._no_tee[:1]
        self._global, self._code, self._copy, self._capability_copy, self._reads = outputs

    def __call__(self, name: str) -> npt.NDArray[Any]:
        if name.startswith("capability_copy_"):
            return self._of_copy(self._capability_copy, name.removeprefix("capability_copy_"))
        if name.startswith("copy_"):
            return self._of_copy(self._copy, name.removeprefix("copy_"))
        column: npt.NDArray[Any] = getattr(self, name)()
        return column

    def _in_base(self) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = self._global < self._facts.base
        return found

    def entry(self) -> npt.NDArray[np.int32]:
        """The deciding entry within its own rule set."""
        if len(self._facts.starts) == 1:
            found: npt.NDArray[np.int32] = self._global
            return found
        return self._local(self._global)

    def _local(self, numbers: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        if len(self._facts.starts) == 1:
            return numbers
        local: npt.NDArray[np.int32] = self._facts.local[numbers]
        return local

    def result(self) -> npt.NDArray[np.uint8]:
        return np.where(self._in_base(), self._code, np.uint8(Result.NO_MATCH))

    def accepted(self) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = self._code >= _REDIRECT
        return found

    def capability(self) -> npt.NDArray[np.int16]:
        if len(self._facts.starts) == 1:
            return np.full(len(self._code), -1, dtype=np.int16)
        section: npt.NDArray[np.int16] = self._facts.section[self._global]
        return section

    def destination(self) -> npt.NDArray[np.uint64]:
        target = self._facts.address[self._global]
        return np.where(self._code == Result.REDIRECT, target, self._zt_dest)

    def accept(self) -> npt.NDArray[np.uint8]:
        most = 2 if self._batch_context.direction == "in" else 1
        how: npt.NDArray[np.uint8] = np.array([0, 0, 1, 1, most], dtype=np.uint8)[self._code]
        if not self._facts.redirects:
            return how
        destination = self.destination()
        away = (destination != self._zt_dest) & (destination != 0)
        return np.where(away, np.uint8(0), how)

    def qos(self) -> npt.NDArray[np.uint8]:
        start = 255 if self._batch_context.direction == "in" else 0
        bucket = np.where(self.accepted(), self._facts.bucket[self._global], -1)
        return np.where(bucket < 0, start, bucket).astype(np.uint8)

    def reads(self) -> npt.NDArray[np.uint16]:
        if self._reads is None:
            return np.zeros(len(self._code), dtype=np.uint16)
        bits = self._reads
        kept = bits & 0x1FFF
        for own, read in (
            (Missing.OWNED_IP | Missing.OWNED_MAC, Reads.ASSUMED_OWNERSHIP),
            (Missing.LOCAL_TAGS | Missing.REMOTE_TAGS, Reads.ASSUMED_TAGS),
            (Missing.ADDRESSES, Reads.ASSUMED_ADDRESS),
            (Missing.IP6_SOURCE, Reads.IP_SOURCE),
            (Missing.IP6_DEST, Reads.IP_DEST),
        ):
            kept |= ((bits & np.uint32(own)) != 0) * np.uint32(read)
        found: npt.NDArray[np.uint16] = kept.astype(np.uint16)
        return found

    def _of_copy(self, noted: npt.NDArray[np.int32] | None, what: str) -> npt.NDArray[Any]:
        if noted is None:
            return np.broadcast_to(np.int64(-1 if what == "entry" else 0), len(self._code))
        if self._no_tee.any() and self._batch_context.direction == "out":
            noted = np.where(self._no_tee, np.int32(-1), noted)
        if what == "entry":
            return self._local(noted)
        if what == "target":
            return self._facts.address[noted]
        if what == "watch":
            return self._facts.watch[noted]
        whole = self._batch.payload_lengths()
        length = self._facts.length[noted]
        cut = np.where(length == 0, whole, np.minimum(length, whole))
        return np.where(noted < 0, 0, cut)


def evaluate_one(view: View, frame: Frame, batch_context: BatchContext, draw: int) -> SideVerdicts:
    """One frame, every random draw being `draw`: what `ztfast eval` asks for."""
    program = encode(view)
    table = program.table.copy()
    drawn = table["op"] == Op.RANDOM
    table["low"][drawn] = draw <= table["span"][drawn]
    table["op"][drawn] = Op.CONST
    side = NativeSide(program.with_table(table, "draws"), ())
    judge = NativeEvaluator((side,), (0,))
    return judge.evaluate(FrameBatch.from_frame(frame), (batch_context,))[0]
