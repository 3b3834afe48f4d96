"""Captures that the page was given: streamed to disk, counted on the way, removed when done with.

Contract: a capture has a name that we made, so that no request names a path.  No more than
`most_bytes` of one are written, no more than a few are kept: a new one takes the place of the
oldest.  The folder is ours alone and is removed by `close`.
Tested by tests/serve/test_captures.py.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator

from ztfast.errors import usage
from ztfast.serve.settings import MOST_CAPTURES


class TooLarge(Exception):
    """More bytes than a capture may have."""


class Captures:
    """The captures of one server."""

    def __init__(self, most_bytes: int, most_kept: int = MOST_CAPTURES) -> None:
        self.most_bytes, self._most_kept = most_bytes, most_kept
        self._folder: str | None = None
        self._kept: dict[str, str] = {}
        self._coming = 0

    async def receive(self, chunks: AsyncIterator[bytes]) -> tuple[str, int]:
        """(name, bytes) of a capture that arrives; raises TooLarge, OSError, UsageError."""
        if self._coming >= self._most_kept:
            raise usage("other captures are arriving", "wait until they are here")
        self._coming += 1
        try:
            name = secrets.token_hex(8)
            path = os.path.join(self._own_folder(), name)
            size = await self._written(path, chunks)
        finally:
            self._coming -= 1
        while len(self._kept) >= self._most_kept:
            self.remove(next(iter(self._kept)))
        self._kept[name] = path
        return name, size

    async def _written(self, path: str, chunks: AsyncIterator[bytes]) -> int:
        size = 0
        try:
            with open(path, "xb") as file:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > self.most_bytes:
                        raise TooLarge
                    file.write(chunk)
        except BaseException:
            _unlink(path)
            raise
        return size

    def path(self, name: str) -> str:
        """Where a capture is; raises UsageError for one that is not there any more."""
        found = self._kept.get(name)
        if found is None:
            raise usage("the capture is not here any more", "open it again")
        return found

    def remove(self, name: str) -> None:
        """Remove a capture; one that is not there is no error."""
        path = self._kept.pop(name, None)
        if path is not None:
            _unlink(path)

    def close(self) -> None:
        """Remove all of them, and the folder."""
        self._kept.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _own_folder(self) -> str:
        if self._folder is None:
            self._folder = tempfile.mkdtemp(prefix="ztfast-serve-")
        return self._folder


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:  # removed by somebody else, or in use (Windows): `close` tries again
        return
