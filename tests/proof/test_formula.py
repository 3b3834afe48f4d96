"""The algebra of sets: laws on random assignments, emptiness and reasons by the solver."""

from __future__ import annotations

import builtins
import os
import random
from typing import Any

import pytest

from tests.needs import needs
from ztfast.errors import BackendError
from ztfast.proof.formula import FALSE, PAIRS, TRUE, Samples, Sets
from ztfast.proof.solver import Deadline, Prover, Undecided

SEED = int(os.environ.get("SEED", "17"))
FIELDS = {"a": 8, "b": 8, "wide": 128}


def made() -> Sets:
    sets = Sets()
    for name, width in FIELDS.items():
        sets.field(name, width)
    return sets


def random_literal(rng: random.Random, sets: Sets, depth: int) -> int:
    if depth == 0:
        field = rng.choice(list(FIELDS))
        full = (1 << FIELDS[field]) - 1
        low, high = rng.randrange(256), rng.randrange(256)
        choice = rng.randrange(4)
        if choice == 0:
            return sets.pair(rng.choice([how for how in PAIRS if how != "slice"]), "a", "b", low)
        if choice == 1:
            return sets.slices("a", rng.randrange(4), "wide", rng.randrange(9), rng.randrange(1, 5))
        return sets.test(field, low, high, rng.choice([full, full, 0xF0, 0x3C]))
    left, right = (random_literal(rng, sets, depth - 1) for _ in range(2))
    how = rng.choice([sets.both, sets.either, sets.differ, sets.implies])
    return how(left, right) * rng.choice([1, -1])


def holds(sets: Sets, literal: int, row: dict[str, int]) -> bool:
    return Samples(sets, [row]).inside(literal) == 1


def test_literals_of_trivial_sets() -> None:
    sets = made()
    assert sets.test("a", 0, 255) == TRUE
    assert sets.test("a", 9, 3) == FALSE
    assert sets.test("a", 1, 1, 0xF0) == FALSE
    assert sets.test("a", 0, 0, 0) == TRUE
    one = sets.test("a", 1)
    assert sets.both(one, -one) == FALSE
    assert sets.either(one, -one) == TRUE
    assert sets.differ(one, one) == FALSE
    assert sets.test("a", 1) == one
    assert sets.leaves([sets.both(one, -sets.test("b", 2))]) == [one, sets.test("b", 2)]


@needs("z3")
@pytest.mark.parametrize("round_", range(60))
def test_the_solver_and_the_samples_agree(round_: int) -> None:
    """A model of the solver lies in the set; a set that it calls empty holds no random row."""
    rng = random.Random(SEED * 1009 + round_)
    sets = made()
    literal = random_literal(rng, sets, 3)
    rows = [{name: rng.getrandbits(width) for name, width in FIELDS.items()} for _ in range(200)]
    rows += [{name: rng.randrange(256) for name in FIELDS} for _ in range(200)]
    for side in (literal, -literal):
        model = Prover(sets, Deadline(30)).find(side)
        if model is None:
            assert Samples(sets, rows).inside(side) == 0, (SEED, round_)
        else:
            assert holds(sets, side, model), (SEED, round_, model)
    inside = Samples(sets, rows)
    assert inside.inside(literal) ^ inside.inside(-literal) == (1 << len(rows)) - 1


@needs("z3")
def test_background_and_samples() -> None:
    sets = made()
    prover = Prover(sets, Deadline(30))
    prover.require(sets.test("a", 0, 9))
    prover.suggest([{"a": 5}, {"a": 77}])
    assert prover.find(sets.test("a", 5)) == {"a": 5}
    assert prover.queries == 0
    assert prover.empty(sets.test("a", 77))
    assert prover.queries == 1


