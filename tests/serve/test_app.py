"""Questions over HTTP: their answers, and what is wrong with them."""

from __future__ import annotations

import http.client
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.needs import needs
from tests.serve.running import CAPTURE, NEEDED, RULES, Running, running

pytestmark = needs(*NEEDED)
TEXT = RULES.read_text(encoding="utf-8")


def test_the_page_begins_with_the_rules_and_members(office: Running) -> None:
    start = office.ask("GET", "/api/start").json
    assert start["rules"] == TEXT
    assert start["members"][:3] == ["anna", "ben", "carla"]
    assert start["writable"] is False
    assert start["most_upload"] == 1_000_000
    assert "dport" in start["matches"]


def test_a_frame_is_explained(office: Running) -> None:
    frame = "tcp visitor > files:ssh syn"
    answer = office.question("explain", rules=TEXT, frame=frame)
    assert answer.status == 200
    assert answer.json["verdict"] == "drop"
    assert answer.json["sides"][0]["by"]["line"]
    assert answer.json["text"].splitlines()[1].startswith("dropped by the sender: line")


@pytest.mark.parametrize(
    ("path", "asked", "said"),
    [
        ("explain", {"rules": "drop", "frame": "tcp nobody > files:ssh"}, "nobody"),
        ("explain", {"rules": "accept dport x;", "frame": "tcp anna > files:22"}, "x"),
        ("explain", {"rules": "accept;", "capture": "../../etc/passwd", "number": 1}, "not here"),
        ("capture", {"rules": "accept;", "capture": "../office.pcap"}, "not here"),
        ("reach", {"rules": "accept;", "services": "nonsense"}, "nonsense"),
        ("why", {"rules": "accept;", "from": "x", "to": "files", "service": "ssh"}, "'x'"),
        ("tests", {"rules": "accept;"}, "no tests"),
    ],
)
def test_what_is_wrong_is_said(
    office: Running, path: str, asked: dict[str, Any], said: str
) -> None:
    answer = office.question(path, **asked)
    assert answer.status == 422
    assert said in answer.json["errors"][0]["message"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"nonsense", 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b'{"rules": 1, "frame": "arp"}', 400),
        (b'{"rules": "accept;"}', 400),
        (b'{"rules": "accept;", "frame": "\\ud800"}', 400),
        (b'{"rules": "accept;", "capture": "x", "number": 1e99}', 400),
        (b'{"rules": "' + b"x" * 2_000_000 + b'", "frame": "arp"}', 413),
    ],
)
def test_nonsense_is_refused(office: Running, body: bytes, status: int) -> None:
    answer = office.ask("POST", "/api/explain", body)
    assert answer.status == status
    assert answer.json["errors"][0]["message"]


def test_other_methods_and_paths_are_nothing(office: Running) -> None:
    assert office.ask("GET", "/api/explain").status == 405
    assert office.ask("PUT", "/api/captures", b"x").status == 405
    assert office.ask("GET", "/api/other").status == 404


def test_a_capture_comes_is_judged_and_goes(office: Running) -> None:
    data = CAPTURE.read_bytes()
    arrived = office.ask("POST", "/api/captures", data)
    assert arrived.status == 200
    name = arrived.json["capture"]
    assert arrived.json["bytes"] == len(data)
    report = office.question("capture", rules=TEXT, capture=name, file="a.pcap").json
    assert report["frames"] == 221
    first = report["dropped"][0]
    asked = {"rules": TEXT, "capture": name, "file": "a.pcap", "number": first["number"]}
    why = office.question("explain", **asked).json
    assert why["verdict"] == "drop"
    assert office.ask("DELETE", f"/api/captures/{name}").status == 204
    assert office.question("capture", rules=TEXT, capture=name, file="a.pcap").status == 422


def test_the_report_of_a_capture_is_a_page_without_scripts(office: Running) -> None:
    name = office.ask("POST", "/api/captures", CAPTURE.read_bytes()).json["capture"]
    made = office.question("report", rules=TEXT, capture=name, file="day.pcap").json["report"]
    answer = office.ask("GET", f"/report/{made}")
    assert answer.status == 200
    assert b"day.pcap" in answer.body
    assert b"<script" not in answer.body
    allowed = answer.headers["content-security-policy"]
    assert "sandbox;" in allowed
    assert "default-src 'none'" in allowed
    assert "frame-ancestors 'self'" in allowed
    assert "script" not in allowed
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    for strange in (f"{made}x", "..%2f..%2fetc%2fpasswd", "0" * 16):
        assert office.ask("GET", f"/report/{strange}").status == 404
    refused = {"Cookie": None}, {"Host": "evil.example"}, {"Origin": "http://evil.example"}
    statuses = [office.ask("GET", f"/report/{made}", headers=one).status for one in refused]
    assert statuses == [401, 421, 403]
    assert office.question("report", rules=TEXT, capture="../x", file="x").status == 422
    assert office.question("report", rules=TEXT, capture=name).status == 400
    assert office.question("report", rules="nonsense", capture=name, file="x").status == 422


