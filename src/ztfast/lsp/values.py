"""What a document holds, as lsprotocol's values: ranges, diagnostics, edits, symbols.

Contract: pure functions of a document.  Tested by tests/lsp/test_server.py.
"""

from __future__ import annotations

from collections.abc import Iterable

from lsprotocol import types as lsp

from ztfast.diagnostics.formats import code_page
from ztfast.errors import Diagnostic, Edit, Severity
from ztfast.lsp.document import Document
from ztfast.lsp.pieces import Piece, Role

_SEVERITIES = {
    Severity.ERROR: lsp.DiagnosticSeverity.Error,
    Severity.WARNING: lsp.DiagnosticSeverity.Warning,
    Severity.NOTE: lsp.DiagnosticSeverity.Information,
}
_SYMBOL_KINDS = {
    Role.MACRO: lsp.SymbolKind.Function,
    Role.TAG: lsp.SymbolKind.Enum,
    Role.CAPABILITY: lsp.SymbolKind.Class,
    Role.VALUE: lsp.SymbolKind.EnumMember,
}


def range_of(document: Document, start: int, end: int) -> lsp.Range:
    """The offsets from `start` to `end`."""
    places = document.positions.place(start), document.positions.place(max(start, end))
    return lsp.Range(*(lsp.Position(line=line, character=at) for line, at in places))


def line_range(line: int) -> lsp.Range:
    """The start of a line, counted from 0."""
    return lsp.Range(lsp.Position(line, 0), lsp.Position(line, 0))


def piece_range(document: Document, piece: Piece) -> lsp.Range:
    """Where a word's part stands."""
    return range_of(document, piece.start, piece.end)


def diagnostic(document: Document, finding: Diagnostic) -> lsp.Diagnostic:
    """A finding at its place."""
    span = finding.span
    start, end = (0, 0) if span is None else (span.start, max(span.end, span.start + 1))
    return lsp.Diagnostic(
        range=range_of(document, start, end),
        message=f"{finding.message}\n{finding.help}" if finding.help else finding.message,
        severity=_SEVERITIES[finding.severity],
        code=finding.code,
        code_description=lsp.CodeDescription(href=code_page(finding.code)),
        source="ztfast",
    )


def workspace_edit(uri: str, document: Document, edits: Iterable[Edit]) -> lsp.WorkspaceEdit:
    """Edits of one text."""
    made = [
        lsp.TextEdit(range=range_of(document, edit.start, edit.end), new_text=edit.text)
        for edit in edits
    ]
    return lsp.WorkspaceEdit(changes={uri: made})


def symbol_of(
    document: Document, name: Piece, whole: lsp.Range, inside: list[lsp.DocumentSymbol]
) -> lsp.DocumentSymbol:
    """A definition, with the names in it."""
    return lsp.DocumentSymbol(
        name=name.text,
        kind=_SYMBOL_KINDS[name.role],
        range=whole,
        selection_range=piece_range(document, name),
        children=inside,
    )
