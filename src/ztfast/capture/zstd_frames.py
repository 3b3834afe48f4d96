"""A zstd file of several frames, inflated by several threads at once.

Contract: `ZstdFramesFeed` gives the bytes of the file as `capture.ahead.AheadFeed` does, which
reads on alone, in one thread, from the first frame that is no whole one, too large, or damaged: so
what is given before damage, and what is said of it, is the same.  Runs of frames are cut by their
headers and blocks alone: what a frame says of its size is neither needed nor believed, and one that
holds more than there is room for is read on alone, too.  A bounded number of runs is held.
Source: RFC 8878, section 3.1.  Tested by tests/capture/test_zstd_frames.py.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

from ztfast.capture.ahead import AheadFeed
from ztfast.capture.compressed_frames import zstd_boundaries
from ztfast.capture.compression import MAX_WINDOW, PushedBack, decompressed
from ztfast.capture.packets import MAX_BUFFER
from ztfast.capture.sources import FileReader, Filled, Reader
from ztfast.frames.buffer_pool import BufferPool

_BLOCK = 1 << 17  # bytes that a compressed block holds at most
_FRAME = 16 << 20  # bytes that a frame may take, and hold, to be one of a run
_BLOCKS = 64 << 20  # bytes of its blocks if all were full: more of them are too many to follow
_LEAST_BLOCK = 1 << 12  # bytes that any block is taken for
_RUN = 8 << 20  # bytes that a run of several frames may hold
_LEAST = 1 << 16  # bytes that a run takes: of smaller ones each costs more than it gains
_MOST_THREADS = 4
_LOOKED_AT = 4  # bytes that tell what a file is
_FRAME_HEAD = 8  # bytes that are looked at where a frame begins, and nowhere else

Piece = tuple[Any, Filled]  # a buffer with room in front, and how much of the rest was filled
Bytes = Callable[[int, int], bytes]  # a file's bytes from one place up to another


class Run(NamedTuple):
    """Whole frames: where they begin and end in the file, and what their blocks hold at most."""

    start: int
    stop: int
    most: int


def frames_feed(file: FileReader, descriptor: int, path: str) -> ZstdFramesFeed | None:
    """A feed of what a zstd file holds, read by its descriptor; None: one thread does as well.

    file: a reader of the same, which the feed closes.
    """
    threads = min(_processors(), _MOST_THREADS)
    if threads < 2 or not hasattr(os, "pread"):
        return None

    def piece(start: int, end: int) -> bytes:
        return os.pread(descriptor, end - start, start)

    try:
        size = os.fstat(descriptor).st_size
        first = next(runs(piece, size), None)
    except OSError:  # whoever reads it says so
        return None
    if first is None or first.stop == size:
        return None
    return ZstdFramesFeed(file, piece, path, runs(piece, size), threads)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def runs(piece: Bytes, size: int) -> Iterator[Run]:
    """Runs of frames from the file's first on, up to what cannot be one.  Raises OSError."""
    run: Run | None = None
    for frame in _frames(piece, size):
        if run is None:
            run = frame
        elif frame.start == run.stop and run.most + frame.most <= _RUN:
            run = Run(run.start, frame.stop, run.most + frame.most)
        elif run.stop - run.start < _LEAST:
            return
        else:
            yield run
            run = frame
    if run is not None:
        yield run


def _frames(piece: Bytes, size: int) -> Iterator[Run]:
    """Each frame by itself, without skippable ones, up to what is none or is not whole."""
    boundaries = zstd_boundaries()
    look, step = next(boundaries)
    start = place = most = 0
    while (look or step) and place <= size and place - start <= _FRAME and most <= _BLOCKS:
        if step:
            place += step
            look, step = next(boundaries, (0, 0))
            continue
        seen = piece(place, place + look)
        if look == _FRAME_HEAD:
            if most:
                yield Run(start, place, most)
            start, most = place, 0
        else:
            most += _block_bytes(seen)
        look, step = boundaries.send(seen)


def _block_bytes(head: bytes) -> int:
    """How many bytes a block holds at most; never a few, so that a run has not too many blocks."""
    word = int.from_bytes(head, "little")
    return max(word >> 3, _BLOCK if word >> 1 & 3 == 2 else _LEAST_BLOCK)


class ZstdFramesFeed(AheadFeed):
    """What a file of several frames holds, whose runs are inflated by several threads."""

    def __init__(
        self, file: FileReader, piece: Bytes, path: str, found: Iterator[Run], threads: int
    ) -> None:
        super().__init__(file, path, span=MAX_BUFFER)
        self._file, self._piece = file, piece
        self._runs: Iterator[Run] | None = found
        self._many = ThreadPoolExecutor(threads)
        self._ahead = threads + 1
        self._buffers = BufferPool(threads + 3)
        self._inflating: deque[tuple[Run, Future[Piece | None]]] = deque()
        self._place = 0  # in the file: all before it was given

    @property
    def done(self) -> int:
        """Bytes of the file that were given, or are about to be."""
        return self._place if self._runs is not None else super().done

    def _advance(self, tail: Any) -> tuple[Any, int, Filled]:
        """The next run, or what comes next from where no run is."""
        found = self._next_run()
        return super()._advance(tail) if found is None else self._joined(tail, *found)

    def _next_run(self) -> Piece | None:
        if self._runs is None:
            return None
        self._send(self._runs)
        if self._inflating:
            run, coming = self._inflating.popleft()
            found = coming.result()
            if found is not None:
                self._place = run.stop
                self._send(self._runs)
                return found
        self._read_on_alone()
        return None

    def _send(self, found: Iterator[Run]) -> None:
        """Have the threads inflate so many runs."""
        while len(self._inflating) < self._ahead:
            try:
                run = next(found, None)
            except OSError:  # whoever reads on says so
                run = None
            if run is None:
                return
            self._inflating.append((run, self._many.submit(self._inflated, run)))

    def _read_on_alone(self) -> None:
        for _, coming in self._inflating:
            coming.cancel()
        self._inflating.clear()
        self._runs = None
        behind, given = self._file.moved(self._place), self._base + self._end
        self._reader = decompressed("zstd", behind, self.path, self._anew, given)

    def _anew(self) -> Reader:
        """The file from its start, as `capture.open` has it: libraries lose by how it is cut."""
        return PushedBack(self._piece(0, _LOOKED_AT), self._file.moved(_LOOKED_AT))

    def _inflated(self, run: Run) -> Piece | None:
        """What a run holds, None where it is damaged; in one of the threads."""
        import zstandard

        most = _RUN if run.most <= _RUN else _FRAME  # of two sizes, so that they can be used again
        buffer = self._buffers.block(self._room + most + 1)
        space, filled = memoryview(buffer.data)[self._room :], 0
        inner: Any = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
        try:
            data = self._piece(run.start, run.stop)
            with inner.stream_reader(data, read_across_frames=True) as reader:
                while count := reader.readinto(space[filled:]):
                    filled += count
        except (OSError, zstandard.ZstdError):
            return None
        whole = len(data) == run.stop - run.start and filled <= most
        return (buffer, Filled(filled)) if whole else None

    def close(self) -> None:
        """Wait for the threads, and close the file."""
        self._many.shutdown(wait=True, cancel_futures=True)
        super().close()
