"""The language server over a WebSocket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.needs import needs
from tests.serve.running import NEEDED, Running

pytestmark = needs(*NEEDED)
URI = "file:///rules.ztrules"


class Editor:
    """A page's end of the socket."""

    def __init__(self, socket: Any) -> None:
        self.socket, self.number = socket, 0

    def tell(self, method: str, **params: Any) -> None:
        self.socket.send(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}))

    def ask(self, method: str, **params: Any) -> Any:
        self.number += 1
        message = {"jsonrpc": "2.0", "id": self.number, "method": method, "params": params}
        self.socket.send(json.dumps(message))
        while (heard := json.loads(self.socket.recv(20))).get("id") != self.number:
            pass
        return heard.get("result", heard.get("error"))

    def open(self, text: str, uri: str = URI) -> None:
        document = {"uri": uri, "languageId": "ztrules", "version": 1, "text": text}
        self.tell("textDocument/didOpen", textDocument=document)

    def findings(self) -> list[Any]:
        while (heard := json.loads(self.socket.recv(20))).get("method") != (
            "textDocument/publishDiagnostics"
        ):
            pass
        assert heard["params"]["uri"] == URI
        found: list[Any] = heard["params"]["diagnostics"]
        return found


@contextmanager
def connected(server: Running, **headers: str) -> Iterator[Any]:
    from websockets.sync.client import connect

    mine = {"Cookie": server.cookie, "Origin": server.url, **headers}
    origin = mine.pop("Origin") or None
    url = server.url.replace("http:", "ws:") + "/language"
    more = {name: value for name, value in mine.items() if value}
    with connect(url, origin=origin, additional_headers=more, proxy=None) as socket:  # type: ignore[arg-type]
        yield socket


@contextmanager
def editor(server: Running, **options: Any) -> Iterator[Editor]:
    with connected(server) as socket:
        made = Editor(socket)
        start = {"processId": None, "rootUri": None, "capabilities": {}}
        made.ask("initialize", **start, **options)
        made.tell("initialized")
        yield made


@pytest.mark.parametrize(
    "headers",
    [
        {"Cookie": ""},
        {"Cookie": "ztfast-1=x"},
        {"Origin": "http://example.com"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Host": "example.com"},
    ],
    ids=str,
)
def test_a_strangers_socket_is_refused(office: Running, headers: dict[str, str]) -> None:
    from websockets.exceptions import InvalidStatus

    with pytest.raises(InvalidStatus) as caught, connected(office, **headers):
        pass
    assert caught.value.response.status_code in (400, 403)


def test_findings_come_and_go(office: Running) -> None:
    with editor(office) as page:
        page.open("accept dport 443 and nonsense;")
        assert "nonsense" in page.findings()[0]["message"]
        version = {"uri": URI, "version": 2}
        page.tell(
            "textDocument/didChange", textDocument=version, contentChanges=[{"text": "accept;"}]
        )
        assert page.findings() == []


def test_members_are_known(office: Running) -> None:
    with editor(office) as page:
        page.open("accept ztsrc 1d71939404;")
        place = {"line": 0, "character": 15}
        said = page.ask("textDocument/hover", textDocument={"uri": URI}, position=place)
        assert "anna" in said["contents"]["value"]


def test_two_pages_have_texts_of_their_own(office: Running) -> None:
    with editor(office) as one, editor(office) as other:
        one.open("nonsense;")
        other.open("accept;")
        assert one.findings()
        assert other.findings() == []


def test_no_other_text_is_opened_or_read(office: Running) -> None:
    """Neither by its name, nor by a change without an opening, which pygls reads from the disk."""
    place = {"line": 0, "character": 1}
    with editor(office) as page:
        page.open("nonsense;", "file:///etc/passwd")
        change = [{"range": {"start": place, "end": place}, "text": ""}]
        for uri in (URI, "file:///etc/passwd", "/etc/passwd"):
            document = {"uri": uri, "version": 2}
            page.tell("textDocument/didChange", textDocument=document, contentChanges=change)
        page.open("accept;")
        assert page.findings() == []  # the first that come


def test_folders_and_files_of_the_client_are_passed_over(office: Running) -> None:
    options = {"initializationOptions": {"network": "/etc/passwd"}, "workspaceFolders": [{}]}
    with editor(office, **options) as page:
        page.tell("exit")  # would end the process
        page.tell("workspace/didChangeWatchedFiles", changes=[])
        page.open("accept;")
        assert page.findings() == []


@pytest.mark.parametrize(
    "message",
    [
        "nonsense",
        "[]",
        "{}",
        '{"jsonrpc": "1.0", "id": 1, "method": "initialize"}',
        '{"jsonrpc": "2.0"}',
        "[" * 100_000,
        b"\x00",
    ],
    ids=lambda text: str(text)[:30],
)
def test_nonsense_ends_its_socket_alone(office: Running, message: str | bytes) -> None:
    from websockets.exceptions import ConnectionClosed

    with connected(office) as socket:
        socket.send(message)
        with pytest.raises(ConnectionClosed):
            socket.recv(20)
    with editor(office) as page:
        page.open("accept;")
        assert page.findings() == []


def test_params_of_another_form_end_nothing_else(office: Running) -> None:
    for params in (
        None,
        [],
        {"textDocument": {"uri": URI}},
        {"textDocument": {"uri": URI, "x": []}},
    ):
        with connected(office) as socket:
            for method in ("initialize", "textDocument/didOpen", "textDocument/hover"):
                message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
                socket.send(json.dumps(message))
    assert office.ask("GET", "/api/start").status == 200


def test_a_few_editors_at_a_time(office: Running) -> None:
    from contextlib import ExitStack

    from websockets.exceptions import ConnectionClosed

    from ztfast.serve.language import MOST_SESSIONS

    with ExitStack() as stack:
        for _ in range(MOST_SESSIONS):
            stack.enter_context(editor(office))
        with pytest.raises(ConnectionClosed) as caught, connected(office) as socket:
            socket.recv(20)
        assert caught.value.rcvd is not None
        assert "too many" in caught.value.rcvd.reason
