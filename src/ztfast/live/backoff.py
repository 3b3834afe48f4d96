"""When to try again: soon at first, then less and less often.

Contract: pure; the caller says what time it is, in seconds of any clock.
Tested by tests/live/test_backoff.py.
"""

from __future__ import annotations

_FIRST, _LAST, _FACTOR = 0.1, 5.0, 2.0


class Backoff:
    """Times for trying: at once, then after 0.1 s, and twice as long each time up to 5 s."""

    def __init__(self) -> None:
        self._pause = 0.0
        self.due: float | None = None  # None: nothing failed

    def failed(self, now: float) -> None:
        """It failed: when to try again is `due`."""
        self._pause = min(_LAST, self._pause * _FACTOR if self._pause else _FIRST)
        self.due = now + self._pause

    def worked(self) -> None:
        """It worked."""
        self._pause, self.due = 0.0, None

    def is_due(self, now: float) -> bool:
        """Is it time to try again?"""
        return self.due is not None and now >= self.due
