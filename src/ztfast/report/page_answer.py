"""The page's first lines: what became of the frames, in a sentence and in names.

Contract: a heading, and with old rules a second sentence; texts are escaped.
Tested by tests/report/test_page.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ztfast.pipeline.overview import Overview, decider_of, ends_of
from ztfast.pipeline.tally import Tally
from ztfast.report.html import Html, element, joined
from ztfast.report.page_words import DeciderWords


def answer(tally: Tally, overview: Overview, changes: Mapping[str, Any] | None) -> Html:
    """What a reader wants to know first."""
    dropped = _dropped(tally, overview)
    if changes is None:
        return element("h1", dropped)
    return joined((element("h1", _changed(changes)), element("p", dropped)))


def _dropped(tally: Tally, overview: Overview) -> str:
    total, dropped = tally.total.frames, tally.verdict("drop").frames
    if not total:
        return "There were no frames to judge."
    if not dropped:
        return f"None of {_frames(total)} was dropped."
    head = f"{dropped:,} of {_frames(total)} ({share(dropped, total)}) were dropped"
    rows = overview.refused.rows()
    if not rows:
        return f"{head}."
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
