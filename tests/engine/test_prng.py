"""Draws: pure, spread, different for each frame and entry; the base rules are counted first."""

from __future__ import annotations

import numpy as np

from ztfast.engine.context import FrameContext
from ztfast.engine.prng import draw
from ztfast.engine.reference import evaluate
from ztfast.frames.frame import Frame
from ztfast.model.entries import read_entries
from ztfast.model.view import View

FIXED = [314753187, 3946563608, 2505124154]


def test_fixed_values() -> None:
    # Worked out by another script from the formula, so that it can never change unseen.
    assert [draw(0, 0, 0), draw(1, 2, 3), draw((1 << 64) - 1, 1 << 40, 1023)] == FIXED


def test_every_input_matters_and_seeds_wrap() -> None:
    drawn = {
        draw(seed, number, entry)
        for seed in range(10)
        for number in range(10)
        for entry in range(10)
    }
    assert len(drawn) == 1000
    assert draw(-1, 5, 5) == draw((1 << 64) - 1, 5, 5)


def test_spread() -> None:
    values = np.array([draw(7, number, 1) for number in range(20_000)])
    assert values.min() >= 0
    assert values.max() < 1 << 32
    assert abs(values.mean() / (1 << 32) - 0.5) < 0.02
    for bit in range(32):
        assert abs((values >> bit & 1).mean() - 0.5) < 0.02


def test_entries_are_counted_through_base_rules_and_all_capabilities() -> None:
    random = {"type": "MATCH_RANDOM", "probability": 0}
    rules = read_entries([random, {"type": "ACTION_ACCEPT"}])
    view = View("out", rules, (rules, rules, rules), (1, 2, 3))
    asked: list[int] = []

    def one(entry: int) -> int:
        asked.append(entry)
        return 1

    evaluate(view, Frame(b"", 0, 0), FrameContext(held=(0, 2), draw=one))
    assert asked == [0, 2, 6]
