"""Writing a result to a file or standard output, whole or not at all.

Contract: `write_text` replaces a regular file in one step, so that a full disk or an
interrupt never leaves half a file; anything else (a pipe, /dev/stdout) is written to
directly.  Text is UTF-8 with the line ends it has; what UTF-8 cannot hold (a file's name in
another encoding) is escaped.  Tested by tests/sinks/test_text.py.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress

from ztfast.errors import Diagnostic, OutputError
from ztfast.sinks.originals import refuse_originals
from ztfast.sinks.temporary import create_beside, settle


def write_text(path: str | None, text: str, read: Iterable[str | None] = ()) -> None:
    """Write `text` to a file, or to standard output for None and `-`; raises OutputError.

    read: the files that it was made from; UsageError where `path` is one of them.
    """
    if path is not None and path != "-":
        refuse_originals([path], [name for name in read if name is not None])
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
    handle, beside = create_beside(path)
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            settle(handle)
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise
