"""Signals of a tap: to end, to read its rules again, to say how it is doing.

Contract: a signal sets a flag and wakes who polls `fileno`; nothing is done in a handler.  Only in
the main thread.  Tested by tests/live/test_signals.py and test_tap_network.py.
"""

from __future__ import annotations

import contextlib
import signal
import socket
from types import FrameType, TracebackType
from typing import Any

_ENDING = (signal.SIGTERM, signal.SIGINT)


class Signals:
    """SIGTERM and SIGINT set `stop`, SIGHUP `reload`, SIGUSR1 `report`.

    A second SIGINT ends at once.
    """

    def __init__(self) -> None:
        self.stop = self.reload = self.report = False
        self._heard, self._told = socket.socketpair()
        for end in (self._heard, self._told):
            end.setblocking(False)
        self._before: dict[int, Any] = {}
        self._wakeup = -1

    def __enter__(self) -> Signals:
        for number in (*_ENDING, signal.SIGHUP, signal.SIGUSR1):
            self._before[number] = signal.signal(number, self._handle)
        self._wakeup = signal.set_wakeup_fd(self._told.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._heard.close()
        self._told.close()

    def fileno(self) -> int:
        """Readable when a signal came."""
        return self._heard.fileno()

    def clear(self) -> None:
        """What woke the poll is read; the flags stay."""
        with contextlib.suppress(BlockingIOError):
            while self._heard.recv(64):
                pass

    def _handle(self, number: int, _: FrameType | None) -> None:
        if number in _ENDING:
            if self.stop and number == signal.SIGINT:
                raise KeyboardInterrupt
            self.stop = True
        elif number == signal.SIGHUP:
            self.reload = True
        else:
            self.report = True
