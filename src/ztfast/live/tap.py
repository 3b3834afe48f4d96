"""The live tap: frames are taken, judged, sent and let go, block by block, until it is told to end.

Contract: one thread does all of it, so that a block is released only behind its last frame's
sending.  Every frame is counted (live/counters.py).  Rules are swapped between blocks.  What
vanishes is opened again; what is in the rings when the tap ends is judged and sent first.
Tested by tests/live/test_tap_network.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from ztfast.errors import UsageError
from ztfast.live import loops
from ztfast.live.counters import Latency
from ztfast.live.frames import Frames, Judged
from ztfast.live.input import LiveInput
from ztfast.live.judge import LiveJudge
from ztfast.live.loop import Loop, Reporter
from ztfast.live.output import Output, Say
from ztfast.live.reload import Reloading
from ztfast.live.ring import RingOptions
from ztfast.live.routes import Route, send_all
from ztfast.live.signals import Signals
from ztfast.live.stats import Snapshot, copied


class Tap:
    """A tap that is open: inputs, judge, routes.

    report: shows figures that a signal asked for.
    """

    def __init__(
        self,
        inputs: Sequence[str],
        ring: RingOptions,
        judge: LiveJudge,
        routes: Sequence[Route],
        say: Say,
        report: Callable[[Snapshot], None],
    ) -> None:
        self.judge, self.routes, self._say = judge, list(routes), say
        self.report = report
        self.latency = Latency()
        self.reloads = 0
        self._uncertain = 0
        self._began = time.monotonic()
        self.inputs = [
            LiveInput(name, number, ring, self.latency, self._bind, say)
            for number, name in enumerate(inputs)
        ]

    @property
    def outputs(self) -> list[Output]:
        """Every route's output."""
        return [route.output for route in self.routes]

    def run(
        self,
        signals: Signals,
        reloading: Reloading,
        reporters: Sequence[Reporter] = (),
        seconds: float | None = None,
        told: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Work until a signal, for `seconds`, or until no output can be written any more.

        reloading: reads the rules again.  told: is called with what systemd is to know.
        """
        loop = Loop(self, signals, reporters, seconds, self._say)
        try:
            while not loop.over:
                loop.work(reloading.busy)
                if loop.is_due():
                    loop.tend()
                    self._reload(signals, reloading, told)
        finally:
            told("STOPPING=1")
            signals.stop = True  # whatever ended it: nobody is waited for any more
            for one in self.inputs:
                one.finish()

    def _bind(self, lane: loops.Lane, room: int) -> None:
        self.judge.make_room(room)
        for route in self.routes:
            route.make_room(room)
        lane.judge_by(self.judge, [route.way for route in self.routes], self._send)

    def _send(self, judged: Judged, frames: Frames, routes: list[Route]) -> None:
        send_all(routes, self.judge, judged, frames)

    # --- rules -------------------------------------------------------------------------------

    def _reload(self, signals: Signals, reloading: Reloading, told: Callable[[str], None]) -> None:
        if signals.reload:
            signals.reload = False
            told(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
            reloading.begin()
        if reloading.busy:
            made = reloading.result()
            if made is not None:
                self.swap(made)
            if not reloading.busy:
                told("READY=1")

    def swap(self, judge: LiveJudge) -> None:
        """Judge by other rules from now on; those that the outputs cannot do with are refused."""
        try:
            for route in self.routes:
                route.bind(judge)
        except UsageError as error:
            self._say(f"the old rules stay: {error}")
            for route in self.routes:
                route.bind(self.judge)
            return
        self._uncertain += self.judge.uncertain
        self.judge = judge
        for one in self.inputs:
            one.bind()
        self.reloads += 1
        self._say(f"judging by the rules as read now ({len(judge.engine.policy.rules)} entries)")

    # --- figures -----------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """The figures now."""
        for one in self.inputs:
            one.settle()
        for route in self.routes:
            route.settle()
        inputs = {one.name: replace(one.counts) for one in self.inputs}
        return Snapshot(
            time.monotonic() - self._began,
            inputs,
            {output.name: copied(output.counts) for output in self.outputs},
            self.judge.tally(),
            self.latency,
            self._uncertain + self.judge.uncertain,
            self.reloads,
            sum(route.forgotten for route in self.routes),
        )
