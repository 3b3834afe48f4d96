"""Random choices read from bytes: generators made for a seed become steerable, byte by byte."""

from __future__ import annotations

import random


class ByteRandom(random.Random):
    """A `random.Random` whose every draw comes from given bytes; then from zeros."""

    def __init__(self, data: bytes) -> None:
        super().__init__(0)
        self._data, self._at = data, 0

    def _byte(self) -> int:
        if self._at >= len(self._data):
            return 0
        self._at += 1
        return self._data[self._at - 1]

    def random(self) -> float:
        """From one byte."""
        return self._byte() / 256

    def getrandbits(self, k: int, /) -> int:
        """The lowest k bits of as many bytes as it takes."""
        count = (k + 7) // 8
        number = int.from_bytes(bytes(self._byte() for _ in range(count)), "little")
        return number & ((1 << k) - 1)
