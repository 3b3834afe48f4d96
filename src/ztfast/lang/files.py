"""Files from outside: their bytes, never more than asked for, and a controller's folder as a file.

Contract: `read_file` gives the bytes of a file, or of standard input for `-`; `network_file` the
one network's file in a folder that a controller keeps.  Both raise `Unreadable`, which says why;
whoever asks makes it an error with a code of its own.  Tested by tests/lang/test_files.py.
"""

from __future__ import annotations

import os
import re
import sys
from enum import Enum

_ID = re.compile(r"[0-9a-fA-F]{16}")


class Why(Enum):
    """What is wrong with a file."""

    MISSING = "missing or not readable"
    TOO_LARGE = "more bytes than are read"
    OTHER_FOLDER = "a folder without one network"


class Unreadable(Exception):
    """A file that gives nothing: why, in words of which file, and what to do."""

    def __init__(self, why: Why, path: str, message: str, help: str) -> None:
        super().__init__(message)
        self.why, self.path, self.message, self.help = why, path, message, help


def read_file(name: str, most: int) -> bytes:
    """All bytes of a file, or of standard input for `-`."""
    try:
        if name == "-":
            data = sys.stdin.buffer.read(most + 1)
        else:
            with open(name, "rb") as file:
                data = file.read(most + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = f"cannot be read: {reason}"
        raise Unreadable(Why.MISSING, name, message, "check the path") from None
    if len(data) > most:
        message = f"more than {most:,} bytes"
        raise Unreadable(Why.TOO_LARGE, name, message, "is it the right file?")
    return data


def network_file(name: str) -> str:
    """The file of the one network in a folder, or beside its folder of members.

    What is no folder stays as it is.
    """
    if name == "-" or not os.path.isdir(name):
        return name
    from pathlib import Path  # start-up shows, folders are rare

    folder = Path(name)
    own = folder.with_name(f"{folder.name}.json")
    if _ID.fullmatch(folder.name) and own.is_file():
        return str(own)
    for place in (folder, folder / "network", folder / "controller.d" / "network"):
        found = sorted(file for file in place.glob("*.json") if _ID.fullmatch(file.stem))
        if len(found) > 1:
            shown = ", ".join(file.name for file in found[:10]) + ", …" * (len(found) > 10)
            message = f"a folder of {len(found)} networks ({shown})"
            help = f"give one of them: {found[0]}"
            raise Unreadable(Why.OTHER_FOLDER, str(place), message, help)
        if found:
            return str(found[0])
    message = "a folder without a network's file ID.json"
    help = "give controller.d, controller.d/network, or a file"
    raise Unreadable(Why.OTHER_FOLDER, name, message, help)
