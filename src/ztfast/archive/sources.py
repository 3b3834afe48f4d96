"""What an archive is made of: files, folders, patterns, URLs, in the order they are read.

Contract: the files that `ztfast filter` would read of the same names, in its order; those of URLs
take their place among them by the same rule.
Tested by tests/archive/test_job.py and test_remote.py.
"""

from __future__ import annotations

import errno
import glob
import os
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import IO, cast

from ztfast.archive.remote import RemoteFile, expanded, file_system, is_url
from ztfast.capture.many import expand, first_time_of, in_time_order
from ztfast.capture.open import open_capture
from ztfast.capture.session import UNREADABLE, ReadSession
from ztfast.errors import CaptureError, Diagnostic, Severity, usage

_FILE = "file://"


def files_of(sources: Sequence[str | os.PathLike[str]]) -> tuple[list[str], list[Diagnostic]]:
    """(paths and URLs of all captures, notes on what was left out).

    Raises UsageError for what is no file, CaptureError for what is not there.
    """
    if not sources:
        raise usage("no capture was named", "name files, folders, patterns or URLs")
    session = ReadSession()
    names: list[str] = []
    for named in sources:
        source = os.fspath(named)
        if is_url(source):
            names += _remote_files(source, session)
        else:
            names += [file for name in _expanded(source) for file in expand(name, session)]
    if len(names) > 1:
        names = in_time_order(names, _first_time)
    _refuse_doubles(names)
    for path in names:
        if not is_url(path) and not os.path.isfile(path):
            raise usage(f"{path} is no file on a disk", "ztfast filter reads pipes")
    return names, list(session.diagnostics)


def _expanded(source: str) -> list[str]:
    if source == "-":
        raise usage("an archive cannot be standard input", "name files, folders or patterns")
    path = source.removeprefix(_FILE)
    if os.path.lexists(path) or not glob.has_magic(path):
        return [path]
    found = sorted(glob.glob(path, recursive=True))
    if not found:
        raise CaptureError(Diagnostic(UNREADABLE, "nothing has a name like this", path=path))
    return found


def _remote_files(url: str, session: ReadSession) -> list[str]:
    """The files of a URL; of a folder or a pattern those that are captures."""
    try:
        names = expanded(url)
        if not names:
            raise CaptureError(Diagnostic(UNREADABLE, "there is nothing of this name", path=url))
        if names == [_plain(url)]:
            return names
        found = [name for name in names if _is_capture(name, session)]
    except OSError as error:
        raise CaptureError(
            Diagnostic(UNREADABLE, f"cannot be read: {error.strerror}", path=url)
        ) from error
    if not found:
        raise CaptureError(Diagnostic(UNREADABLE, "holds no capture", path=url))
    return found


def _plain(url: str) -> str:
    system, path = file_system(url)
    name: str = system.unstrip_protocol(path)
    return name


def _is_capture(url: str, session: ReadSession) -> bool:
    """Does it begin as one?  What does not is noted; raises OSError where nobody can say."""
    with closing(RemoteFile(url, peek=True)) as file:
        try:
            open_capture(cast("IO[bytes]", file), span=1 << 16).close()
        except CaptureError as error:
            if file.failure:
                raise OSError(errno.EIO, file.failure, url) from error
            reason = error.diagnostics[0].message
            session.note(Diagnostic(UNREADABLE, f"left out: {reason}", Severity.NOTE, path=url))
            return False
    return True


def _first_time(name: str) -> int | None:
    if not is_url(name):
        return first_time_of(name)
    try:
        with closing(RemoteFile(name, peek=True)) as file:
            return first_time_of(cast("IO[bytes]", file))
    except OSError:
        return None


def _refuse_doubles(paths: Iterable[str]) -> None:
    seen: set[str] = set()
    for path in paths:
        real = path if is_url(path) else os.path.realpath(path)
        if real in seen:
            raise usage(f"{path} is named twice", "each file is judged once")
        seen.add(real)
