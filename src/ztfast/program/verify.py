"""Verifying a program before it runs: a table that passes cannot make the loops misbehave.

Contract: `verify` raises TableError for the first instruction that is wrong, naming it.
Checked are the form (dtype, version, sections), every number that the loops use as an index
(columns, entries, look-ups, jumps) and that jumps only go forward, so every run ends.
Tested by tests/program/test_verify.py and fuzz/fuzz_table.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ztfast.errors import Diagnostic, TableError
from ztfast.program.opcodes import (
    FIRST_OWN_COLUMN,
    INSTRUCTION,
    INTO_MASK,
    MAX_COLUMNS,
    VERSION,
    Column,
    Flag,
    Into,
    Op,
    TagTest,
)
from ztfast.program.program import FACT_WIDTHS, FRAME_FACTS, Fact, IntegerKey, Program

_ALL_FLAGS = INTO_MASK | Flag.NEGATE | Flag.ALTERNATIVE | Flag.SKIPPABLE | Flag.FREE


def verify(program: Program) -> Program:
    """The same program, if it is safe to run; raises TableError."""
    table = program.table
    if program.version != VERSION:
        raise _wrong(f"version {program.version}; this ztfast runs version {VERSION}")
    if table.dtype != INSTRUCTION or table.ndim != 1:
        raise _wrong(f"dtype {table.dtype} in {table.ndim} dimensions is not an instruction table")
    if not table.flags.c_contiguous:
        raise _wrong("the table is not contiguous")
    _verify_own(program)
    _Verifier(program).run()
    return program


def _wrong(message: str, index: int | None = None) -> TableError:
    place = "the table" if index is None else f"instruction {index}"
    return TableError(
        Diagnostic("ZT430", f"{place}: {message}", help="make it again from its rules")
    )


def _verify_own(program: Program) -> None:
    if len(program.own) > MAX_COLUMNS - FIRST_OWN_COLUMN:
        raise _wrong(f"{len(program.own)} columns of its own are too many")
    for own in program.own:
        if FACT_WIDTHS.get(own.fact) != own.width:
            raise _wrong(f"a column {own.fact.value!r} of {own.width} bits")
        if isinstance(own.key, IntegerKey) != (own.fact in FRAME_FACTS):
            raise _wrong(f"a column {own.fact.value!r} with the key {own.key!r}")
        if own.fact is Fact.HOLDS and not _is_index(own.key, len(program.view.capabilities)):
            raise _wrong(f"a column for capability {own.key!r} of {len(program.view.capabilities)}")
    sizes = [len(program.view.base), *(len(rules) for rules in program.view.capabilities)]
    starts = tuple(int(start) for start in np.concatenate(([0], np.cumsum(sizes)[:-1])))
    if tuple(program.starts) != starts:
        raise _wrong("the first entries of its rule sets do not fit its rules")


def _is_index(value: Any, count: int) -> bool:
    return isinstance(value, int) and 0 <= value < count


class _Verifier:
    """Goes through the table once."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.rows = program.table.tolist()
        entries = (program.view.base, *program.view.capabilities)
        self.entries = sum(len(rules) for rules in entries)

    def run(self) -> None:
        rows = self.rows
        if len(rows) < 2 or rows[-1][0] != Op.END or rows[-2][0] != Op.END:
            raise _wrong("it does not end with two END instructions")
        inside = True
        for index, row in enumerate(rows[:-1]):
            op = row[0]
            if op not in Op.__members__.values():
                raise _wrong(f"unknown operation {op}", index)
            if inside == (op == Op.SECTION):
                raise _wrong("a section starts inside another, or something stands between", index)
            inside = op != Op.END
            self._row(Op(op), row, index)

    def _row(self, op: Op, row: tuple[int, ...], index: int) -> None:
        _, flags, column, entry, jump, other, mask, _, _ = row
        if flags & ~_ALL_FLAGS or flags & INTO_MASK > Into.OR_TERM:
            raise _wrong(f"unknown flags {flags:#x}", index)
        if not -1 <= entry < self.entries:
            raise _wrong(f"entry {entry} of {self.entries}", index)
        if op is not Op.END and not index < jump < len(self.rows) - 1:
            raise _wrong(f"a jump to {jump} does not go forward inside the table", index)
        if op is Op.TEST:
            self._column(column, index, (8, 16, 32, 64))
        elif op is Op.TAGS:
            self._column(column, index, (32,))
            self._column(other, index, (32,))
            if mask not in TagTest.__members__.values():
                raise _wrong(f"unknown comparison of tags {mask}", index)
        elif op is Op.READ:
            self._column(column, index, (32,))
            if mask >> 32:
                raise _wrong(f"bits {mask:#x} of a column of 32", index)
        elif op is Op.SECTION:
            self._column(column, index, (8,))
        elif op is Op.LOOKUP:
            self._lookup(other, index)
        elif op >= Op.DROP and entry < 0:
            raise _wrong("an action without an entry", index)
        self._landing(op, jump, index)

    def _column(self, column: int, index: int, widths: tuple[int, ...]) -> None:
        known = column in Column.__members__.values()
        own = FIRST_OWN_COLUMN <= column < FIRST_OWN_COLUMN + len(self.program.own)
        if not known and not own:
            raise _wrong(f"there is no column {column}", index)
        if self.program.width(column) not in widths:
            raise _wrong(f"column {column} has {self.program.width(column)} bits", index)

    def _lookup(self, number: int, index: int) -> None:
        if not 0 <= number < len(self.program.lookups):
            raise _wrong(f"look-up {number} of {len(self.program.lookups)}", index)
        lookup = self.program.lookups[number]
        for column in lookup.columns:
            self._column(column, index, (8, 16, 32, 64))
        if len(lookup.entry) and not 0 <= int(lookup.entry.max()) < self.entries:
            raise _wrong(f"look-up {number} decides for an entry that is not there", index)

    def _landing(self, op: Op, jump: int, index: int) -> None:
        """Jumps land on what may follow: an END, an action, or a whole alternative match."""
        if op is Op.END:
            return
        target = self.rows[jump]
        if op >= Op.DROP or op is Op.SECTION:
            if target[0] != Op.END:
                raise _wrong("does not jump to its section's END", index)
            return
        if any(self.rows[between][0] == Op.END for between in range(index, jump)):
            raise _wrong("jumps out of its section", index)
        if target[0] < Op.DROP and target[0] != Op.END and not target[1] & Flag.ALTERNATIVE:
            raise _wrong("jumps into the middle of a match", index)
