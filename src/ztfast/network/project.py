"""The project's file of settings: `ztfast.toml`, or `[tool.ztfast]` in a pyproject.toml.

Contract: `find_project(folder)` gives the `Project` of the first such file in the folder or above,
None where there is none; `read_project` that of one file; `project_for` what counts, since
`ZTFAST_CONFIG` names a file instead of the search (empty: none).  Files that rules and network name
are beside it.  Raises NetworkError (ZT570) with file and line for a setting that is none.
Tested by tests/network/test_project.py.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import Any

from ztfast.errors import Diagnostic, NetworkError, Source, Span, ZtfastError

VARIABLE = "ZTFAST_CONFIG"
NAMES = ("ztfast.toml", "pyproject.toml")
MAX_SIZE = 1 << 20
_TABLE = "tool.ztfast"
_CHOICES = {
    "rules": None,
    "network": None,
    "engine": ("1.14", "1.12"),
    "fail-on": ("error", "warning", "note"),
}
_MAYBE_OURS = re.compile(
    rb"""tool\s*\.\s*["']?ztfast|^\s*(\[\s*tool\s*\]|tool\s*=)""", re.MULTILINE
)
_REVISION = re.compile("(git:[^:]+:)(.+)")
_ID = re.compile(r"[0-9a-fA-F]{16}")


@dataclass(frozen=True)
class Project:
    """What a file sets; None: it does not.

    rules, network: as the command line takes them, files with their folder.  engine: "1.14" or
    "1.12".  fail_on: error, warning or note.
    """

    path: str
    rules: str | None = None
    network: str | None = None
    engine: str | None = None
    fail_on: str | None = None


def project_for(folder: str | None) -> Project | None:
    """The settings that count for a folder: of the file that ZTFAST_CONFIG names, else its own."""
    given = os.environ.get(VARIABLE)
    if given is not None:
        return read_project(given) if given else None
    return None if folder is None else find_project(folder)


def find_project(folder: str) -> Project | None:
    """The settings for a folder: of the nearest file that has any, upwards."""
    at = os.path.abspath(folder)
    while True:
        for name in NAMES:
            path = os.path.join(at, name)
            if os.path.isfile(path):
                found = read_project(path)
                if found is not None:
                    return found
        above = os.path.dirname(at)
        if above == at:
            return None
        at = above


def read_project(path: str) -> Project | None:
    """The settings of one file; None: a pyproject.toml that has none of ours."""
    shared = os.path.basename(path) == "pyproject.toml"
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_SIZE + 1)
    except OSError as error:
        if shared:
            return None  # whoever else reads it says so
        missing = isinstance(error, FileNotFoundError)
        help = "check the path" if missing else "check its rights"
        raise _refused(path, f"cannot be read: {error.strerror}", help) from None
    if shared and _MAYBE_OURS.search(data) is None:
        return None  # before it is parsed: most pyproject.toml are of others
    if len(data) > MAX_SIZE:
        raise _refused(path, f"more than {MAX_SIZE:,} bytes", "it holds a few settings only")
    values = _values(data, path, shared)
    return None if values is None else _project(path, data.decode("utf-8-sig"), values, shared)


def _values(data: bytes, path: str, shared: bool) -> dict[str, Any] | None:
    """The table of settings; None: there is none."""
    from ztfast.network.toml import parse_toml

    try:
        values: Any = parse_toml(data, path)
    except ZtfastError as error:
        if shared and b"tool.ztfast" not in data:
            return None
        raise NetworkError(*map(_as_settings, error.diagnostics)) from None
    for part in _TABLE.split(".") if shared else ():
        values = values.get(part) if hasattr(values, "get") else None
    if values is None or hasattr(values, "get"):
        found: dict[str, Any] | None = values
        return found
    raise _refused(
        path, f"`{_TABLE}` is not a table", f"write [{_TABLE}] and the settings below it"
    )


def _as_settings(found: Diagnostic) -> Diagnostic:
    """A fault of TOML, said of this file."""
    what = found.message.replace("is neither JSON nor TOML", "is not TOML")
    help = found.help
    if help is None or found.span is not None:  # that of a span is about networks
        help = 'settings are lines as: network = "net.toml"'
    return replace(found, code="ZT570", message=what, help=help)


def _project(path: str, text: str, values: dict[str, Any], shared: bool) -> Project:
    for key, value in values.items():
        _check(path, text, key, value, shared)
    found = {key.replace("-", "_"): value for key, value in values.items()}
    for key in ("rules", "network"):
        if key in found:
            found[key] = _beside(path, found[key])
    return Project(path, **found)


def _check(path: str, text: str, key: str, value: Any, shared: bool) -> None:
    """Refuse what is no setting, or no value of one."""
    if key not in _CHOICES:
        help = f"known are {', '.join(_CHOICES)}"
        if key == "tool" and not shared:
            help = "that heading is for a pyproject.toml: here settings stand without one"
        raise _refused(path, f"`{key[:40]}` is not a setting", help, text, key, shared)
    if not isinstance(value, str):
        what = f"`{key}` is not text"
        raise _refused(path, what, f'write it in quotes: {key} = "…"', text, key, shared)
    choices = _CHOICES[key]
    if choices is not None and value not in choices:
        what = f"`{key}` is {value!r:.40}"
        raise _refused(path, what, f"write one of {', '.join(choices)}", text, key, shared)
    if not value or "\0" in value or value == "-":
        raise _refused(path, f"`{key}` names no file", "give a path", text, key, shared)


def _beside(path: str, name: str) -> str:
    """A file's name from the working folder, also in a revision; a network's id as it is."""
    if _ID.fullmatch(name):
        return name
    if name.startswith("git:"):
        revision = _REVISION.fullmatch(name)  # else whoever reads it says what is missing
        return name if revision is None else revision[1] + _near(path, revision[2], "/")
    name = os.path.expanduser(name)
    near = _near(path, name)
    return os.path.join(os.path.dirname(path), name) if near.startswith("..") else near


def _near(path: str, name: str, separator: str = os.sep) -> str:
    """A file beside the settings, as the working folder would call it."""
    beside = os.path.join(os.path.dirname(path), name)
    try:
        return os.path.relpath(beside).replace(os.sep, separator)
    except ValueError:  # another drive of Windows
        return beside


def _refused(
    path: str, what: str, help: str, text: str = "", key: str = "", shared: bool = False
) -> NetworkError:
    """The error, at the line of the key where it can be found."""
    span = _line_of(text, key, shared) if key else None
    source = Source(path, text) if span is not None else None
    return NetworkError(Diagnostic("ZT570", what, span=span, source=source, path=path, help=help))


def _line_of(text: str, key: str, shared: bool) -> Span | None:
    """Where a key stands; of a pyproject.toml behind our table's heading."""
    start = 0
    if shared:
        heading = re.search(r"^[ \t]*\[[ \t]*tool[ \t]*\.[ \t]*ztfast[ \t]*\]", text, re.MULTILINE)
        start = heading.end() if heading else 0
    found = re.compile(rf"""^[ \t]*\[*[ \t]*["']?{re.escape(key)}["']?""", re.MULTILINE).search(
        text, start
    )
    if found is None:
        return None
    begin = found.end() - len(found.group().lstrip())
    line = text.count("\n", 0, begin) + 1
    column = begin - (text.rfind("\n", 0, begin) + 1)
    return Span(begin, found.end(), line, column)
