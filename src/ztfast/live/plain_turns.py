"""The live tap's turns in plain Python: what `Lane` and `Rounds` of `ztfast/_tap.pyx` do, slower.

Contract: blocks are taken, judged, sent and given back, ring by ring, until something else is to be
done; each class says here what both do.  Tested by tests/live/test_plain_turns.py, for both.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ztfast.live.counters import Latency
from ztfast.live.frames import Frames, Judged
from ztfast.live.plain_loops import Int64s, Joiner, Walker
from ztfast.live.plain_ways import Way

MOST_BLOCKS = 4  # of a ring that are taken at a time
TURNS = 64  # of one ring before the others get theirs

Send = Callable[[Judged, Frames, list[Any]], None]


class Judge(Protocol):
    """What a lane needs of a live.judge.LiveJudge, which says what it is."""

    first: int

    @property
    def joiner(self) -> Joiner | None:
        """It."""
        ...

    def quick(self, rows: int) -> Judged:
        """It."""
        ...

    def rest(self, frames: Frames, rows: int) -> Judged:
        """It."""
        ...


class Lane:
    """One ring's blocks, from the kernel to behind their sending.

    walker: walks the ring, into the columns of `frames`.  held, total: to what is counted for how
    long frames were held, as in live.counters.Latency.
    judged, octets: frames judged so far, and bytes that they had.  asked: more than the loops had
    to be asked, so that others may have something to do; who wants to know sets it back.
    """

    def __init__(
        self, walker: Walker, frames: Frames, held: Int64s, total: npt.NDArray[np.float64]
    ) -> None:
        self._walker, self._frames, self._raw = walker, frames, frames.raw()
        self._held, self._total = held, total
        self._current = 0
        self.judged = self.octets = 0
        self.asked = False

    def judge_by(self, judge: Judge, ways: list[Way], send: Send) -> None:
        """Judge by these rules from now on, and let the frames go these ways.

        send: is given what was judged, the frames, and the routes that they cannot go directly.
        """
        self._judge, self._ways, self._send = judge, ways, send

    def turn(self) -> bool:
        """Take the next blocks, as many as are ready, up to MOST_BLOCKS: may there be more?"""
        found, taken, octets = self._walker.walk(self._current, MOST_BLOCKS)
        if not taken:
            return False
        try:
            if found:
                self._pass_on(self._frames._replace(size=found, octets=octets))
        finally:
            self._walker.release(self._current, taken)
            self._current = (self._current + taken) % self._walker.blocks
        self.judged += found
        self.octets += octets
        return taken == MOST_BLOCKS

    def _pass_on(self, frames: Frames) -> None:
        """Judge the frames, send them, note how long they were held."""
        judge = self._judge
        rows, apart = 0, frames.size
        if judge.joiner is not None:
            rows, apart = judge.joiner.judge(self._raw, judge.first, frames.size)
        judged = judge.rest(frames, rows) if apart else judge.quick(rows)
        judge.first += frames.size
        self.asked |= bool(apart)
        self._pass_out(judged, frames)
        self._note(frames.size)

    def _pass_out(self, judged: Judged, frames: Frames) -> None:
        others: list[Any] = []
        for way in self._ways:
            if way.direct is None or way.direct.descriptor < 0:
                others.append(way.route)
                continue
            found = way.pick(judged, frames)
            if found:
                self.asked |= not way.direct.send(frames, way.chosen, found)
        if others:
            self.asked = True
            self._send(judged, frames, others)

    def _note(self, count: int) -> None:
        """So many frames are behind everything."""
        now = time.time_ns()
        for at in self._frames.columns.times[:count].tolist():
            self._held[Latency.step(now - at)] += 1
            self._total[0] += max(0, now - at)


class Rounds:
    """Turns of all lanes, and waiting for their rings and for others.

    rings: the lanes' descriptors.  others: descriptors with the events that they are polled for.
    """

    def __init__(
        self, lanes: Sequence[Lane], rings: Sequence[int], others: Sequence[tuple[int, int]]
    ) -> None:
        self._lanes, self._rings = list(lanes), set(rings)
        self._poll = select.poll()
        for descriptor in rings:
            self._poll.register(descriptor, select.POLLIN | select.POLLERR)
        for descriptor, events in others:
            self._poll.register(descriptor, events)

    def go(self, due: float) -> list[tuple[int, int]]:
        """Take turns until `due`, by the monotonic clock, or until something else is to be done.

        Returns (descriptor, events) of the others, and of rings with which something is wrong.  It
        also returns where a signal came, and where a lane asked more than the loops.
        """
        while True:
            more = asked = False
            for lane in self._lanes:
                lane.asked = False
                more |= all(lane.turn() for _ in range(TURNS))
                asked |= lane.asked
            left = 0.0 if more or asked else max(0.0, due - time.monotonic())
            told = [one for one in self._poll.poll(left * 1000) if not self._is_frames(*one)]
            if told or asked or time.monotonic() >= due:
                return told

    def _is_frames(self, descriptor: int, events: int) -> bool:
        return descriptor in self._rings and events == select.POLLIN
