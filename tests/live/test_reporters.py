"""Lines for logs, tables for who watches."""

from __future__ import annotations

import io
import json

from rich.console import Console

from tests.live.snapshots import snapshot
from ztfast.live.reporters import Lines, Screen, tables


def test_lines_of_text_and_of_json() -> None:
    out = io.StringIO()
    lines = Lines(out, 1.0)
    lines.show(snapshot(), False)
    lines.show(snapshot(4.0, 101), True)
    first, second = out.getvalue().splitlines()
    assert first.startswith("ztfast: 2.0 s, received 5")
    assert "(250/s)" in second
    out = io.StringIO()
    Lines(out, 1.0, True).show(snapshot(), False)
    assert json.loads(out.getvalue()) == snapshot().to_json()


def test_tables_for_the_screen() -> None:
    out = io.StringIO()
    Console(file=out, width=100).print(tables(snapshot(4.0, 101), snapshot(2.0)))
    text = out.getvalue()
    assert "zt0             505       250      101     404" in text
    assert "packet:to         6     1        2        3  queue full" in text
    assert "[red]fifo:x" in text
    assert "drop ethertype arp" in text


def test_a_screen_is_taken_away() -> None:
    out = io.StringIO()
    screen = Screen(out)
    screen.show(snapshot(), False)
    screen.show(snapshot(4.0), True)
    assert not screen._live.is_started
