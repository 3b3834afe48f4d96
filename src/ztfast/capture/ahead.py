"""Reading ahead: a regular file is decompressed by a thread while its frames are judged.

Contract: as `capture.sources.StreamFeed`, whose windows it gives; buffers have half a window, and
one more is held at a time.  One that nobody looks at any more is filled again: fresh memory can
cost as much as inflating into it.  Only for readers that never wait for another program: closing
waits for the thread.  Tested by tests/capture/test_sources.py and test_compression.py.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from ztfast.capture.packets import MAX_BUFFER
from ztfast.capture.sources import Filled, Reader, StreamFeed, fill

_ROOM = 1 << 18  # bytes in front of what is read ahead, for what a window leaves over
_KEPT = 3  # buffers: one looked at, one looked at just before, one being filled


class AheadFeed(StreamFeed):
    """A stream whose next bytes are read while those at hand are looked at."""

    def __init__(
        self, reader: Reader, path: str, head: bytes = b"", span: int = MAX_BUFFER, base: int = 0
    ) -> None:
        super().__init__(reader, path, head, max(1, span // 2), base)
        self._room = min(_ROOM, self._span)
        self._pool = ThreadPoolExecutor(1)
        self._kept: list[bytearray] = []
        self._coming: Future[tuple[Any, Filled]] | None = None
        self._closed = False

    def _advance(self, tail: Any) -> tuple[Any, int, Filled]:
        """The buffer that comes next, `tail` in front of what was read."""
        coming = self._coming if self._coming is not None else self._pool.submit(self._read)
        buffer, filled = coming.result()
        self._coming = None if filled.last else self._pool.submit(self._read)
        return self._joined(tail, buffer, filled)

    def _joined(self, tail: Any, buffer: Any, filled: Filled) -> tuple[Any, int, Filled]:
        """As `_advance`: a buffer with room in front, `tail` put there."""
        if len(tail) > self._room:
            buffer = np.concatenate((tail, buffer[self._room : self._room + filled.size]))
            return buffer, 0, filled
        start = self._room - len(tail)
        buffer[start : self._room] = tail
        return buffer, start, filled

    def _read(self) -> tuple[Any, Filled]:
        """A buffer with room in front, and how much of the rest was filled; in the thread."""
        buffer = np.frombuffer(self._memory(), np.uint8)
        return buffer, fill(self._reader, memoryview(buffer.data)[self._room :])

    def _memory(self) -> bytearray:
        """A buffer that nobody looks at."""
        for memory in self._kept:
            if _unseen(memory):
                return memory
        memory = bytearray(self._room + self._span)
        if len(self._kept) < _KEPT:
            self._kept.append(memory)
        return memory

    def close(self) -> None:
        """Wait for the thread, and close the reader."""
        if not self._closed:
            self._closed = True
            self._pool.shutdown(wait=True, cancel_futures=True)
            super().close()


def _unseen(memory: bytearray) -> bool:
    """Is no array or view of it left?  Python refuses to resize what is being looked at."""
    try:
        memory.append(memory.pop())
    except BufferError:
        return False
    return True
