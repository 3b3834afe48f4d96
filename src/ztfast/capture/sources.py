"""Feeds: where capture bytes come from, as windows that a reader walks through.

Contract: `window(position)` gives the bytes of the input from byte `position` on, at least
one more than the last window had unless it is the `last`.  A map gives windows of the file
itself, nothing copied; a stream reads into fresh buffers of about 16 MiB and carries what
the reader left over, so memory stays bounded whatever the input does.
Tested by tests/capture/test_sources.py.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import select
import stat
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np

from ztfast.capture.packets import MAPPED, MAX_BUFFER, Buffer

_MADV_POPULATE_READ = 22  # Linux's number; mmap has no name for it before Python 3.14
PATIENCE = 0.1  # seconds that a slow pipe's first frames wait for company
_POLL = 0.2  # seconds between looks at a file that grows


class Window(NamedTuple):
    """Bytes `start` to `end` of `buffer`; `base` is the input's byte at buffer[0].

    `last`: nothing follows.  `error`: why nothing follows, where that is not the end.
    """

    buffer: Buffer
    start: int
    end: int
    base: int
    last: bool
    error: str | None = None


class Feed(Protocol):
    """Something that gives windows."""

    path: str

    @property
    def done(self) -> int:
        """Bytes of the input that were given in windows so far, compressed where it can tell."""
        ...

    def window(self, position: int) -> Window:
        """The bytes from `position` on; `position` is never less than the time before."""
        ...

    def close(self) -> None:
        """Give back what the operating system lent."""


class Reader(Protocol):
    """A source of bytes; `readinto` gives 0 only at the end."""

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill some of `buffer`; how many bytes."""
        ...

    def close(self) -> None:
        """Close what was opened."""


class MapFeed:
    """A regular file, mapped.  Pages that were scanned through are handed back as it goes.

    needed: as far as pages are had at once (None: all); those behind it come as they are touched.
    """

    def __init__(
        self, descriptor: int, size: int, path: str, span: int = MAPPED, needed: int | None = None
    ) -> None:
        self.path = path
        self._needed = size if needed is None else needed
        self._map = mmap.mmap(descriptor, size, access=mmap.ACCESS_READ)
        self._buffer: Buffer = np.frombuffer(self._map, np.uint8)
        self._size = size
        self._span = self._reach = span
        self._position = -1
        self._given = 0
        self._released = 0

    @property
    def done(self) -> int:
        """Bytes up to the end of the last window."""
        return self._given

    def window(self, position: int) -> Window:
        """A stretch of the map; `buffer` is the whole map and `base` 0."""
        self._release(position)
        self._reach = 2 * self._reach if position == self._position else self._span
        self._position = position
        end = self._given = min(position + self._reach, self._size)
        self._populate(position, min(end, self._needed))
        return Window(self._buffer, position, end, 0, end == self._size)

    def _release(self, upto: int) -> None:
        """Let go of pages behind; what is read of them again comes back.  Memory stays bounded."""
        upto -= upto % mmap.ALLOCATIONGRANULARITY
        if upto - self._released >= self._span and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED, self._released, upto - self._released)
            self._released = upto

    def _populate(self, start: int, end: int) -> None:
        """Map the window's pages in one call: a third of the time that faults one by one take.

        Linux 5.14 and later; elsewhere pages come as they are touched.
        """
        start -= start % mmap.ALLOCATIONGRANULARITY
        if sys.platform == "linux" and end > start:
            with contextlib.suppress(OSError):
                self._map.madvise(_MADV_POPULATE_READ, start, end - start)

    def close(self) -> None:
        """Unmap, unless batches still point into the map: then the last of them does."""
        self._buffer = None
        with contextlib.suppress(BufferError):
            self._map.close()


class StreamFeed:
    """A pipe, a decompressor or any reader: each window is a fresh buffer.

    base: the position of the reader's first byte.
    """

    def __init__(
        self, reader: Reader, path: str, head: bytes = b"", span: int = MAX_BUFFER, base: int = 0
    ) -> None:
        self.path = path
        self._reader = reader
        self._span = span
        self._buffer: Any = np.frombuffer(head, np.uint8)
        self._base = base
        self._position = -1
        self._end = len(head)
        self._last = False
        self._error: str | None = None

    @property
    def done(self) -> int:
        """Bytes taken from the reader, as it counts them (compressed, where it can tell)."""
        taken: int = getattr(self._reader, "taken", self._base + self._end)
        return taken

    def window(self, position: int) -> Window:
        """The unread tail and what the reader gives behind it."""
        self._pass_over(position)
        tail = self._buffer[position - self._base : self._end]
        stuck = position == self._position
        self._position = position
        if not self._last and (stuck or 2 * len(tail) <= self._span):
            buffer, start, filled = self._advance(tail)
            self._buffer, self._base = buffer, position - start
            self._end = start + len(tail) + filled.size
            self._last, self._error = filled.last, filled.error
        start = position - self._base
        return Window(self._buffer, start, self._end, self._base, self._last, self._error)

    def _pass_over(self, position: int) -> None:
        """Read what is before `position` and was not wanted, and keep none of it."""
        while position > self._base + self._end and not self._last:
            following = self._base + self._end
            buffer, start, filled = self._advance(self._buffer[:0])
            self._buffer, self._base, self._end = buffer, following - start, start + filled.size
            self._last, self._error = filled.last, filled.error
        if position > self._base + self._end:
            self._base, self._end = position, 0

    def _advance(self, tail: Any) -> tuple[Any, int, Filled]:
        """(a new buffer, where `tail` stands in it, what was read behind that)."""
        buffer = np.empty(max(self._span, 2 * len(tail)), np.uint8)
        buffer[: len(tail)] = tail
        return buffer, 0, fill(self._reader, memoryview(buffer.data)[len(tail) :])

    def close(self) -> None:
        """Close the reader."""
        self._reader.close()


