"""A running `ztfast serve`, asked by plain HTTP as anybody on the machine could ask it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

EXAMPLES = Path(__file__).parents[2] / "examples"
RULES, NETWORK = EXAMPLES / "office.ztrules", EXAMPLES / "office.toml"
CAPTURE = EXAMPLES / "office.pcap"
NEEDED = ("starlette", "uvicorn", "websockets", "pygls")
LINK = re.compile(r"(http://\S+)/#token=(\S+)\n")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Running:
    """One server; `cookie` once `log_in` was called."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        line = process.stdout.readline()
        found = LINK.fullmatch(line)
        assert found is not None, line + process.stdout.read()
        self.url, self.token = found[1], found[2]
        self.hint = process.stdout.readline()
        self.host = urlsplit(self.url).netloc
        self.cookie = ""

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Answer:
        """What the server answers; headers replace those of the page, None leaves one out."""
        mine = {"Host": self.host, "Origin": self.url, "Cookie": self.cookie, **(headers or {})}
        connection = http.client.HTTPConnection(self.host, timeout=30)
        with contextlib.closing(connection):
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in mine.items():
                if value:
                    connection.putheader(name, value)
            if body is not None and "Content-Length" not in mine:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())

    def question(self, path: str, **asked: Any) -> Answer:
        return self.ask("POST", f"/api/{path}", json.dumps(asked).encode())

    def log_in(self, token: str | None = None) -> Answer:
        """Change the link's token into the session's cookie, as the page does."""
        asked = json.dumps({"token": self.token if token is None else token}).encode()
        answer = self.ask("POST", "/session", asked)
        if answer.status == 204:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return answer

    def end(self, number: int = signal.SIGINT) -> str:
        """End it by a signal; what it said meanwhile."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=30)[0]


@contextlib.contextmanager
def running(*words: str | Path, **environment: str) -> Iterator[Running]:
    """A server until the block ends."""
    command = [sys.executable, "-m", "ztfast", "serve", *map(str, words)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        yield Running(process)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
