"""Ctrl-C while something is proved: the process ends at once.

Contract: within `ended_at_once` Ctrl-C ends the process with status 130, also while the solver is
in a call that Python cannot leave.  Nothing may be half written there: no file is closed.  In
other threads than the main one, and where Ctrl-C is ignored or handled by somebody else, it does
nothing.
Tested by tests/cli/test_interrupts.py.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Generator

_INTERRUPTED = 130
_MESSAGE = b"\nztfast: interrupted\n"


@contextlib.contextmanager
def ended_at_once() -> Generator[None, None, None]:
    """End the process on Ctrl-C, whatever the main thread is doing until the block is done."""
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    # A signal's number is written here as soon as it arrives; its handler has to wait for Python.
    heard, told = socket.socketpair()
    told.setblocking(False)
    before = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, _do_nothing)
    watcher = threading.Thread(target=_watch, args=(heard,), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.set_wakeup_fd(before)
        told.close()
        watcher.join()
        heard.close()


def _do_nothing(*_: object) -> None:
    """The watcher ends the process."""


def _watch(heard: socket.socket) -> None:
    while signals := heard.recv(64):
        if signal.SIGINT in signals:
            os.write(2, _MESSAGE)
            os._exit(_INTERRUPTED)
