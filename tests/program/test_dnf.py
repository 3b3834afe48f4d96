"""Sets in their normal form: the same truth table as the instructions, or None."""

from __future__ import annotations

import random
from itertools import product

import pytest

from tests.program.building import program_of
from ztfast.program.dnf import (
    ALWAYS,
    MAX_TERMS,
    NEVER,
    Comparison,
    Row,
    Terms,
    both,
    either,
    flatten,
    inverse,
    normal_form,
    sections,
)
from ztfast.program.opcodes import Flag, Into, Op
from ztfast.program.passes import without_reads

SEED = 20261125
A, B, C = (Comparison(column, 1, 1, 0) for column in range(3))
NOT_A = A.inverse()


def row(op: Op, into: Into, column: int = 0, negate: bool = False, low: int = 1) -> Row:
    flags = int(into) | (int(Flag.NEGATE) if negate else 0)
    return (int(op), flags, column, 0, 0, 0, 1, low, 0)


def holds(rows: list[Row], values: tuple[bool, ...]) -> bool:
    """What the rows compute, one after the other."""
    held = term = True
    for item in rows:
        says = {Op.TEST: values[item[2]], Op.CONST: item[7] != 0, Op.TERM: term}[Op(item[0])]
        says ^= bool(item[1] & Flag.NEGATE)
        into = Into(item[1] & 7)
        if into is Into.AND_SET:
            held = held and says
        elif into is Into.OR_SET:
            held = held or says
        elif into is Into.TERM:
            term = says
        else:
            term = term and says if into is Into.AND_TERM else term or says
    return held


def is_true(terms: Terms, values: tuple[bool, ...]) -> bool:
    return any(all(values[test.column] != test.negate for test in term) for term in terms)


def test_random_sets_have_the_truth_table_of_their_instructions() -> None:
    rng = random.Random(SEED)
    for number in range(500):
        rows = [
            row(
                rng.choice([Op.TEST, Op.TEST, Op.TEST, Op.CONST, Op.TERM]),
                rng.choice(list(Into)),
                rng.randrange(4),
                rng.random() < 0.5,
                rng.randrange(2),
            )
            for _ in range(rng.randrange(8))
        ]
        terms = normal_form(rows)
        assert terms is not None, f"seed {SEED}, set {number}"
        for values in product([False, True], repeat=4):
            assert is_true(terms, values) == holds(rows, values), f"seed {SEED}, set {number}"


@pytest.mark.parametrize("op", [Op.RANDOM, Op.TAGS, Op.ARMED, Op.SAVED, Op.ARM_SKIP, Op.READ])
def test_what_does_more_than_compare_has_no_normal_form(op: Op) -> None:
    test = row(Op.TEST, Into.AND_SET)
    assert normal_form([test]) is not None
    assert normal_form([test, row(op, Into.AND_SET)]) is None


def test_no_instruction_is_a_set_that_holds() -> None:
    assert normal_form([]) == ALWAYS
    assert normal_form([row(Op.CONST, Into.AND_SET, low=0)]) == NEVER


def test_terms_have_neither_repeats_nor_contradictions() -> None:
    assert both(((A,),), ((A,),)) == ((A,),)
    assert both(((A,),), ((NOT_A,),)) == NEVER
    assert either(((A,),), ((A,), (B,))) == ((A,), (B,))
    assert both(((A,), (B,)), ((NOT_A,),)) == ((B, NOT_A),)


def test_the_inverse_of_a_form() -> None:
    assert (inverse(ALWAYS), inverse(NEVER)) == (NEVER, ALWAYS)
    assert inverse(((A, B),)) == ((NOT_A,), (B.inverse(),))
    assert inverse(((A,), (B,))) == ((NOT_A, B.inverse()),)
    assert A.inverse().inverse() == A


def test_a_form_that_grows_too_large_is_none_and_stays_none() -> None:
    many: Terms = tuple((Comparison(column, 1, 1, 0),) for column in range(MAX_TERMS))
    assert either(many[:-1], ((A,),)) is not None
    assert either(many, ((Comparison(MAX_TERMS, 1, 1, 0),),)) is None
    assert both(many, ((A,), (B,))) is None
    assert (both(None, ALWAYS), either(NEVER, None), inverse(None)) == (None, None, None)
    rows = [row(Op.TEST, Into.OR_SET, column) for column in range(MAX_TERMS + 1)]
    assert normal_form([row(Op.CONST, Into.AND_SET, low=0), *rows[:-1]]) == many
    assert normal_form([row(Op.CONST, Into.AND_SET, low=0), *rows]) is None


RULES = """
drop dport 22 or dport 23;
accept ethertype arp;
cap web id 1 accept dport 80; ;
cap none id 2 ;
"""


def test_a_table_is_cut_into_its_sections_and_sets() -> None:
    base, web = sections(without_reads(program_of(RULES.replace("cap none id 2 ;\n", ""))).table)
    assert base.start is None
    assert [Op(item.end[0]) for item in base.sets if item.end] == [Op.DROP, Op.ACCEPT]
    assert web.start is not None
    assert Op(web.start[0]) is Op.SECTION
    assert [Op(item.end[0]) for item in web.sets if item.end] == [Op.ACCEPT]


@pytest.mark.parametrize("text", [RULES, "drop;", "accept dport 80;", ""])
def test_sections_make_the_same_table_again(text: str) -> None:
    table = program_of(text).table
    assert [tuple(item) for item in table.tolist()] == flatten(sections(table))
