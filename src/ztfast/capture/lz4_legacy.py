"""LZ4's legacy format in (`lz4 -l`, Linux kernels): blocks of up to 8 MiB behind a magic number.

Contract: a `Reader` with bounded memory.  The format has no end mark and no check sums: it ends
where the input does behind a whole block; anything else is an error after what was before it.
Source: lz4_Frame_format.md, "Legacy frame".  Tested by tests/capture/test_lz4_legacy.py.
"""

from __future__ import annotations

import importlib
from typing import Any

from ztfast.capture.sources import Reader

LEGACY_MAGIC = b"\x02\x21\x4c\x18"
_BLOCK = 8 << 20  # bytes that a block holds
_MOST = _BLOCK + _BLOCK // 255 + 16  # bytes that it takes when nothing can be compressed


class LegacyReader:
    """What the blocks of `source` hold; ImportError where lz4 is not installed."""

    def __init__(self, source: Reader) -> None:
        block: Any = importlib.import_module("lz4.block")  # it ships no types
        self._decompress, self._error = block.decompress, block.LZ4BlockError
        self._source = source
        self._rest = memoryview(b"")

    @property
    def taken(self) -> int:
        """Compressed bytes taken from the source."""
        return getattr(self._source, "taken", 0)

    def readinto(self, buffer: memoryview) -> int:
        """Some output; 0 only behind a whole last block."""
        while not self._rest:
            head = self._take(4)
            if not head:
                return 0
            if head != LEGACY_MAGIC:  # else another frame begins
                self._rest = memoryview(self._block(int.from_bytes(head, "little")))
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count

    def ready(self, patience: float) -> bool:
        """Does a read return at once?"""
        ask: Any = getattr(self._source, "ready", None)
        return bool(self._rest) or ask is None or bool(ask(patience))

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def _block(self, size: int) -> bytes:
        if not 0 < size <= _MOST:
            raise ValueError(f"the lz4 stream is damaged: a block of {size} bytes")
        data = self._take(size)
        if len(data) < size:
            raise EOFError("the lz4 stream is cut short")
        try:
            out: bytes = self._decompress(data, uncompressed_size=_BLOCK)
        except self._error as error:
            raise ValueError(f"the lz4 stream is damaged: {error}") from error
        return out

    def _take(self, size: int) -> bytes:
        """So many bytes, or fewer where the source ends; raises EOFError inside a length."""
        out = bytearray(size)
        view, done = memoryview(out), 0
        while done < size:
            count = self._source.readinto(view[done:])
            if not count:
                break
            done += count
        if 0 < done < size == 4:
            raise EOFError("the lz4 stream is cut short")
        return bytes(out[:done])
