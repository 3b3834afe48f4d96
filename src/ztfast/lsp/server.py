"""The language server: what an editor asks, answered from a `Document` (pygls 2).

Contract: `serve()` speaks the protocol on standard input and output until the editor ends it; no
text, position or request ends it before.  Findings that need no proof come at once, all of them as
soon as they are proved; another keystroke ends the proof.  Whole texts are sent, since editors and
pygls do not agree on what ends a line.  Tested by tests/lsp/test_server.py.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from functools import partial
from typing import Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from ztfast import __version__
from ztfast.errors import Diagnostic, UsageError, ZtfastError
from ztfast.lsp.complete import complete
from ztfast.lsp.document import Document
from ztfast.lsp.hover import hover
from ztfast.lsp.lenses import Lens, lenses
from ztfast.lsp.members import Members
from ztfast.lsp.proofs import everything
from ztfast.lsp.quick_fixes import quick_fixes, touched
from ztfast.lsp.symbols import definition, references, renamable, rename, symbols
from ztfast.lsp.values import (
    diagnostic,
    line_range,
    piece_range,
    range_of,
    symbol_of,
    workspace_edit,
)

SHOW_WAYS = "ztfast.reach"  # the command of a lens
_OPTIONS = 'write {"network": "network.json"}'
PAUSE = 0.3  # seconds without a keystroke after which a proof is begun

_ITEM_KINDS = {
    "match": lsp.CompletionItemKind.Keyword,
    "action": lsp.CompletionItemKind.Function,
    "word": lsp.CompletionItemKind.Keyword,
    "macro": lsp.CompletionItemKind.Snippet,
    "tag": lsp.CompletionItemKind.Variable,
    "value": lsp.CompletionItemKind.EnumMember,
    "member": lsp.CompletionItemKind.Reference,
}


def _in_a_line(record: logging.LogRecord) -> bool:
    """A question that is refused is one line of pygls's log, with no traceback: a filter."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, JsonRpcException):
        record.msg, record.args, record.exc_info = "refused: %s", (error,), None
    return True


def serve() -> None:
    """Answer an editor until it is done."""
    Session().server.start_io()


