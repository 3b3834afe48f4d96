"""The page's first lines: what became of the frames, in a sentence and in names.

Contract: a heading, with old rules a second sentence, and what is missing from it; texts are
escaped.
Tested by tests/report/test_page.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ztfast.capture.session import LINKTYPE
from ztfast.errors import Diagnostic, Severity
from ztfast.pipeline.overview import Overview, decider_of, ends_of
from ztfast.pipeline.tally import VERDICTS, Tally
from ztfast.report.html import Html, element, joined
from ztfast.report.page_words import DeciderWords

_MOST_NAMED = 10


def answer(tally: Tally, overview: Overview, changes: Mapping[str, Any] | None) -> Html:
    """What a reader wants to know first."""
    dropped = _dropped(tally, overview)
    if changes is None:
        return element("h1", dropped)
    return joined((element("h1", _changed(changes)), element("p", dropped)))


def incomplete(
    files: Sequence[str], unread: Sequence[str], findings: Sequence[Diagnostic]
) -> Html | None:
    """Which files are not in the figures, or not whole; None: all are."""
    errors = (one for one in findings if one.severity == Severity.ERROR and one.code != LINKTYPE)
    damaged = {found.path for found in errors}
    cut = [name for name in files if name in damaged]
    parts: list[Html] = []
    if unread:
        many = "1 file is" if len(unread) == 1 else f"{len(unread):,} files are"
        parts.append(element("p", f"{many} missing, not read: ", _named(unread), ".", css="bad"))
    if cut:
        parts.append(
            element("p", "Damaged, not all of it is counted: ", _named(cut), ".", css="bad")
        )
    return joined(parts) if parts else None


def _named(names: Sequence[str]) -> Html:
    more = len(names) - _MOST_NAMED
    return joined((*names[:_MOST_NAMED], *((f"{more:,} more",) if more > 0 else ())), ", ")


def _dropped(tally: Tally, overview: Overview) -> str:
    dropped = tally.verdict("drop").frames
    total = sum(tally.verdict(name).frames for name in VERDICTS.values())
    unjudged = tally.total.frames - total
    rest = f" {_frames(unjudged)} could not be judged." if unjudged else ""
    if not total:
        return f"There were no frames to judge.{rest}"
    if not dropped:
        return f"None of {_judged(total, unjudged)} was dropped.{rest}"
    most = _most_dropped(tally, overview, total, unjudged)
    return f"{most}.{rest}" if rest else most


def _judged(count: int, unjudged: int) -> str:
    return (
        f"{_frames(count)} that {'was' if count == 1 else 'were'} judged"
        if unjudged
        else _frames(count)
    )


def _most_dropped(tally: Tally, overview: Overview, total: int, unjudged: int) -> str:
    """How many, and those that most of them are."""
    dropped = tally.verdict("drop").frames
    head = f"{dropped:,} of {_judged(total, unjudged)} ({share(dropped, total)}) were dropped"
    rows = overview.refused.rows()
    if not rows:
        return head
    key, count = rows[0]
    source, dest = (end.name(overview.members) for end in ends_of(key))
    which = "all" if count.frames == dropped else f"most often ({count.frames:,})"
    words = DeciderWords(tally.policy)(decider_of(key))
    return f"{head}, {which} from {source} to {dest}, by {words}"


def _changed(changes: Mapping[str, Any]) -> str:
    total, changed = changes["frames"], changes["changed"]
    if not changed:
        return f"None of {_frames(total)} changes from the old rules."
    head = f"{changed:,} of {_frames(total)} ({share(changed, total)}) change from the old rules"
    most = changes["rows"][0]
    which = "all" if most["frames"] == changed else f"most often ({most['frames']:,})"
    line = f", by line {most['new_line']}" if most["new_line"] else ""
    return f"{head}, {which} from {most['old']} to {most['new']}{line}."


def share(part: int, whole: int) -> str:
    """A part in percent."""
    if part == whole:
        return "100%"
    percent = 100 * part / whole
    if part and percent < 0.1:
        return "<0.1%"
    if percent > 99.9:
        return ">99.9%"
    return f"{percent:.1f}%"


def _frames(count: int) -> str:
    return "1 frame" if count == 1 else f"{count:,} frames"
