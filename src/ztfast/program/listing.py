"""A program as text: one instruction a line, in the field's terms.

Contract: for people and for tests that compare plain and optimised tables; not parsed back.
"""

from __future__ import annotations

from ztfast.program.opcodes import FIRST_OWN_COLUMN, INTO_MASK, Column, Flag, Into, Op, TagTest
from ztfast.program.program import Program

_INTO = {
    Into.AND_SET: "set &=",
    Into.OR_SET: "set |=",
    Into.TERM: "term =",
    Into.AND_TERM: "term &=",
    Into.OR_TERM: "term |=",
}


def list_program(program: Program) -> str:
    """Every instruction with its number, operation, operands and the entry it belongs to."""
    rows = [
        dict(zip(program.table.dtype.names or (), row, strict=True))
        for row in program.table.tolist()
    ]
    width = len(str(len(rows)))
    return "\n".join(f"{i:{width}}  {_line(program, row)}" for i, row in enumerate(rows))


def _line(program: Program, row: dict[str, int]) -> str:
    op, flags = Op(row["op"]), row["flags"]
    text = f"{op.name:<9}{_operands(program, op, row)}"
    if flags & Flag.ALTERNATIVE:
        text += "  (or)"
    if row["entry"] >= 0:
        text = f"{text:<64}; entry {row['entry']}"
    return text


def _operands(program: Program, op: Op, row: dict[str, int]) -> str:
    if op is Op.SECTION:
        return f"capability {row['other']} if {_column(program, row['column'])}"
    if op is Op.LOOKUP:
        lookup = program.lookups[row["other"]]
        names = ", ".join(_column(program, column) for column in lookup.columns)
        return f"{len(lookup.entry)} terms over {names}"
    if op in (Op.COPY, Op.REDIRECT):
        return f"to {row['low']:010x}"
    if op is Op.READ:
        return f"{_column(program, row['column'])} & {row['mask']:#x}"
    if op in (Op.TEST, Op.CONST, Op.RANDOM, Op.TAGS, Op.ARMED, Op.TERM, Op.SAVED):
        into = _INTO[Into(row["flags"] & INTO_MASK)]
        negate = "not " if row["flags"] & Flag.NEGATE else ""
        return f"{into} {negate}{_comparison(program, op, row)}"
    return ""


def _comparison(program: Program, op: Op, row: dict[str, int]) -> str:
    if op is Op.TEST:
        return _test(program, row)
    if op is Op.CONST:
        return "true" if row["low"] else "false"
    if op is Op.RANDOM:
        return f"draw <= {row['span']}"
    if op is Op.TAGS:
        how = TagTest(row["mask"]).name.lower()
        names = f"{_column(program, row['column'])}, {_column(program, row['other'])}"
        return f"{how}({names}) {'<=' if how == 'difference' else '='} {row['low']}"
    return {Op.ARMED: "armed", Op.TERM: "term", Op.SAVED: "saved"}[op]


def _test(program: Program, row: dict[str, int]) -> str:
    full = (1 << program.width(row["column"])) - 1
    name = _column(program, row["column"])
    if row["mask"] & full != full:
        name = f"{name} & {row['mask'] & full:#x}"
    if row["span"] == 0:
        return f"{name} = {row['low']:#x}"
    return f"{name} in {row['low']}–{row['low'] + row['span']}"


def _column(program: Program, column: int) -> str:
    if column < FIRST_OWN_COLUMN:
        return Column(column).name.lower()
    own = program.own[column - FIRST_OWN_COLUMN]
    key = tuple(own.key) if isinstance(own.key, tuple) else own.key
    return f"{own.fact.value}[{key}]"
