"""Engines in other processes: pickled, handed over, saying the same."""

from __future__ import annotations

import copy
import pickle
from multiprocessing import get_context
from typing import Any

import pytest

from tests.engine.sharing import RULES, batch, engines, raw_frames, said, same
from tests.needs import needs_loops
from ztfast.engine.engine import Engine
from ztfast.filter import Filter
from ztfast.lang import compile_text

SIZE = 1500


def judged(engine: Engine, first: int) -> dict[str, Any]:
    """What another process says."""
    return said(engine.evaluate(batch(21, SIZE), first=first))


@needs_loops
@pytest.mark.parametrize("name", ["plain", "draws", "members"])
def test_an_engine_comes_back_the_same(name: str) -> None:
    engine = engines()[name]
    never_used = pickle.dumps(engine)
    expected = judged(engine, 3)
    for other in (pickle.loads(never_used), pickle.loads(pickle.dumps(engine)), copy.copy(engine)):
        same(expected, judged(other, 3))
        assert (other.policy, other.seed, other.side) == (engine.policy, engine.seed, engine.side)


def test_the_reference_too() -> None:
    engine = Engine(compile_text(RULES), backend="reference", seed=5)
    small = batch(21, 60)
    expected = said(engine.evaluate(small, first=3))
    same(expected, said(pickle.loads(pickle.dumps(engine)).evaluate(small, first=3)))


@needs_loops
def test_a_filter_comes_back_the_same() -> None:
    judge = Filter(engines()["plain"].policy, backend="native")
    frames = batch(4, 50)
    raw = raw_frames(frames)
    expected = [judge(frame) for frame in raw]
    assert len(set(expected)) == 2
    again = pickle.loads(pickle.dumps(judge))
    assert [again(frame) for frame in raw] == expected


@needs_loops
def test_a_pool_of_new_processes() -> None:
    """Started anew, so that nothing is there but what was pickled."""
    kinds = engines()
    with get_context("spawn").Pool(2) as pool:
        waiting = [
            (engine, first, pool.apply_async(judged, (engine, first)))
            for engine in kinds.values()
            for first in (0, 1 << 33)
        ]
        for engine, first, made in waiting:
            same(judged(engine, first), made.get(timeout=120))
