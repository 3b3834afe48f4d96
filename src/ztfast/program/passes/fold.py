"""Fold what is known for every frame: columns that are constant for a member and direction.

Before: `TEST column 41 …` where column 41 (a tag's presence, an address, a capability held)
has one value for all frames.  After: `CONST`, and what follows from it: an AND with true
goes, a set that is false for good goes with its action, a section nobody holds goes.
"""

from __future__ import annotations

from collections.abc import Mapping

from ztfast.program.dnf import (
    COLUMN,
    ENTRY,
    FLAGS,
    JUMP,
    LOW,
    MASK,
    OP,
    OTHER,
    SPAN,
    Clause,
    Row,
    Section,
    flatten,
    sections,
)
from ztfast.program.opcodes import INTO_MASK, Column, Flag, Into, Op, TagTest
from ztfast.program.program import Program, instructions, set_jumps

_NEGATE, _ALTERNATIVE = int(Flag.NEGATE), int(Flag.ALTERNATIVE)
_ADDRESSES = (Column.ZT_SOURCE, Column.ZT_DEST, Column.NODE)


def fold(program: Program, constants: Mapping[int, int]) -> Program:
    """The program with tests of constant columns decided; `constants` is column → value."""
    parts: list[Section] = []
    for part in sections(program.table):
        if part.start is not None and constants.get(part.start[COLUMN], 1) == 0:
            continue
        kept = [_folded(item, program, constants) for item in part.sets]
        parts.append(Section(part.start, [item for item in kept if item is not None]))
    return program.with_table(set_jumps(instructions(flatten(parts))), "fold")


def _folded(item: Clause, program: Program, constants: Mapping[int, int]) -> Clause | None:
    rows = [_decided(row, program, constants) for row in item.rows]
    rows = [row for row in rows if not _idle(row)]
    end = item.end
    if _never(rows) and (end is None or not _acts_unmatched(end)):
        return None
    if end is not None and end[OP] in (Op.COPY, Op.REDIRECT):
        end = _free(end, constants)
    return Clause(rows, end)


def _decided(row: Row, program: Program, constants: Mapping[int, int]) -> Row:
    """A comparison of constants as CONST; anything else as it is."""
    op, column = row[OP], row[COLUMN]
    if op == Op.TEST and column in constants:
        width = (1 << program.width(column)) - 1
        held = ((constants[column] & row[MASK]) - row[LOW]) & width <= row[SPAN]
    elif op == Op.TAGS and column in constants and row[OTHER] in constants:
        held = _compare(row[MASK], constants[column], constants[row[OTHER]], row[LOW])
    else:
        return row
    return (Op.CONST, row[FLAGS], 0, row[ENTRY], row[JUMP], 0, 0, int(held), 0)


def _compare(how: int, local: int, remote: int, value: int) -> bool:
    if how == TagTest.DIFFERENCE:
        return abs(local - remote) <= value
    if how == TagTest.AND:
        return local & remote == value
    return (local | remote if how == TagTest.OR else local ^ remote) == value


def _truth(row: Row) -> bool | None:
    """The outcome of a CONST after NEGATE, None for other instructions."""
    if row[OP] != Op.CONST:
        return None
    return (row[LOW] != 0) != bool(row[FLAGS] & _NEGATE)


def _idle(row: Row) -> bool:
    """An instruction without effect: AND with true, OR with false."""
    truth, into = _truth(row), row[FLAGS] & INTO_MASK
    if truth is None:
        return False
    return into in ((Into.AND_SET, Into.AND_TERM) if truth else (Into.OR_SET, Into.OR_TERM))


def _never(rows: list[Row]) -> bool:
    """Is the set false for every frame, whatever else is evaluated without effect?"""
    visible = (Op.READ, Op.RANDOM, Op.ARM_SKIP)
    for index, row in enumerate(rows):
        if row[OP] in visible:
            return False
        if _truth(row) is False and row[FLAGS] & INTO_MASK == Into.AND_SET:
            return not any(later[FLAGS] & _ALTERNATIVE for later in rows[index:])
    return False


def _acts_unmatched(end: Row) -> bool:
    """Copies arm super-accept also where their set is false."""
    return end[OP] in (Op.COPY, Op.REDIRECT)


def _free(end: Row, constants: Mapping[int, int]) -> Row:
    """Mark a copy whose target no address of any frame can be."""
    values = [constants.get(column) for column in _ADDRESSES]
    if None in values or end[LOW] in values:
        return end
    return (end[OP], end[FLAGS] | Flag.FREE, *end[2:])
