"""Signals while something is written: Ctrl-C waits for a whole record, SIGTERM ends gently.

Contract: `shielded` holds signals back until its block is done; `ended_gently` makes SIGTERM
and SIGHUP a Ctrl-C meanwhile.  In other threads than the main one both do nothing.
Tested by tests/sinks/test_output.py and tests/cli/test_filter_hostile.py.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Generator
from types import FrameType

_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


@contextlib.contextmanager
def shielded() -> Generator[None, None, None]:
    """Hold Ctrl-C back until the block is done; a second one gets through at once.

    So are SIGTERM and SIGHUP where they are handled.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    handled = {number: handler for number, handler in before.items() if callable(handler)}
    held: list[tuple[int, FrameType | None]] = []

    def hold(number: int, frame: FrameType | None) -> None:
        if held:
            handled[number](number, frame)
        held.append((number, frame))

    for number in handled:
        signal.signal(number, hold)
    try:
        yield
    finally:
        for number, handler in handled.items():
            signal.signal(number, handler)
    if held:
        handled[held[0][0]](*held[0])


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
