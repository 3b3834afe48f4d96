"""An editor for tests: it starts `ztfast lsp`, asks, and keeps what it is told meanwhile.

Plain JSON-RPC.  pytest-lsp brings pytest-asyncio, whose warning about a missing setting ends
every run of pytest where warnings are errors, also of those who test no server.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

URI = "file:///tmp/rules.ztrules"
_PATIENCE = 60.0  # a server that does not answer fails its test instead of the whole run


class Editor:
    """A server's other end."""

    def __init__(self, folder: Path | None = None, options: Any = None) -> None:
        words = [sys.executable, "-m", "ztfast", "lsp"]
        environment = {**os.environ, "PYTHONSAFEPATH": "1"}
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the server
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log,
            cwd=folder, env=environment,
        )  # fmt: skip
        self._guard = threading.Timer(_PATIENCE, self.process.kill)
        self._guard.start()
        self._number = 0
        self.told: list[dict[str, Any]] = []
        root = None if folder is None else folder.as_uri()
        start = {"processId": None, "rootUri": root, "capabilities": {}}
        self.capabilities = self.ask("initialize", **start, initializationOptions=options)
        self.tell("initialized")

    def __enter__(self) -> Editor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.ask("shutdown")
            self.tell("exit")
            self.process.wait()
        self.process.kill()
        self.process.wait()
        self._guard.cancel()
        for stream in (self.process.stdin, self.process.stdout, self._log):
            if stream is not None:
                stream.close()

    def log(self) -> list[str]:
        """The lines that the server wrote on standard error so far."""
        self._log.seek(0)
        return self._log.read().decode().splitlines()

    # --- messages

    def raw(self, body: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def tell(self, method: str, **params: Any) -> None:
        self.raw(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode())

    def answer(self, method: str, **params: Any) -> dict[str, Any]:
        """The whole answer to a request: with its `result` or its `error`."""
        self._number += 1
        message = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        if method == "shutdown":
            del message["params"]
        self.raw(json.dumps(message).encode())
        while True:
            found = self._read()
            if found.get("id") == self._number and "method" not in found:
                return found
            self.told.append(found)

    def ask(self, method: str, **params: Any) -> Any:
        answer = self.answer(method, **params)
        assert "error" not in answer, answer
        return answer["result"]

    def wait(self, method: str, which: Callable[[Any], bool] = lambda _: True) -> Any:
        """The parameters of the next message of a kind."""
        while True:
            for message in self.told:
                if message.get("method") == method and which(message["params"]):
                    self.told.remove(message)
                    return message["params"]
            self.told.append(self._read())

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        length = 0
        while line := self.process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        assert length, "the server has ended"
        found = json.loads(self.process.stdout.read(length))
        assert isinstance(found, dict)
        return found

    # --- texts

    def open(self, text: str, uri: str = URI) -> list[dict[str, Any]]:
        """Open a text; what is found at once."""
        item = {"uri": uri, "languageId": "ztrules", "version": 1, "text": text}
        self.tell("textDocument/didOpen", textDocument=item)
        return self.findings()

    def type(self, text: str) -> list[dict[str, Any]]:
        """The text becomes another."""
        item = {"uri": URI, "version": 2}
        self.tell("textDocument/didChange", textDocument=item, contentChanges=[{"text": text}])
        return self.findings()

    def findings(self, code: str = "") -> list[dict[str, Any]]:
        """The next findings published, with such a code among them."""
        found = self.wait(
            "textDocument/publishDiagnostics",
            lambda told: not code or code in {one["code"] for one in told["diagnostics"]},
        )
        return list(found["diagnostics"])

    def at(self, question: str, line: int, character: int, uri: str = URI, **more: Any) -> Any:
        position = {"line": line, "character": character}
        return self.ask(
            f"textDocument/{question}", textDocument={"uri": uri}, position=position, **more
        )
