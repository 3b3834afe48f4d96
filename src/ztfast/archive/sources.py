"""What an archive is made of: files, folders and patterns, in the order in which they are read.

Contract: the files that `ztfast filter` would read of the same names, in its order.
Tested by tests/archive/test_job.py.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence

from ztfast.capture.many import open_captures
from ztfast.errors import CaptureError, Diagnostic, usage

_FILE = "file://"


def files_of(sources: Sequence[str | os.PathLike[str]]) -> tuple[list[str], list[Diagnostic]]:
    """(paths of all captures, notes on what was left out).

    Raises UsageError for what is no file, CaptureError for what is not there.
    """
    names = [name for source in sources for name in _expanded(os.fspath(source))]
    with open_captures(names) as captures:
        paths, notes = list(captures.paths), list(captures.diagnostics)
    _refuse_doubles(paths)
    for path in paths:
        if not os.path.isfile(path):
            raise usage(f"{path} is no file on a disk", "ztfast filter reads pipes")
    return paths, notes


def _expanded(source: str) -> list[str]:
    if source == "-":
        raise usage("an archive cannot be standard input", "name files, folders or patterns")
    path = source.removeprefix(_FILE)
    if "://" in path:
        raise usage(f"{source} is no place that is read", "name files on this machine's disks")
    if os.path.lexists(path) or not glob.has_magic(path):
        return [path]
    found = sorted(glob.glob(path, recursive=True))
    if not found:
        raise CaptureError(Diagnostic("ZT503", "nothing has a name like this", path=path))
    return found


def _refuse_doubles(paths: Iterable[str]) -> None:
    seen: set[str] = set()
    for path in paths:
        real = os.path.realpath(path)
        if real in seen:
            raise usage(f"{path} is named twice", "each file is judged once")
        seen.add(real)
