"""The page's traffic: drops and copies over time, dropped pairs, who sends to whom.

Contract: sections, each of a bounded number of rows, which say what they leave out.
Tested by tests/report/test_page.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ztfast.pipeline.column_sums import TimeSums
from ztfast.pipeline.count import Count
from ztfast.pipeline.deliveries import Kind
from ztfast.pipeline.overview import End, Overview, decider_of, ends_of
from ztfast.pipeline.tally import Tally
from ztfast.report.html import Html, element, joined, section, table
from ztfast.report.page_answer import share
from ztfast.report.page_words import DeciderWords
from ztfast.report.progress import scaled
from ztfast.report.time_chart import bars_of, chart, series_of

_MOST_PAIRS, _MOST_ENDS, _MOST_LOST, _MOST_TARGETS = 25, 14, 12, 50


def drops_section(tally: Tally, overview: Overview) -> Html:
    """Dropped frames by time and rule."""
    counts: dict[str, list[tuple[int, int]]] = {}
    words = DeciderWords(tally.policy)
    for key, count in overview.drops.rows():
        counts.setdefault(words(decider_of(key)), []).append((key[0], count.frames))
    if not counts:
        return section("Dropped frames over time", element("p", "No frame was dropped."))
    return _over_time("Dropped frames", overview, overview.drops, counts, "other rules")


def _over_time(
    title: str,
    overview: Overview,
    sums: TimeSums,
    counts: Mapping[str, Sequence[tuple[int, int]]],
    others: str,
    *more: Html,
) -> Html:
    assert overview.first is not None
    assert overview.last is not None
    bars = bars_of(overview.first, overview.last, sums.span)
    drawn = chart(f"{title} over time", bars, series_of(bars, counts, others))
    note = f"frames a {bars.span}, UTC"
    if bars.many == 1:
        note = f"all within a {bars.span} from {bars.name(0)} UTC on"
    return section(f"{title} over time", drawn, *more, note=note)


def pairs_section(tally: Tally, overview: Overview) -> Html | None:
    """Who lost most frames to whom, by which rule."""
    rows = overview.refused.rows()
    if not rows:
        return None
    dropped = tally.verdict("drop").frames
    shown: list[Sequence[object]] = []
    words = DeciderWords(tally.policy)
    for key, count in rows[:_MOST_PAIRS]:
        source, dest = (end.name(overview.members) for end in ends_of(key))
        rule = element("span", words(decider_of(key)), css="rule")
        cells = f"{count.frames:,}", share(count.frames, dropped), f"{count.bytes:,}"
        shown.append((source, dest, *cells, rule))
    head = ("from", "to", "frames", "share", "bytes", "rule")
    rest = overview.refused.others.frames + sum(count.frames for _, count in rows[_MOST_PAIRS:])
    note = f"{rest:,} more dropped frames are of other pairs" if rest else ""
    short = overview.refused.short
    if short:
        note += f"; there were too many pairs to keep: each may have up to {short:,} frames more"
    return section("Most dropped pairs", table(head, shown, "ttnNNt"), note=note)


def copies_section(tally: Tally, overview: Overview, delivered: bool) -> Html | None:
    """Copies and redirects by time and target, and why some did not arrive."""
    counts: dict[str, list[tuple[int, int]]] = {}
    for (time, kind, to), count in overview.copies.rows():
        words = f"{Kind(kind).name.lower()} to {_target(overview, to)}"
        counts.setdefault(words, []).append((time, count.frames))
    tables = _delivery_tables(tally, overview) if delivered else []
    if counts:
        what = "Copies that arrived" if delivered else "Copies that were sent"
        return _over_time(what, overview, overview.copies, counts, "other targets", *tables)
    return section("Copies", *tables) if tables else None


def _delivery_tables(tally: Tally, overview: Overview) -> list[Html]:
    if tally.deliveries is None:
        return []
    from ztfast.pipeline.delivery_tally import reason

    copies, lost = tally.deliveries.copies(), tally.deliveries.lost(tally.deliveries.COPIES)
    if not copies:
        return []
    rows = [
        (kind.name.lower(), _target(overview, to), f"{sent.frames:,}", f"{here.frames:,}",
         f"{here.bytes:,}")
        for kind, to, sent, here in copies[:_MOST_TARGETS]
    ]  # fmt: skip
    found = [table(("copy", "to", "sent", "arrived", "bytes arrived"), rows, "ttnnN")]
    items = (
        element("li", f"{count.frames:,} by {key[0].name.lower()} to {_target(overview, key[1])} "
                f"did not arrive: {reason(key)}")
        for key, count in lost[:_MOST_LOST]
    )  # fmt: skip
    return [*found, element("ul", *items, css="plain")] if lost else found


def _target(overview: Overview, address: int) -> str:
    address &= 2**64 - 1
    return overview.members.get(address, f"{address:010x}")


def talks_section(overview: Overview) -> Html | None:
    """Who sends to whom: bytes between those who send and get most."""
    pairs = [(ends_of(key), count) for key, count in overview.talks.rows()]
    if not pairs:
        return None
    sums: dict[End, int] = {}
    for ends, count in pairs:
        for end in ends:
            sums[end] = sums.get(end, 0) + count.bytes
    order = sorted(sums, key=lambda end: (-sums[end], end))[:_MOST_ENDS]
    octets = {ends: count for ends, count in pairs if set(ends) <= set(order)}
    every = sum(count.bytes for _, count in pairs) + overview.talks.others.bytes
    here = sum(count.bytes for count in octets.values())
    note = f"bytes, rows send to columns; {share(here, every)} of all bytes"
    if len(sums) > len(order):
        note += f"; {len(sums) - len(order):,} ends with fewer are left out"
    return section("Who sends to whom", _matrix(overview, order, octets), note=note)


def _matrix(
    overview: Overview, order: Sequence[End], octets: Mapping[tuple[End, End], Count]
) -> Html:
    names = [end.name(overview.members) for end in order]
    most = max((count.bytes for count in octets.values()), default=1) or 1
    head = joined(element("th", element("span", name), scope="col") for name in names)
    rows: list[Html] = []
    for source, name in zip(order, names, strict=True):
        cells = [_cell(octets.get((source, dest)), most) for dest in order]
        if any(octets.get((source, dest)) for dest in order):
            rows.append(element("tr", element("th", name, scope="row", title=name), *cells))
    top = element("thead", element("tr", element("th", "from \\ to"), head))
    return element(
        "div", element("table", top, element("tbody", *rows), css="matrix"), css="scroll"
    )


def _cell(count: Count | None, most: int) -> Html:
    if count is None:
        return element("td")
    depth = max(5, round(100 * count.bytes / most))
    title = f"{count.frames:,} frames, {count.bytes:,} bytes"
    return element("td", scaled(count.bytes), css="heat", style=f"--w:{depth}%", title=title)
