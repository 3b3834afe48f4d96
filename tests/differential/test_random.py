"""Random cases through both evaluators in every way: a fixed seed, a few seconds.

`make differential SEED= COUNT=` does the same for as long as wanted.  A failure prints the
round's seed and the smallest case that still fails, as a vector.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests import seeds
from tests.differential import compare
from tests.differential.compare import Difference, difference, view_of
from tests.differential.generate import Case, ownership_case, random_case
from tests.differential.rounds import engine_difference, failure_text
from tests.differential.shrink import shrink, vectors
from tests.needs import needs_loops
from ztfast.engine import native_members
from ztfast.engine.case import evaluate_case, read_case
from ztfast.engine.side_verdicts import SideVerdicts

SEED = seeds.seed(3)
ROUNDS = seeds.rounds(150)


@pytest.mark.slow
@needs_loops
def test_both_evaluators_agree() -> None:
    for seed in range(SEED * 1_000_000, SEED * 1_000_000 + ROUNDS):
        found = difference(random_case(seed))
        assert found is None, failure_text(seed, random_case(seed), found)


@needs_loops
def test_engines_with_networks_agree() -> None:
    for seed in range(SEED * 1_000_000, SEED * 1_000_000 + ROUNDS // 4):
        found = engine_difference(seed)
        assert found is None, f"seed {seed}: {found}"


@needs_loops
def test_both_know_who_owns_what(monkeypatch: pytest.MonkeyPatch) -> None:
    """They agree about ownership, and would not if one forgot what a receiver emulates."""
    cases = [ownership_case(seed) for seed in range(SEED * 1000, SEED * 1000 + 40)]
    for case in cases:
        found = difference(case, ("plain table",))
        assert found is None, failure_text(SEED, case, found)

    monkeypatch.setattr(native_members, "_emulates", lambda table: None)
    assert sum(difference(case, ("plain table",)) is not None for case in cases) > 4


@needs_loops
def test_every_way_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault put into one way is found, named and shrunk to one frame and two entries."""
    honest = compare.WAYS["optimised"]

    def faulty(view, batch, where, seed):  # type: ignore[no-untyped-def]
        columns = dict(honest(view, batch, where, seed))
        sized = batch.payload_lengths() >= 20
        if any(entry.kind.name == "MATCH_IP_TOS" for entry in view.base):
            columns["entry"] = np.where(sized, np.int32(77), columns["entry"])
        return columns

    monkeypatch.setitem(compare.WAYS, "optimised", faulty)
    seed, found = next(
        (seed, found)
        for seed in range(2000)
        if (found := difference(random_case(seed), ("optimised",))) is not None
    )
    assert found.way == "optimised"
    small = shrink(
        random_case(seed), lambda case: difference(case, ("optimised",)) is not None
    )
    assert [entry["type"] for entry in small.rules] == ["MATCH_IP_TOS"]
    assert len(small.rows) == 1
    assert 20 <= small.rows[0].frame.length <= 40
    printed = json.loads(vectors(small))
    view, frame, _ = read_case(printed)
    assert view.base == view_of(small).base
    assert frame.payload == small.rows[0].frame.payload
    assert evaluate_case(printed)["result"] == "NO_MATCH"


@needs_loops
@pytest.mark.parametrize("column", ["reads", "destination", "copy_length", "qos", "accept"])
def test_each_column_is_compared(monkeypatch: pytest.MonkeyPatch, column: str) -> None:
    honest = compare.columns_of

    def bent(verdicts: SideVerdicts) -> compare.Columns:
        columns = honest(verdicts)
        made = columns[column].copy()
        if len(made):
            made[-1] = int(made[-1]) ^ 1  # numpy 1.x: no uint64 with int
        return {**columns, column: made}

    case = random_case(5)
    calls = iter([honest])

    def first_honest(verdicts: SideVerdicts) -> compare.Columns:
        return next(calls, bent)(verdicts)

    monkeypatch.setattr(compare, "columns_of", first_honest)
    found = difference(case, ("plain table",))
    assert isinstance(found, Difference)
    assert (found.column, found.frame) == (column, len(case.rows) - 1)


def test_the_generator_reaches_what_it_should() -> None:
    """Batches beyond a block, every type of entry, frames that are not wholly captured."""
    cases: list[Case] = [random_case(seed) for seed in range(400)]
    types = {entry["type"] for case in cases for rules in (case.rules, *case.capabilities)
             for entry in rules}
    assert len(types) == 35
    assert any(len(case.rows) > 1024 for case in cases)
    assert any(row.frame.length > len(row.frame.payload) for case in cases for row in case.rows)
    assert {(case.direction, case.engine) for case in cases} == {
        (direction, engine) for direction in ("out", "in") for engine in ("1.14", "1.12")
    }
