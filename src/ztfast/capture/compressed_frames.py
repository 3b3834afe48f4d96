"""Frames and blocks of zstd and lz4 streams, followed without decoding them.

Contract: `SteppedReader` is a reader that gives compressed bytes as they are, but never beyond
the end of a block, a check sum or a frame.  Why: the libraries lose what a call has decoded where
something later in it is damaged; block by block only the damaged one is lost.  `FollowedReader`
gives large pieces and only looks.  `whole`: the stream ended where a frame did.
Sources: RFC 8878, section 3.1; lz4_Frame_format.md 1.6.
Tested by tests/capture/test_compression.py.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

from ztfast.capture.sources import Reader

_CHUNK = 1 << 16
_EVERYTHING = 1 << 62

# yields (bytes to look at, bytes to pass on): one of them is 0; gets the bytes looked at,
# fewer at the end of the stream
Boundaries = Generator[tuple[int, int], bytes, None]


class SteppedReader:
    """A reader of `source` that stops at each boundary that `boundaries` names."""

    def __init__(self, source: Reader, boundaries: Callable[[], Boundaries]) -> None:
        self._source = source
        self._boundaries = boundaries()
        self._wanted = next(self._boundaries)
        self._data = memoryview(b"")
        self._ended = False

    @property
    def taken(self) -> int:
        """Compressed bytes taken from the source."""
        return getattr(self._source, "taken", 0)

    @property
    def whole(self) -> bool:
        """Is all passed on, and was the last of it the end of a frame?"""
        return self._ended and not self._data and self._wanted == (0, 0)

    def readinto(self, buffer: memoryview) -> int:
        """Bytes up to the next boundary at most."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, up to the next boundary at most; none at the end."""
        while True:
            look, step = self._wanted
            if step:
                if not self._data and not self._ended:
                    self._fill()
                count = min(step, size, len(self._data))
                out, self._data = bytes(self._data[:count]), self._data[count:]
                self._wanted = (0, step - count)
                if step == count:
                    self._wanted = next(self._boundaries)
                return out
            if not look:
                return b""
            while len(self._data) < look and not self._ended:
                self._fill()
            self._wanted = self._boundaries.send(bytes(self._data[:look]))

    def ready(self, patience: float) -> bool:
        """Can the block at hand be had at once?"""
        ask: Callable[[float], bool] | None = getattr(self._source, "ready", None)
        there = 0 < self._wanted[1] <= len(self._data)
        return there or self._ended or ask is None or ask(patience)

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def _fill(self) -> None:
        space = bytearray(_CHUNK)
        count = self._source.readinto(memoryview(space))
        self._ended = count == 0
        self._data = memoryview(bytes(self._data) + bytes(space[:count]))


class FollowedReader:
    """A reader of `source` in pieces as large as are asked for, which follows the boundaries."""

    def __init__(self, source: Reader, boundaries: Callable[[], Boundaries]) -> None:
        self._source = source
        self._boundaries = boundaries()
        self._wanted: tuple[int, int] = next(self._boundaries)
        self._space = memoryview(b"")
        self._held = b""  # what is to be looked at and not yet whole

    @property
    def taken(self) -> int:
        """Compressed bytes taken from the source."""
        return getattr(self._source, "taken", 0)

    @property
    def whole(self) -> bool:
        """Is all passed on, and was the last of it the end of a frame?"""
        return self._wanted == (0, 0)

    def read(self, size: int) -> memoryview:
        """Up to `size` bytes, none at the end; the next call overwrites them."""
        if len(self._space) != size:
            self._space = memoryview(bytearray(size))
        data = self._space[: self._source.readinto(self._space)]
        if data:
            self._follow(data)
        elif self._wanted[0]:
            self._wanted, self._held = self._boundaries.send(self._held), b""
        return data

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def _follow(self, data: memoryview) -> None:
        if self._held:
            data = memoryview(self._held + data)
        place, left = 0, len(data)
        while left and left >= self._wanted[0]:
            look, step = self._wanted
            if look:
                self._wanted = self._boundaries.send(bytes(data[place : place + look]))
                continue
            count = min(step, left)
            place, left = place + count, left - count
            self._wanted = (0, step - count) if count < step else next(self._boundaries)
        self._held = bytes(data[place:])


def zstd_boundaries() -> Boundaries:
    """Frame headers, blocks, check sums, skippable frames."""
    while head := (yield 8, 0):
        if _skippable(head):
            yield 0, 8 + int.from_bytes(head[4:8], "little")
            continue
        if len(head) < 8 or head[:4] != b"\x28\xb5\x2f\xfd":
            break
        descriptor = head[4]
        single = descriptor >> 5 & 1
        sizes = (single, 2, 4, 8)[descriptor >> 6]
        yield 0, 5 + (1 - single) + (0, 1, 2, 4)[descriptor & 3] + sizes
        last = 0
        while not last:
            block = int.from_bytes((yield 3, 0), "little")
            last = block & 1
            yield 0, 3 + (1 if block >> 1 & 3 == 1 else block >> 3)
        if descriptor & 4:
            yield 0, 4
    yield (0, _EVERYTHING) if head else (0, 0)


def lz4_boundaries() -> Boundaries:
    """Frame headers, blocks, end marks, check sums, skippable frames."""
    while head := (yield 8, 0):
        if _skippable(head):
            yield 0, 8 + int.from_bytes(head[4:8], "little")
            continue
        if len(head) < 8 or head[:4] != b"\x04\x22\x4d\x18":
            break
        flags = head[4]
        yield 0, 7 + (8 if flags & 8 else 0) + (4 if flags & 1 else 0)
        while size := int.from_bytes((yield 4, 0), "little"):
            yield 0, 4 + (size & 0x7FFF_FFFF) + (4 if flags & 16 else 0)
        yield 0, 4
        if flags & 4:
            yield 0, 4
    yield (0, _EVERYTHING) if head else (0, 0)


def _skippable(head: bytes) -> bool:
    return len(head) == 8 and head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50