@pytest.mark.parametrize(
    ("question", "data"),
    [
        *product(("capture", "report", "explain"), (b"no capture at all", b"")),
        *product(("capture", "explain"), [CAPTURE.read_bytes()[:30]]),  # a report says so itself
    ],
)
def test_what_is_no_capture_is_said_of_the_uploaded_file(
    office: Running, question: str, data: bytes
) -> None:
    name = office.ask("POST", "/api/captures", data).json["capture"]
    answer = office.question(question, rules=TEXT, capture=name, file="day.pcap", number=1)
    assert answer.status == 422
    (one,) = answer.json["errors"]
    assert one["place"].startswith("day.pcap")
    assert name not in answer.body.decode()  # nothing of the server's folders


def test_a_huge_upload_is_refused_before_it_comes(office: Running) -> None:
    headers = {"Content-Length": str(1 << 50)}
    answer = office.ask("POST", "/api/captures", None, headers)
    assert answer.status == 413
    assert "1,000,000" in answer.json["errors"][0]["message"]


def test_a_huge_upload_without_a_length_is_refused_on_the_way(office: Running) -> None:
    connection = http.client.HTTPConnection(office.host, timeout=30)
    headers = {"Origin": office.url, "Cookie": office.cookie}
    pieces = (b"x" * 100_000 for _ in range(12))
    connection.request("POST", "/api/captures", pieces, headers, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_two_clients_are_answered_at_once(office: Running) -> None:
    """Two tabs: each has the answers to its own rules."""

    def verdicts(rules: str) -> set[str]:
        asked = {"rules": rules, "frame": "tcp anna > files:ssh syn"}
        return {office.question("explain", **asked).json["verdict"] for _ in range(5)}

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(verdicts, ["accept;", "drop;"])) == [{"accept"}, {"drop"}]


def test_the_page_saves_only_where_it_may(office: Running) -> None:
    digest = office.ask("GET", "/api/start").json["digest"]
    answer = office.question("save", rules="accept;", digest=digest)
    assert answer.status == 403
    assert "--write" in answer.json["errors"][0]["message"]
    assert RULES.read_text(encoding="utf-8") == TEXT


def test_saving_stops_where_somebody_else_wrote(tmp_path: Path) -> None:
    rules = tmp_path / "rules.ztrules"
    rules.write_text("drop;\n", encoding="utf-8")
    with running(rules, "--write") as server:
        server.log_in()
        digest = server.ask("GET", "/api/start").json["digest"]
        saved = server.question("save", rules="accept;\r\n", digest=digest)
        assert saved.status == 200
        assert rules.read_bytes() == b"accept;\r\n"
        assert server.question("save", rules="drop;", digest=digest).status == 409
        rules.write_text("# by another\n", encoding="utf-8")
        answer = server.question("save", rules="drop;", digest=saved.json["digest"])
        assert answer.status == 409
        assert rules.read_text(encoding="utf-8") == "# by another\n"
        again = server.ask("GET", "/api/start").json
        assert again["rules"] == "# by another\n"  # a page that is loaded anew begins there
        assert server.question("save", rules="drop;", digest=again["digest"]).status == 200


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text elsewhere")
def test_a_name_that_is_no_text_is_shown_all_the_same(tmp_path: Path) -> None:
    rules = os.fsdecode(bytes(tmp_path) + b"/\xff.ztrules")
    Path(rules).write_text("accept;\n", encoding="utf-8")
    with running(rules, "--host", "::1", "--write") as server:
        assert server.url.startswith("http://[::1]:")
        server.log_in()
        start = server.ask("GET", "/api/start").json
        assert start["name"].endswith("\udcff.ztrules")
        assert server.question("explain", rules="accept nonsense", frame="arp").status == 422
        assert server.question("save", rules="Drop\n", digest=start["digest"]).status == 200
        assert Path(rules).read_text(encoding="utf-8") == "Drop\n"


def test_a_mistake_of_ours_is_no_traceback(office: Running) -> None:
    """Rules that nest absurdly deep, as JSON: whatever comes of it is an answer."""
    deep = json.dumps({"rules": "[" * 5000, "frame": "arp"}).encode()
    assert office.ask("POST", "/api/explain", deep).status in (422, 500)
    assert office.ask("GET", "/api/start").status == 200
