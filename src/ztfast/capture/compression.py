"""gzip, zstd and lz4 on the way in: recognised by content, never by name.

Contract: decompressing gives at most what the reader has room for, so a bomb fills no
memory; streams of several members are read through; one that ends early is an error after
everything before it was given, and damage is one after everything before the piece that has it
(a block of zstd or lz4, little of gzip).  A source that can begin anew is read in large pieces
until it is damaged or ends early, and then once more in small ones.  gzip needs no extra (isal
makes it fast where it is installed); zstd and lz4 need `pip install 'ztfast[compression]'`.
Tested by tests/capture/test_compression.py.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable
from typing import Any, Protocol

from ztfast.capture.compressed_frames import (
    FollowedReader,
    SteppedReader,
    lz4_boundaries,
    zstd_boundaries,
)
from ztfast.capture.gzip_stream import GzipMember, Pieces, ZlibInflater
from ztfast.capture.lz4_legacy import LEGACY_MAGIC, LegacyReader
from ztfast.capture.sources import Reader
from ztfast.errors import CaptureError, Diagnostic

_CHUNK = 1 << 16
_LARGE, _LARGE_GZIP, _LARGE_LZ4 = 1 << 20, 1 << 18, 1 << 17  # more: fresh memory for each
_ROOM = 1 << 20
_ZSTD_BLOCK = 1 << 17  # bytes that a block holds at most
MAX_WINDOW = 1 << 27  # what zstd's own tool accepts without being asked to take more
EXTRA = "pip install 'ztfast[compression]'"


def kind_of(head: bytes) -> str | None:
    """`gzip`, `zstd`, `lz4` or `lz4-legacy` by the first four bytes, or None."""
    if head[:2] == b"\x1f\x8b":
        return "gzip"
    if head == b"\x28\xb5\x2f\xfd" or (head[1:] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50):
        return "zstd"  # or a skippable frame before one
    return {b"\x04\x22\x4d\x18": "lz4", LEGACY_MAGIC: "lz4-legacy"}.get(head)


def decompressed(
    kind: str,
    source: Reader,
    path: str,
    anew: Callable[[], Reader] | None = None,
    given: int = 0,
) -> Reader:
    """A reader of what the compressed stream `source` holds.

    anew: a reader of the same from its start, where it can be read once more.  given: bytes that
    it held before those of `source`.
    """
    careful, fast = _READERS[kind]
    try:
        if anew is None or fast is None:
            return careful(source)
        return LargePieces(fast(source), lambda: careful(anew()), given)
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

    def __init__(
        self,
        source: Reader,
        kind: str,
        make: Callable[[], _Decoder],
        piece: int = _CHUNK,
        room: int = _ROOM,
    ) -> None:
        self._source = source
        self._kind = kind
        self._make = make
        self._decoder = make()
        self._input = bytearray(piece)
        self._room = room

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
            out = self._decompress(data, min(len(buffer), self._room))
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
    return _Members(Pieces(source), "gzip", _gzip_member())


def _gzip_fast(source: Reader) -> Reader:
    return _Members(source, "gzip", _gzip_member(), _LARGE_GZIP, _LARGE_GZIP)


def _gzip_member() -> Callable[[], _Decoder]:
    try:
        from isal import igzip_lib, isal_zlib
    except ImportError:
        return lambda: GzipMember(ZlibInflater(), zlib.crc32)
    inflate, flag = igzip_lib.IgzipDecompressor, igzip_lib.DECOMP_DEFLATE
    sums: Any = isal_zlib  # its types do not say what a check sum is taken of
    return lambda: GzipMember(inflate(flag), sums.crc32)


def _lz4(source: Reader) -> Reader:
    return _Members(SteppedReader(source, lz4_boundaries), "lz4", _lz4_frame())


def _lz4_fast(source: Reader) -> Reader:
    return _Members(source, "lz4", _lz4_frame(), _LARGE_LZ4, _LARGE_LZ4)


def _lz4_frame() -> Callable[[], _Decoder]:
    library = importlib.import_module("lz4.frame")  # it ships no types
    decoder: Callable[[], _Decoder] = library.LZ4FrameDecompressor
    return decoder


class _Zstd:
    """zstd: the library reads across frames; steps or large pieces, as it gets them."""

    def __init__(self, source: SteppedReader | FollowedReader, piece: int) -> None:
        import zstandard

        self._source = source
        inner = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
        self._error = zstandard.ZstdError
        given: Any = source  # has the one method that the library calls
        self._reader: Any = inner.stream_reader(given, read_size=piece, read_across_frames=True)

    @property
    def taken(self) -> int:
        """Compressed bytes taken from the source."""
        return self._source.taken

    def readinto(self, buffer: memoryview) -> int:
        """Some output; 0 only behind a whole last frame."""
        return self._checked(self._reader.readinto, buffer)

    def _checked(self, read: Callable[[memoryview], int], buffer: memoryview) -> int:
        try:
            count = read(buffer)
        except self._error as error:
            raise ValueError(f"the zstd stream is damaged: {error}") from error
        if count == 0 and not self._source.whole:
            raise EOFError("the zstd stream is cut short")
        return count

    def close(self) -> None:
        """Close the source."""
        self._source.close()


class _ZstdSteps(_Zstd):
    """zstd block by block, so that damage costs no other block."""

    def __init__(self, source: Reader) -> None:
        self._steps = SteppedReader(source, zstd_boundaries)
        super().__init__(self._steps, _CHUNK)
        self._rest = memoryview(b"")

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
        return self._checked(self._reader.readinto1, buffer[:_ROOM])

    def ready(self, patience: float) -> bool:
        """Does a read return at once?"""
        return bool(self._rest) or self._steps.ready(patience)


def _zstd_fast(source: Reader) -> Reader:
    return _Zstd(FollowedReader(source, zstd_boundaries), _LARGE)


class LargePieces:
    """What `reader` gives up to damage or an early end, then what `careful()` gives behind it.

    given: bytes that `careful()` gives before those of `reader`.
    """

    def __init__(self, reader: Reader, careful: Callable[[], Reader], given: int = 0) -> None:
        self._reader = reader
        self._careful: Callable[[], Reader] | None = careful
        self._given, self._most = given, 0

    @property
    def taken(self) -> int:
        """Compressed bytes taken from the source, never fewer than before."""
        self._most = max(self._most, getattr(self._reader, "taken", 0))
        return self._most

    def readinto(self, buffer: memoryview) -> int:
        """Some output; 0 only behind a whole last member."""
        if self._careful is None:
            return self._reader.readinto(buffer)
        try:
            count = self._reader.readinto(buffer)
        except (EOFError, ValueError):
            self._reader, self._careful = self._careful(), None
            self._pass_over(memoryview(bytearray(_LARGE)))
            return self._reader.readinto(buffer)
        self._given += count
        return count

    def _pass_over(self, space: memoryview) -> None:
        """Read what was given before."""
        while self._given:
            count = self._reader.readinto(space[: self._given])
            if not count:
                raise ValueError("the file became shorter while it was read")
            self._given -= count

    def close(self) -> None:
        """Close the source."""
        self._reader.close()


_Make = Callable[[Reader], Reader]

# how each is read so that damage costs little, and how where it can be begun anew after damage
_READERS: dict[str, tuple[_Make, _Make | None]] = {
    "gzip": (_gzip, _gzip_fast),
    "zstd": (_ZstdSteps, _zstd_fast),
    "lz4": (_lz4, _lz4_fast),
    "lz4-legacy": (LegacyReader, None),
}