class Filled(NamedTuple):
    """Bytes that were read; was it the last of them, and where that is not the end: why?"""

    size: int
    last: bool = False
    error: str | None = None


def fill(reader: Reader, space: memoryview) -> Filled:
    """Read until `space` is full, the input ends, or a slow pipe has given something."""
    filled = 0
    deadline = 0.0
    while filled < len(space):
        try:
            count = reader.readinto(space[filled:])
        except (OSError, EOFError, ValueError, RuntimeError) as error:
            return Filled(filled, True, str(error) or type(error).__name__)
        if count == 0:
            return Filled(filled, True)
        filled += count
        now = time.monotonic()
        deadline = deadline or now + PATIENCE
        if not is_ready(reader, deadline - now):
            break
    return Filled(filled)


def is_ready(reader: Reader, patience: float) -> bool:
    """Is more there, or does it come in time?  True for readers that cannot be asked."""
    ask: Callable[[float], bool] | None = getattr(reader, "ready", None)
    return ask(patience) if ask is not None else True


class FileReader:
    """A descriptor read directly; a pipe can be asked whether it has more."""

    def __init__(self, descriptor: int, owned: bool = True) -> None:
        self._descriptor = descriptor
        self._owned = owned
        mode = os.fstat(descriptor).st_mode
        self.taken = 0
        self._slow = os.name == "posix" and not stat.S_ISREG(mode)

    def readinto(self, buffer: memoryview) -> int:
        """Fill some of `buffer`."""
        readv = hasattr(os, "readv")
        count = os.readv(self._descriptor, [buffer]) if readv else self._read(buffer)
        self.taken += count
        return count

    def _read(self, buffer: memoryview) -> int:
        data = os.read(self._descriptor, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def moved(self, place: int) -> FileReader:
        """This reader at a byte of a regular file."""
        self.taken = os.lseek(self._descriptor, place, os.SEEK_SET)
        return self

    def ready(self, patience: float) -> bool:
        """Does a read return at once, or within `patience` seconds?"""
        if not self._slow:
            return True
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        return bool(poll.poll(max(0.0, patience) * 1000))

    def close(self) -> None:
        """Close the descriptor if it is ours."""
        if self._owned:
            self._owned = False
            os.close(self._descriptor)

    def __del__(self) -> None:
        self.close()


class ObjectReader:
    """A binary file object of Python's (`io.BytesIO`, a socket's file)."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.taken = 0

    def readinto(self, buffer: memoryview) -> int:
        """Fill some of `buffer`."""
        data = self._stream.read(min(len(buffer), 1 << 20))
        buffer[: len(data)] = data
        self.taken += len(data)
        return len(data)

    def close(self) -> None:
        """Nothing: who opened the object closes it."""


class PathReader:
    """A regular file that is opened for each read: many may be read by turns.

    Raises OSError where the path names another file by then.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = self._identity(os.stat(path))
        self.taken = 0

    def readinto(self, buffer: memoryview) -> int:
        """Fill some of `buffer`."""
        with open(self._path, "rb", buffering=0) as file:
            if self._identity(os.fstat(file.fileno())) != self._file:
                raise OSError("another file has its name now")
            file.seek(self.taken)
            count = file.readinto(buffer)
        self.taken += count
        return count

    def moved(self, place: int) -> PathReader:
        """This reader at a byte of the file."""
        self.taken = place
        return self

    @staticmethod
    def _identity(found: os.stat_result) -> tuple[int, int]:
        return found.st_dev, found.st_ino

    def close(self) -> None:
        """Nothing: nothing is held."""


class GrowingReader(FileReader):
    """A file that another program still writes: at its end, wait for more.

    Ends when `stop` is called, or when the path names another file or none (it was rotated
    away) and the old one has nothing more.
    """

    def __init__(self, descriptor: int, path: str) -> None:
        super().__init__(descriptor)
        self._path = path
        self._stopped = False

    def stop(self) -> None:
        """End at the file's present end.  May be called from another thread."""
        self._stopped = True

    def readinto(self, buffer: memoryview) -> int:
        """Fill some of `buffer`, waiting for the file to grow."""
        while True:
            ending = self._stopped or self._rotated()
            count = super().readinto(buffer)
            if count or ending:
                return count
            time.sleep(_POLL)

    def ready(self, patience: float) -> bool:
        """False at the present end of the file: what is there is handed on at once."""
        here = os.lseek(self._descriptor, 0, os.SEEK_CUR)
        return here < os.fstat(self._descriptor).st_size

    def _rotated(self) -> bool:
        mine = os.fstat(self._descriptor)
        try:
            now = os.stat(self._path)
        except FileNotFoundError:
            return True
        return (now.st_dev, now.st_ino) != (mine.st_dev, mine.st_ino)
