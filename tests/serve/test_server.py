"""The process: its link, its end, what it leaves behind."""

from __future__ import annotations

import signal
import socket
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.needs import needs
from tests.serve.running import CAPTURE, NEEDED, RULES, Running, running
from ztfast.errors import OutputError

if find_spec("uvicorn") is not None:
    from ztfast.serve.server import bind

pytestmark = needs(*NEEDED)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_by_a_signal_and_leaves_nothing(tmp_path: Path, number: int) -> None:
    """Also while a capture is here, and another one never ends to come."""
    with running(RULES, TMPDIR=str(tmp_path)) as server:
        server.log_in()
        assert server.ask("POST", "/api/captures", CAPTURE.read_bytes()).status == 200
        assert len(list(tmp_path.iterdir())) == 1
        host, port = server.host.split(":")
        with socket.create_connection((host, int(port))) as raw:
            head = f"POST /api/captures HTTP/1.1\r\nHost: {server.host}\r\nOrigin: {server.url}\r\n"
            more = f"Cookie: {server.cookie}\r\nContent-Length: 1000\r\n\r\nabc"
            raw.sendall((head + more).encode())
            assert server.ask("GET", "/api/start").status == 200
            assert server.hint == "The link works once. Ctrl-C ends.\n"
            assert server.end(number) == ""
            assert server.process.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_a_taken_port_is_said(office: Running) -> None:
    port = int(office.host.split(":")[1])
    with pytest.raises(OutputError, match=f"127.0.0.1:{port}: cannot be served"):
        bind("127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host.invalid"])
def test_an_address_that_is_not_ours_is_said(host: str) -> None:
    with pytest.raises(OutputError, match="cannot be served"):
        bind(host, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="all of 127.0.0.0/8 is there on Linux alone")
def test_only_the_loopback_is_listened_on(office: Running) -> None:
    port = int(office.host.split(":")[1])
    with bind("127.0.0.2", port) as other:  # no wildcard has it
        assert other.getsockname() == ("127.0.0.2", port)
