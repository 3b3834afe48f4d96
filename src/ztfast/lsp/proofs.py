"""Everything that `ztfast check` finds, by a process that can be ended at any moment.

Contract: `everything` runs `ztfast check --json` on a text and gives its findings; cancelled, it
ends that process, so that a keystroke costs no proof.  None where the process failed.  No module
of the folder that the editor is in is imported.  Tested by tests/lsp/test_proofs.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from typing import Any

from ztfast.errors import Diagnostic, Edit, Fix, Span
from ztfast.lsp.document import Document

# The folder that `-c` puts in front may hold anything: also a stranger's module of a known name.
_PROGRAM = "import sys; sys.path[:] = filter(None, sys.path); from ztfast.cli import main; main()"


async def everything(document: Document) -> list[Diagnostic] | None:
    """The findings of `ztfast check`, proofs among them."""
    pipe, nowhere = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    words = (sys.executable, "-c", _PROGRAM, "check", "--json", "-")
    process = await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe, stderr=nowhere)
    try:
        output, _ = await process.communicate(document.text.encode("utf-8", "replace"))
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
    try:
        return read_findings(document, json.loads(output))
    except (ValueError, KeyError, TypeError):
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
