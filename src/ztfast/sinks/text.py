"""Writing a result to a file or standard output, whole or not at all.

Contract: `write_text` replaces a regular file in one step, so that a full disk or an
interrupt never leaves half a file; anything else (a pipe, /dev/stdout) is written to
directly.  Text is UTF-8 with the line ends it has; what UTF-8 cannot hold (a file's name in
another encoding) is escaped.  Tested by tests/sinks/test_text.py.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress

from ztfast.errors import Diagnostic, OutputError


def write_text(path: str | None, text: str) -> None:
    """Write `text` to a file, or to standard output for None and `-`; raises OutputError."""
    data = text.encode("utf-8", "backslashreplace")
    if path is None or path == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            with open(path, "wb") as file:
                file.write(data)
        else:
            _replace(os.path.realpath(path), data)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            Diagnostic("ZT003", f"cannot be written: {reason}", path=path, help="nothing changed")
        ) from None


def _replace(path: str, data: bytes) -> None:
    """Write beside the file and put it in place, with the mode that the file had."""
    folder, name = os.path.split(path)
    handle, beside = tempfile.mkstemp(prefix=f".{name[:40]}.", dir=folder or ".")
    try:
        with open(handle, "wb") as file:
            file.write(data)
        os.chmod(beside, _mode(path))
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise


def _mode(path: str) -> int:
    try:
        return os.stat(path).st_mode & 0o7777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
