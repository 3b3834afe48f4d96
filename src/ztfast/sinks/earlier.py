"""What earlier runs left behind: files of a split folder, and of a rotated row.

Contract: only names that ztfast gives are counted, so a folder may hold other things, which are
never touched.  `refuse_earlier` raises UsageError, writes nothing.
Tested by tests/sinks/test_earlier.py.
"""

from __future__ import annotations

import os
import re

from ztfast.errors import Diagnostic, UsageError

REFUSE, FORCE, CLEAN = "refuse", "force", "clean"
_OURS = re.compile(
    r"(accepted|dropped|redirected|rule-(line|entry|capability|none)[a-z0-9-]*"
    r"|member-(unknown|[0-9a-f]{10})|(tee|watch|redirect)-[0-9a-f]{10})"
    r"(_\d{5,})?\.(pcap|pcapng)"
)
_MOST_NAMED = 3


def earlier_files(folder: str) -> list[str]:
    """The files in a folder that have names of --split, sorted; none where there is no folder."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    return [os.path.join(folder, name) for name in names if _OURS.fullmatch(name)]


def has_place_in(folder: str, path: str) -> bool:
    """Is that one of the names that --split gives to files of this folder?"""
    inside = os.path.realpath(os.path.dirname(path) or ".") == os.path.realpath(folder)
    return inside and _OURS.fullmatch(os.path.basename(path)) is not None


def refuse_earlier(folder: str, earlier: str) -> None:
    """Raise UsageError where files of an earlier run are there and nobody said what of them.

    earlier: "refuse", "force" (replace those of the same name) or "clean" (and remove the others).
    """
    found = earlier_files(folder)
    if earlier == REFUSE and found:
        some = ", ".join(map(os.path.basename, found[:_MOST_NAMED]))
        more = ", …" if len(found) > _MOST_NAMED else ""
        raise UsageError(
            Diagnostic(
                "ZT610",
                f"holds files of an earlier run ({some}{more})",
                path=folder,
                help="name another folder; or --clean replaces them all, --force only those that "
                "get the same name",
            )
        )
