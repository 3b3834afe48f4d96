"""Showing a tap's figures while it works: lines for logs, or a screen for who watches.

Contract: everything goes to the given stream, which is standard error.
Tested by tests/live/test_reporters.py.
"""

from __future__ import annotations

import json
from typing import Any, TextIO

from ztfast.live.stats import Snapshot, line
from ztfast.pipeline.tally import VERDICTS
from ztfast.report.progress import scaled

_SCREEN_PAUSE = 0.5
_MOST_RULES = 12
_RULE_WIDTH = 60


class Lines:
    """A line every `pause` seconds, as text or as a JSON object."""

    def __init__(self, stream: TextIO, pause: float, as_json: bool = False) -> None:
        self.pause = pause
        self._stream, self._json = stream, as_json
        self._before: Snapshot | None = None

    def show(self, now: Snapshot, last: bool) -> None:
        """Write one line."""
        text = json.dumps(now.to_json()) if self._json else f"ztfast: {line(now, self._before)}"
        self._before = now
        self._stream.write(text + "\n")
        self._stream.flush()


class Screen:
    """Tables on a terminal, drawn anew twice a second, taken away at the end."""

    pause = _SCREEN_PAUSE

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live

        self._before: Snapshot | None = None
        self._live = Live(
            console=Console(file=stream), auto_refresh=False, transient=True, redirect_stderr=True
        )
        self._live.start()

    def show(self, now: Snapshot, last: bool) -> None:
        """Draw it, or take it away."""
        if last:
            self._live.stop()
            return
        self._live.update(tables(now, self._before), refresh=True)
        self._before = now


def tables(now: Snapshot, before: Snapshot | None) -> Any:
    """Inputs, outputs and the rules that decide most, side by side as far as there is room."""
    from rich.console import Group

    return Group(_inputs(now, before), _outputs(now), _rules(now))


def _inputs(now: Snapshot, before: Snapshot | None) -> Any:
    table = _table("interface", "received", "frames/s", "dropped", "judged")
    seconds = now.seconds - (before.seconds if before is not None else 0.0)
    for name, counts in now.inputs.items():
        old = before.inputs[name].received if before is not None else 0
        rate = scaled((counts.received - old) / seconds) if seconds > 0 else ""
        table.add_row(
            _plain(name), *_numbers(counts.received), rate, *_numbers(counts.dropped, counts.judged)
        )
    return table


def _outputs(now: Snapshot) -> Any:
    table = _table("output", "copies", "sent", "doubles", "refused", "why")
    for name, counts in now.outputs.items():
        why = ", ".join(counts.refused)
        numbers = _numbers(counts.copies, counts.sent, counts.deduplicated, counts.refusals)
        table.add_row(_plain(name), *numbers, why)
    return table


def _rules(now: Snapshot) -> Any:
    table = _table("verdict", "frames", "line", "rule")
    for name in VERDICTS.values():
        table.add_row(name, *_numbers(now.tally.verdict(name).frames), "", "")
    for row in now.tally.rows()[:_MOST_RULES]:
        line_text = "" if row["line"] is None else str(row["line"])
        table.add_row(
            row["verdict"], *_numbers(row["frames"]), line_text, _plain(row["rule"][:_RULE_WIDTH])
        )
    median = now.latency.at_most(0.5)
    table.caption = "" if median is None else f"half of the frames were held under {median:.0f} µs"
    return table


def _table(*names: str) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in names:
        numeric = name not in ("interface", "output", "why", "verdict", "rule")
        table.add_column(name, justify="right" if numeric else "left", no_wrap=True)
    return table


def _plain(text: str) -> Any:
    """Text of others, in which nothing is markup."""
    from rich.text import Text

    return Text(text)


def _numbers(*values: int) -> tuple[str, ...]:
    return tuple(f"{value:,}" for value in values)
