"""What a tap counts: nothing that came in or was to go out is ever missing from a sum.

Contract: of an input, received = judged + dropped by the kernel; of an output, copies = sent +
deduplicated + refused + waiting, and nothing waits once it is closed.  `missing` is what these
sums lack: anything but 0 is a fault of ours.  Pure.  Tested by tests/live/test_counters.py.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np

QUEUE_FULL, TOO_LONG, DOWN = "queue full", "too long", "interface down"
NO_READER, READER_GONE, NOT_WRITTEN = "no reader", "reader gone", "cannot be written"
NOT_EMPTIED = "left in the queue at the end"
_REASONS = {
    errno.EAGAIN: QUEUE_FULL,
    errno.ENOBUFS: QUEUE_FULL,
    errno.EMSGSIZE: TOO_LONG,
    errno.ENETDOWN: DOWN,
    errno.ENXIO: DOWN,
    errno.ENODEV: DOWN,
}


def reason(number: int) -> str:
    """Why the kernel refused a frame, by the error's number."""
    return _REASONS.get(number) or os.strerror(number).lower()


@dataclass
class InputCounts:
    """One interface: frames that came (received: as the kernel counts them), and their bytes."""

    received: int = 0
    dropped: int = 0
    judged: int = 0
    bytes: int = 0
    freezes: int = 0  # times that the ring was full
    reopened: int = 0

    @property
    def missing(self) -> int:
        """Frames of which nothing is known; what is still in the ring counts until it is read."""
        return self.received - self.dropped - self.judged

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return {**self.__dict__, "missing": self.missing}


@dataclass
class OutputCounts:
    """One output: copies that were meant for it, and what became of each."""

    copies: int = 0
    sent: int = 0
    bytes: int = 0
    deduplicated: int = 0
    waiting: int = 0
    reopened: int = 0
    refused: dict[str, int] = field(default_factory=dict)

    def refuse(self, why: str, frames: int) -> None:
        """So many frames were refused."""
        if frames:
            self.refused[why] = self.refused.get(why, 0) + frames

    @property
    def refusals(self) -> int:
        """Frames refused for any reason."""
        return sum(self.refused.values())

    @property
    def missing(self) -> int:
        """Copies of which nothing is known: 0."""
        return self.copies - self.sent - self.deduplicated - self.refusals - self.waiting

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return {**self.__dict__, "refused": dict(self.refused), "missing": self.missing}


class Latency:
    """How long frames were held, from the kernel's time stamp to behind their sending.

    Counted in steps of a quarter of each power of two: `counts[k]` frames were held for less than
    `bound(k)` microseconds and no less than the bound before, in the last step: any longer.
    counts: int64[STEPS]; total: float64[1], nanoseconds of all frames; the loops add to both.
    """

    STEPS = 100

    def __init__(self) -> None:
        self.counts = np.zeros(self.STEPS, np.int64)
        self.total = np.zeros(1, np.float64)

    @property
    def nanoseconds(self) -> float:
        """How long all frames together were held."""
        return float(self.total[0])

    @staticmethod
    def bound(step: int) -> int:
        """Microseconds under which frames of a step were held."""
        return step + 1 if step < 4 else (step % 4 + 5) << step // 4 - 1

    def add(self, nanoseconds: int, frames: int) -> None:
        """So many frames were held for so long."""
        self.counts[self.step(nanoseconds)] += frames
        self.total[0] += max(0, nanoseconds) * frames

    @classmethod
    def step(cls, nanoseconds: int) -> int:
        """The step of frames that were held for so long."""
        micros = max(0, nanoseconds) // 1000
        above = max(0, micros.bit_length() - 3)  # bits that are not told apart
        return min(4 * above + (micros >> above), cls.STEPS - 1)

    def at_most(self, share: float) -> float | None:
        """Microseconds within which that share of the frames went out; None before any did."""
        counts = self.counts.tolist()
        total = sum(counts)
        if not total:
            return None
        left = share * total
        for step, count in enumerate(counts):
            left -= count
            if left <= 0:
                return float(self.bound(step))
        return float(self.bound(self.STEPS - 1))
