"""The report page: one HTML file that says what rules made of captures, the answer first.

Contract: `report_page` is a pure function of a run's figures: the same figures give the same page,
to the byte, whoever gathered them.  The page loads nothing and has no script; whatever names and
rules hold is shown as text (`report.html`).  Tables hold a bounded number of rows and say what they
leave out.  Made by hand rather than by a library of charts: their megabyte of script needs a
browser that runs it, prints poorly, and would be given the names of a network to handle.
Tested by tests/report/test_page.py and test_page_browser.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ztfast
from ztfast.engine.engine import Engine
from ztfast.errors import Diagnostic, Severity, counted
from ztfast.pipeline.overview import Overview
from ztfast.pipeline.tally import VERDICTS, Tally
from ztfast.report.certainty import certainty_lines
from ztfast.report.html import Html, details, element, joined, section, table
from ztfast.report.idle_rules import idle_rules
from ztfast.report.page_answer import answer, incomplete, share
from ztfast.report.page_changes import changes_section
from ztfast.report.page_style import STYLE
from ztfast.report.page_traffic import copies_section, drops_section, pairs_section, talks_section
from ztfast.report.page_words import by_text, place_text
from ztfast.report.time_chart import time_text

_MOST_RULES, _MOST_FINDINGS, _MOST_FILES = 200, 100, 500
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class PageFacts:
    """What a page is made of.

    engine: who judged.  files: what was read, in order.  findings: what went wrong.  interrupted:
    not everything was read.  changes: against old rules, as `archive.changes.Matrix.to_json` has
    them; old: the digest of these.  missing: segments of an archive that are not counted.
    unread: files that should have been read and were not.
    """

    engine: Engine
    tally: Tally
    overview: Overview
    files: Sequence[str]
    findings: Sequence[Diagnostic] = ()
    interrupted: bool = False
    changes: Mapping[str, Any] | None = None
    old: str | None = None
    missing: int = 0
    unread: Sequence[str] = ()

    @property
    def delivered(self) -> bool:
        """Were copies followed to their targets?"""
        return self.engine.can_deliver and self.engine.forwards


def report_page(facts: PageFacts) -> str:
    """The page as text, to be written as UTF-8."""
    network = facts.engine.network
    name = network.name if network is not None and network.name else "flow rules"
    head = joined(
        (
            Html('<meta charset="utf-8">'),
            Html(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'),
            Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            element("title", f"{name}: what the rules did"),
            element("style", Html(STYLE)),
        ),
        "\n",
    )
    parts = [part for part in _parts(facts, name) if part]
    body = element("body", joined(parts, "\n"))
    return f'<!doctype html>\n<html lang="en">\n<head>\n{head}\n</head>\n{body}\n</html>\n'


def _parts(facts: PageFacts, name: str) -> Iterator[Html | None]:
    yield element("p", f"ztfast report · {name}", css="eyebrow")
    yield answer(facts.tally, facts.overview, facts.changes)
    yield incomplete(facts.files, facts.unread, facts.findings)
    yield _verdicts(facts)
    yield _certainty(facts)
    if facts.changes is not None:
        yield changes_section(facts.changes)
    yield drops_section(facts.tally, facts.overview)
    yield pairs_section(facts.tally, facts.overview)
    yield copies_section(facts.tally, facts.overview, facts.delivered)
    yield talks_section(facts.overview)
    yield _rules(facts)
    yield _provenance(facts)


def _verdicts(facts: PageFacts) -> Html:
    tally, overview = facts.tally, facts.overview
    total = tally.total
    counts = [(name, tally.verdict(name)) for name in VERDICTS.values()]
    judged = sum(count.frames for _, count in counts)
    if judged < total.frames:
        octets = total.bytes - sum(count.bytes for _, count in counts)
        counts.append(("not judged", total._replace(frames=total.frames - judged, bytes=octets)))
    colours = {"accept": 2, "drop": 3, "redirect": 0, "not judged": 8}
    bar = element(
        "div",
        *(
            element("i", css=f"c{colours[name]}", style=f"width:{count.frames / total.frames:.3%}")
            for name, count in counts
            if count.frames
        ),
        css="share",
    )
    rows = [
        (
            joined((element("span", css=f"key c{colours[name]}"), name)),
            f"{count.frames:,}",
            share(count.frames, total.frames),
            f"{count.bytes:,}",
        )
        for name, count in counts
    ]
    when = ""
    if overview.first is not None and overview.last is not None:
        when = f", from {time_text(overview.first)} to {time_text(overview.last)} UTC"
    many = "1 file" if len(facts.files) == 1 else f"{len(facts.files):,} files"
    note = f"{total.frames:,} frames, {total.bytes:,} bytes in {many}{when}"
    head = ("verdict", "frames", "share", "bytes")
    return section("Verdicts", bar, table(head, rows, "tnnN"), note=note)


def _certainty(facts: PageFacts) -> Html:
    """What the figures rest on, and what is missing from them."""
    ownership = f"ipauth={'yes' if facts.engine.assume_ipauth else 'no'}"
    lines: list[object] = []
    if facts.interrupted:
        lines.append("The run was interrupted: what comes behind is not counted.")
    if facts.missing:
        many = "1 segment is" if facts.missing == 1 else f"{facts.missing:,} segments are"
        lines.append(f"{many} not counted: they failed, or were not done.")
    lines += [_finding(found) for found in facts.findings[:_MOST_FINDINGS]]
    if len(facts.findings) > _MOST_FINDINGS:
        lines.append(f"{len(facts.findings) - _MOST_FINDINGS:,} more findings like these.")
    lines += [line[0].upper() + line[1:] for line in certainty_lines(facts.tally, ownership)]
    if not lines:
        return section(
            "How sure this is",
            element("p", "Everything was read. No verdict rests on an assumption or lacks bytes."),
        )
    items = (element("li", line) for line in lines)
    return section("How sure this is", element("ul", *items, css="plain"))


def _finding(found: Diagnostic) -> Html:
    place = found.place()
    text = f"{place}: {found.message}" if place else found.message
    bad = found.severity == Severity.ERROR
    return element("span", f"{text} ({found.code})", css="bad" if bad else None)


def _rules(facts: PageFacts) -> Html:
    """What each rule decided, and those that did nothing."""
    rows = facts.tally.rows()
    shown = [
        (row["verdict"], by_text(row), f"{row['frames']:,}", f"{row['bytes']:,}",
         place_text(row), element("span", row["rule"], css="rule"))
        for row in rows[:_MOST_RULES]
    ]  # fmt: skip
    head = ("verdict", "by", "frames", "bytes", "line", "rule")
    parts: list[Html] = [table(head, shown, "tTnNnt")]
    if len(rows) > _MOST_RULES:
        parts.append(element("p", f"{len(rows) - _MOST_RULES:,} more rules decided fewer frames."))
    idle, count = idle_rules(facts.tally, facts.overview, facts.delivered)
    note = f"{count - len(idle):,} of {count:,} rules did something"
    if idle:
        title = f"{counted(len(idle), 'rule')} decided no frame and copied none"
        some = [
            (one.place, f"cap {one.capability}" if one.capability else "",
             element("span", one.text, css="rule"))
            for one in idle[:_MOST_RULES]
        ]  # fmt: skip
        parts.append(element("h2", title, style="margin-top:1.2rem"))
        parts.append(table(("line", "in", "rule"), some, "ntt"))
        if len(idle) > _MOST_RULES:
            parts.append(element("p", f"{len(idle) - _MOST_RULES:,} more did nothing."))
    return section("Rules", *parts, note=note)


def _provenance(facts: PageFacts) -> Html:
    """What was judged, by what."""
    engine, tally = facts.engine, facts.tally
    network = engine.network
    rows: list[tuple[object, object]] = [("rules", _code(tally.policy.digest))]
    if facts.old is not None:
        rows.append(("old rules", _code(facts.old)))
    if network is not None:
        number = "unknown id" if network.id is None else f"{network.id:016x}"
        members = f"{len(network.active_members()):,} members"
        rows.append(("network", joined((_code(number), f" {network.name}, {members}"))))
    else:
        rows.append(("network", "not given: nobody is known as a member"))
    rows.append(("judged", f"as ZeroTier {engine.engine}, {_SIDES[engine.side]}"))
    if engine.draws:
        rows.append(("seed", f"{engine.seed}"))
    rows.append(("made by", f"ztfast {ztfast.__version__}"))
    files = element("ul", *(element("li", name) for name in facts.files[:_MOST_FILES]), css="plain")
    more = len(facts.files) - _MOST_FILES
    rest = element("p", f"{more:,} more") if more > 0 else ""
    return section(
        "Made from", table(("", ""), rows, "tt"), details("the files", files, rest)
    )  # fmt: skip


_SIDES = {"both": "both sides", "out": "the sender's side", "in": "the receiver's side"}


def _code(text: str) -> Html:
    return element("code", text)
