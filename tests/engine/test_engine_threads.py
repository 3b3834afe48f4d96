"""One Engine, many threads, any batch size: always the same verdicts.

No test here can prove that there is no race; each gives one thousands of chances.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest

from tests.engine.sharing import batch, engines, joined, raw_frames, said, same
from tests.needs import needs_loops
from ztfast.engine.engine import Engine
from ztfast.filter import Filter
from ztfast.frames.batch import FrameBatch

pytestmark = needs_loops
SIZES = (1, 5, 60, 1023, 1024, 1025, 3000)


@pytest.fixture(autouse=True)
def quick_switches() -> Iterator[None]:
    """Threads take turns as often as the interpreter lets them."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.fixture(params=["plain", "draws", "members"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return engines()[request.param]


def test_an_engine_is_shared_by_threads(engine: Engine) -> None:
    """Eight threads start together on a new engine, whose machine none has made yet."""
    batches = [batch(seed, size) for seed, size in enumerate(SIZES)]
    expected = [said(engine.evaluate(one, first=7)) for one in batches]
    kinds = engines()
    fresh = next(one for name, one in kinds.items() if _alike(engine, one))
    start = threading.Barrier(8)

    def work(number: int) -> None:
        start.wait()
        for turn in range(25):
            which = (number + turn) % len(batches)
            same(expected[which], said(fresh.evaluate(batches[which], first=7)))

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(work, number) for number in range(8)]:
            done.result()


def _alike(one: Engine, other: Engine) -> bool:
    return one.policy == other.policy and (one.network is None) == (other.network is None)


@pytest.mark.parametrize("threads", range(2, 9))
def test_the_number_of_threads_makes_no_difference(engine: Engine, threads: int) -> None:
    for seed, size in enumerate((1, 1025, 5000)):
        frames = batch(seed, size)
        once = said(engine.evaluate(frames, first=99))
        same(once, said(engine.evaluate(frames, first=99, threads=threads)))


def test_threads_that_use_threads(engine: Engine) -> None:
    frames = batch(3, 4000)
    expected = said(engine.evaluate(frames))
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: said(engine.evaluate(frames, threads=3)), range(24)):
            same(expected, found)


@pytest.mark.parametrize("step", [1, 7, 512, 1000, 1024, 1500])
def test_the_size_of_batches_makes_no_difference(engine: Engine, step: int) -> None:
    """Draws included: they are keyed by the frame's number in the whole input."""
    frames = batch(11, 40 if step == 1 else 2500)
    whole = said(engine.evaluate(frames, first=1 << 40))
    edges = [*range(0, len(frames), step), len(frames)]
    parts = [
        said(engine.evaluate(frames[start:stop], first=(1 << 40) + start))
        for start, stop in pairwise(edges)
    ]
    same(whole, joined(parts))


def test_draws_differ_by_number_and_seed() -> None:
    """Else the tests above would say nothing about them."""
    engine = engines()["draws"]
    frames = batch(11, 2500)
    columns = [said(engine.evaluate(frames, first=first))["accepted"] for first in (0, 0, 1)]
    assert (columns[0] == columns[1]).all()
    assert 0 < np.count_nonzero(columns[0] != columns[2]) < 2500


def test_columns_are_decoded_by_threads() -> None:
    """A shared batch whose columns each thread asks for."""
    frames, engine = batch(5, 2000), engines()["draws"]
    headers = sorted(engine.native("out").headers())
    expected = {column: array.copy() for column, array in frames[:].decoded(headers).items()}

    def work(_: int) -> None:
        for column, array in frames.decode(headers).decoded(headers).items():
            np.testing.assert_array_equal(array, expected[column])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(100)))


def test_a_filter_is_shared_by_threads() -> None:
    engine = engines()["plain"]
    judge, frames = Filter(engine.policy, backend="native"), batch(9, 300)
    raw = raw_frames(frames)
    expected = engine.evaluate(FrameBatch.from_frames(raw)).accepted.tolist()
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: [judge(frame) for frame in raw], range(24)):
            assert found == expected


def test_free_threading_is_declared() -> None:
    """Importing the loops must not switch the lock on again where there is none."""
    import ztfast._core  # noqa: F401

    check = getattr(sys, "_is_gil_enabled", None)
    if check is None:
        pytest.skip("this Python has no free-threaded build")
    import sysconfig

    assert check() == (not sysconfig.get_config_var("Py_GIL_DISABLED"))
