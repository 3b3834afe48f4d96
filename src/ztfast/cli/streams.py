"""Standard streams that a command can rely on.

Contract: after `prepare_streams` all three are there and have their numbers, so that no file
opened later gets one; one that the caller closed fails when it is used, as any file does.
Text that the terminal's encoding lacks is written as `?`, and a file name's bytes as they are.
Tested by tests/cli/test_streams.py.
"""

from __future__ import annotations

import codecs
import os
import sys

_LENIENT = "ztfast-lenient"
# a closed stream's number is given to a null device opened the wrong way round
_STREAMS = (("stdin", "r", os.O_WRONLY), ("stdout", "w", os.O_RDONLY), ("stderr", "w", os.O_WRONLY))


def prepare_streams() -> None:
    """Open what is closed, and let no character be an error."""
    codecs.register_error(_LENIENT, _replaced)
    for number, (name, mode, flags) in enumerate(_STREAMS):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, flags), number)
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 to stay
            setattr(sys, name, stream)
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors=_LENIENT)


def settle_output() -> None:
    """After an error: what standard output cannot take any more is not tried again at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _replaced(error: UnicodeError) -> tuple[str | bytes, int]:
    """A byte of a file name that is no text, or `?`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    number = ord(error.object[error.start])
    escaped = 0xDC80 <= number <= 0xDCFF  # PEP 383
    return bytes([number - 0xDC00]) if escaped else "?", error.start + 1
