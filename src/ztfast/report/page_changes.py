"""The page's old → new: what becomes of frames otherwise than with the old rules.

Contract: rows as `archive.changes.Matrix.to_json` has them, most frames first, each with examples.
Tested by tests/report/test_page.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ztfast.report.html import Html, element, joined, section, table
from ztfast.report.time_chart import time_text

_MOST = 100


def changes_section(changes: Mapping[str, Any]) -> Html:
    """A row a change, with its first examples."""
    rows = changes["rows"]
    note = f"of {changes['frames']:,} frames {changes['changed']:,} change from the old rules"
    if not rows:
        return section("Old rules → new rules", note=note)
    shown = [
        (f"{row['frames']:,}", _by(row, "old"), _by(row, "new"), _examples(row))
        for row in rows[:_MOST]
    ]
    head = ("frames", "old", "new", "such as (UTC)")
    parts = [table(head, shown, "nttt")]
    if len(rows) > _MOST:
        parts.append(element("p", f"{len(rows) - _MOST:,} more changes of fewer frames."))
    return section("Old rules → new rules", *parts, note=note)


def _by(row: Mapping[str, Any], which: str) -> str:
    line = row[f"{which}_line"]
    return f"{row[which]} (line {line})" if line else row[which]


def _examples(row: Mapping[str, Any]) -> Html:
    """The first frames; phones show one."""
    return joined(
        element(
            "div",
            f"{time_text(one['time'])} {one['frame']}",
            css="wrap w" if number else "wrap",
            title=f"{one['path']}: byte {one['byte']}",
        )
        for number, one in enumerate(row["examples"])
    )
