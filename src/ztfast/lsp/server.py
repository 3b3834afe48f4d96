"""The language server: what an editor asks, answered from a `Document` (pygls 2).

Contract: `serve()` speaks the protocol on standard input and output until the editor ends it; no
text, position or request ends it before.  Findings that need no proof come at once, all of them as
soon as they are proved; another keystroke ends the proof.  Whole texts are sent, since editors and
pygls do not agree on what ends a line.  Tested by tests/lsp/test_server.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from ztfast import __version__
from ztfast.diagnostics.formats import code_page
from ztfast.errors import Diagnostic, Edit, Severity, UsageError, ZtfastError
from ztfast.lang.format import format_text
from ztfast.lsp.complete import complete
from ztfast.lsp.document import Document
from ztfast.lsp.hover import hover
from ztfast.lsp.pieces import Piece, Role
from ztfast.lsp.proofs import everything
from ztfast.lsp.quick_fixes import quick_fixes, touched
from ztfast.lsp.symbols import definition, references, renamable, rename, symbols
from ztfast.network.load import load_network
from ztfast.network.members import Network

PAUSE = 0.3  # seconds without a keystroke after which a proof is begun

_SEVERITIES = {
    Severity.ERROR: lsp.DiagnosticSeverity.Error,
    Severity.WARNING: lsp.DiagnosticSeverity.Warning,
    Severity.NOTE: lsp.DiagnosticSeverity.Information,
}
_ITEM_KINDS = {
    "match": lsp.CompletionItemKind.Keyword,
    "action": lsp.CompletionItemKind.Function,
    "word": lsp.CompletionItemKind.Keyword,
    "macro": lsp.CompletionItemKind.Snippet,
    "tag": lsp.CompletionItemKind.Variable,
    "value": lsp.CompletionItemKind.EnumMember,
    "member": lsp.CompletionItemKind.Reference,
}
_SYMBOL_KINDS = {
    Role.MACRO: lsp.SymbolKind.Function,
    Role.TAG: lsp.SymbolKind.Enum,
    Role.CAPABILITY: lsp.SymbolKind.Class,
    Role.VALUE: lsp.SymbolKind.EnumMember,
}


def serve() -> None:
    """Answer an editor until it is done."""
    Session().server.start_io()


class Session:
    """One editor: its open texts, what was found in them, the proofs under way."""

    def __init__(self) -> None:
        self.server = LanguageServer(
            "ztfast", __version__, text_document_sync_kind=lsp.TextDocumentSyncKind.Full
        )
        self._documents: dict[str, Document] = {}
        self._findings: dict[str, list[Diagnostic]] = {}
        self._proofs: dict[str, asyncio.Task[None]] = {}
        self._network: Network | None = None
        self._trouble = ""
        self._register()

    def _register(self) -> None:
        on = self._on
        on(lsp.INITIALIZE, self._initialize)
        on(lsp.INITIALIZED, self._initialized)
        on(lsp.SHUTDOWN, self._shut_down)
        on(lsp.TEXT_DOCUMENT_DID_OPEN, self._changed)
        on(lsp.TEXT_DOCUMENT_DID_CHANGE, self._changed)
        on(lsp.TEXT_DOCUMENT_DID_CLOSE, self._closed)
        on(lsp.TEXT_DOCUMENT_HOVER, self._hover)
        triggers = lsp.CompletionOptions(trigger_characters=[" ", ","])
        on(lsp.TEXT_DOCUMENT_COMPLETION, self._complete, triggers)
        on(lsp.TEXT_DOCUMENT_DEFINITION, self._definition)
        on(lsp.TEXT_DOCUMENT_REFERENCES, self._references)
        on(lsp.TEXT_DOCUMENT_PREPARE_RENAME, self._renamable)
        on(lsp.TEXT_DOCUMENT_RENAME, self._rename, lsp.RenameOptions(prepare_provider=True))
        on(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL, self._symbols)
        on(lsp.TEXT_DOCUMENT_FORMATTING, self._format)
        fixes = lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix])
        on(lsp.TEXT_DOCUMENT_CODE_ACTION, self._code_actions, fixes)

    def _on(self, method: str, answer: Callable[[Any], Any], options: Any = None) -> None:
        # pygls notes things on the function, which a bound method does not take
        self.server.feature(method, options)(partial(answer))

    # --- the session

    def _initialize(self, params: lsp.InitializeParams) -> None:
        options: Any = params.initialization_options
        path: Any = options.get("network") if hasattr(options, "get") else None
        if not isinstance(path, str) or not path:
            return
        folder = to_fs_path(params.root_uri) if params.root_uri else None
        try:
            self._network = load_network(Path(folder or ".", path))
        except (ZtfastError, OSError) as error:
            self._trouble = f"the network's members are not known: {error}"

    def _initialized(self, _: lsp.InitializedParams) -> None:
        if self._trouble:
            self._say(self._trouble)

    def _shut_down(self, _: None) -> None:
        for proof in self._proofs.values():
            proof.cancel()

    def _say(self, message: str) -> None:
        warning = lsp.MessageType.Warning
        self.server.window_show_message(lsp.ShowMessageParams(type=warning, message=message))

    # --- texts and findings

    def _changed(self, params: lsp.DidOpenTextDocumentParams) -> None:
        uri = params.text_document.uri
        text = self.server.workspace.get_text_document(uri)
        encoding = str(getattr(self.server.workspace.position_encoding, "value", "utf-16"))
        document = Document(text.filename or uri, text.source, encoding)
        self._documents[uri] = document
        self._stop(uri)
        self._proofs[uri] = asyncio.get_running_loop().create_task(self._prove(uri, document))
        self._publish(uri, document, document.findings)

    def _closed(self, params: lsp.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        self._stop(uri)
        document = self._documents.pop(uri, None)
        if document is not None:
            self._publish(uri, document, [])
        self._findings.pop(uri, None)

    def _stop(self, uri: str) -> None:
        proof = self._proofs.pop(uri, None)
        if proof is not None:
            proof.cancel()

    async def _prove(self, uri: str, document: Document) -> None:
        await asyncio.sleep(PAUSE)
        found = await everything(document)
        if found is not None and self._documents.get(uri) is document:
            self._publish(uri, document, found)

    def _publish(self, uri: str, document: Document, found: list[Diagnostic]) -> None:
        self._findings[uri] = found
        diagnostics = [_diagnostic(document, finding) for finding in found]
        self.server.text_document_publish_diagnostics(
            lsp.PublishDiagnosticsParams(uri=uri, diagnostics=diagnostics)
        )

    # --- questions

    def _at(self, params: Any) -> tuple[Document, int]:
        """The document that a question is of, and its offset."""
        document = self._document(params)
        place = params.position
        return document, document.positions.offset(place.line, place.character)

    def _document(self, params: Any) -> Document:
        document = self._documents.get(params.text_document.uri)
        if document is None:
            raise JsonRpcInvalidParams("the text is not open")
        return document

    def _hover(self, params: lsp.HoverParams) -> lsp.Hover | None:
        document, offset = self._at(params)
        said = hover(document, offset, self._network)
        if said is None:
            return None
        text = lsp.MarkupContent(kind=lsp.MarkupKind.Markdown, value=said.text)
        return lsp.Hover(contents=text, range=_range(document, said.start, said.end))

    def _complete(self, params: lsp.CompletionParams) -> lsp.CompletionList:
        document, offset = self._at(params)
        found = complete(document, offset, self._network)
        place = _range(document, found.start, found.end)
        items = [
            lsp.CompletionItem(
                label=item.label,
                kind=_ITEM_KINDS[item.kind],
                detail=item.detail or None,
                documentation=item.about or None,
                filter_text=item.label,
                text_edit=lsp.TextEdit(range=place, new_text=item.insert or item.label),
            )
            for item in found.items
        ]
        return lsp.CompletionList(is_incomplete=False, items=items)

    def _definition(self, params: lsp.DefinitionParams) -> lsp.Location | None:
        document, offset = self._at(params)
        found = definition(document, offset)
        if found is None:
            return None
        return lsp.Location(uri=params.text_document.uri, range=_of(document, found))

    def _references(self, params: lsp.ReferenceParams) -> list[lsp.Location]:
        document, offset = self._at(params)
        with_definition = params.context.include_declaration
        found = references(document, offset, with_definition=with_definition)
        uri = params.text_document.uri
        return [lsp.Location(uri=uri, range=_of(document, piece)) for piece in found]

    def _renamable(self, params: lsp.PrepareRenameParams) -> lsp.Range | None:
        document, offset = self._at(params)
        found = renamable(document, offset)
        return None if found is None else _of(document, found)

    def _rename(self, params: lsp.RenameParams) -> lsp.WorkspaceEdit:
        document, offset = self._at(params)
        try:
            edits = rename(document, offset, params.new_name)
        except UsageError as error:
            raise JsonRpcInvalidParams(str(error)) from None
        return _workspace_edit(params.text_document.uri, document, edits)

    def _symbols(self, params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
        document = self._document(params)
        return [
            _symbol(
                document,
                symbol.name,
                _range(document, symbol.start, symbol.end),
                [_symbol(document, value, _of(document, value), []) for value in symbol.values],
            )
            for symbol in symbols(document)
        ]

    def _format(self, params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit]:
        document = self._document(params)
        if document.is_json or document.is_long:
            return []
        try:
            text = format_text(document.text, document.source.name)
        except ZtfastError as error:
            self._say(f"cannot be laid out: {error.diagnostics[0]}")
            return []
        if text == document.text:
            return []
        whole = _range(document, 0, len(document.text))
        return [lsp.TextEdit(range=whole, new_text=text)]

    def _code_actions(self, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        document = self._document(params)
        uri = params.text_document.uri
        first, last = params.range.start, params.range.end
        start = document.positions.offset(first.line, first.character)
        end = document.positions.offset(last.line, last.character)
        here = touched(self._findings.get(uri, ()), start, end)
        return [
            lsp.CodeAction(
                title=fix.title,
                kind=lsp.CodeActionKind.QuickFix,
                diagnostics=[_diagnostic(document, fix.finding)],
                is_preferred=fix.preferred,
                edit=_workspace_edit(uri, document, fix.edits),
            )
            for fix in quick_fixes(document, here)
        ]


def _range(document: Document, start: int, end: int) -> lsp.Range:
    places = document.positions.place(start), document.positions.place(max(start, end))
    return lsp.Range(*(lsp.Position(line=line, character=at) for line, at in places))


def _of(document: Document, piece: Piece) -> lsp.Range:
    return _range(document, piece.start, piece.end)


def _diagnostic(document: Document, finding: Diagnostic) -> lsp.Diagnostic:
    span = finding.span
    start, end = (0, 0) if span is None else (span.start, max(span.end, span.start + 1))
    return lsp.Diagnostic(
        range=_range(document, start, end),
        message=f"{finding.message}\n{finding.help}" if finding.help else finding.message,
        severity=_SEVERITIES[finding.severity],
        code=finding.code,
        code_description=lsp.CodeDescription(href=code_page(finding.code)),
        source="ztfast",
    )


def _workspace_edit(uri: str, document: Document, edits: Iterable[Edit]) -> lsp.WorkspaceEdit:
    made = [
        lsp.TextEdit(range=_range(document, edit.start, edit.end), new_text=edit.text)
        for edit in edits
    ]
    return lsp.WorkspaceEdit(changes={uri: made})


def _symbol(
    document: Document, name: Piece, whole: lsp.Range, inside: list[lsp.DocumentSymbol]
) -> lsp.DocumentSymbol:
    return lsp.DocumentSymbol(
        name=name.text,
        kind=_SYMBOL_KINDS[name.role],
        range=whole,
        selection_range=_of(document, name),
        children=inside,
    )
