"""What a tap does in turn: blocks of frames, readers, signals, and what is due by the clock.

Contract: while frames come, nothing but them is looked at more often than every `_LOOK` seconds,
since a ring that hands blocks over every millisecond leaves little time for each.  Frames that the
loops alone can judge and send come by without any Python.
Tested by tests/live/test_tap_network.py.
"""

from __future__ import annotations

import select
import time
from collections.abc import Sequence
from typing import Protocol

from ztfast.errors import ZtfastError
from ztfast.live import loops
from ztfast.live.input import LiveInput
from ztfast.live.output import Output, Say
from ztfast.live.signals import Signals
from ztfast.live.stats import Snapshot

_COUNT_PAUSE = 0.5  # seconds between asking the kernel for its sums
_LOOK = 0.02  # seconds after which all else is looked at though lanes keep asking
_READING_PAUSE = 0.005  # between looks whether rules were read


class Reporter(Protocol):
    """Shows figures every `pause` seconds, and once at the end."""

    pause: float

    def show(self, now: Snapshot, last: bool) -> None:
        """Show them."""
        ...


class Worked(Protocol):
    """What the loop works on: a tap."""

    inputs: list[LiveInput]

    @property
    def outputs(self) -> list[Output]:
        """Every output."""
        ...

    def snapshot(self) -> Snapshot:
        """The figures now."""
        ...

    def report(self, now: Snapshot, /) -> None:
        """Show figures that a signal asked for."""
        ...


class Loop:
    """One tap's turns; over: it is to end."""

    def __init__(
        self,
        tap: Worked,
        signals: Signals,
        reporters: Sequence[Reporter],
        seconds: float | None,
        say: Say,
    ) -> None:
        self._inputs, self._outputs, self._tap = tap.inputs, tap.outputs, tap
        self._signals, self._say = signals, say
        self._watched: dict[int, LiveInput] = {}
        self._writing: dict[int, Output] = {}
        self._rounds: loops.Rounds | None = None
        now = time.monotonic()
        self.over = False
        self._end = None if seconds is None else now + seconds
        self._count_at = now + _COUNT_PAUSE
        self._reports = [(reporter, now + reporter.pause) for reporter in reporters]
        self._look_at = self._due = now
        for one in self._inputs:
            self._watch(one)

    def _watch(self, one: LiveInput) -> None:
        if one.ring is not None:
            self._watched[one.ring.fileno()] = one
            self._rounds = None

    # --- frames ------------------------------------------------------------------------------

    def work(self, reading: bool) -> None:
        """Take frames until something else is due or happens; reading: rules are read beside."""
        now = time.monotonic()
        due = min(self._due, self._look_at)
        if reading:
            due = min(due, now + _READING_PAUSE)
        for descriptor, _ in self._watching().go(due):
            if descriptor in self._watched:
                self._look(descriptor)
            elif descriptor in self._writing:
                self._writing[descriptor].flush()
            else:
                self._signals.clear()
        if any(one.ring is not None and one.lane.asked for one in self._inputs):
            self._look_at = min(self._look_at, now + _LOOK)

    def _look(self, descriptor: int) -> None:
        """Something is wrong with an interface."""
        one = self._watched[descriptor]
        one.look()
        self._look_at = 0.0
        if one.ring is None:
            del self._watched[descriptor]
            self._rounds = None

    def _watching(self) -> loops.Rounds:
        """Everything that can happen, as it is now."""
        wanted: dict[int, Output] = {}
        for output in self._outputs:
            descriptor = output.wants_to_write()
            if descriptor is not None:
                wanted[descriptor] = output
        if self._rounds is None or wanted != self._writing:
            self._writing = wanted
            others = [(self._signals.fileno(), select.POLLIN)]
            others += [(descriptor, select.POLLOUT) for descriptor in wanted]
            lanes = [one.lane for one in self._watched.values()]
            self._rounds = loops.Rounds(lanes, list(self._watched), others)
        return self._rounds

    # --- everything else ---------------------------------------------------------------------

    def is_due(self) -> bool:
        """Is it time to look at what is not frames?"""
        signals = self._signals
        if signals.stop or signals.report or signals.reload:
            return True
        now = time.monotonic()
        return now >= self._look_at or now >= self._due

    def tend(self) -> None:
        """Whatever is due by the clock, or was asked for by a signal."""
        now = time.monotonic()
        for output in self._outputs:
            output.tend(now)
        for one in self._inputs:
            if one.tend(now):
                self._watch(one)
        if now >= self._count_at:
            self._count_at = now + _COUNT_PAUSE
            for one in self._inputs:
                one.count()
        self._report(now)
        self.over = self._is_over(now)
        self._due = self._next(now)
        self._look_at = self._due

    def _is_over(self, now: float) -> bool:
        if self._signals.stop or (self._end is not None and now >= self._end):
            return True
        return bool(self._outputs) and all(output.over for output in self._outputs)

    def _report(self, now: float) -> None:
        due = [number for number, (_, at) in enumerate(self._reports) if now >= at]
        asked, self._signals.report = self._signals.report, False
        if not due and not asked:
            return
        for one in self._inputs:
            one.count()
        snapshot = self._tap.snapshot()
        if asked:
            self._tap.report(snapshot)
        for number in due:
            reporter, _ = self._reports[number]
            self._reports[number] = reporter, now + reporter.pause
            try:
                reporter.show(snapshot, False)
            except ZtfastError as error:
                self._say(str(error))

    def _next(self, now: float) -> float:
        """When something is due."""
        due = [self._count_at, *(at for _, at in self._reports)]
        due += [] if self._end is None else [self._end]
        due += [output.due for output in self._outputs if output.due is not None]
        due += [one.due for one in self._inputs if one.due is not None]
        return max(now, min(due))
