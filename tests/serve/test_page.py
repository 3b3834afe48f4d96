"""The page's own files."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from tests.needs import needs
from tests.serve.running import NEEDED, Running

pytestmark = needs(*NEEDED)
SHIPPED = {item.name for item in (files("ztfast.serve") / "static").iterdir()}


def test_what_was_built_is_shipped() -> None:
    assert {"index.html", "app.js", "app.css", "LICENSES.txt"} <= SHIPPED


def test_the_page_loads_its_own_files_and_nothing_else(office: Running) -> None:
    page = office.ask("GET", "/").body.decode()
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert "/static/app.js" in sources
    for source in sources:
        assert office.ask("GET", source, headers={"Cookie": None}).status == 200
    assert "<style" not in page
    assert re.findall(r"<script(?![^>]* src=)", page) == []
    assert not re.search(r'\son\w+="|style="', page)


def test_a_nonce_is_new_each_time(office: Running) -> None:
    found = [office.ask("GET", "/") for _ in range(2)]
    nonces = []
    for answer in found:
        policy = answer.headers["content-security-policy"]
        nonce = re.search(r"style-src 'self' 'nonce-([\w-]{22})'", policy)
        assert nonce is not None
        assert nonce[1] in answer.body.decode()
        assert "unsafe" not in policy
        assert f"connect-src 'self' ws://{office.host}" in policy
        nonces.append(nonce[1])
    assert len(set(nonces)) == 2


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static/..\\app.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/index.html",
        "/static/",
        "/static/app.js%00.css",
        "/../../etc/passwd",
        "/static/app.js/",
    ],
)
def test_no_path_leads_elsewhere(office: Running, path: str) -> None:
    answer = office.ask("GET", path)
    assert answer.status in (404, 307)
    assert b"root:" not in answer.body
    assert b"import" not in answer.body
