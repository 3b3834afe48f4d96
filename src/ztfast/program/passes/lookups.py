"""Turn runs of sets into one look-up.

Before: a hundred sets `protocol, destination, port; ACCEPT`, each a few tests.  After: one
LOOKUP that finds the first set that holds, by tables (program/lookup.py), in a time that
hardly grows with their number.  A run ends at a set that is not made of pure tests, that is
always true, or whose action does not simply end the evaluation.

Sets one after the other cost their tests for a whole block of frames while any of them is left; a
look-up costs about the same for every frame that its first column does not decide, and these
are few where terms have values of their own.  So a run stays as it is where it is short; and of
a long one the head stays that hardly any frame should get through (`drop not ethertype ipv4;`),
as no estimate of a rule set's traffic is one to rely on for all that stands behind.
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
    Term,
    Terms,
    flatten,
    normal_form,
    sections,
)
from ztfast.program.lookup import (
    MAX_COLUMNS,
    MAX_TERMS,
    Lookup,
    can_classify,
    density,
    make_lookup,
)
from ztfast.program.opcodes import Flag, Op
from ztfast.program.passes.simplify import simple_terms
from ztfast.program.program import Program, instructions, set_jumps

# What a look-up costs, in the cost of a test of one byte a frame: cheaper runs stay as they are.
_WORTH = 160
_WORTH_DENSE = 2400  # where nearly every frame passes the first column
_DENSE = 0.06  # the part of a run's terms that its most telling column then leaves
_ROOM = 1 << 28  # bytes for all look-ups of a program; what comes then stays as it is
_NOBODY = 1e-4  # the part of all frames of which a block hardly has one
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
    size = 0
    for item in sets:
        terms = _terms(item, program)
        needed = {test.column for term in terms or () for test in term}
        size += len(terms or ())
        if terms is None or len(columns | needed) > MAX_COLUMNS or size > MAX_TERMS:
            result.extend(_closed(run, program, made))
            run, columns, size = [], set[int](), len(terms or ())
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
    fit = all(can_classify(test, program.width(test.column)) for term in terms for test in term)
    return terms if fit and all(terms) else None


def _closed(run: list[Member], program: Program, made: list[Lookup]) -> list[Clause]:
    """The run with look-ups where they are worth it."""
    size = _head(run, program)
    if _cost(run[:size], program) >= _WORTH_DENSE:
        size = 0
    return [*_looked_up(run[:size], program, made), *_looked_up(run[size:], program, made)]


def _looked_up(run: list[Member], program: Program, made: list[Lookup]) -> list[Clause]:
    """The run as one look-up where that is worth it, or as several where it is too large."""
    plain = [item for item, _ in run]
    cost = _cost(run, program)
    if cost < _WORTH or not run or sum(other.nbytes for other in made) > _ROOM:
        return plain
    terms = [term for _, own in run for term in own]
    entries = [item.end[ENTRY] for item, own in run if item.end for _ in own]
    codes = [_CODES[Op(item.end[OP])] for item, own in run if item.end for _ in own]
    widths = {test.column: program.width(test.column) for term in terms for test in term}
    lookup = make_lookup(terms, entries, codes, widths)
    if lookup is None and len(run) > 1:
        parts = run[: len(run) // 2], run[len(run) // 2 :]
        return [item for part in parts for item in _looked_up(part, program, made)]
    if lookup is None or (cost < _WORTH_DENSE and density(lookup) > _DENSE):
        return plain
    made.append(lookup)
    row: Row = (int(Op.LOOKUP), 0, 0, entries[0], 0, len(made) - 1, 0, 0, 0)
    return [Clause([], row)]


def _cost(run: list[Member], program: Program) -> int:
    """The run's tests, in bytes a frame."""
    return sum(
        program.width(test.column) // 8 + 1 for _, terms in run for term in terms for test in term
    )


def _head(run: list[Member], program: Program) -> int:
    """How many of its sets most frames should not get behind."""
    left = 1.0
    for size, (_, terms) in enumerate(run, 1):
        left *= 1 - min(1.0, sum(_chance(term, program) for term in terms))
        if left < _NOBODY:
            return size
    return len(run)


def _chance(term: Term, program: Program) -> float:
    """The part of frames for which a term holds, were their fields' values all as frequent."""
    chance = 1.0
    for test in term:
        mask = test.mask & ((1 << program.width(test.column)) - 1)
        part = min(1.0, (test.span + 1) / (1 << mask.bit_count()))
        chance *= 1 - part if test.negate else part
    return chance
