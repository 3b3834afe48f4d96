"""gzip members in: header, deflate and check sums apart, so that bad ones cost no data.

Contract: `GzipMember` has the interface of the libraries' decompressors.  They check a
member's sums in the call that gives its last bytes and lose these where the sums are wrong;
here they are given first, then the sums are an error.  Source: RFC 1952.
Tested by tests/capture/test_compression.py.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Any

from ztfast.capture.sources import Reader

_MOST_HEADER = 1 << 17  # a name or comment without end must not fill the memory
_HEADER_CRC, _EXTRA, _NAME, _COMMENT = 2, 4, 8, 16
_TRAILER = 8
_CHUNK = 1 << 16
_SMALLEST, _LARGEST, _SHARE = 256, 8192, 16

Crc = Callable[[bytes, int], int]


class Pieces:
    """A reader that gives `source` in pieces, small ones first.

    What a call has inflated before it meets damage is lost: a sixteenth of the stream at most.
    """

    def __init__(self, source: Reader) -> None:
        self._source = source
        self._data = memoryview(b"")
        self._given = 0

    @property
    def taken(self) -> int:
        """Compressed bytes taken from the source."""
        return getattr(self._source, "taken", 0)

    def readinto(self, buffer: memoryview) -> int:
        """The next piece."""
        if not self._data:
            space = bytearray(_CHUNK)
            self._data = memoryview(space)[: self._source.readinto(memoryview(space))]
        piece = max(_SMALLEST, min(_LARGEST, self._given // _SHARE))
        count = min(len(buffer), len(self._data), piece)
        buffer[:count], self._data = self._data[:count], self._data[count:]
        self._given += count
        return count

    def ready(self, patience: float) -> bool:
        """Does a read return at once?"""
        ask: Callable[[float], bool] | None = getattr(self._source, "ready", None)
        return bool(self._data) or ask is None or ask(patience)

    def close(self) -> None:
        """Close the source."""
        self._source.close()


class GzipMember:
    """One member.  Raises ValueError where it is no gzip, or damaged."""

    def __init__(self, inflater: Any, crc: Crc) -> None:
        self._inflater = inflater
        self._crc = crc
        self._held = b""  # a header or trailer that is not whole yet
        self._inside = False
        self._sum = 0
        self._size = 0
        self.unused_data: bytes | None = b""
        self.eof = False

    @property
    def needs_input(self) -> bool:
        """Must the next call bring some?"""
        if self._inside and self._inflater.eof:
            return len(self._held) < _TRAILER
        return bool(not self._inside or self._inflater.needs_input)

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Up to `max_length` bytes."""
        if not self._inside:
            data = self._header(data)
            if not self._inside:
                return b""
        if self._inflater.eof:
            self._trailer(data)
            return b""
        out: bytes = self._inflater.decompress(data, max_length)
        self._sum = self._crc(out, self._sum)
        self._size += len(out)
        if self._inflater.eof:
            self._held = self._inflater.unused_data or b""
        return out

    def _header(self, data: bytes) -> bytes:
        """What stands behind the header, if that is whole."""
        self._held += data
        size = header_size(self._held)
        if size is None:
            if len(self._held) > _MOST_HEADER:
                raise ValueError("a header without end")
            return b""
        data, self._held, self._inside = self._held[size:], b"", True
        return data

    def _trailer(self, data: bytes) -> None:
        self._held += data
        if len(self._held) < _TRAILER:
            return
        self.unused_data, self.eof = self._held[_TRAILER:], True
        if struct.unpack_from("<II", self._held) != (self._sum, self._size & 0xFFFF_FFFF):
            raise ValueError("its check sum or length is another")


def header_size(data: bytes) -> int | None:
    """Bytes of the header that `data` begins with; None where more is needed to know."""
    if not b"\x1f\x8b\x08".startswith(data[:3]):
        raise ValueError("what follows is not a gzip member")
    if len(data) < 10:
        return None
    flags, size = data[3], 10
    if flags & _EXTRA:
        if len(data) < 12:
            return None
        size = 12 + data[10] + (data[11] << 8)
    for flag in (_NAME, _COMMENT):
        if flags & flag:
            size = data.find(b"\0", size) + 1
            if not size:
                return None
    size += 2 if flags & _HEADER_CRC else 0
    return size if size <= len(data) else None


class ZlibInflater:
    """zlib's raw inflate with the interface of isal's."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(-15)
        self.unused_data: bytes | None = b""
        self.eof = False
        self.needs_input = True

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Up to `max_length` bytes."""
        out = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self.eof, self.unused_data = self._inner.eof, self._inner.unused_data
        self.needs_input = len(out) < max_length and not self._inner.unconsumed_tail
        return out
