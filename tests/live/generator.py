"""`python -m tests.live.generator IFACE CAPTURE COUNT RATE [SECONDS]`: a capture into an interface.

Sends its frames over and over, whole ones, many a system call (the tap's own `send`), RATE frames a
second (0: as fast as it goes), for SECONDS at most.  Prints frames sent and seconds.
"""

from __future__ import annotations

import socket
import sys
import time

import numpy as np

import ztfast
from ztfast.capture.packets import PacketBatch
from ztfast.live import loops

_BYPASS = 20
_AT_ONCE = 64
_SPIN = 0.0002


class Generator:
    """An interface, and the frames of a capture."""

    def __init__(self, interface: str, capture: str) -> None:
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(263, _BYPASS, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, 32, 8 << 20)
        self.socket.bind((interface, 0))
        with ztfast.open_capture(capture) as source:
            batch: PacketBatch = next(filter(len, source.batches()))
        self.buffer = np.frombuffer(bytes(batch.buffer), np.uint8)
        self.offsets, self.captured = batch.offsets.copy(), batch.captured.copy()
        self.index = np.arange(len(batch))
        self.errors = np.zeros(256, np.uint64)
        self.none = np.zeros(0, np.uint8)

    def run(self, count: int, rate: float, seconds: float = 3600.0) -> tuple[int, float]:
        """(frames sent, seconds that it took)."""
        begun = time.perf_counter()
        sent = at = 0
        now = begun
        while sent < count and now - begun < seconds:
            some = min(_AT_ONCE, count - sent, len(self.index) - at)
            at = self._send(at, at + some)
            sent += some
            at = 0 if at == len(self.index) else at
            due = begun + sent / rate if rate else 0.0
            now = time.perf_counter()
            while now < due:
                if due - now > _SPIN:
                    time.sleep(due - now - _SPIN / 2)
                now = time.perf_counter()
        return sent, now - begun

    def _send(self, first: int, end: int) -> int:
        """Send frames; a full queue is waited for."""
        while first < end:
            first, _, _ = loops.send(
                self.socket.fileno(),
                self.buffer,
                self.offsets,
                self.index,
                self.captured,
                first,
                end,
                self.none,
                True,
                self.errors,
            )
        assert not self.errors.any(), np.flatnonzero(self.errors)
        return first


def main() -> None:
    """Send, and say what was sent."""
    interface, capture, count, rate, *rest = sys.argv[1:]
    generator = Generator(interface, capture)
    sent, took = generator.run(int(count), float(rate), *map(float, rest))
    print(sent, f"{took:.6f}")


if __name__ == "__main__":
    main()