@needs("z3")
def test_reasons_are_few_and_enough() -> None:
    sets = made()
    prover = Prover(sets, Deadline(30))
    among = [-sets.test("a", low, low + 63) for low in (0, 64, 128, 192)]
    among += [sets.test("b", 1), -sets.test("a", 10, 20)]
    found = prover.reasons([TRUE], among)
    assert found is not None
    assert sorted(found) == sorted(among[:4])
    assert prover.reasons([sets.test("a", 70)], among) == [among[1]]
    assert prover.reasons([TRUE], among[:3]) is None


@needs("z3")
def test_wishes_are_granted_in_order() -> None:
    sets = made()
    prover = Prover(sets, Deadline(30))
    wishes = [sets.test("a", 7), sets.test("b", 3), sets.test("a", 8), sets.test("b", 4)]
    model = prover.preferring([-sets.test("b", 3)], wishes)
    assert model is not None
    assert (model["a"], model["b"]) == (7, 4)


def first_choice(
    sets: Sets, literals: list[int], wishes: list[int], rows: list[dict[str, int]]
) -> dict[str, int] | None:
    """What `preferring` promises, by trying `rows`: all assignments, the smallest first."""
    samples = Samples(sets, rows)
    left = samples.inside(*literals)
    fields = [field for field in sets.widths if field in rows[0]]
    for wish in [*wishes, *(sets.test(field, 0) for field in fields)]:
        left = left & samples.inside(wish) or left
    return rows[(left & -left).bit_length() - 1] if left else None


@needs("z3")
@pytest.mark.parametrize("round_", range(60))
def test_the_preferred_assignment_is_the_one_that_trying_all_finds(round_: int) -> None:
    rng = random.Random(SEED * 4001 + round_)
    sets = Sets()
    for name in "ab":
        sets.field(name, 4)
    rows = [{"a": a, "b": b} for a in range(16) for b in range(16)]

    def some() -> int:
        low, high = rng.randrange(16), rng.randrange(16)
        test = sets.test(rng.choice("ab"), low, high, rng.choice([15, 6]))
        return rng.choice([test, -test, sets.pair("difference", "a", "b", rng.randrange(9))])

    literals = [sets.either(some(), some()) for _ in range(rng.randrange(1, 5))]
    wishes = [sets.test("a", 0, 14), sets.test("b", 0, 14), *(some() for _ in range(6))]
    found = Prover(sets, Deadline(30)).preferring(literals, wishes)
    assert found == first_choice(sets, literals, wishes, rows), (SEED, round_)


@needs("z3")
@pytest.mark.parametrize("round_", range(30))
def test_an_assignment_that_is_near_spares_questions_and_changes_no_reason(round_: int) -> None:
    """Each reason that is left is needed, whether it was found so by asking or by looking."""
    rng = random.Random(SEED * 5003 + round_)
    sets = made()
    near = {"a": rng.randrange(256), "b": rng.randrange(256), "wide": 0}
    literal = random_literal(rng, sets, 3)
    literal = -literal if holds(sets, literal, near) else literal
    leaves = sets.leaves([literal])
    among = [leaf if holds(sets, leaf, near) else -leaf for leaf in leaves]
    plain, spared = (Prover(sets, Deadline(30)) for _ in range(2))
    found = spared.reasons([literal], among, near)
    assert found is not None
    assert plain.reasons([literal], among) is not None
    assert spared.queries <= plain.queries, (SEED, round_)
    for index in range(len(found)):
        assert not plain.empty(literal, *found[:index], *found[index + 1 :]), (SEED, round_)
    assert plain.empty(literal, *found)


@needs("z3")
def test_no_time_is_no_answer() -> None:
    sets = made()
    with pytest.raises(Undecided):
        Prover(sets, Deadline(0)).find(sets.test("a", 3))


def test_the_solver_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = builtins.__import__

    def refusing(name: str, *rest: Any, **more: Any) -> Any:
        if name == "z3":
            raise ImportError(name)
        return plain(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refusing)
    with pytest.raises(BackendError, match="ztfast\\[analysis\\]"):
        Prover(Sets(), Deadline(1))
