"""Findings for other programs: JSON, GitHub annotations, SARIF 2.1.0, JUnit XML.

Contract: pure functions from findings (and the files that were checked) to text.  Lines
count from 1; columns count from 0 in our JSON, as in our messages, and from 1 in the
formats of others, in code points.  For others, names of files have forward slashes; SARIF's are
URIs, a path with a drive `file:///C:/…`.  Tested by tests/diagnostics/test_formats.py.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote as quote_url
from xml.sax.saxutils import escape, quoteattr

from ztfast.diagnostics.code import Code
from ztfast.diagnostics.codes import CODES
from ztfast.errors import Diagnostic, Edit, Fix, Severity, Source

Findings = Sequence[tuple[str, Sequence[Diagnostic]]]  # one item a checked file

_LINE_END = re.compile(r"\r\n|\r|\n")
_CODES_PAGE = "https://github.com/ztfast/ztfast/blob/main/docs/codes.md"
_RANKS = {Severity.NOTE: 0, Severity.WARNING: 1, Severity.ERROR: 2}


def at_least(finding: Diagnostic, severity: str) -> bool:
    """True where the finding is as severe as `severity` or more."""
    return _RANKS[finding.severity] >= _RANKS[severity]


def counts(findings: Findings) -> dict[str, int]:
    """How many findings there are of each severity."""
    found: dict[str, int] = dict.fromkeys((Severity.ERROR, Severity.WARNING, Severity.NOTE), 0)
    for _, diagnostics in findings:
        for diagnostic in diagnostics:
            found[diagnostic.severity] += 1
    return found


def _file(name: str, finding: Diagnostic) -> str:
    return finding.source.name if finding.source is not None else finding.path or name


_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


def slashed(name: str, windows: bool = os.sep == "\\") -> str:
    """A file's name with forward slashes: a backslash is a letter of names elsewhere."""
    return name.replace("\\", "/") if windows or _DRIVE.match(name) else name


def file_uri(name: str, windows: bool = os.sep == "\\") -> str:
    """A file's name as a URI reference; with a drive or a server it is absolute."""
    path = slashed(name, windows)
    quoted = quote_url(path, errors="surrogateescape")  # the bytes of the name
    if _DRIVE.match(path):
        return f"file:///{path[:2]}{quote_url(path[2:], errors='surrogateescape')}"
    return f"file:{quoted}" if windows and path.startswith("//") else quoted


def _end(finding: Diagnostic) -> tuple[int, int]:
    """Line and column (from 0) of a span's end."""
    span = finding.span
    assert span is not None
    inside = finding.source.text[span.start : span.end] if finding.source is not None else ""
    lines = _LINE_END.split(inside)
    if len(lines) == 1:
        return span.line, span.column + len(lines[0])
    return span.line + len(lines) - 1, len(lines[-1])


# --- JSON


def to_json(findings: Findings) -> str:
    """`{"version", "counts", "findings": [...]}`, one object a finding."""
    every = [_object(name, finding) for name, found in findings for finding in found]
    return json.dumps({"version": 1, "counts": counts(findings), "findings": every}, indent=2)


def _object(name: str, finding: Diagnostic) -> dict[str, Any]:
    made: dict[str, Any] = {
        "code": finding.code,
        "severity": finding.severity,
        "message": finding.message,
        "help": finding.help,
        "file": _file(name, finding),
        "line": None,
        "column": None,
        "end_line": None,
        "end_column": None,
        "offset": finding.offset,
    }
    if finding.span is not None:
        made["line"], made["column"] = finding.span.line, finding.span.column
        made["end_line"], made["end_column"] = _end(finding)
    if finding.fixes:
        made["fixes"] = [_fix_object(finding.source, fix) for fix in finding.fixes]
    return made


def _fix_object(source: Source | None, fix: Fix) -> dict[str, Any]:
    """`{"title", "safe", "edits"}`; an edit's places are offsets, and lines with columns."""
    edits = [
        {
            "start": edit.start,
            "end": edit.end,
            "line": place.start_line,
            "column": place.start_column,
            "end_line": place.end_line,
            "end_column": place.end_column,
            "text": edit.text,
        }
        for edit, place in _places(source, fix)
    ]
    return {"title": fix.title, "safe": fix.safe, "edits": edits}


class _Place(NamedTuple):
    """Lines from 1, columns from 0."""

    start_line: int
    start_column: int
    end_line: int
    end_column: int


def _places(source: Source | None, fix: Fix) -> Iterator[tuple[Edit, _Place]]:
    """Each edit with its place in the text."""
    text = source.text if source is not None else ""
    for edit in fix.edits:
        yield edit, _Place(*_line_column(text, edit.start), *_line_column(text, edit.end))


def _line_column(text: str, offset: int) -> tuple[int, int]:
    lines = _LINE_END.split(text[:offset])
    return len(lines), len(lines[-1])


