"""Telling others that a tap is ready, reads its rules again, or ends: a descriptor, or systemd.

Contract: never an error; where nobody asked nothing is told.  Tested by tests/live/test_notify.py.
"""

from __future__ import annotations

import contextlib
import os
import socket


class Notifier:
    """ready_fd: a descriptor that gets a line and is closed when the tap is ready."""

    def __init__(self, ready_fd: int | None = None) -> None:
        self._ready_fd = ready_fd
        self._address = os.environ.get("NOTIFY_SOCKET", "")

    def ready(self) -> None:
        """Every interface is open, every output is open or waits for its reader."""
        if self._ready_fd is not None:
            with contextlib.suppress(OSError):
                os.write(self._ready_fd, b"ready\n")
                os.close(self._ready_fd)
            self._ready_fd = None
        self.tell("READY=1")

    def tell(self, text: str) -> None:
        """As sd_notify(3)."""
        if not self._address.startswith(("/", "@")):
            return
        address = self._address
        if address.startswith("@"):
            address = "\0" + address[1:]
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
            to.sendto(text.encode(), address)
