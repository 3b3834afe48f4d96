"""Formulas: laws on random assignments, emptiness and reasons by the solver."""

from __future__ import annotations

import builtins
import random
from typing import Any

import pytest

from tests import seeds
from tests.needs import needs
from ztfast.errors import BackendError
from ztfast.proof.formula import COMPARISONS, FALSE, TRUE, Formulas, Samples
from ztfast.proof.solver import Deadline, Prover, Undecided

SEED = seeds.seed(17)
FIELDS = {"a": 8, "b": 8, "wide": 128}


def made() -> Formulas:
    formulas = Formulas()
    for name, width in FIELDS.items():
        formulas.field(name, width)
    return formulas


def random_literal(rng: random.Random, formulas: Formulas, depth: int) -> int:
    if depth == 0:
        field = rng.choice(list(FIELDS))
        full = (1 << FIELDS[field]) - 1
        low, high = rng.randrange(256), rng.randrange(256)
        choice = rng.randrange(4)
        if choice == 0:
            operators = [operator for operator in COMPARISONS if operator != "slice"]
            return formulas.compare(rng.choice(operators), "a", "b", low)
        if choice == 1:
            at, at_right, bits = rng.randrange(4), rng.randrange(9), rng.randrange(1, 5)
            return formulas.slices("a", at, "wide", at_right, bits)
        return formulas.test(field, low, high, rng.choice([full, full, 0xF0, 0x3C]))
    left, right = (random_literal(rng, formulas, depth - 1) for _ in range(2))
    how = rng.choice([formulas.both, formulas.either, formulas.differ, formulas.implies])
    return how(left, right) * rng.choice([1, -1])


def holds(formulas: Formulas, literal: int, row: dict[str, int]) -> bool:
    return Samples(formulas, [row]).inside(literal) == 1


def test_literals_of_trivial_sets() -> None:
    formulas = made()
    assert formulas.test("a", 0, 255) == TRUE
    assert formulas.test("a", 9, 3) == FALSE
    assert formulas.test("a", 1, 1, 0xF0) == FALSE
    assert formulas.test("a", 0, 0, 0) == TRUE
    one = formulas.test("a", 1)
    assert formulas.both(one, -one) == FALSE
    assert formulas.either(one, -one) == TRUE
    assert formulas.differ(one, one) == FALSE
    assert formulas.test("a", 1) == one
    two = formulas.test("b", 2)
    assert formulas.leaves([formulas.both(one, -two)]) == [one, two]


@needs("z3")
@pytest.mark.parametrize("round_", range(60))
def test_the_solver_and_the_samples_agree(round_: int) -> None:
    """A model of the solver lies in the set; a set that it calls empty holds no random row."""
    rng = random.Random(SEED * 1009 + round_)
    formulas = made()
    literal = random_literal(rng, formulas, 3)
    rows = [{name: rng.getrandbits(width) for name, width in FIELDS.items()} for _ in range(200)]
    rows += [{name: rng.randrange(256) for name in FIELDS} for _ in range(200)]
    for side in (literal, -literal):
        assignment = Prover(formulas, Deadline(30)).find(side)
        if assignment is None:
            assert Samples(formulas, rows).inside(side) == 0, (SEED, round_)
        else:
            assert holds(formulas, side, assignment), (SEED, round_, assignment)
    inside = Samples(formulas, rows)
    assert inside.inside(literal) ^ inside.inside(-literal) == (1 << len(rows)) - 1


@needs("z3")
def test_background_and_samples() -> None:
    formulas = made()
    prover = Prover(formulas, Deadline(30))
    prover.require(formulas.test("a", 0, 9))
    prover.add_samples([{"a": 5}, {"a": 77}])
    assert prover.find(formulas.test("a", 5)) == {"a": 5}
    assert prover.queries == 0
    assert prover.empty(formulas.test("a", 77))
    assert prover.queries == 1


