"""Files that are read: no output may take their place.

Contract: files are the same by device and inode, so a link, another spelling or a folder's name
hides nothing; `-` is standard input among what is read, standard output among what is written.
What is no regular file (a pipe, /dev/null) is never refused.  Raises UsageError, writes nothing.
Tested by tests/sinks/test_originals.py.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from ztfast.errors import Diagnostic, UsageError, usage

Identity = tuple[int, int]
_STDIN, _STDOUT = 0, 1


def refuse_originals(written: Iterable[str], read: Iterable[str]) -> None:
    """Raise UsageError where a file that is written is one of those that are read."""
    originals = {found: name for name in read if (found := _identity(name, _STDIN))}
    for name in written:
        found = _identity(name, _STDOUT) if originals else None
        if found in originals:
            raise _refused(name, originals[found])


def refuse_twice(written: Iterable[str]) -> None:
    """Raise UsageError where two outputs would be one file: the last would be all that is left."""
    known: set[str] = set()
    for name in written:
        target = os.path.realpath(name)
        if name != "-" and target in known and not _is_device(target):
            raise usage(f"{name} would be written twice", "give each output a name of its own")
        known.add(target)


def _identity(name: str, standard: int) -> Identity | None:
    """Device and inode of a regular file; None where there is none."""
    try:
        found = os.fstat(standard) if name == "-" else os.stat(name)
    except (OSError, ValueError):  # not there, or no name of a file
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None


def _is_device(path: str) -> bool:
    return os.path.exists(path) and not os.path.isfile(path)


def _refused(name: str, original: str) -> UsageError:
    shown = "standard output" if name == "-" else name
    other = "standard input" if original == "-" else original
    same = "" if shown == other else f" (it is {other})"
    return UsageError(
        Diagnostic(
            "ZT609",
            f"would be written over while it is read{same}",
            path=shown,
            help="write to another file; nothing was written",
        )
    )