# --- GitHub

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def to_github(findings: Findings) -> str:
    """Workflow commands, which GitHub shows beside the lines of a change."""
    return "\n".join(_annotation(name, finding) for name, found in findings for finding in found)


def _annotation(name: str, finding: Diagnostic) -> str:
    values: dict[str, object] = {"file": slashed(_file(name, finding))}
    if finding.span is not None:
        line, column = _end(finding)
        values["line"], values["endLine"] = finding.span.line, line
        if line == finding.span.line:  # GitHub takes columns only within one line
            values["col"], values["endColumn"] = finding.span.column + 1, column + 1
    values["title"] = finding.code
    shown = ",".join(f"{key}={_property(str(value))}" for key, value in values.items())
    text = f"{finding.message} ({finding.help})" if finding.help else finding.message
    return f"::{_COMMANDS[finding.severity]} {shown}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


# --- SARIF


def to_sarif(findings: Findings) -> str:
    """A SARIF 2.1.0 log with one run; its rules are the codes that were found."""
    codes = sorted({finding.code for _, found in findings for finding in found})
    rules = [_rule(code) for code in codes]
    results = [
        _result(name, finding, codes.index(finding.code))
        for name, found in findings
        for finding in found
    ]
    driver = {
        "name": "ztfast",
        "informationUri": "https://github.com/ztfast/ztfast",
        "rules": rules,
    }
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(log, indent=2)


def _rule(code: str) -> dict[str, Any]:
    known = CODES.get(code)
    made: dict[str, Any] = {"id": code}
    if known is not None:
        made["shortDescription"] = {"text": known.title}
        made["fullDescription"] = {"text": known.text}
        made["helpUri"] = code_page(code)
    return made


def code_page(code: str) -> str:
    """Where a code is explained."""
    known = CODES.get(code)
    return _CODES_PAGE if known is None else f"{_CODES_PAGE}#{anchor(known)}"


def anchor(code: Code) -> str:
    """The anchor of a code's heading on the page of codes, as GitHub makes it."""
    heading = f"{code.code}: {code.title}".lower()
    return re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")


def _result(name: str, finding: Diagnostic, index: int) -> dict[str, Any]:
    text = f"{finding.message}. {finding.help}" if finding.help else finding.message
    uri = file_uri(_file(name, finding))
    place: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if finding.span is not None:
        line, column = _end(finding)
        place["region"] = {
            "startLine": finding.span.line,
            "startColumn": finding.span.column + 1,
            "endLine": line,
            "endColumn": column + 1,
        }
    made: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": finding.severity,
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
    }
    if finding.fixes:
        made["fixes"] = [_sarif_fix(uri, finding.source, fix) for fix in finding.fixes]
    return made


def _sarif_fix(uri: str, source: Source | None, fix: Fix) -> dict[str, Any]:
    """A fix of one file (SARIF 2.1.0, section 3.55)."""
    replacements = [
        {
            "deletedRegion": {
                "startLine": place.start_line,
                "startColumn": place.start_column + 1,
                "endLine": place.end_line,
                "endColumn": place.end_column + 1,
            },
            "insertedContent": {"text": edit.text},
        }
        for edit, place in _places(source, fix)
    ]
    changes = [{"artifactLocation": {"uri": uri}, "replacements": replacements}]
    return {"description": {"text": fix.title}, "artifactChanges": changes}


# --- JUnit


def to_junit(findings: Findings) -> str:
    """JUnit XML: a suite a file, a failed case a finding, one passed case where there is none."""
    total = sum(len(found) for _, found in findings)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    tests = sum(max(1, len(found)) for _, found in findings)
    lines.append(f'<testsuites name="ztfast check" tests="{tests}" failures="{total}">')
    for name, found in findings:
        lines += _suite(name, found)
    lines.append("</testsuites>")
    return "\n".join(lines)


def _suite(name: str, found: Sequence[Diagnostic]) -> list[str]:
    title = quoteattr(xml_text(name))
    head = f'  <testsuite name={title} tests="{max(1, len(found))}" failures="{len(found)}">'
    if not found:
        return [head, f'    <testcase classname={title} name="no findings"/>', "  </testsuite>"]
    lines = [head]
    for finding in found:
        case = quoteattr(xml_text(f"{finding.code} {finding.place()}"))
        message = quoteattr(xml_text(finding.message))
        lines.append(f"    <testcase classname={title} name={case}>")
        lines.append(
            f"      <failure type={quoteattr(finding.severity)} message={message}>"
            f"{escape(xml_text(str(finding)))}</failure>"
        )
        lines.append("    </testcase>")
    return [*lines, "  </testsuite>"]


_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """The text without what XML 1.0 cannot hold, even escaped."""
    return _NO_XML.sub("\ufffd", text)


FORMATS: dict[str, Callable[[Findings], str]] = {
    "json": to_json,
    "github": to_github,
    "sarif": to_sarif,
    "junit": to_junit,
}
