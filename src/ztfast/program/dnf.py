"""Sets of tests in a normal form: a list of terms, each a conjunction of tests.

Contract: `sections(table)` cuts a table into sections of sets; `normal_form(rows)` is the
disjunction that a set's instructions compute, or None where they do something else as well
(draw, compare tags, arm, read) or the form would grow beyond `MAX_TERMS`.  Pure functions,
used by the optimiser's passes.  Tested by tests/program/test_dnf.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ztfast.program.opcodes import INTO_MASK, Flag, Into, Op

MAX_TERMS = 48


class Comparison(NamedTuple):
    """((column & mask) - low) <= span at the column's width, then negated or not."""

    column: int
    mask: int
    low: int
    span: int
    negate: bool = False

    def inverse(self) -> Comparison:
        """The test that holds where this one does not."""
        return Comparison(self.column, self.mask, self.low, self.span, not self.negate)


Term = tuple[Comparison, ...]
Terms = tuple[Term, ...]
Row = tuple[int, ...]

ALWAYS: Terms = ((),)
NEVER: Terms = ()

# plain numbers: an IntFlag's own operators take a microsecond each
_NEGATE = int(Flag.NEGATE)
_TEST, _CONST, _TERM = int(Op.TEST), int(Op.CONST), int(Op.TERM)

# positions in an instruction row
OP, FLAGS, COLUMN, ENTRY, JUMP, OTHER, MASK, LOW, SPAN = range(9)


class Clause(NamedTuple):
    """One set's instructions, and the action or look-up that ends it (None at a section's end)."""

    rows: list[Row]
    end: Row | None


class Section(NamedTuple):
    """SECTION's row (None for the base rules) and the sets up to END."""

    start: Row | None
    sets: list[Clause]


def sections(table: Any) -> list[Section]:
    """The sections of a table, in order."""
    found: list[Section] = []
    current = Section(None, [])
    rows: list[Row] = []
    for row in table.tolist():
        op = row[OP]
        if op == Op.SECTION:
            current = Section(row, [])
        elif op == Op.END:
            if found and current is found[-1]:
                break  # the table's own end
            if rows:
                current.sets.append(Clause(rows, None))
            found.append(current)
            rows = []
        elif op >= Op.DROP:
            current.sets.append(Clause(rows, row))
            rows = []
        else:
            rows.append(row)
    return found


def flatten(parts: list[Section]) -> list[Row]:
    """The rows of a table made of sections."""
    end: Row = (Op.END, 0, 0, -1, 0, 0, 0, 0, 0)
    rows: list[Row] = []
    for part in parts:
        if part.start is not None:
            rows.append(part.start)
        for item in part.sets:
            rows.extend(item.rows)
            if item.end is not None:
                rows.append(item.end)
        rows.append(end)
    rows.append(end)
    return rows


def normal_form(rows: list[Row]) -> Terms | None:
    """The set that `rows` compute as a disjunction of terms; None where that cannot be said."""
    held: Terms | None = ALWAYS
    term: Terms | None = ALWAYS
    for row in rows:
        op, flags = row[OP], row[FLAGS]
        into = flags & INTO_MASK
        negate = bool(flags & _NEGATE)
        if op == _TEST:
            value: Terms | None = ((_test(row, negate),),)
        elif op == _CONST:
            value = ALWAYS if (row[LOW] != 0) != negate else NEVER
        elif op == _TERM:
            value = inverse(term) if negate else term
        else:
            return None
        if into == Into.AND_SET:
            held = both(held, value)
        elif into == Into.OR_SET:
            held = either(held, value)
        elif into == Into.TERM:
            term = value
        elif into == Into.AND_TERM:
            term = both(term, value)
        else:
            term = either(term, value)
        if held is None or term is None:
            return None
    return held


def _test(row: Row, negate: bool) -> Comparison:
    return Comparison(row[COLUMN], row[MASK], row[LOW], row[SPAN], negate)


def both(a: Terms | None, b: Terms | None) -> Terms | None:
    """a and b."""
    if a is None or b is None or len(a) * len(b) > MAX_TERMS:
        return None
    return _unique(_join(x, y) for x in a for y in b)


def either(a: Terms | None, b: Terms | None) -> Terms | None:
    """a or b."""
    if a is None or b is None or len(a) + len(b) > MAX_TERMS:
        return None
    return _unique((*a, *b))


def inverse(terms: Terms | None) -> Terms | None:
    """Not a: each term is false where any of its tests is."""
    result: Terms | None = ALWAYS
    for term in terms or ():
        result = both(result, tuple((test.inverse(),) for test in term))
    return None if terms is None else result


def _join(a: Term, b: Term) -> Term:
    return (*a, *(test for test in b if test not in a))


def _unique(terms: Any) -> Terms:
    """Without repeats and without terms that contradict themselves."""
    kept: dict[Term, None] = {}
    for term in terms:
        if not any(test.inverse() in term for test in term):
            kept[term] = None
    return tuple(kept)
