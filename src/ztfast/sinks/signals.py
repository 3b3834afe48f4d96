"""Signals while something is written: Ctrl-C waits for a whole record, SIGTERM ends gently.

Contract: `shielded` holds signals back until its block is done, `held` says that one came and drops
it; `ended_gently` makes SIGTERM and SIGHUP a Ctrl-C meanwhile.  In other threads than the main one
they do nothing.
Tested by tests/sinks/test_signals.py and tests/cli/test_filter_hostile.py.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Generator
from types import FrameType
from typing import Any, ClassVar

Handler = Callable[[int, "FrameType | None"], Any]
_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


class Held:
    """Signals that are held back; a second one gets through at once."""

    blocks: ClassVar[int] = 0  # of the main thread that hold signals back at the moment

    def __init__(self, handlers: dict[int, Handler]) -> None:
        self._handlers = handlers
        self._came: tuple[int, FrameType | None] | None = None

    @property
    def came(self) -> bool:
        """Is one held back?"""
        return self._came is not None

    def begin(self) -> None:
        """Hold signals back from now on."""
        Held.blocks += bool(self._handlers)
        for number in self._handlers:
            signal.signal(number, self._hold)

    def end(self) -> None:
        """Signals arrive again from now on."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        Held.blocks -= bool(self._handlers)

    def arrive(self) -> None:
        """What was held back arrives now."""
        came, self._came = self._came, None
        if came is not None:
            self._handlers[came[0]](*came)

    @contextlib.contextmanager
    def let_through(self) -> Generator[None, None, None]:
        """Signals arrive within the block, also the one that was held back until then."""
        try:
            self.end()
            self.arrive()
            yield
        finally:
            self.begin()

    def _hold(self, number: int, frame: FrameType | None) -> None:
        if self._came is not None:
            self._handlers[number](number, frame)
        self._came = number, frame


@contextlib.contextmanager
def held() -> Generator[Held, None, None]:
    """Hold Ctrl-C back within the block, and SIGTERM and SIGHUP where they are handled."""
    main = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in _SIGNALS if main}
    signals = Held({number: it for number, it in before.items() if callable(it)})
    signals.begin()
    try:
        yield signals
    finally:
        signals.end()


@contextlib.contextmanager
def shielded() -> Generator[None, None, None]:
    """The same, and what was held back arrives when the block is done.

    Inside a block that holds signals back already nothing is done, quickly: that one holds them.
    """
    if Held.blocks and threading.current_thread() is threading.main_thread():
        yield
        return
    with held() as signals:
        yield
    signals.arrive()


@contextlib.contextmanager
def ended_gently() -> Generator[None, None, None]:
    """SIGTERM and SIGHUP are a Ctrl-C meanwhile, unless they are handled or ignored already.

    `kill`, `timeout`, systemd and a closed terminal send them; and a shell's background job
    ignores Ctrl-C, so nothing else could end it without loss.
    """
    mine = []
    if threading.current_thread() is threading.main_thread():
        others = [number for number in _SIGNALS if number != signal.SIGINT]
        mine = [number for number in others if signal.getsignal(number) is signal.SIG_DFL]
    for number in mine:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in mine:
            signal.signal(number, signal.SIG_DFL)