@needs("z3")
def test_reasons_are_few_and_enough() -> None:
    formulas = made()
    prover = Prover(formulas, Deadline(30))
    among = [-formulas.test("a", low, low + 63) for low in (0, 64, 128, 192)]
    among += [formulas.test("b", 1), -formulas.test("a", 10, 20)]
    found = prover.unsat_core([TRUE], among)
    assert found is not None
    assert sorted(found) == sorted(among[:4])
    assert prover.unsat_core([formulas.test("a", 70)], among) == [among[1]]
    assert prover.unsat_core([TRUE], among[:3]) is None


@needs("z3")
def test_wishes_are_granted_in_order() -> None:
    formulas = made()
    prover = Prover(formulas, Deadline(30))
    preferences = [formulas.test(*pair) for pair in (("a", 7), ("b", 3), ("a", 8), ("b", 4))]
    assignment = prover.find_preferred([-formulas.test("b", 3)], preferences)
    assert assignment is not None
    assert (assignment["a"], assignment["b"]) == (7, 4)


def first_choice(
    formulas: Formulas, literals: list[int], preferences: list[int], rows: list[dict[str, int]]
) -> dict[str, int] | None:
    """What `preferring` promises, by trying `rows`: all assignments, the smallest first."""
    samples = Samples(formulas, rows)
    left = samples.inside(*literals)
    fields = [field for field in formulas.widths if field in rows[0]]
    for wish in [*preferences, *(formulas.test(field, 0) for field in fields)]:
        left = left & samples.inside(wish) or left
    return rows[(left & -left).bit_length() - 1] if left else None


@needs("z3")
@pytest.mark.parametrize("round_", range(60))
def test_the_preferred_assignment_is_the_one_that_trying_all_finds(round_: int) -> None:
    rng = random.Random(SEED * 4001 + round_)
    formulas = Formulas()
    for name in "ab":
        formulas.field(name, 4)
    rows = [{"a": a, "b": b} for a in range(16) for b in range(16)]

    def some() -> int:
        low, high = rng.randrange(16), rng.randrange(16)
        test = formulas.test(rng.choice("ab"), low, high, rng.choice([15, 6]))
        return rng.choice([test, -test, formulas.compare("difference", "a", "b", rng.randrange(9))])

    literals = [formulas.either(some(), some()) for _ in range(rng.randrange(1, 5))]
    preferences = [formulas.test(name, 0, 14) for name in "ab"] + [some() for _ in range(6)]
    found = Prover(formulas, Deadline(30)).find_preferred(literals, preferences)
    assert found == first_choice(formulas, literals, preferences, rows), (SEED, round_)


@needs("z3")
@pytest.mark.parametrize("round_", range(30))
def test_an_assignment_that_is_near_spares_questions_and_changes_no_reason(round_: int) -> None:
    """Each reason that is left is needed, whether it was found so by asking or by looking."""
    rng = random.Random(SEED * 5003 + round_)
    formulas = made()
    near = {"a": rng.randrange(256), "b": rng.randrange(256), "wide": 0}
    literal = random_literal(rng, formulas, 3)
    literal = -literal if holds(formulas, literal, near) else literal
    leaves = formulas.leaves([literal])
    among = [leaf if holds(formulas, leaf, near) else -leaf for leaf in leaves]
    plain, spared = (Prover(formulas, Deadline(30)) for _ in range(2))
    found = spared.unsat_core([literal], among, near)
    assert found is not None
    assert plain.unsat_core([literal], among) is not None
    assert spared.queries <= plain.queries, (SEED, round_)
    for index in range(len(found)):
        assert not plain.empty(literal, *found[:index], *found[index + 1 :]), (SEED, round_)
    assert plain.empty(literal, *found)


@needs("z3")
def test_no_time_is_no_answer() -> None:
    formulas = made()
    with pytest.raises(Undecided):
        Prover(formulas, Deadline(0)).find(formulas.test("a", 3))


def test_the_solver_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = builtins.__import__

    def refusing(name: str, *rest: Any, **more: Any) -> Any:
        if name == "z3":
            raise ImportError(name)
        return plain(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refusing)
    with pytest.raises(BackendError, match="ztfast\\[analysis\\]"):
        Prover(Formulas(), Deadline(1))
