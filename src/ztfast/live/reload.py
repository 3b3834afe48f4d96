"""Reading rules again while frames pass: beside, in a thread; the old ones judge until then.

Contract: `begin` starts it, `result` gives the new judge once it is ready, or says why there is
none and gives None; then nothing has changed.  Tested by tests/live/test_reload.py.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from ztfast.errors import ZtfastError
from ztfast.live.judge import LiveJudge

Make = Callable[[], LiveJudge]
Refused = Callable[[Exception], None]


class Reloading:
    """At most one reading at a time; another one asked for meanwhile follows it."""

    def __init__(self, make: Make, refused: Refused) -> None:
        self._make, self._refused = make, refused
        self._thread: threading.Thread | None = None
        self._made: LiveJudge | None = None
        self._error: Exception | None = None
        self._again = False

    @property
    def busy(self) -> bool:
        """Is something being read, or read and not fetched?"""
        return self._thread is not None

    def begin(self) -> None:
        """Start reading."""
        if self._thread is not None:
            self._again = True
            return
        self._made = self._error = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            self._made = self._make()
        except (ZtfastError, OSError, MemoryError, RecursionError) as error:
            self._error = error

    def result(self, wait: bool = False) -> LiveJudge | None:
        """The new judge, once; wait: until it is ready."""
        if self._thread is None:
            return None
        if wait:
            self._thread.join()
        if self._thread.is_alive():
            return None
        self._thread = None
        if self._error is not None:
            self._refused(self._error)
        if self._again:
            self._again = False
            self.begin()
        return self._made
