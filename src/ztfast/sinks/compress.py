"""gzip, zstd and lz4 on the way out: chosen by the output's suffix.

Contract: gzip needs no extra (isal makes it fast where it is installed); zstd and lz4 need
`pip install 'ztfast[compression]'`, and an OutputError says so where they are missing.
Tested by tests/sinks/test_compress.py.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable
from typing import Any, Protocol

from ztfast.capture.compression import EXTRA
from ztfast.errors import Diagnostic, OutputError


class Encoder(Protocol):
    """A compressor: what it gives back is written, `flush` ends the stream."""

    def compress(self, data: memoryview, /) -> bytes:
        """Compressed bytes so far, perhaps none."""
        ...

    def flush(self) -> bytes:
        """The rest."""
        ...


ZSTD_FRAME = 8 << 20  # bytes before compression
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
                "ZT606", f"cannot be {kind}: {error.name} is not installed", path=path, help=EXTRA
            )
        ) from error


def _gzip_encoder() -> Any:
    try:
        isal_zlib = importlib.import_module("isal.isal_zlib")  # its types are not complete
    except ImportError:
        return zlib.compressobj(6, wbits=31)
    return isal_zlib.compressobj(2, wbits=31)


class _ZstdEncoder:
    """zstd in frames of ZSTD_FRAME bytes each, which stand alone: several can be read at once."""

    def __init__(self) -> None:
        zstandard = importlib.import_module("zstandard")
        self._compressor = zstandard.ZstdCompressor(level=3, write_checksum=True)
        self._inner = self._compressor.compressobj()
        self._room = ZSTD_FRAME

    def compress(self, data: memoryview) -> bytes:
        """Compressed bytes so far; a frame that is full ends with the first byte of the next."""
        parts: list[bytes] = []
        data = data.cast("B")
        while len(data):
            if not self._room:
                parts.append(self._inner.flush())
                self._inner = self._compressor.compressobj()
                self._room = ZSTD_FRAME
            piece = data[: self._room]
            parts.append(self._inner.compress(piece))
            self._room -= len(piece)
            data = data[len(piece) :]
        return b"".join(parts)

    def flush(self) -> bytes:
        """The rest."""
        return bytes(self._inner.flush())


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
    "zstd": _ZstdEncoder,
    "lz4": _Lz4Encoder,
}
