"""Bytes of a file by place: of one on the disk here, of one in a store in archive.remote.

Contract: a `Ranges` gives any stretch, from several threads at once; what cannot be had is OSError.
`RangeReader` reads one stretch after the other, never over its `stop` in one read, so that a part
of a file ends where it should, and goes on behind it in small ones.
Tested by tests/capture/test_ranges.py.
"""

from __future__ import annotations

import os
import threading
from typing import Protocol

from ztfast.capture.sources import Feed, MapFeed

_STRETCH = 1 << 20
_LITTLE = 1 << 18  # bytes of a stretch behind the stop: what reaches over it is short


class Ranges(Protocol):
    """A file's bytes by place.

    stretch: bytes that are worth asking for at a time.  near: asking for a few costs next to
    nothing.
    """

    path: str
    size: int
    stretch: int
    near: bool

    def piece(self, start: int, end: int) -> bytes:
        """The bytes from one place up to another, fewer where the file ends; raises OSError."""
        ...

    def feed(self, start: int, stop: int) -> Feed:
        """Windows from a place on, of which those behind `stop` are hardly wanted."""
        ...

    def close(self) -> None:
        """Let go of the file."""


class DiskFile:
    """A regular file of this machine, open; raises OSError."""

    stretch, near = _STRETCH, True

    def __init__(self, path: str) -> None:
        self.path = path
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115 – closed by `close`
        self._lock = threading.Lock()
        self.size = os.fstat(self._file.fileno()).st_size

    def piece(self, start: int, end: int) -> bytes:
        """The bytes from one place up to another."""
        with self._lock:
            self._file.seek(start)
            return self._file.read(max(0, end - start))

    def feed(self, start: int, stop: int) -> Feed:
        """The file, mapped."""
        del start
        return MapFeed(self._file.fileno(), self.size, self.path, needed=stop)

    def close(self) -> None:
        """Close the file; what is mapped stays so."""
        self._file.close()


class RangeReader:
    """A `capture.sources.Reader` of a file's bytes from `start` up to `end`.

    stop: a place that no read crosses; a read that arrives there is not followed by another at
    once, and behind it stretches are small.
    """

    def __init__(self, file: Ranges, start: int, end: int, stop: int | None = None) -> None:
        self._file, self._end = file, end
        self._stop = end if stop is None else stop
        self._place = self._fetched = start
        self._data = memoryview(b"")
        self.taken = 0

    def readinto(self, buffer: memoryview) -> int:
        """Fill some of `buffer`."""
        if not self._data:
            self._fetch()
        count = min(len(buffer), len(self._data))
        buffer[:count], self._data = self._data[:count], self._data[count:]
        self._place += count
        self.taken += count
        return count

    def _fetch(self) -> None:
        behind = self._fetched >= self._stop
        upto = self._fetched + min(self._file.stretch, _LITTLE if behind else self._file.stretch)
        upto = min(upto, self._end if behind else self._stop)
        data = self._file.piece(self._fetched, upto) if upto > self._fetched else b""
        self._fetched += len(data)
        self._data = memoryview(data)

    def ready(self, patience: float) -> bool:
        """Is more wanted at once?  Not from the stop on."""
        del patience
        return self._place < self._stop

    def close(self) -> None:
        """Nothing: who opened the file closes it."""
