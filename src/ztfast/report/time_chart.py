"""Bars over time, as SVG without a script: frames by time and by what they are counted under.

Contract: pure functions.  Spans of time are chosen so that there are enough bars and not too many;
sums are kept.  Texts stand outside of the SVG, which stretches, so that they are as large on a
phone.  Times are UTC.
Tested by tests/report/test_time_chart.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ztfast.pipeline.column_sums import MINUTE
from ztfast.report.html import Html, details, element, joined, table

HOUR, _DAY = 60 * MINUTE, 24 * 60 * MINUTE
_STEPS = (
    *(count * MINUTE for count in (1, 2, 5, 10, 15, 30)),
    *(count * HOUR for count in (1, 2, 3, 6, 12)),
    *(count * _DAY for count in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)),
)
_ENOUGH, _MOST_HOURS = 150, 800  # bars; a month by the hour
MOST_SERIES = 8
_TICKS = 4


class Bars(NamedTuple):
    """`many` spans of `step` ns from `start` (ns since 1970) on."""

    start: int
    step: int
    many: int

    def name(self, number: int) -> str:
        """When a bar begins."""
        return time_text(self.start + number * self.step)

    @property
    def span(self) -> str:
        """How long a bar is, in words."""
        for unit, word in ((_DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
            if self.step % unit == 0:
                many = self.step // unit
                return word if many == 1 else f"{many:,} {word}s"
        raise AssertionError(self.step)


class Series(NamedTuple):
    """What bars of one colour count: a name, and frames by bar."""

    name: str
    frames: Sequence[int]

    @property
    def total(self) -> int:
        """Frames of all bars."""
        return sum(self.frames)


def time_text(time: int) -> str:
    """A time (ns since 1970) to the minute: `2026-10-01 12:30`."""
    return str(np.datetime_as_string(np.datetime64(time, "ns"), unit="m")).replace("T", " ")


def bars_of(first: int, last: int, span: int) -> Bars:
    """Bars from the first time to the last, of spans that were counted by `span` ns."""
    for step in _STEPS:
        start = first - first % step
        count = (last - start) // step + 1
        if step % span == 0 and count <= (_MOST_HOURS if step == HOUR else _ENOUGH):
            return Bars(start, step, count)
    step = _STEPS[-1]
    return Bars(first - first % step, step, (last - first + first % step) // step + 1)


def series_of(
    bars: Bars, counts: Mapping[str, Sequence[tuple[int, int]]], others: str
) -> list[Series]:
    """Most frames first, the last of many as one; counts: (time, frames) by name."""
    found = [Series(name, _by_bar(bars, times)) for name, times in counts.items()]
    found.sort(key=lambda one: (-one.total, one.name))
    if len(found) <= MOST_SERIES:
        return found
    rest = [one.frames for one in found[MOST_SERIES:]]
    sums = [sum(each) for each in zip(*rest, strict=True)]
    return [*found[:MOST_SERIES], Series(f"{len(rest):,} {others}", sums)]


def _by_bar(bars: Bars, times: Sequence[tuple[int, int]]) -> list[int]:
    frames = [0] * bars.many
    for time, count in times:
        frames[min(max((time - bars.start) // bars.step, 0), bars.many - 1)] += count
    return frames


def chart(label: str, bars: Bars, series: Sequence[Series]) -> Html:
    """The bars, one colour on the other, what each colour is, and the numbers behind.

    Of a single span there is no bar to compare.
    """
    if bars.many == 1:
        return _legend(series)
    totals = [sum(each) for each in zip(*(one.frames for one in series), strict=True)]
    top = _rounded_up(max(totals, default=0))
    plot = element(
        "div",
        element("div", *(_grid(top, part) for part in (1.0, 0.5)), css="grid"),
        _svg(label, bars, series, totals, top),
        css="plot",
    )
    return joined((plot, _axis(bars), _legend(series), _numbers(bars, series, totals)))


def _svg(label: str, bars: Bars, series: Sequence[Series], totals: Sequence[int], top: int) -> Html:
    below = [0] * bars.many
    paths: list[Html] = []
    for number, one in enumerate(series):
        paths.append(element("path", css=f"c{number}", d=Html(_path(below, one.frames, top))))
        below = [low + more for low, more in zip(below, one.frames, strict=True)]
    hovers = (
        element("rect", element("title", _said(bars, series, number)), css="h", x=number, width=1,
                height=100)
        for number, total in enumerate(totals)
        if total
    )  # fmt: skip
    return element(
        "svg",
        *paths,
        *hovers,
        viewBox=f"0 0 {bars.many} 100",
        preserveAspectRatio="none",
        role="img",
        aria_label=label,
    )


def _path(below: Sequence[int], frames: Sequence[int], top: int) -> str:
    """A rectangle for each bar that is not empty."""
    gap = 0.1 if len(frames) <= _ENOUGH else 0.0
    width = f"{1 - gap:g}"
    pieces: list[str] = []
    for number, (low, more) in enumerate(zip(below, frames, strict=True)):
        if more:
            y = (100 - 100 * level / top for level in (low, low + more))
            bottom, height = (f"{place:.2f}" for place in y)
            pieces.append(f"M{number + gap / 2:g} {bottom}h{width}V{height}h-{width}z")
    return "".join(pieces)


def _said(bars: Bars, series: Sequence[Series], number: int) -> str:
    each = [f"{one.frames[number]:,} {one.name}" for one in series if one.frames[number]]
    return f"{bars.name(number)}: {'; '.join(each)}"


def _grid(top: int, part: float) -> Html:
    value = f"{top * part:,.0f}" if top * part % 1 == 0 else f"{top * part:,.1f}"
    return element("i", element("b", value), style=f"bottom:{part:.0%}")


def _axis(bars: Bars) -> Html:
    """Some times under the bars, about evenly apart."""
    return element(
        "div",
        *(
            element("span", name, style=f"left:{place / bars.many:.2%}")
            for place, name in _ticks(bars)
        ),
        css="axis",
    )


def _ticks(bars: Bars) -> list[tuple[int, str]]:
    """(bar, its time); of some days, where days begin."""
    many = min(_TICKS, bars.many)
    days = bars.step * bars.many > 2 * many * _DAY
    found: dict[int, str] = {}
    for tick in range(many):
        place = round(tick * bars.many / many)
        if days and bars.step < _DAY:
            place += -(bars.start + place * bars.step) % _DAY // bars.step
        found[place] = bars.name(place)[: 10 if days else None]
    return sorted(found.items())


def _legend(series: Sequence[Series]) -> Html:
    return element(
        "ul",
        *(
            element(
                "li",
                element("span", css=f"key c{number}"),
                element("b", f"{one.total:,}"),
                one.name,
            )
            for number, one in enumerate(series)
        ),
        css="legend",
    )


def _numbers(bars: Bars, series: Sequence[Series], totals: Sequence[int]) -> Html:
    rows = [
        (bars.name(number), *(_number(one.frames[number]) for one in series))
        for number, total in enumerate(totals)
        if total
    ]
    head = ("from (UTC)", *(one.name for one in series))
    return details("the numbers", table(head, rows, "t" + "n" * len(series)))


def _number(count: int) -> str:
    return f"{count:,}" if count else ""


def _rounded_up(value: int) -> int:
    """The next number that an axis can end at: 1, 2 or 5 with zeros."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if value <= factor * step:
                return factor * step
        step *= 10
