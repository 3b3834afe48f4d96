"""The symbolic walk against the reference evaluator: every entry, every outcome, random rules.

A failure names the seed of its round; `ZTFAST_ROUNDS` and `ZTFAST_SEED` may be set.
"""

from __future__ import annotations

import random

import pytest

from tests import seeds
from tests.proof.drawing import add_integers, draw_assignment, random_frame, random_view
from ztfast.engine.reference import evaluate
from ztfast.frames.frame import Frame
from ztfast.model.view import View
from ztfast.proof.formula import Formulas, Samples
from ztfast.proof.frame_model import FrameFormulas
from ztfast.proof.match_formulas import SideFields
from ztfast.proof.symbolic import SideTrace, trace_side
from ztfast.proof.witness import SideNames, context_of

SEED = seeds.seed(11)
ROUNDS = seeds.rounds(120)
FRAMES = 30


def trace(view: View) -> tuple[Formulas, FrameFormulas, SideTrace]:
    formulas = Formulas()
    frame = FrameFormulas(formulas)
    return formulas, frame, trace_side(view, SideFields(formulas, frame, view.direction))


def check(
    view: View, frame: Frame, assignment: dict[str, int], found: SideTrace, bits: Samples, row: int
) -> None:
    context = context_of(assignment, view, frame, SideNames(view.direction))
    outcome = evaluate(view, frame, context, want_log=True)

    def inside(literal: int) -> bool:
        return bool(bits.inside(literal) >> row & 1)

    assert outcome.log is not None
    for step, item in zip(found.base.steps, outcome.log, strict=True):
        if step.is_action:
            continue
        if item is None:
            assert not inside(step.live)
        elif item == "S0":
            assert inside(step.live)
            assert not inside(step.before)
        else:
            assert inside(step.live)
            assert inside(step.before) == bool(item[1])
            assert inside(step.match) == (bool(item[0]) != step.entry.inverted), step
    assert inside(found.accepted) == outcome.accepted
    assert inside(found.delivered) == (outcome.accept > 0)
    supers = [inside(rules.super_accepts) for rules in found.rule_sets]
    assert any(supers) == (outcome.accept == 2)
    accepting = None
    for number, rules in enumerate(found.capabilities):
        passes = inside(rules.accepts) or any(map(inside, rules.redirects.values()))
        if passes:
            accepting = number
    if outcome.capability is not None:
        assert accepting == outcome.capability
    deciding = found.base if outcome.capability is None else found.capabilities[accepting or 0]
    ended = [index for index, ends in deciding.ends if inside(ends)]
    if outcome.accepted or outcome.capability is None:
        assert ended == ([outcome.entry] if outcome.entry >= 0 else [])
    copies = [index for index, noted in found.base.copies if inside(noted) and outcome.accepted]
    assert copies == ([] if outcome.copy is None else [outcome.copy.entry])


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_random_rules(round_: int) -> None:
    rng = random.Random(SEED * 100_003 + round_)
    view = random_view(rng)
    formulas, fields, found = trace(view)
    structure = fields.structure()
    frames = [random_frame(rng) for _ in range(FRAMES)]
    assignments = [draw_assignment(rng, view, frame) for frame in frames]
    for frame, assignment in zip(frames, assignments, strict=True):
        add_integers(assignment, frame, list(formulas.widths))
    samples = Samples(formulas, assignments)
    for literal in structure:
        assert samples.inside(literal) == (1 << FRAMES) - 1, (SEED, round_, literal)
    for row, (frame, assignment) in enumerate(zip(frames, assignments, strict=True)):
        check(view, frame, assignment, found, samples, row)
