"""What earlier runs left behind: files of a split folder, and of a rotated row.

Contract: only names that ztfast gives are counted, so a folder may hold other things, which are
never touched.  `refuse_earlier` and `refuse_earlier_row` raise UsageError, write nothing.
Tested by tests/sinks/test_earlier.py.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

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
    if earlier == REFUSE and (found := earlier_files(folder)):
        raise _refused(folder, f"holds files of an earlier run ({_some(found)})", "folder")


def refuse_earlier_row(path: str, found: Sequence[str], earlier: str) -> None:
    """The same of a rotated row: `found` are the numbered files of an earlier run of `path`."""
    if earlier == REFUSE and found:
        raise _refused(path, f"files of an earlier run are there ({_some(sorted(found))})", "file")


def _some(found: Sequence[str]) -> str:
    more = ", …" if len(found) > _MOST_NAMED else ""
    return ", ".join(map(os.path.basename, found[:_MOST_NAMED])) + more


def _refused(path: str, message: str, other: str) -> UsageError:
    way_out = (
        f"name another {other}; or --clean replaces them all, --force only those that get the "
        "same name"
    )
    return UsageError(Diagnostic("ZT610", message, path=path, help=way_out))
