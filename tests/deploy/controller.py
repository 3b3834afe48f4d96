"""A server that behaves as a controller is known to, or as Central is; with faults on request.

Contract: lenient as the real one: it answers 200 to rules of which it drops unknown types and cuts
numbers, keeps no source text (Central does), and answers with what it made of them.  `faults` are
taken one for each request of a method, None: no fault.  On loopback only.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ztfast.errors import RulesError
from ztfast.lang import compile_text
from ztfast.model.kinds import KINDS, Kind

NETWORK = "8056c2e21c000001"
TOKEN = "s3cret"
OLD = """\
tag department id 1000 enum 10 staff enum 30 servers;
accept ethertype arp;
accept icmp 8 -1 or icmp 0 -1;
accept ipprotocol tcp and dport 443;
accept ipprotocol tcp and chr tcp_ack;
drop;
"""
MEMBERS = [
    {
        "id": f"{0x1122334400 + n:010x}",
        "address": f"{0x1122334400 + n:010x}",
        "nwid": NETWORK,
        "authorized": True,
        "name": name,
        "ipAssignments": [f"10.147.20.{n + 1}"],
        "tags": [[1000, tag]],
        "capabilities": [],
    }
    for n, (name, tag) in enumerate([("anna", 10), ("ben", 10), ("files", 30)])
]


def kept(rules: Any) -> list[dict[str, Any]]:
    """What a controller keeps of a list of rules."""
    found: list[dict[str, Any]] = []
    for rule in rules if isinstance(rules, list) else []:
        if not isinstance(rule, dict) or rule.get("type") not in {kind.name for kind in Kind}:
            continue
        kind = Kind[rule["type"]]
        names = {field.json for field in KINDS[kind].fields}
        made = {"type": kind.name, "not": bool(rule.get("not")), "or": bool(rule.get("or"))}
        made |= {name: value for name, value in rule.items() if name in names}
        if "ipProtocol" in made:
            made["ipProtocol"] = int(made["ipProtocol"]) & 0xFF
        found.append(made)
    return found


class FakeController:
    """One network; `requests`: (method, path, body) so far."""

    def __init__(self, central: bool = False, rules: str = OLD, older: bool = False) -> None:
        self.central, self.older = central, older
        self.faults: dict[str, deque[Any]] = {"GET": deque(), "POST": deque()}
        self.requests: list[tuple[str, str, Any]] = []
        self.network: dict[str, Any] = {"id": NETWORK, "nwid": NETWORK, "name": "office"}
        self.network["routes"] = [{"target": "10.147.20.0/24"}]
        self.url = ""
        self.take(compile_text(rules).to_json() | {"rulesSource": rules})

    @property
    def config(self) -> dict[str, Any]:
        """Where the rules are."""
        inner: dict[str, Any] = self.network.setdefault("config", {}) if self.central else {}
        return inner if self.central else self.network

    def take(self, body: dict[str, Any]) -> None:
        """Take what is posted, as such a server does."""
        if self.central:
            try:
                made = compile_text(body["rulesSource"]).to_json()
            except (RulesError, KeyError):
                return
            self.network |= {key: made[key] for key in ("tagsByName", "capabilitiesByName")}
            self.network["rulesSource"] = body["rulesSource"]
            body = made["config"]
        elif "config" in body:
            body = body["config"]
        for key in ("rules", "capabilities", "tags"):
            if key not in body:
                continue
            value = body[key]
            if key == "rules":
                value = kept(value)
            elif key == "capabilities":
                value = [{**one, "rules": kept(one.get("rules"))} for one in value]
            self.config[key] = value

    def get(self, path: str) -> Any:
        """The document of a path, None: none."""
        base = f"/network/{NETWORK}" if self.central else f"/controller/network/{NETWORK}"
        if path == base:
            return self.network
        if path == f"{base}/member":
            return MEMBERS if self.central else {one["id"]: 1 for one in MEMBERS}
        if path == f"/unstable{base}/member" and not self.central and not self.older:
            return {"data": MEMBERS, "meta": {}}
        return next((one for one in MEMBERS if path == f"{base}/member/{one['id']}"), None)

    def post(self, path: str, body: Any) -> Any:
        """Take a network's rules."""
        self.take(body)
        return self.network


def _handler(server: FakeController) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

        def do_GET(self) -> None:
            self._answer(lambda: server.get(self.path))

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = json.loads(data)
            self._answer(lambda: server.post(self.path, body), body)

        def _answer(self, made: Any, body: Any = None) -> None:
            server.requests.append((self.command, self.path, body))
            sent = self.headers.get("X-ZT1-Auth") or self.headers.get("Authorization", "")
            faults = server.faults[self.command]
            fault = faults.popleft() if faults else None
            if sent.removeprefix("token ") != TOKEN:
                self._send(401, b"{}")
            elif callable(fault):
                fault(self, made)
            elif isinstance(fault, int):
                self._send(fault, b"{}")
            elif isinstance(fault, bytes):
                self._send(200, fault)
            else:
                found = made()
                self._send(200 if found is not None else 404, json.dumps(found).encode())

        def _send(self, status: int, data: bytes) -> None:
            self.send_response(status)
            if status in (301, 302):
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return Handler


def cut_off(handler: Any, made: Any) -> None:
    """Do what was asked, and never answer."""
    made()
    handler.connection.close()


def refused_silently(handler: Any, made: Any) -> None:
    """Do nothing, and close."""
    handler.connection.close()


@contextmanager
def running(**how: Any) -> Iterator[FakeController]:
    """A fake controller that answers at its `url`."""
    fake = FakeController(**how)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
