"""What an archive is made of: files, folders, patterns, URLs, in the order they are read.

Contract: the files that `ztfast filter` would read of the same names, in its order; those of URLs
take their place among them by the same rule.
Tested by tests/archive/test_job.py and test_remote.py.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import IO, NamedTuple, cast

from ztfast.archive.remote import RemoteFile, expanded, file_system, is_url
from ztfast.capture.many import expand, first_time_in, first_time_of, in_time_order
from ztfast.capture.open import open_capture
from ztfast.capture.session import UNREADABLE, ReadSession
from ztfast.errors import CaptureError, Diagnostic, Severity, usage

_FILE = "file://"
_SPAN = 1 << 16  # bytes of a window where only the front is looked at
AT_ONCE = 16  # files of a store that are asked about at a time: each answer takes its way


class _Peek(NamedTuple):
    """What the front of a file in a store tells.

    time: of its first frame (ns), None where there is none.  reason: why it is no capture.
    failure: why nobody can say.
    """

    time: int | None = None
    reason: str = ""
    failure: str = ""


def files_of(sources: Sequence[str | os.PathLike[str]]) -> tuple[list[str], list[Diagnostic]]:
    """(paths and URLs of all captures, notes on what was left out).

    Raises UsageError for what is no file, CaptureError for what is not there.
    """
    if not sources:
        raise usage("no capture was named", "name files, folders, patterns or URLs")
    session = ReadSession()
    names: list[str] = []
    peeks: dict[str, _Peek] = {}
    for named in sources:
        source = os.fspath(named)
        if is_url(source):
            names += _remote_files(source, peeks, session)
        else:
            names += [file for name in _expanded(source) for file in expand(name, session)]
    if len(names) > 1:
        names = in_time_order(
            names, lambda name: peeks[name].time if name in peeks else first_time_of(name)
        )
    _refuse_doubles(names)
    for path in names:
        if not is_url(path) and not os.path.isfile(path):
            raise usage(f"{path} is not a file on a disk", "ztfast filter reads pipes")
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


def _remote_files(url: str, peeks: dict[str, _Peek], session: ReadSession) -> list[str]:
    """The files of a URL; of a folder or a pattern those that are captures.  All are peeked at."""
    try:
        names = expanded(url)
    except OSError as error:
        raise CaptureError(
            Diagnostic(UNREADABLE, f"cannot be read: {error.strerror}", path=url)
        ) from error
    if not names:
        raise CaptureError(Diagnostic(UNREADABLE, "there is nothing of this name", path=url))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        peeks.update(zip(names, pool.map(_peeked, names), strict=True))
    for name in names:
        if peeks[name].failure:
            message = f"cannot be read: {peeks[name].failure}"
            raise CaptureError(Diagnostic(UNREADABLE, message, path=name))
    if names == [_plain(url)]:
        return names  # what is wrong with it is said when it is read
    found = [name for name in names if _is_capture(name, peeks[name], session)]
    if not found:
        raise CaptureError(Diagnostic(UNREADABLE, "holds no capture", path=url))
    return found


def _plain(url: str) -> str:
    system, path = file_system(url)
    name: str = system.unstrip_protocol(path)
    return name


def _is_capture(url: str, peek: _Peek, session: ReadSession) -> bool:
    """Does it begin as one?  What does not is noted."""
    if peek.reason:
        message = f"left out: {peek.reason}"
        session.note(Diagnostic(UNREADABLE, message, Severity.NOTE, path=url))
    return not peek.reason


def _peeked(url: str) -> _Peek:
    try:
        file = RemoteFile(url, peek=True)
    except OSError as error:
        return _Peek(failure=error.strerror or str(error))
    with closing(file):
        try:
            capture = open_capture(cast("IO[bytes]", file), span=_SPAN)
        except CaptureError as error:
            return _Peek(reason=error.diagnostics[0].message, failure=file.failure)
        with capture:
            return _Peek(first_time_in(capture), failure=file.failure)


def _refuse_doubles(paths: Iterable[str]) -> None:
    seen: set[str] = set()
    for path in paths:
        real = path if is_url(path) else os.path.realpath(path)
        if real in seen:
            raise usage(f"{path} is named twice", "each file is judged once")
        seen.add(real)
