"""Turn runs of sets into one look-up.

Before: a hundred sets `protocol, destination, port; ACCEPT`, each a few tests.  After: one
LOOKUP that finds the first set that holds, by tables (program/lookup.py), in a time that
hardly grows with their number; only where some column tells the sets apart (measured: runs
of overlapping prefixes are no slower set by set).  A run ends at a set that is not made of
pure tests, that is always true, or whose action does not simply end the evaluation.
"""

from __future__ import annotations

from dataclasses import replace

from ztfast.program.dnf import (
    ENTRY,
    FLAGS,
    OP,
    Clause,
    Row,
    Section,
    Terms,
    flatten,
    normal_form,
    sections,
)
from ztfast.program.lookup import MAX_COLUMNS, MAX_TERMS, Lookup, density, make_lookup
from ztfast.program.opcodes import Flag, Op
from ztfast.program.passes.simplify import simple_terms
from ztfast.program.program import Program, instructions, set_jumps

# What a look-up costs, in the cost of a test of one byte a frame: shorter runs stay as they are.
_WORTH = 160
_DENSE = 0.06  # the part of a run's terms that its most telling column may leave
_CODES = {Op.DROP: 1, Op.ACCEPT: 3, Op.BREAK: 0, Op.PRIORITY: 4}

Member = tuple[Clause, Terms]


def lookups(program: Program) -> Program:
    """The program with runs of simple sets looked up."""
    made: list[Lookup] = list(program.lookups)
    parts = [
        Section(part.start, _with_lookups(part.sets, program, made))
        for part in sections(program.table)
    ]
    table = set_jumps(instructions(flatten(parts)))
    return replace(program.with_table(table, "lookups"), lookups=tuple(made))


def _with_lookups(sets: list[Clause], program: Program, made: list[Lookup]) -> list[Clause]:
    result: list[Clause] = []
    run: list[Member] = []
    columns: set[int] = set()
    for item in sets:
        terms = _terms(item, program)
        needed = {test.column for term in terms or () for test in term}
        size = sum(len(own) for _, own in run) + len(terms or ())
        if terms is None or len(columns | needed) > MAX_COLUMNS or size > MAX_TERMS:
            result.extend(_closed(run, program, made))
            run, columns = [], set()
        if terms is None:
            result.append(item)
        else:
            run.append((item, terms))
            columns |= needed
    return [*result, *_closed(run, program, made)]


def _terms(item: Clause, program: Program) -> Terms | None:
    """The set's terms where it can be looked up."""
    if item.end is None or item.end[OP] not in _CODES or item.end[FLAGS] & Flag.SKIPPABLE:
        return None
    terms = normal_form(item.rows)
    if terms is None:
        return None
    terms = simple_terms(terms, program)
    return terms if all(terms) else None


def _closed(run: list[Member], program: Program, made: list[Lookup]) -> list[Clause]:
    """The run as one look-up where that is worth it and possible."""
    plain = [item for item, _ in run]
    if _cost(run, program) < _WORTH:
        return plain
    terms = [term for _, own in run for term in own]
    entries = [item.end[ENTRY] for item, own in run if item.end for _ in own]
    codes = [_CODES[Op(item.end[OP])] for item, own in run if item.end for _ in own]
    widths = {test.column: program.width(test.column) for term in terms for test in term}
    lookup = make_lookup(terms, entries, codes, widths)
    if lookup is None or density(lookup) > _DENSE:
        return plain
    made.append(lookup)
    row: Row = (int(Op.LOOKUP), 0, 0, entries[0], 0, len(made) - 1, 0, 0, 0)
    return [Clause([], row)]


def _cost(run: list[Member], program: Program) -> int:
    """The run's tests, in bytes a frame."""
    return sum(
        program.width(test.column) // 8 + 1 for _, terms in run for term in terms for test in term
    )
