"""Sums by columns: as plain dictionaries count, whatever the cut; bounded, and merged exactly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from tests.seeds import seed
from ztfast.pipeline import column_sums
from ztfast.pipeline.column_sums import MINUTE, SPANS, TimeSums, TopSums
from ztfast.pipeline.count import Count

Int64s = npt.NDArray[np.int64]
SEED = seed()


def frames(count: int, spread: int) -> tuple[list[Int64s], Int64s]:
    print(f"seed {SEED}")
    rng = np.random.default_rng((SEED, spread))
    times = rng.integers(0, spread, count) * MINUTE // 7
    return [times, rng.integers(-3, 4, count)], rng.integers(60, 1500, count)


def cuts(count: int, parts: int) -> Iterator[slice]:
    edges = np.linspace(0, count, parts + 1).astype(int).tolist()
    yield from (slice(low, high) for low, high in pairwise(edges))


def model(columns: list[Int64s], octets: Int64s, span: int) -> dict[tuple[int, int], Count]:
    found: dict[tuple[int, int], Count] = {}
    for time, other, size in zip(*(c.tolist() for c in (*columns, octets)), strict=True):
        key = time // span * span, other
        found[key] = found.get(key, Count()).plus(1, size)
    return found


@pytest.mark.parametrize("spread", [10, 3000, 10**7, 10**11])
def test_times_are_exact_at_every_cut(spread: int) -> None:
    columns, octets = frames(4000, spread)
    whole = TimeSums(2, 500)
    whole.add(columns, octets)
    expected = model(columns, octets, whole.span)
    assert dict(whole.rows()) == expected
    assert len(expected) <= 500 or whole.span == SPANS[-1]
    finer = SPANS[: SPANS.index(whole.span)]
    assert all(len(model(columns, octets, span)) > 500 for span in finer)
    for parts in (2, 37):
        joined = TimeSums(2, 500)
        for cut in cuts(4000, parts):
            part = TimeSums(2, 500)
            part.add([column[cut] for column in columns], octets[cut])
            joined.read(json.loads(json.dumps(part.to_json())))
        assert (joined.rows(), joined.span) == (whole.rows(), whole.span)
        again = TimeSums(2, 500)
        again.merge(joined)
        assert again.rows() == whole.rows()


def test_the_ends_of_time() -> None:
    ends = np.array([-(2**63), 2**63 - 1, 0, -1])
    sums = TimeSums(1, 1)
    sums.add([ends], np.ones(4, np.int64))
    assert sums.span == SPANS[-1]
    assert sum(count.frames for _, count in sums.rows()) == 4


def test_frames_that_stand_for_many() -> None:
    sums = TopSums(1, 10)
    sums.add([np.array([5, 5, 6])], np.array([10, 20, 30]), np.array([2, 3, 4]))
    assert sums.rows() == [((5,), Count(5, 30)), ((6,), Count(4, 30))]


def test_numbers_of_64_bits_keep_their_bits() -> None:
    sums = TopSums(1, 10)
    sums.add([np.array([2**64 - 1, 2**63], np.uint64)], np.array([1, 2]))
    assert {key[0] & 2**64 - 1 for key, _ in sums.rows()} == {2**64 - 1, 2**63}


def test_few_keys_are_exact_and_many_keep_the_most() -> None:
    print(f"seed {SEED}")
    rng = np.random.default_rng(SEED)
    keys = np.concatenate([np.repeat(np.arange(20), 300), rng.integers(100, 10**9, 4000)])
    rng.shuffle(keys)
    ones = np.ones(len(keys), np.int64)
    sums = TopSums(1, 200)
    for cut in cuts(len(keys), 50):
        sums.add([keys[cut]], ones[cut])
    rows = sums.rows()
    assert len(rows) <= 200
    assert sums.others.frames + sum(count.frames for _, count in rows) == len(keys)
    assert {key[0] for key, _ in rows[:20]} == set(range(20))
    assert sums.short > 0
    assert all(300 - sums.short <= count.frames <= 300 for _, count in rows[:20])


def test_top_sums_merge_and_go_through_json() -> None:
    columns, octets = frames(1000, 90)
    whole, joined = TopSums(2, 900), TopSums(2, 900)
    whole.add(columns, octets)
    for cut in cuts(1000, 9):
        part = TopSums(2, 900)
        part.add([column[cut] for column in columns], octets[cut])
        other = TopSums(2, 900)
        other.read(json.loads(json.dumps(part.to_json())))
        joined.merge(other)
    assert joined.rows() == whole.rows()
    assert joined.short == whole.short == 0
    assert dict(whole.rows()) == model(columns, octets, 1)


def test_keys_that_are_mixed_to_one_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(column_sums, "_MIXER", np.uint64(0))
    columns, octets = frames(500, 50)
    sums = TopSums(2, 1000)
    sums.add(columns, octets)
    assert dict(sums.rows()) == model(columns, octets, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"frames": [-1]},
        {"frames": [1, 2]},
        {"keys": [["x"]]},
        {"keys": [[2**64]]},
        {"others": [1]},
        {"short": None},
        {"frames": None},
    ],
)
def test_what_is_no_sum_is_refused(change: dict[str, object]) -> None:
    sums = TopSums(1, 10)
    sums.add([np.array([5])], np.array([10]))
    with pytest.raises((KeyError, OverflowError, TypeError, ValueError)):
        TopSums(1, 10).read({**sums.to_json(), **change})


def test_a_level_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="level"):
        TimeSums(1, 10).read({**TimeSums(1, 10).to_json(), "level": len(SPANS)})
