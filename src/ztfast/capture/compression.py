"""gzip, zstd and lz4 on the way in: recognised by content, never by name.

Contract: decompressing gives at most what the reader has room for, so a bomb fills no
memory; streams of several members are read through; one that ends early is an error after
everything before it was given.  gzip needs no extra (isal makes it fast where it is
installed); zstd and lz4 need `pip install 'ztfast[compression]'`.
Tested by tests/capture/test_compression.py.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable
from typing import Any, Protocol

from ztfast.capture.compressed_frames import SteppedReader, lz4_boundaries, zstd_boundaries
from ztfast.capture.gzip_stream import GzipMember, Pieces, ZlibInflater
from ztfast.capture.lz4_legacy import LEGACY_MAGIC, LegacyReader
from ztfast.capture.sources import Reader
from ztfast.errors import CaptureError, Diagnostic

_CHUNK = 1 << 16
_ROOM = 1 << 20
_ZSTD_BLOCK = 1 << 17  # bytes that a block holds at most
_MAX_WINDOW = 1 << 27  # what zstd's own tool accepts without being asked to take more
EXTRA = "pip install 'ztfast[compression]'"


def kind_of(head: bytes) -> str | None:
    """`gzip`, `zstd`, `lz4` or `lz4-legacy` by the first four bytes, or None."""
    if head[:2] == b"\x1f\x8b":
        return "gzip"
    if head == b"\x28\xb5\x2f\xfd" or (head[1:] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50):
        return "zstd"  # or a skippable frame before one
    return {b"\x04\x22\x4d\x18": "lz4", LEGACY_MAGIC: "lz4-legacy"}.get(head)


def decompressed(kind: str, source: Reader, path: str) -> Reader:
    """A reader of what the compressed stream `source` holds."""
    try:
        return _READERS[kind](source)
    except ImportError as error:
        raise CaptureError(
            Diagnostic(
                "ZT506",
                f"is {kind}, and {error.name} is not installed",
                path=path,
                offset=0,
                help=EXTRA,
            )
        ) from error


class PushedBack:
    """A reader whose first bytes were already taken."""

    def __init__(self, head: bytes, source: Reader) -> None:
        self._head = head
        self._source = source

    @property
    def taken(self) -> int:
        """Bytes taken from the source."""
        return getattr(self._source, "taken", 0)

    def readinto(self, buffer: memoryview) -> int:
        """The head first, then the source."""
        if not self._head:
            return self._source.readinto(buffer)
        count = min(len(self._head), len(buffer))
        buffer[:count] = self._head[:count]
        self._head = self._head[count:]
        return count

    def ready(self, patience: float) -> bool:
        """Does a read return at once?"""
        ask: Callable[[float], bool] | None = getattr(self._source, "ready", None)
        return bool(self._head) or ask is None or ask(patience)

    def close(self) -> None:
        """Close the source."""
        self._source.close()


class _Decoder(Protocol):
    """One member of a stream: the interface of isal's and lz4's decompressors."""

    @property
    def eof(self) -> bool:
        """Is the member whole?"""
        ...

    @property
    def needs_input(self) -> bool:
        """Must the next call bring some?"""
        ...

    @property
    def unused_data(self) -> bytes | None:
        """What stands behind the member."""
        ...

    def decompress(self, data: bytes, /, max_length: int = -1) -> bytes:
        """Up to `max_length` bytes of output."""
        ...


class _Members:
    """Members of a compressed stream, one behind the other."""

    def __init__(self, source: Reader, kind: str, make: Callable[[], _Decoder]) -> None:
        self._source = source
        self._kind = kind
        self._make = make
        self._decoder = make()
        self._input = bytearray(_CHUNK)

    @property
    def taken(self) -> int:
        """Compressed bytes taken from the source."""
        return getattr(self._source, "taken", 0)

    def readinto(self, buffer: memoryview) -> int:
        """Some output; 0 only behind a whole last member."""
        while True:
            data = b""
            if self._decoder.eof:
                data = self._next_member()
                if not data:
                    return 0
            elif self._decoder.needs_input:
                data = self._chunk()
                if not data:
                    raise EOFError(f"the {self._kind} stream is cut short")
            out = self._decompress(data, min(len(buffer), _ROOM))
            if out:
                buffer[: len(out)] = out
                return len(out)

    def ready(self, patience: float) -> bool:
        """Is there output, or input to make some from?"""
        ask: Callable[[float], bool] | None = getattr(self._source, "ready", None)
        busy = not self._decoder.eof and not self._decoder.needs_input
        return busy or ask is None or ask(patience)

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def _chunk(self) -> bytes:
        count = self._source.readinto(memoryview(self._input))
        return bytes(self._input[:count])

    def _next_member(self) -> bytes:
        """The start of the next member's bytes (padding of zeros passed over), or none."""
        data = self._decoder.unused_data or b""
        while not (data := data.lstrip(b"\0")):
            data = self._chunk()
            if not data:
                return b""
        self._decoder = self._make()
        return data

    def _decompress(self, data: bytes, space: int) -> bytes:
        try:
            return self._decoder.decompress(data, space)
        except Exception as error:  # each library has its own class
            raise ValueError(f"the {self._kind} stream is damaged: {error}") from error


