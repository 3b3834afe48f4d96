"""Who gets in: the page of the link, and nobody else."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest

from tests.needs import needs
from tests.serve.running import NEEDED, NETWORK, RULES, Running, running

pytestmark = needs(*NEEDED)


def test_the_page_is_let_in(office: Running) -> None:
    assert office.ask("GET", "/api/start").json["name"] == str(RULES)


@pytest.mark.parametrize("path", ["/api/start", "/api/explain", "/api/nothing", "/language"])
def test_without_a_session_there_is_nothing(office: Running, path: str) -> None:
    method = "GET" if path == "/api/start" else "POST"
    for cookie in (None, f"ztfast-{urlsplit(office.url).port}=guess", "other=1"):
        answer = office.ask(method, path, b"{}", {"Cookie": cookie})
        assert answer.status == 401
        assert "link" in answer.json["errors"][0]["message"]


@pytest.mark.parametrize(
    "host",
    ["example.com", "example.com:{port}", "127.0.0.1:1", "127.0.0.1", "localhost.evil:{port}", ""],
)
def test_another_name_is_refused_even_with_the_cookie(office: Running, host: str) -> None:
    """A stranger's name that points to this machine (DNS rebinding)."""
    port = urlsplit(office.url).port
    for path in ("/", "/static/app.js", "/api/start"):
        answer = office.ask("GET", path, headers={"Host": host.format(port=port)})
        assert answer.status == (421 if host else 400), path


def test_two_names_are_refused(office: Running) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(office.url).port or 0)) as raw:
        raw.sendall(f"GET / HTTP/1.1\r\nHost: {office.host}\r\nHost: evil\r\n\r\n".encode())
        assert b" 400 " in raw.recv(100) or b" 421 " in raw.recv(100)


@pytest.mark.parametrize("name", ["localhost", "[::1]", "LOCALHOST"])
def test_other_names_of_the_loopback_are_its_own(office: Running, name: str) -> None:
    host = f"{name}:{urlsplit(office.url).port}"
    headers = {"Host": host, "Origin": f"http://{host.lower()}"}
    assert office.ask("GET", "/api/start", headers=headers).status == 200


@pytest.mark.parametrize(
    "origin",
    ["http://example.com", "https://{host}", "http://127.0.0.1:1", "null", "http://{host}.evil"],
)
def test_another_origin_is_refused_even_with_the_cookie(office: Running, origin: str) -> None:
    headers = {"Origin": origin.format(host=office.host)}
    assert office.ask("GET", "/api/start", headers=headers).status == 403
    answer = office.ask("POST", "/api/reach", b'{"rules": "", "services": ""}', headers)
    assert answer.status == 403


def test_what_changes_something_needs_an_origin(office: Running) -> None:
    assert office.ask("POST", "/api/reach", b"{}", {"Origin": None}).status == 403
    assert office.ask("DELETE", "/api/captures/x", None, {"Origin": None}).status == 403
    assert office.ask("GET", "/api/start", headers={"Origin": None}).status == 200


def test_the_link_works_once_and_for_one_browser(office: Running) -> None:
    with running(RULES, "--network", NETWORK) as server:
        for guess in ("", server.token[:-1], server.token + "x", "é", "x" * 500):
            assert server.log_in(guess).status == 403
        first = server.log_in()
        assert first.status == 204
        cookie = first.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        mine, server.cookie = server.cookie, ""
        again = server.log_in()
        assert again.status == 403  # a second client comes too late
        assert "used" in again.json["errors"][0]["message"]
        assert server.ask("GET", "/api/start").status == 401
        server.cookie = mine
        assert server.ask("GET", "/api/start").status == 200  # and the first one is still in
        secret = mine.partition("=")[2]
        port = urlsplit(office.url).port
        stranger = {"Cookie": f"{mine}; ztfast-{port}={secret}"}
        assert office.ask("GET", "/api/start", headers=stranger).status == 401  # of another server


def test_answers_keep_others_out(office: Running) -> None:
    for path, status in (("/", 200), ("/static/nothing.js", 404), ("/api/start", 200)):
        answer = office.ask("GET", path)
        assert answer.status == status
        headers = {name.lower(): value for name, value in answer.headers.items()}
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers
