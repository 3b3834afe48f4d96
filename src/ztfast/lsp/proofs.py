"""Everything that `ztfast check` finds, by a process that can be ended at any moment.

Contract: `everything` runs `ztfast check --json` on a text and gives its findings; cancelled, it
ends that process, so that a keystroke costs no proof.  None where the process failed.
Tested by tests/lsp/test_proofs.py.
"""

from __future__ import annotations

from typing import Any

from ztfast.errors import Diagnostic, Edit, Fix, Span
from ztfast.lsp.document import Document
from ztfast.lsp.process import answer


async def everything(document: Document) -> list[Diagnostic] | None:
    """The findings of `ztfast check`, proofs among them."""
    found = await answer(document.text, "check", "--json", "-")
    try:
        return None if found is None else read_findings(document, found)
    except (KeyError, TypeError):
        return None


def read_findings(document: Document, output: Any) -> list[Diagnostic]:
    """What `check --json` said of a document."""
    return [_finding(document, found) for found in output["findings"]]


def _finding(document: Document, found: dict[str, Any]) -> Diagnostic:
    span = None
    if found["line"] is not None:
        start = document.positions.of_line(found["line"], found["column"])
        end = document.positions.of_line(found["end_line"], found["end_column"])
        span = Span(start, end, found["line"], found["column"])
    return Diagnostic(
        found["code"],
        found["message"],
        found["severity"],
        span,
        document.source,
        offset=found["offset"],
        help=found["help"],
        fixes=tuple(_fix(fix) for fix in found.get("fixes", ())),
    )


def _fix(found: dict[str, Any]) -> Fix:
    edits = (Edit(edit["start"], edit["end"], edit["text"]) for edit in found["edits"])
    return Fix(found["title"], tuple(edits), found["safe"])
