"""gzip, zstd and lz4: recognised by content on the way in, chosen by suffix on the way out.

Contract: decompressing gives at most what the reader has room for, so a bomb fills no
memory; streams of several members are read through; one that ends early is an error after
everything before it was given.  gzip needs no extra (isal makes it fast where it is
installed); zstd and lz4 need `pip install 'ztfast[compression]'`.
Tested by tests/capture/test_compression.py.
"""

from __future__ import annotations

import importlib
import struct
import zlib
from collections.abc import Callable
from typing import Any, Protocol

from ztfast.capture.feeds import Reader
from ztfast.capture.outputs import Encoder
from ztfast.errors import CaptureError, Diagnostic, OutputError

_CHUNK = 1 << 16
_ROOM = 1 << 20
_MAX_WINDOW = 1 << 27  # what zstd's own tool accepts without being asked to take more
_EXTRA = "pip install 'ztfast[compression]'"


def kind_of(head: bytes) -> str | None:
    """`gzip`, `zstd` or `lz4` by the first four bytes, or None."""
    if head[:2] == b"\x1f\x8b":
        return "gzip"
    if head == b"\x28\xb5\x2f\xfd" or (head[1:] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50):
        return "zstd"  # or a skippable frame before one
    return "lz4" if head == b"\x04\x22\x4d\x18" else None


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
                help=_EXTRA,
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

    eof: bool
    needs_input: bool

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

    def _decompress(self, data: bytes, room: int) -> bytes:
        try:
            return self._decoder.decompress(data, room)
        except Exception as error:  # each library has its own class
            raise ValueError(f"the {self._kind} stream is damaged: {error}") from error


class _ZlibDecoder:
    """zlib's decompressor with the interface of isal's."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(31)
        self.unused_data: bytes | None = b""
        self.eof = False
        self.needs_input = True

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Up to `max_length` bytes."""
        out = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self.eof, self.unused_data = self._inner.eof, self._inner.unused_data
        self.needs_input = len(out) < max_length and not self._inner.unconsumed_tail
        return out


def _gzip(source: Reader) -> Reader:
    try:
        from isal import igzip_lib
    except ImportError:
        return _Members(source, "gzip", _ZlibDecoder)
    flag = igzip_lib.DECOMP_GZIP
    return _Members(source, "gzip", lambda: igzip_lib.IgzipDecompressor(flag))


def _lz4(source: Reader) -> Reader:
    lz4 = importlib.import_module("lz4.frame")  # it ships no types
    return _Members(source, "lz4", lz4.LZ4FrameDecompressor)


class _Zstd:
    """zstd: the library reads across frames, and `_ZstdFrames` knows whether they are whole."""

    def __init__(self, source: Reader) -> None:
        import zstandard

        self._source = source
        self._frames = _ZstdFrames()
        self._input = bytearray(_CHUNK)
        inner = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
        self._error = zstandard.ZstdError
        this: Any = self  # has the one method that the library calls
        self._reader: Reader = inner.stream_reader(this, read_size=_CHUNK, read_across_frames=True)

    def read(self, size: int) -> bytes:
        """Compressed bytes, for the library."""
        room = memoryview(self._input)[: min(size, _CHUNK)]
        data = bytes(room[: self._source.readinto(room)])
        self._frames.feed(data)
        return data

    @property
    def taken(self) -> int:
        """Compressed bytes taken from the source."""
        return getattr(self._source, "taken", 0)

    def readinto(self, buffer: memoryview) -> int:
        """Some output; 0 only behind a whole last frame."""
        try:
            count = self._reader.readinto(buffer[:_ROOM])
        except self._error as error:
            raise ValueError(f"the zstd stream is damaged: {error}") from error
        if count == 0 and not self._frames.whole:
            raise EOFError("the zstd stream is cut short")
        return count

    def close(self) -> None:
        """Close the source."""
        self._source.close()


