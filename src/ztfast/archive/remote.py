"""Captures by URL, through fsspec: `s3://bucket/day/*.pcap.gz`, and what else it knows.

Contract: a URL is anything with `scheme://` but `file://`.  Files are read from the front in
stretches of 16 MiB.  Whatever a library raises becomes OSError with the reason, so that a reader
notes it; `RemoteFile.failure` then tells a transfer that broke off from a capture that is damaged.
Raises UsageError where the library of a scheme is missing.
Tested by tests/archive/test_remote.py.
"""

from __future__ import annotations

import errno
import hashlib
import importlib
import re
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from ztfast.capture.ahead import AheadFeed
from ztfast.capture.packets import MAX_BUFFER
from ztfast.capture.ranges import RangeReader
from ztfast.capture.sources import Feed
from ztfast.errors import usage

_T = TypeVar("_T")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_STRETCH = 16 << 20  # bytes that a read fetches: with 64 KiB gzip from a store is 30 times slower
_PEEK = 1 << 18
_MARKS = ("ETag", "etag", "LastModified", "last_modified", "created", "mtime")  # of a change
_MAGIC = re.compile(r"[*?\[]")


class RemoteInfo(NamedTuple):
    """A file's bytes, and a number that is another one when it changed."""

    size: int
    changed: int


def is_url(name: str) -> bool:
    """Is it the place of something that no folder of this machine holds?"""
    return _URL.match(name) is not None and not name.lower().startswith("file://")


def file_system(url: str) -> tuple[Any, str]:
    """(fsspec's file system of a URL, the path there); raises UsageError."""
    scheme = url.partition("://")[0]
    try:
        fsspec: Any = importlib.import_module("fsspec")
        found: tuple[Any, str] = fsspec.core.url_to_fs(url, use_listings_cache=False)
    except ImportError as error:
        help = "pip install 'ztfast[s3]'" if scheme.startswith("s3") else "install what it names"
        raise usage(f"{scheme}:// needs a library: {error}", help) from None
    except ValueError as error:
        raise usage(
            f"{url} is not a place that is known: {error}", "name files, or s3://…"
        ) from None
    return found


def expanded(url: str) -> list[str]:
    """The files of a URL: of a pattern, of a folder, or itself; by name.  Raises OSError."""
    system, path = file_system(url)
    return _asked(url, lambda: _names(system, path))


def _names(system: Any, path: str) -> list[str]:
    if _MAGIC.search(path):
        found = system.glob(path, detail=True)
        names = [name for name, what in found.items() if what["type"] == "file"]
    elif system.isdir(path):
        rows = system.ls(path, detail=True)
        names = [row["name"] for row in rows if row["type"] == "file"]
        names = [name for name in names if not name.rpartition("/")[2].startswith(".")]
    elif system.exists(path):
        names = [path]
    else:
        names = []
    return sorted(system.unstrip_protocol(name) for name in names)


def info_of(url: str) -> RemoteInfo:
    """What is known of a file without reading it; raises OSError."""
    system, path = file_system(url)

    def ask() -> RemoteInfo:
        system.invalidate_cache()
        found = system.info(path)
        marks = [str(found.get(name)) for name in _MARKS]
        digest = hashlib.sha256("\0".join(marks).encode()).digest()
        return RemoteInfo(int(found["size"]), int.from_bytes(digest[:7], "big"))

    return _asked(url, ask)


class RemoteFile:
    """A file object for `capture.open_capture`; failure: why reading broke off, "" where not."""

    def __init__(self, url: str, *, peek: bool = False) -> None:
        system, path = file_system(url)
        self.name, self.failure = url, ""
        stretch = _PEEK if peek else _STRETCH
        how: dict[str, Any] = {"block_size": stretch, "cache_type": "readahead"}
        self._file: Any = _asked(url, lambda: system.open(path, "rb", **how))

    def read(self, size: int) -> bytes:
        """Up to so many bytes, b"" at the end; raises OSError."""
        try:
            data: bytes = self._file.read(size)
        except Exception as error:
            self.failure = _reason(error)
            raise OSError(self.failure) from error
        return data

    def close(self) -> None:
        """Let go of it."""
        self._file.close()


class RemoteRanges:
    """A file's bytes by place: a `capture.ranges.Ranges`.  failure: as of a `RemoteFile`.

    Raises OSError.
    """

    stretch, near = _STRETCH, False

    def __init__(self, url: str) -> None:
        self._system, self._path = file_system(url)
        self.path, self.failure = url, ""
        self.size = info_of(url).size

    def piece(self, start: int, end: int) -> bytes:
        """The bytes from one place up to another; raises OSError."""
        end = min(end, self.size)
        if start >= end:
            return b""
        try:
            data: bytes = self._system.cat_file(self._path, start=start, end=end)
        except Exception as error:
            self.failure = _reason(error)
            raise OSError(errno.EIO, self.failure, self.path) from error
        return data

    def feed(self, start: int, stop: int) -> Feed:
        """Windows from a place on, the next one fetched while one is looked at."""
        reader = RangeReader(self, start, self.size, stop)
        return AheadFeed(reader, self.path, span=MAX_BUFFER, base=start)

    def close(self) -> None:
        """Nothing: nothing is held."""


def _asked(url: str, ask: Callable[[], _T]) -> _T:
    """What a library gives, or OSError with its reason."""
    try:
        return ask()
    except Exception as error:  # each library has errors of its own
        raise OSError(errno.EIO, _reason(error), url) from error


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError):
        return error.strerror or " ".join(str(error).split()) or type(error).__name__
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
