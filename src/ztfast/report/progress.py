"""Progress of long work: a bar on a terminal, JSON lines for machines, nothing on a pipe.

Contract: everything goes to standard error; a bar needs a terminal there; `--progress json`
writes one object a line, at most one a second and one at the end.  Counting costs next to
nothing: the screen is touched ten times a second at most.  Tested by
tests/report/test_progress.py.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, TextIO

from ztfast.errors import usage

MODES = ("auto", "json", "none")
_BAR_PAUSE = 0.1
_JSON_PAUSE = 1.0


class Progress:
    """Frames and bytes done so far; `total` bytes where they are known."""

    def __init__(
        self,
        mode: str = "auto",
        total: int | None = None,
        *,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if mode not in MODES:
            raise usage(f"unknown progress mode {mode!r}", f"use one of: {', '.join(MODES)}")
        self.frames = 0
        self.done = 0
        self._total = total
        self._stream = stream if stream is not None else sys.stderr
        self._clock = clock
        self._start = clock()
        self._json = mode == "json"
        self._next = self._start + (_JSON_PAUSE if self._json else 0)
        self._bar: Any = None
        if mode == "auto" and self._stream.isatty():
            self._bar, self._task = _bar(self._stream, total)

    def update(self, frames: int, done: int) -> None:
        """So many frames more, and `done` bytes of the input altogether."""
        self.frames += frames
        self.done = done
        if self._bar is None and not self._json:
            return
        now = self._clock()
        if now >= self._next:
            self._show(now)

    def close(self) -> None:
        """The last line, or take the bar away."""
        if self._json:
            self._write_json(self._clock(), True)
        if self._bar is not None:
            self._show(self._clock())
            self._bar.stop()
            self._bar = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    def _show(self, now: float) -> None:
        if self._json:
            self._next = now + _JSON_PAUSE
            self._write_json(now, False)
            return
        self._next = now + _BAR_PAUSE
        elapsed = now - self._start
        rate = f"{scaled(self.frames / elapsed)} frames/s" if elapsed > 0 else ""
        self._bar.update(self._task, completed=self.done, count=scaled(self.frames), rate=rate)
        self._bar.refresh()

    def _write_json(self, now: float, finished: bool) -> None:
        elapsed = now - self._start
        row: dict[str, Any] = {
            "frames": self.frames,
            "bytes": self.done,
            "seconds": round(elapsed, 3),
            "frames_per_second": round(self.frames / elapsed) if elapsed > 0 else None,
            "finished": finished,
        }
        if self._total is not None:
            row["total_bytes"] = self._total
            left = self._total - self.done
            row["seconds_left"] = round(elapsed * left / self.done, 1) if self.done else None
        self._stream.write(json.dumps(row) + "\n")
        self._stream.flush()


def scaled(number: float) -> str:
    """A number for people: 950, 12.3 k, 4.5 M, 1.2 G."""
    for unit in ("", " k", " M"):
        if number < 999.5:
            return f"{number:.0f}" if not unit else f"{number:.3g}{unit}"
        number /= 1000
    return f"{number:.3g} G"


def _bar(stream: TextIO, total: int | None) -> tuple[Any, Any]:
    """A bar of rich's: frames, rate, time left."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar

    columns: list[Any] = [TextColumn("{task.fields[count]} frames")]
    if total is not None:
        columns += [BarColumn(), TaskProgressColumn()]
    columns += [TextColumn("{task.fields[rate]}"), TimeElapsedColumn()]
    if total is not None:
        columns.append(TimeRemainingColumn())
    bar = Bar(*columns, console=Console(file=stream), transient=True, auto_refresh=False)
    bar.start()
    return bar, bar.add_task("", total=total, count="0", rate="")
