"""What an editor offers to do about findings: their fixes, and to ignore them.

Contract: `quick_fixes` gives the fixes of findings, the safe ones as preferred; a warning or note
of a rules text can also be ignored on its line.  Nothing is changed here.
Tested by tests/lsp/test_quick_fixes.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ztfast.errors import Diagnostic, Edit, Severity
from ztfast.lsp.document import Document


class QuickFix(NamedTuple):
    """Edits on offer, and the finding that they settle."""

    title: str
    edits: tuple[Edit, ...]
    finding: Diagnostic
    preferred: bool = False


def touched(findings: Iterable[Diagnostic], start: int, end: int) -> list[Diagnostic]:
    """The findings that a selection touches."""
    return [one for one in findings if one.span and one.span.start <= end and start <= one.span.end]


def quick_fixes(document: Document, findings: Iterable[Diagnostic]) -> list[QuickFix]:
    """What can be done about findings: fixes first."""
    found = list(findings)
    fixes = [
        QuickFix(_title(fix.title, fix.safe), fix.edits, finding, fix.safe and not number)
        for finding in found
        for number, fix in enumerate(finding.fixes)
    ]
    return [*fixes, *filter(None, (_ignored(document, finding) for finding in found))]


def _title(title: str, safe: bool) -> str:
    shown = title[:1].upper() + title[1:]
    return shown if safe else f"{shown} (changes what gets through)"


def _ignored(document: Document, finding: Diagnostic) -> QuickFix | None:
    """A comment that ignores the finding on its line."""
    if finding.severity == Severity.ERROR or finding.span is None or document.is_json:
        return None
    end = document.positions.line_end(finding.span.start)
    comment = document.comment_at(end)
    text = f"# ztfast: ignore {finding.code}"
    if comment is None:
        edit = Edit(end, end, f"  {text}")
    elif comment.text.lstrip("# \t").startswith("ztfast: ignore ZT"):
        edit = Edit(end, end, f" {finding.code}")
    else:
        edit = Edit(comment.start, comment.start, f"{text} ")
    return QuickFix(f"Ignore {finding.code} on this line", (edit,), finding)
