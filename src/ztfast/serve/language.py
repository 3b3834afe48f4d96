"""The language server behind the page's editor: `lsp.server` over a WebSocket.

Contract: a session a socket, a few sockets at a time.  The page has one text under one name: what a
message says of other texts, of folders or of files is not handed on, so that a socket reads nothing
from the disk.  A message that makes no sense ends its socket and nothing else.
Tested by tests/serve/test_language.py.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from ztfast.network.members import Network
from ztfast.serve.questions import Question, object_of, parsed

if TYPE_CHECKING:
    from ztfast.lsp.server import Session

DOCUMENT = "file:///rules.ztrules"
MOST_SESSIONS = 8
_OPEN, _CLOSE = "textDocument/didOpen", "textDocument/didClose"
_TEXT = "textDocument/"
_PLAIN = frozenset(("initialize", "initialized", "shutdown", "$/cancelRequest"))
_TRY_AGAIN, _NONSENSE = 1013, 1007


class Languages:
    """The sessions of a server's pages."""

    def __init__(self, network: Network | None) -> None:
        self._network = network
        self._sessions = 0

    async def answer(self, socket: WebSocket) -> None:
        """Answer one editor until it leaves."""
        await socket.accept()
        if self._sessions >= MOST_SESSIONS:
            await socket.close(_TRY_AGAIN, "too many editors are open")
            return
        self._sessions += 1
        try:
            session = await asyncio.to_thread(_session, self._network)
            await _Conversation(socket, session).hold()
        finally:
            self._sessions -= 1


def _session(network: Network | None) -> Session:
    """A new session; the protocol's types take most of a second to import, the first time."""
    from ztfast.lsp.members import Known, Members
    from ztfast.lsp.server import Session

    return Session(Members(Known(network)))


class _Conversation:
    """One editor."""

    def __init__(self, socket: WebSocket, session: Session) -> None:
        self._socket, self._session = socket, session
        self._protocol: Any = self._session.server.protocol
        self._out: asyncio.Queue[str] = asyncio.Queue()
        self._is_open = False
        self._protocol.set_writer(self, include_headers=False)

    def write(self, data: bytes) -> None:
        """What the language server says (its writer)."""
        self._out.put_nowait(data.decode())

    def close(self) -> None:
        """Nothing: the socket's end ends the session."""

    async def hold(self) -> None:
        """Hear and answer until the socket closes."""
        talking = asyncio.create_task(self._talk())
        try:
            await self._listen()
        finally:
            talking.cancel()
            self._session.end()

    async def _listen(self) -> None:
        while (heard := await self._socket.receive())["type"] == "websocket.receive":
            message = _read(heard.get("text"))
            if message is None or not self._hand_on(message):
                await self._socket.close(_NONSENSE, "no message of a language client")
                return

    async def _talk(self) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # it has left
            while True:
                await self._socket.send_text(await self._out.get())

    def _hand_on(self, message: Question) -> bool:
        """Give a message to the language server, where it may have it; False for nonsense."""
        method = message.get("method")
        if not isinstance(method, str):
            return "id" in message  # an answer to a question that we never ask
        if method.startswith(_TEXT):
            if not self._is_ours(method, message.get("params")):
                return True
        elif method not in _PLAIN:
            return True
        try:
            self._protocol.handle_message(self._protocol.structure_message(_trimmed(message)))
        except Exception:  # what pygls makes of a message is not known before
            return False
        return True

    def _is_ours(self, method: str, params: Any) -> bool:
        """Is it about the page's text, and is that open (or just being opened)?"""
        document = object_of((object_of(params) or {}).get("textDocument"))
        if document is None or document.get("uri") != DOCUMENT:
            return False
        if method == _OPEN:
            self._is_open = True
        elif method == _CLOSE:
            closing, self._is_open = self._is_open, False
            return closing
        return self._is_open


def _read(text: str | None) -> Question | None:
    """A message, None where it is none (also bytes)."""
    message = None if text is None else parsed(text)
    return message if message is not None and message.get("jsonrpc") == "2.0" else None


def _trimmed(message: Question) -> Question:
    """An `initialize` names folders and files of its own: only what the editor can do is kept."""
    if message.get("method") != "initialize":
        return message
    can = object_of((object_of(message.get("params")) or {}).get("capabilities"))
    return {**message, "params": {"processId": None, "rootUri": None, "capabilities": can or {}}}