class Session:
    """One editor: its open texts, what was found in them, the proofs under way.

    members: whose they are where nothing is to be looked for.
    """

    def __init__(self, members: Members | None = None) -> None:
        self.server = LanguageServer(
            "ztfast", __version__, text_document_sync_kind=lsp.TextDocumentSyncKind.Full
        )
        self._documents: dict[str, Document] = {}
        self._findings: dict[str, list[Diagnostic]] = {}
        self._proofs: dict[str, asyncio.Task[None]] = {}
        self._members = Members() if members is None else members
        self._folder = "."
        self._lenses: dict[str, tuple[Document, list[Lens]]] = {}
        self._troubles: list[str] = []
        self._is_initialized = False  # before that an editor shows no messages
        logging.getLogger("pygls.protocol.json_rpc").addFilter(_in_a_line)
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
        on(lsp.TEXT_DOCUMENT_CODE_LENS, self._code_lenses, lsp.CodeLensOptions())
        self.server.command(SHOW_WAYS)(partial(self._show_ways))

    def _on(self, method: str, answer: Callable[[Any], Any], options: Any = None) -> None:
        # pygls notes things on the function, which a bound method does not take
        self.server.feature(method, options)(partial(answer))

    # --- the session

    def _initialize(self, params: lsp.InitializeParams) -> None:
        self._folder = (to_fs_path(params.root_uri) if params.root_uri else None) or "."
        path = self._network_option(params.initialization_options)
        if path:
            self._know(partial(self._members.use, os.path.join(self._folder, path)))

    def _know(self, members: Callable[[], None]) -> None:
        """Read members; what is wrong with their file is said once."""
        try:
            members()
        except (ZtfastError, OSError) as error:
            self._troubled(f"the network's members are not known: {error}")

    def _troubled(self, trouble: str) -> None:
        if trouble not in self._troubles:
            self._troubles.append(trouble)
            if self._is_initialized:
                self._say(trouble)

    def _network_option(self, options: Any) -> str:
        """The network's file of an editor's settings, empty for none; the rest is complained of."""
        if options is None:
            return ""
        if not hasattr(options, "items"):
            self._troubled(f"initializationOptions must be an object: {_OPTIONS}")
            return ""
        given = dict(options.items())
        path = given.pop("network", None)
        if given:
            unknown = ", ".join(sorted(str(name)[:40] for name in given)[:10])
            self._troubled(f"initializationOptions knows no {unknown}: {_OPTIONS}")
        if path is not None and not isinstance(path, str):
            self._troubled(f"`network` must be a file's name: {_OPTIONS}")
            return ""
        return path or ""

    def _initialized(self, _: lsp.InitializedParams) -> None:
        self._is_initialized = True
        for trouble in self._troubles:
            self._say(trouble)

    def _shut_down(self, _: None) -> None:
        self.end()

    def end(self) -> None:
        """End the proofs under way."""
        for proof in self._proofs.values():
            proof.cancel()

    def _say(self, message: str, kind: lsp.MessageType = lsp.MessageType.Warning) -> None:
        self.server.window_show_message(lsp.ShowMessageParams(type=kind, message=message))

    # --- texts and findings

    def _changed(self, params: lsp.DidOpenTextDocumentParams) -> None:
        uri = params.text_document.uri
        text = self.server.workspace.get_text_document(uri)
        encoding = str(getattr(self.server.workspace.position_encoding, "value", "utf-16"))
        document = Document(text.filename or uri, text.source, encoding)
        if uri not in self._documents:
            own = [os.path.dirname(text.path)] if uri.startswith("file:") else []
            self._know(partial(self._members.look, uri, *own, self._folder))
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
        self._lenses.pop(uri, None)
        self._members.forget(uri)

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
        diagnostics = [diagnostic(document, finding) for finding in found]
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
        said = hover(document, offset, self._members.of(params.text_document.uri).network)
        if said is None:
            return None
        text = lsp.MarkupContent(kind=lsp.MarkupKind.Markdown, value=said.text)
        return lsp.Hover(contents=text, range=range_of(document, said.start, said.end))

    def _complete(self, params: lsp.CompletionParams) -> lsp.CompletionList:
        document, offset = self._at(params)
        found = complete(document, offset, self._members.of(params.text_document.uri).network)
        place = range_of(document, found.start, found.end)
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
        return lsp.Location(uri=params.text_document.uri, range=piece_range(document, found))

    def _references(self, params: lsp.ReferenceParams) -> list[lsp.Location]:
        document, offset = self._at(params)
        with_definition = params.context.include_declaration
        found = references(document, offset, with_definition=with_definition)
        uri = params.text_document.uri
        return [lsp.Location(uri=uri, range=piece_range(document, piece)) for piece in found]

    def _renamable(self, params: lsp.PrepareRenameParams) -> lsp.Range | None:
        document, offset = self._at(params)
        found = renamable(document, offset)
        return None if found is None else piece_range(document, found)

    def _rename(self, params: lsp.RenameParams) -> lsp.WorkspaceEdit:
        document, offset = self._at(params)
        try:
            edits = rename(document, offset, params.new_name)
        except UsageError as error:
            raise JsonRpcInvalidParams(str(error)) from None
        return workspace_edit(params.text_document.uri, document, edits)

    def _symbols(self, params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
        document = self._document(params)
        return [
            symbol_of(
                document,
                symbol.name,
                range_of(document, symbol.start, symbol.end),
                [
                    symbol_of(document, value, piece_range(document, value), [])
                    for value in symbol.values
                ],
            )
            for symbol in symbols(document)
        ]

    def _format(self, params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit]:
        document = self._document(params)
        if document.is_json or document.is_long:
            return []
        try:
            text = document.laid_out()
        except ZtfastError as error:
            self._say(f"cannot be laid out: {error.diagnostics[0]}")
            return []
        if text == document.text:
            return []
        whole = range_of(document, 0, len(document.text))
        return [lsp.TextEdit(range=whole, new_text=text)]

    async def _code_lenses(self, params: lsp.CodeLensParams) -> list[lsp.CodeLens]:
        uri, document = params.text_document.uri, self._document(params)
        members = self._members.of(uri).file
        if members is None:
            return []
        if uri not in self._lenses or self._lenses[uri][0] is not document:
            await asyncio.sleep(PAUSE)
            if self._documents.get(uri) is not document:
                return []  # the editor asks again about the new text
            self._lenses[uri] = document, await lenses(document, members)
        return [
            lsp.CodeLens(
                range=line_range(lens.line),
                command=lsp.Command(
                    title=lens.title, command=SHOW_WAYS, arguments=[uri, lens.line]
                ),
            )
            for lens in self._lenses[uri][1]
        ]

    def _show_ways(self, uri: str, line: int) -> None:
        """The ways that a lens counts, as a message."""
        shown = self._lenses[uri][1] if uri in self._lenses else []
        for lens in shown:
            if lens.line == line:
                self._say("\n".join((lens.title, *lens.ways)), lsp.MessageType.Info)
                return

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
                diagnostics=[diagnostic(document, fix.finding)],
                is_preferred=fix.preferred,
                edit=workspace_edit(uri, document, fix.edits),
            )
            for fix in quick_fixes(document, here)
        ]
