"""One interface as a tap reads it: its ring, its counts, and opening it again when it vanished.

Contract: the sums of `counts` cover every ring that was ever open; what a ring still holds when its
interface is gone is taken before it is given up.  Tested by tests/live/test_tap_network.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ztfast.errors import CaptureError
from ztfast.live.backoff import Backoff
from ztfast.live.counters import InputCounts
from ztfast.live.frames import Frames
from ztfast.live.output import Say
from ztfast.live.ring import Ring, RingOptions

Take = Callable[[Frames], None]
_MILLISECOND = 0.001


class LiveInput:
    """An interface by name; take: what is done with its frames, which are released behind it."""

    def __init__(self, name: str, number: int, options: RingOptions, take: Take, say: Say) -> None:
        self.name, self.counts = name, InputCounts()
        self._number, self._options, self._take, self._say = number, options, take, say
        self._backoff = Backoff()
        self.ring: Ring | None = Ring(name, number, options)

    @property
    def due(self) -> float | None:
        """When to try to open it again."""
        return self._backoff.due

    def work(self) -> bool:
        """Take blocks that are ready, some at a time: may there be more?"""
        ring = self.ring
        frames = None if ring is None else ring.take()
        if ring is None or frames is None:
            return False
        try:
            if frames.size:
                self._take(frames)
        finally:
            more = ring.may_hold_more
            ring.release()
        self.counts.judged += frames.size
        return more

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
            self.ring = Ring(self.name, self._number, self._options)
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

    def finish(self) -> None:
        """Let nothing more in, take what is there, and close it."""
        if self.ring is None:
            return
        self.ring.stop()
        for _ in range(3):  # a block that is not full is handed over after a while
            time.sleep(self._options.retire_ms * _MILLISECOND + _MILLISECOND)
            while self.work():
                pass
        self.count()
        ring, self.ring = self.ring, None
        ring.close()
