"""A file beside the one that it will replace, under a name that nobody else has.

Contract: `create_beside` makes an empty file in the target's folder, hidden, named after the
target, this machine and a random number, so that two runs, also on two machines that share the
folder, never write into one file.  It has the mode of the file that it will replace.
What is renamed after `settle` is whole under its name, also after a crash of the machine.
Tested by tests/sinks/test_temporary.py.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_TRIES = 100
_NOT_THERE = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)
_MOST_NAME, _MOST_HOST = 40, 30  # characters; a name has at most 255 bytes


def create_beside(target: str) -> tuple[int, str]:
    """An open descriptor and the path of the new file; raises OSError."""
    folder, name = os.path.split(target)
    mode = _mode(target)
    for _ in range(_TRIES):
        path = os.path.join(folder, _hidden(name))
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(path, _FLAGS | _NO_LINK, 0o666 if mode is None else mode)
            if mode is not None and hasattr(os, "fchmod"):
                os.fchmod(descriptor, mode)
            return descriptor, path
    raise FileExistsError(errno.EEXIST, "no free temporary name", folder)


def settle(descriptor: int) -> None:
    """Wait until the file's bytes are on the disk; raises OSError where they cannot be."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NOT_THERE:  # a file system that has no such thing
            raise


def _hidden(name: str) -> str:
    host = re.sub(r"[^A-Za-z0-9.-]", "-", host_name())[:_MOST_HOST] or "host"
    return f".{name[:_MOST_NAME]}.{host}.{os.urandom(4).hex()}.part"


def host_name() -> str:
    """This machine's name; `platform` and `socket` would take their time to import."""
    return os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")


def _mode(path: str) -> int | None:
    try:
        return stat.S_IMODE(os.stat(path).st_mode)
    except FileNotFoundError:
        return None
