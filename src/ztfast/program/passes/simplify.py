"""Rewrite each set out of its normal form: common tests once, neighbours merged.

Before: `(proto & has-port & dport = 80) or (proto & has-port & dport = 81)`, a dozen
instructions.  After: one test of the frame's kind, one of `dport` in 80–81.  Tests that all
terms share come first; what is left of each term follows.  Cheap and selective tests go
first, since their order cannot be seen (a set of pure tests has no other effect).
"""

from __future__ import annotations

from ztfast.program.dnf import (
    Clause,
    Comparison,
    Row,
    Section,
    Term,
    Terms,
    flatten,
    normal_form,
    sections,
)
from ztfast.program.opcodes import Flag, Into, Op
from ztfast.program.program import Program, instructions, set_jumps


def simplify(program: Program) -> Program:
    """The program with its sets of pure tests rewritten where that is shorter."""
    parts = [
        Section(part.start, [_simpler(item, program) for item in part.sets])
        for part in sections(program.table)
    ]
    return program.with_table(set_jumps(instructions(flatten(parts))), "simplify")


def _simpler(item: Clause, program: Program) -> Clause:
    terms = normal_form(item.rows)
    if terms is None or not item.rows:
        return item
    number = item.rows[0][3]
    rows = rows_of(simple_terms(terms, program), number, program)
    return Clause(rows, item.end) if len(rows) <= len(item.rows) else item


def simple_terms(terms: Terms, program: Program) -> Terms:
    """Fewer and shorter terms that mean the same."""
    shorter = [_joined_tests(term, program) for term in terms]
    kept = [term for term in shorter if term is not None]
    return _merged(list(dict.fromkeys(kept)), program)


def _joined_tests(term: Term, program: Program) -> Term | None:
    """Tests for bits of one column as one test; None where the term cannot hold."""
    bits: dict[int, tuple[int, int]] = {}
    others: list[Comparison] = []
    for test in term:
        if test.negate or test.span or program.width(test.column) > 16:
            others.append(test)
            continue
        mask, low = bits.get(test.column, (0, 0))
        if (low ^ test.low) & mask & test.mask or test.low & ~test.mask:
            return None
        bits[test.column] = (mask | test.mask, low | test.low)
    joined = [Comparison(column, mask, low, 0) for column, (mask, low) in bits.items() if mask]
    return (*joined, *others)


def _merged(terms: list[Term], program: Program) -> Terms:
    """Terms that differ in one test only, over neighbouring ranges or prefixes, as one term."""
    changed = True
    while changed:
        changed = False
        for index, term in enumerate(terms):
            for other in range(index + 1, len(terms)):
                union = _union(term, terms[other], program)
                if union is not None:
                    terms[index] = union
                    del terms[other]
                    changed = True
                    break
            if changed:
                break
    return tuple(terms)


def _union(a: Term, b: Term, program: Program) -> Term | None:
    """One term for two, or None."""
    only_a = [test for test in a if test not in b]
    only_b = [test for test in b if test not in a]
    if not only_a:
        return a
    if not only_b:
        return b
    if len(only_a) != 1 or len(only_b) != 1:
        return None
    joined = join_tests(only_a[0], only_b[0], program.width(only_a[0].column))
    if joined is None:
        return None
    return tuple(joined if test == only_a[0] else test for test in a)


def join_tests(a: Comparison, b: Comparison, width: int) -> Comparison | None:
    """One test that holds where either does: neighbouring ranges, or sibling prefixes."""
    if a.column != b.column or a.negate or b.negate or a.mask != b.mask:
        return None
    full = (1 << width) - 1
    if a.mask & full == full:
        low, high = sorted((a, b), key=lambda test: test.low)
        end = max(low.low + low.span, high.low + high.span)
        if high.low <= low.low + low.span + 1 and end <= full:
            return a._replace(low=low.low, span=end - low.low)
        return None
    difference = a.low ^ b.low
    if a.span or b.span or difference & (difference - 1) or difference & ~a.mask:
        return None
    return a._replace(mask=a.mask & ~difference, low=a.low & ~difference)


# --- terms back to instructions ------------------------------------------------------------


def rows_of(terms: Terms, number: int, program: Program) -> list[Row]:
    """Instructions for a disjunction of terms; `number` is the entry they are listed under."""
    if not terms:
        return [_row(Op.CONST, Into.AND_SET, number)]
    common = [test for test in terms[0] if all(test in term for term in terms)]
    rows = [_test_row(test, Into.AND_SET, number) for test in in_order(common, program)]
    rests = [tuple(test for test in term if test not in common) for term in terms]
    if any(not rest for rest in rests):
        return rows
    if all(len(rest) == 1 for rest in rests):
        for index, (test,) in enumerate(rests):
            rows.append(_test_row(test, Into.TERM if index == 0 else Into.OR_TERM, number))
        return [*rows, _row(Op.TERM, Into.AND_SET, number)]
    return (
        [*rows, *_rest_rows(rests, number, program)]
        if not common
        else _spread(terms, number, program)
    )


def _spread(terms: Terms, number: int, program: Program) -> list[Row]:
    """Each term whole, or-ed together."""
    return _rest_rows(list(terms), number, program)


def _rest_rows(terms: list[Term], number: int, program: Program) -> list[Row]:
    rows = [_test_row(test, Into.AND_SET, number) for test in in_order(terms[0], program)]
    for term in terms[1:]:
        for index, test in enumerate(in_order(term, program)):
            into = Into.TERM if index == 0 else Into.AND_TERM
            rows.append(_test_row(test, into | Flag.ALTERNATIVE, number))
        rows.append(_row(Op.TERM, Into.OR_SET | Flag.ALTERNATIVE, number))
    return rows


def in_order(tests: Term | list[Comparison], program: Program) -> list[Comparison]:
    """Selective tests first, then cheap ones: a block without a match stops there."""

    def rank(test: Comparison) -> tuple[int, int]:
        width = program.width(test.column)
        narrow = not test.negate and test.span == 0 and bin(test.mask).count("1") >= 24
        return (0 if narrow else 1, width)

    return sorted(tests, key=rank)


def _test_row(test: Comparison, into: int, number: int) -> Row:
    negate = Flag.NEGATE if test.negate else 0
    return (
        int(Op.TEST),
        int(into | negate),
        test.column,
        number,
        0,
        0,
        test.mask,
        test.low,
        test.span,
    )


def _row(op: Op, into: int, number: int) -> Row:
    return (int(op), int(into), 0, number, 0, 0, 0, 0, 0)
