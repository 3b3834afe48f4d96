"""What every output of a tap is: it takes chosen frames, counts them all, and mends itself.

Contract: `send` accounts for every frame in `counts`, and returns at once unless the user asked to
be waited for (`Waiting`); what vanished is opened again by `tend`, later and later.  `close` leaves
nothing waiting.  Tested by tests/live/test_stream_output.py and test_tap_network.py.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable

from ztfast.errors import Diagnostic, OutputError
from ztfast.live import loops
from ztfast.live.backoff import Backoff
from ztfast.live.counters import OutputCounts
from ztfast.live.frames import Chosen, Frames

Say = Callable[[str], None]


class Waiting:
    """May an output wait until it is read?  Not unless asked for, and not for ever at the end.

    wanted: frames are held back instead of dropped (`--block`).  is_told_to_end: was the tap?  It
    may be asked from within the waiting, which a signal must be able to end.
    """

    GRACE = 2.0  # seconds that a tap still waits once it is to end

    def __init__(self, wanted: bool = False) -> None:
        self.wanted = wanted
        self.is_told_to_end: Callable[[], bool] = lambda: False
        self._since: float | None = None

    def __bool__(self) -> bool:
        if not self.wanted or not self.is_told_to_end():
            return self.wanted
        if self._since is None:
            self._since = time.monotonic()
        return time.monotonic() < self._since + self.GRACE


class Output(ABC):
    """One output; name: as it was asked for.  why_not: what refuses frames while it is not open.

    direct: what the loops can send to by themselves, while it has a descriptor; None: nothing.
    """

    why_not: str
    direct: loops.Messages | loops.Records | None = None

    def __init__(self, name: str, waiting: Waiting, say: Say) -> None:
        self.name, self.counts = name, OutputCounts()
        self._waiting, self._say = waiting, say
        self._backoff = Backoff()
        self._opened = 0

    @property
    def due(self) -> float | None:
        """When `tend` has something to do, by the monotonic clock."""
        return self._backoff.due

    @property
    def over(self) -> bool:
        """Can it never be written again?"""
        return False

    def settle(self) -> None:
        """Count what the loops sent by themselves."""
        if self.direct is not None:
            self.counts.sent += self.direct.sent
            self.counts.bytes += self.direct.octets
            self.direct.sent = self.direct.octets = 0

    @abstractmethod
    def send(self, frames: Frames, chosen: Chosen, count: int) -> None:
        """Send the first `count` chosen frames."""

    @abstractmethod
    def _open(self) -> None:
        """Open it; raises OSError or OutputError."""

    def open(self) -> None:
        """Open it for the first time; raises OutputError where it cannot be meant."""
        try:
            self._open()
        except OSError as error:
            if isinstance(error, OutputError):
                raise
            raise self._failure(error) from None
        self._opened = 1

    def tend(self, now: float) -> None:
        """Open it again where that is due."""
        if not self._backoff.is_due(now):
            return
        try:
            self._open()
        except OSError:
            self._backoff.failed(now)
            return
        self._backoff.worked()
        self.counts.reopened += self._opened
        self._say(f"{self.name}: opened{' again' if self._opened else ''}")
        self._opened = 1

    def wants_to_write(self) -> int | None:
        """A descriptor on whose being writable it waits, or None."""
        return None

    def flush(self) -> None:  # noqa: B027  (most have nothing to flush)
        """That descriptor can be written to."""

    @abstractmethod
    def close(self) -> None:
        """Finish it; raises OutputError."""

    def _lost(self, why: str) -> None:
        """It vanished: try again later."""
        self._say(f"{self.name}: {why}; frames for it are counted as refused until it is back")
        self._backoff.failed(time.monotonic())

    def _failure(self, error: OSError) -> OutputError:
        why = (error.strerror or str(error)).lower()
        return OutputError(Diagnostic("ZT641", f"cannot be sent to: {why}", path=self.name))
