"""Figures of a moment: as a line, as an object, and do they add up."""

from __future__ import annotations

import json

from tests.live.snapshots import snapshot
from ztfast.live.stats import copied, line


def test_a_line_says_all_of_it() -> None:
    assert line(snapshot()) == (
        "2.0 s, received 5 (2/s), dropped by the kernel 1, accept 3, drop 1, redirect 0, "
        "packet:to: 1 sent + 2 doubles + 3 refused (queue full), [red]fifo:x: 0 sent"
    )


def test_rates_are_since_the_line_before() -> None:
    assert "received 505 (250/s)" in line(snapshot(4.0, 101), snapshot(2.0))


def test_as_an_object() -> None:
    figures = json.loads(json.dumps(snapshot().to_json()))
    assert figures["inputs"]["zt0"]["missing"] == 0
    assert figures["outputs"]["packet:to"]["refused"] == {"queue full": 3}
    assert figures["verdicts"]["accept"] == {"frames": 3, "bytes": 180}
    assert [(row["line"], row["frames"]) for row in figures["rules"]] == [(2, 3), (1, 1)]
    assert figures["latency_us"]["0.5"] == 768.0


def test_what_is_missing_is_seen() -> None:
    now = snapshot()
    assert now.adds_up
    now.outputs["packet:to"].sent = 0
    assert not now.adds_up


def test_a_copy_stays_as_it_is() -> None:
    counts = snapshot().outputs["packet:to"]
    kept = copied(counts)
    counts.refuse("queue full", 1)
    assert kept.refused == {"queue full": 3}