class _ZstdFrames:
    """Follows frames and blocks of a zstd stream (RFC 8878, section 3.1), not decoding them."""

    def __init__(self) -> None:
        self._held = b""
        self._skip = 0
        self._inside = False
        self._last = False
        self._checksum = 0

    @property
    def whole(self) -> bool:
        """Did the bytes so far end with a frame?"""
        return not (self._inside or self._held or self._skip)

    def feed(self, data: bytes) -> None:
        """Follow some more bytes."""
        data, self._held = self._held + data, b""
        position = 0
        while position < len(data):
            if self._skip:
                step = min(self._skip, len(data) - position)
                self._skip -= step
            else:
                step = self._block(data, position) if self._inside else self._frame(data, position)
                if step == 0:
                    break
            position += step
        self._held = data[position:]

    def _frame(self, data: bytes, at: int) -> int:
        """The header of a frame at `at`: its size, or 0 where it is not all there."""
        if len(data) < at + 8:
            return 0
        magic, size = struct.unpack_from("<II", data, at)
        if magic & 0xFFFF_FFF0 == 0x184D_2A50:
            self._skip = size
            return 8
        descriptor = data[at + 4]
        self._inside = True
        self._checksum = 4 if descriptor & 4 else 0
        single = descriptor >> 5 & 1
        sizes = (single, 2, 4, 8)[descriptor >> 6]
        return self._leap(len(data) - at, 5 + (1 - single) + (0, 1, 2, 4)[descriptor & 3] + sizes)

    def _block(self, data: bytes, at: int) -> int:
        if len(data) < at + 3:
            return 0
        header = int.from_bytes(data[at : at + 3], "little")
        size = 1 if header >> 1 & 3 == 1 else header >> 3
        if header & 1:
            self._inside = False
            size += self._checksum
        return self._leap(len(data) - at, 3 + size)

    def _leap(self, there: int, size: int) -> int:
        """`size` bytes forward, of which `there` are there."""
        self._skip = max(0, size - there)
        return min(size, there)


_READERS: dict[str, Callable[[Reader], Reader]] = {"gzip": _gzip, "zstd": _Zstd, "lz4": _lz4}

_SUFFIXES = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd", ".lz4": "lz4"}


def split_suffix(path: str) -> tuple[str, str | None]:
    """The name without a compression's suffix, and the compression."""
    for suffix, kind in _SUFFIXES.items():
        if path.lower().endswith(suffix):
            return path[: -len(suffix)], kind
    return path, None


def encoder(kind: str | None, path: str) -> Encoder | None:
    """A compressor for an output, or None where there is nothing to compress."""
    if kind is None:
        return None
    try:
        made: Encoder = _ENCODERS[kind]()
        return made
    except ImportError as error:
        raise OutputError(
            Diagnostic(
                "ZT606", f"cannot be {kind}: {error.name} is not installed", path=path, help=_EXTRA
            )
        ) from error


def _gzip_encoder() -> Any:
    try:
        isal_zlib = importlib.import_module("isal.isal_zlib")  # its types are not complete
    except ImportError:
        return zlib.compressobj(6, wbits=31)
    return isal_zlib.compressobj(2, wbits=31)


def _zstd_encoder() -> Any:
    import zstandard

    return zstandard.ZstdCompressor(level=3, write_checksum=True).compressobj()


class _Lz4Encoder:
    """lz4's compressor, whose header comes with the first bytes."""

    def __init__(self) -> None:
        lz4 = importlib.import_module("lz4.frame")
        self._inner = lz4.LZ4FrameCompressor(content_checksum=True)
        self._head: bytes = self._inner.begin()

    def compress(self, data: memoryview) -> bytes:
        """Compressed bytes so far."""
        head, self._head = self._head, b""
        return head + bytes(self._inner.compress(data))

    def flush(self) -> bytes:
        """The rest."""
        return self._head + bytes(self._inner.flush())


_ENCODERS: dict[str, Callable[[], Any]] = {
    "gzip": _gzip_encoder,
    "zstd": _zstd_encoder,
    "lz4": _Lz4Encoder,
}
