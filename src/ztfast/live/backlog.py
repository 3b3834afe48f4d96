"""Records that a reader has not taken yet: a bounded queue of bytes that knows where records end.

Contract: pure.  A record is written whole or not at all as far as this can be: one whose first
bytes are out stays until it is written or the reader is gone.
Tested by tests/live/test_backlog.py.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]


class Backlog:
    """Bytes that wait, at most `most` of them (a record may be over that where nothing waits)."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._chunks: deque[tuple[bytes, Int64s]] = deque()
        self._done = 0  # bytes of the first chunk that are out
        self.size = 0  # bytes that wait
        self.frames = 0  # records that wait, also one that is out in part

    def add(self, data: memoryview, ends: Int64s, done: int = 0) -> int:
        """Take records that end at `ends` of `data`, of which `done` bytes are out already.

        Returns how many records had no room and were not taken: the last ones.
        """
        left = int(np.searchsorted(ends, done, "right"))  # records that are out
        if left == len(ends):
            return 0
        begun = done > (int(ends[left - 1]) if left else 0)
        least = left + int(begun or not self._chunks)
        taken = max(least, int(np.searchsorted(ends, done + self._most - self.size, "right")))
        if taken > left:
            end = int(ends[taken - 1])
            self._chunks.append((bytes(data[done:end]), ends[left:taken] - done))
            self.size += end - done
            self.frames += taken - left
        return len(ends) - taken

    @property
    def next(self) -> memoryview:
        """What is to be written next."""
        return memoryview(self._chunks[0][0])[self._done :]

    def written(self, count: int) -> int:
        """So many bytes of `next` are out: how many records were finished by them."""
        data, ends = self._chunks[0]
        before = np.searchsorted(ends, self._done, "right")
        self._done += count
        self.size -= count
        finished = int(np.searchsorted(ends, self._done, "right") - before)
        self.frames -= finished
        if self._done == len(data):
            self._chunks.popleft()
            self._done = 0
        return finished

    def clear(self) -> int:
        """Forget everything: how many records that was."""
        frames = self.frames
        self._chunks.clear()
        self._done = self.size = self.frames = 0
        return frames
