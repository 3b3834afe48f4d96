"""Fixes as data: choosing among findings' fixes, applying them to a text, showing what they do.

Contract: pure functions of texts and diagnostics, for commands, editors and CI alike.  `apply`
makes the edits of fixes in one text at once; of two that touch the same place the first is made,
the other waits for another look at the text.  Nothing is read or written.
Tested by tests/diagnostics/test_fixes.py.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from ztfast.errors import Diagnostic, Edit, Fix


def chosen(findings: Iterable[Diagnostic], *, unsafe: bool = False) -> list[Fix]:
    """The first fix of each finding that has one, each once; unsafe: also those that are not safe.

    Of fixes that only insert the same text the first is taken: it may settle the others' findings.
    """
    found: dict[object, Fix] = {}
    for finding in findings:
        fix = next((one for one in finding.fixes if one.safe or unsafe), None)
        if fix is not None:
            found.setdefault(_sameness(fix), fix)
    return list(found.values())


def _sameness(fix: Fix) -> object:
    inserts = all(edit.start == edit.end for edit in fix.edits)
    return tuple(edit.text.strip() for edit in fix.edits) if inserts else fix.edits


def compatible(fixes: Sequence[Fix]) -> list[Fix]:
    """Those fixes that can be made together: none touches what one before it edits."""
    taken: list[Edit] = []
    kept: list[Fix] = []
    for fix in fixes:
        if not any(_touch(edit, other) for edit in fix.edits for other in taken):
            kept.append(fix)
            taken += fix.edits
    return kept


def _touch(one: Edit, other: Edit) -> bool:
    """Do two edits share a character, or insert at one place?"""
    return one.start <= other.end and other.start <= one.end


def apply(text: str, fixes: Sequence[Fix]) -> str:
    """The text with the edits of these fixes made, of those that are compatible."""
    edits = sorted(edit for fix in compatible(fixes) for edit in fix.edits)
    parts: list[str] = []
    at = 0
    for edit in edits:
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])


def unified_diff(name: str, before: str, after: str) -> str:
    """What changes between two texts of one file, as `diff -u` shows it; empty: nothing."""
    old, new = _whole_lines(before), _whole_lines(after)
    return "".join(difflib.unified_diff(old, new, fromfile=name, tofile=name))


def _whole_lines(text: str) -> list[str]:
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += "\n"
    return lines