def _gzip(source: Reader) -> Reader:
    pieces = Pieces(source)
    try:
        from isal import igzip_lib, isal_zlib
    except ImportError:
        return _Members(pieces, "gzip", lambda: GzipMember(ZlibInflater(), zlib.crc32))
    inflate, flag = igzip_lib.IgzipDecompressor, igzip_lib.DECOMP_DEFLATE
    sums: Any = isal_zlib  # its types do not say what a check sum is taken of
    return _Members(pieces, "gzip", lambda: GzipMember(inflate(flag), sums.crc32))


def _lz4(source: Reader) -> Reader:
    lz4 = importlib.import_module("lz4.frame")  # it ships no types
    return _Members(SteppedReader(source, lz4_boundaries), "lz4", lz4.LZ4FrameDecompressor)


class _Zstd:
    """zstd: the library reads across frames, block by block."""

    def __init__(self, source: Reader) -> None:
        import zstandard

        self._steps = SteppedReader(source, zstd_boundaries)
        self._rest = memoryview(b"")
        inner = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
        self._error = zstandard.ZstdError
        steps: Any = self._steps  # has the one method that the library calls
        self._reader: Any = inner.stream_reader(steps, read_size=_CHUNK, read_across_frames=True)

    @property
    def taken(self) -> int:
        """Compressed bytes taken from the source."""
        return self._steps.taken

    def readinto(self, buffer: memoryview) -> int:
        """Some output; 0 only behind a whole last frame."""
        if not self._rest and len(buffer) >= _ZSTD_BLOCK:
            return self._block(buffer)
        if not self._rest:
            space = memoryview(bytearray(_ZSTD_BLOCK))
            self._rest = space[: self._block(space)]
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count

    def _block(self, buffer: memoryview) -> int:
        """A block's output.  With less space its rest would be lost if the next is damaged."""
        try:
            count: int = self._reader.readinto1(buffer[:_ROOM])
        except self._error as error:
            raise ValueError(f"the zstd stream is damaged: {error}") from error
        if count == 0 and not self._steps.whole:
            raise EOFError("the zstd stream is cut short")
        return count

    def ready(self, patience: float) -> bool:
        """Does a read return at once?"""
        return bool(self._rest) or self._steps.ready(patience)

    def close(self) -> None:
        """Close the source."""
        self._steps.close()


_READERS: dict[str, Callable[[Reader], Reader]] = {
    "gzip": _gzip,
    "zstd": _Zstd,
    "lz4": _lz4,
    "lz4-legacy": LegacyReader,
}
