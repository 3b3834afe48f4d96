"""Progress: a bar on a terminal only, JSON lines on demand, nothing on a pipe."""

from __future__ import annotations

import io
import json

import pytest

from ztfast.errors import UsageError
from ztfast.report.progress import Progress, scaled


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def work(progress, clock, steps=50):
    with progress:
        for i in range(steps):
            clock.now += 0.25
            progress.update(1000, (i + 1) * 200)


def test_nothing_on_a_pipe():
    out, clock = io.StringIO(), Clock()
    work(Progress("auto", 10_000, stream=out, clock=clock), clock)
    assert out.getvalue() == ""


def test_none():
    out, clock = Terminal(), Clock()
    work(Progress("none", 10_000, stream=out, clock=clock), clock)
    assert out.getvalue() == ""


@pytest.mark.parametrize("total", [10_000, None])
def test_bar(total, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm")
    out, clock = Terminal(), Clock()
    work(Progress("auto", total, stream=out, clock=clock), clock)
    text = out.getvalue()
    assert "50 k frames" in text
    assert "4 k frames/s" in text
    assert ("100%" in text) == (total is not None)


def test_json():
    out, clock = io.StringIO(), Clock()
    work(Progress("json", 20_000, stream=out, clock=clock), clock)
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(rows) == 13  # one a second for 12.5 seconds, and the last
    assert rows[-1] == {
        "frames": 50_000,
        "bytes": 10_000,
        "seconds": 12.5,
        "frames_per_second": 4000,
        "finished": True,
        "total_bytes": 20_000,
        "seconds_left": 12.5,
    }
    assert [row["finished"] for row in rows] == [False] * 12 + [True]


def test_json_without_total_or_time():
    out, clock = io.StringIO(), Clock()
    Progress("json", stream=out, clock=clock).close()
    (row,) = map(json.loads, out.getvalue().splitlines())
    assert row == {
        "frames": 0,
        "bytes": 0,
        "seconds": 0.0,
        "frames_per_second": None,
        "finished": True,
    }


def test_unknown_mode():
    with pytest.raises(UsageError, match="fancy"):
        Progress("fancy")


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (950, "950"), (12_345, "12.3 k"), (4_500_000, "4.5 M"), (1.2e9, "1.2 G")],
)
def test_scaled(number, text):
    assert scaled(number) == text
