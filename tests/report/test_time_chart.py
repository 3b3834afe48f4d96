"""Bars over time: sums are kept, spans fit, axes end at round numbers."""

from __future__ import annotations

import random
import re

import pytest

from tests.seeds import seed
from ztfast.pipeline.column_sums import MINUTE, SPANS
from ztfast.report.time_chart import HOUR, Bars, Series, bars_of, chart, series_of, time_text

DAY = 24 * HOUR
NOON = 1_700_049_600 * 10**9  # 2023-11-15 12:00


@pytest.mark.parametrize(
    ("length", "span", "step", "count"),
    [
        (0, MINUTE, MINUTE, 1),
        (90 * MINUTE, MINUTE, MINUTE, 91),
        (3 * HOUR, MINUTE, 2 * MINUTE, 91),
        (DAY, MINUTE, 10 * MINUTE, 145),
        (2 * HOUR, HOUR, HOUR, 3),
        (31 * DAY, HOUR, HOUR, 745),
        (90 * DAY, HOUR, DAY, 91),
        (365 * DAY, 100 * DAY, 100 * DAY, 4),
        (200 * 365 * DAY, SPANS[-1], SPANS[-1], 9),
    ],
)
def test_spans(length: int, span: int, step: int, count: int) -> None:
    bars = bars_of(NOON, NOON + length, span)
    assert (bars.step, bars.many - count in (0, 1)) == (step, True)
    assert bars.start <= NOON
    assert NOON + length < bars.start + bars.step * bars.many


def test_all_of_time() -> None:
    assert bars_of(-(2**63), 2**63 - 1, SPANS[-1]).many < 30


def test_sums_are_kept() -> None:
    rng = random.Random(seed())
    bars = bars_of(NOON, NOON + 5 * DAY, MINUTE)
    counts = {
        f"rule {number}": [
            (NOON + rng.randrange(5 * DAY), rng.randrange(1, 50)) for _ in range(1 + number * 3)
        ]
        for number in range(15)
    }
    series = series_of(bars, counts, "other rules")
    assert len(series) == 9
    assert series[-1].name == "7 other rules"
    assert sum(one.total for one in series) == sum(n for row in counts.values() for _, n in row)
    totals = [one.total for one in series[:-1]]
    assert totals == sorted(totals, reverse=True)


def test_bars_stand_on_each_other() -> None:
    bars = Bars(NOON, HOUR, 2)
    page = chart("drops", bars, [Series("a", [3, 0]), Series("<b>", [1, 4])])
    paths = re.findall(r'<path class="(c\d)" d="([^"]*)"', page)
    assert paths == [
        ("c0", "M0.05 100.00h0.9V40.00h-0.9z"),
        ("c1", "M0.05 40.00h0.9V20.00h-0.9zM1.05 100.00h0.9V20.00h-0.9z"),
    ]
    assert "<b>5</b>" in page
    assert "2023-11-15 12:00: 3 a; 1 &lt;b&gt;" in page
    assert "<script" not in page


def test_one_span_has_no_bars() -> None:
    page = chart("drops", Bars(NOON, HOUR, 1), [Series("a", [3])])
    assert "svg" not in page
    assert "<b>3</b>a" in page


@pytest.mark.parametrize(
    ("bars", "ticks"),
    [
        (Bars(NOON, HOUR, 3), ["2023-11-15 12:00", "2023-11-15 13:00", "2023-11-15 14:00"]),
        (Bars(NOON, HOUR, 744), ["2023-11-16", "2023-11-24", "2023-12-01", "2023-12-09"]),
        (Bars(NOON - NOON % DAY, DAY, 9), ["2023-11-15", "2023-11-17", "2023-11-19", "2023-11-22"]),
    ],
)
def test_times_below(bars: Bars, ticks: list[str]) -> None:
    page = chart("x", bars, [Series("a", [1] * bars.many)])
    axis = page[page.index('class="axis"') : page.index("<ul")]
    assert re.findall(r">([\d: -]+)</span>", axis) == ticks


def test_words_of_spans() -> None:
    spans = [Bars(0, step, 1).span for step in (MINUTE, 30 * MINUTE, HOUR, DAY, SPANS[-1])]
    assert spans == ["minute", "30 minutes", "hour", "day", "10,000 days"]
    assert time_text(NOON) == "2023-11-15 12:00"
