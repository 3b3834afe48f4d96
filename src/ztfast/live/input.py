"""One interface as a tap reads it: its ring, its counts, and opening it again when it vanished.

Contract: the sums of `counts` cover every ring that was ever open; what a ring still holds when its
interface is gone is taken before it is given up.  Tested by tests/live/test_tap_network.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ztfast.errors import CaptureError
from ztfast.live import loops
from ztfast.live.backoff import Backoff
from ztfast.live.counters import InputCounts, Latency
from ztfast.live.output import Say
from ztfast.live.ring import Ring, RingOptions

Bind = Callable[[loops.Lane, int], None]
_MILLISECOND = 0.001


class LiveInput:
    """An interface by name, with the lane that its frames go through while it is there.

    latency: what is counted to.  bind: tells a new lane what to do with so many frames at most.
    """

    lane: loops.Lane

    def __init__(
        self, name: str, number: int, options: RingOptions, latency: Latency, bind: Bind, say: Say
    ) -> None:
        self.name, self.counts = name, InputCounts()
        self._number, self._options, self._latency = number, options, latency
        self._bind, self._say = bind, say
        self._backoff = Backoff()
        self.ring: Ring | None = None
        self._open()

    def _open(self) -> None:
        ring = Ring(self.name, self._number, self._options)
        self.lane = loops.Lane(ring.walker, ring.frames, self._latency.counts, self._latency.total)
        self.ring = ring
        self.bind()

    def bind(self) -> None:
        """Tell the lane what is to be done with its frames from now on."""
        if self.ring is not None:
            self._bind(self.lane, self.ring.room)

    @property
    def due(self) -> float | None:
        """When to try to open it again."""
        return self._backoff.due

    def look(self) -> None:
        """The kernel said that something is wrong with it."""
        if self.ring is not None and self.ring.is_gone:
            self._say(f"{self.name}: the interface is gone; it is opened again when it is back")
            self.finish()
            self._backoff.failed(time.monotonic())

    def tend(self, now: float) -> bool:
        """Open it again where that is due: did it work?"""
        if not self._backoff.is_due(now):
            return False
        try:
            self._open()
        except (CaptureError, OSError):
            self._backoff.failed(now)
            return False
        self._backoff.worked()
        self.counts.reopened += 1
        self._say(f"{self.name}: opened again")
        return True

    def count(self) -> None:
        """Ask the kernel for its sums."""
        if self.ring is not None:
            received, dropped, freezes = self.ring.statistics()
            self.counts.received += received
            self.counts.dropped += dropped
            self.counts.freezes += freezes
        self.settle()

    def settle(self) -> None:
        """Add what the lane counted."""
        if self.ring is not None:
            self.counts.judged += self.lane.judged
            self.counts.bytes += self.lane.octets
            self.lane.judged = self.lane.octets = 0

    def finish(self) -> None:
        """Let nothing more in, take what is there, and close it."""
        if self.ring is None:
            return
        self.ring.stop()
        for _ in range(3):  # a block that is not full is handed over after a while
            time.sleep(self._options.retire_ms * _MILLISECOND + _MILLISECOND)
            while self.lane.turn():
                pass
        self.count()
        ring, self.ring = self.ring, None
        del self.lane
        ring.close()
