"""The server as an editor sees it: started, asked and ended over its standard streams."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.lsp.client import URI, Editor
from tests.lsp.texts import RULES
from tests.needs import needs

pytestmark = needs("pygls")

DOCUMENT = {"uri": URI}


def span(found: dict[str, Any]) -> tuple[int, int, int, int]:
    start, end = found["range"]["start"], found["range"]["end"]
    return start["line"], start["character"], end["line"], end["character"]


def made(text: str, edits: list[dict[str, Any]]) -> str:
    """A text of ASCII lines with an editor's edits made, last first."""
    lines = text.split("\n")
    for edit in sorted(edits, key=span, reverse=True):
        first, start, last, end = span(edit)
        lines[first : last + 1] = [lines[first][:start] + edit["newText"] + lines[last][end:]]
    return "\n".join(lines)


def test_a_finding_is_shown_and_fixed() -> None:
    with Editor() as editor:
        found = editor.open("accept;\ndrop dport 80;\naccept;\n")
        (one,) = found
        assert (one["code"], one["severity"], span(one)) == ("ZT011", 1, (1, 0, 1, 4))
        assert one["codeDescription"]["href"].endswith("docs/codes.md#zt011-not-a-match")
        context = {"diagnostics": [one]}
        actions = editor.ask(
            "textDocument/codeAction", textDocument=DOCUMENT, range=one["range"], context=context
        )
        edits = actions[0]["edit"]["changes"][URI]
        text = made("accept;\ndrop dport 80;\naccept;\n", edits)
        assert text == "Accept\ndrop dport 80;\naccept;\n"
        assert "ZT011" not in {one["code"] for one in editor.type(text)}


def test_places_behind_an_emoji() -> None:
    text = "# ä😀\nmacro m accept dport 80; ;\ninclude m # 😀\n"
    with Editor() as editor:
        editor.open(text)
        assert span(editor.at("definition", 2, 8)) == (1, 6, 1, 7)
        found = editor.type("tag 😀 id 1;\ndrop;")
        assert span(found[0]) == (0, 4, 0, 6)


def test_questions() -> None:
    with Editor() as editor:
        editor.open(RULES)
        said = editor.at("hover", 7, 28)
        assert "MATCH_IP_DEST_PORT_RANGE" in said["contents"]["value"]
        offered = editor.at("completion", 13, 17)["items"]
        assert [item["label"] for item in offered] == ["sales", "engineering"]
        assert offered[0]["textEdit"]["newText"] == "sales"
        places = editor.at("references", 9, 9, context={"includeDeclaration": True})
        assert [span(place)[0] for place in places] == [3, 9, 10]
        assert span({"range": editor.at("prepareRename", 9, 9)}) == (9, 8, 9, 11)
        edit = editor.at("rename", 9, 9, newName="http")
        assert {one["newText"] for one in edit["changes"][URI]} == {"http"}
        outline = editor.ask("textDocument/documentSymbol", textDocument=DOCUMENT)
        assert [one["name"] for one in outline] == ["department", "access", "web", "ssh"]


def test_a_name_that_cannot_be_is_an_error_that_says_why() -> None:
    with Editor() as editor:
        editor.open(RULES)
        answer = editor.answer(
            "textDocument/rename",
            textDocument=DOCUMENT,
            position={"line": 9, "character": 9},
            newName="accept",
        )
        assert "reserved word" in answer["error"]["message"]
        elsewhere = {"uri": "file:///other.ztrules"}
        place = {"line": 0, "character": 0}
        answer = editor.answer("textDocument/hover", textDocument=elsewhere, position=place)
        assert "not open" in answer["error"]["message"]
        refused = [line for line in editor.log() if line.startswith("refused: ")]
        assert len(refused) == len(editor.log()) == 2  # each a line, and no traceback


def test_layout() -> None:
    options = {"tabSize": 2, "insertSpaces": True}
    with Editor() as editor:
        editor.open("accept   dport 80\n;\n")
        edits = editor.ask("textDocument/formatting", textDocument=DOCUMENT, options=options)
        assert made("accept   dport 80\n;\n", edits) == "accept dport 80;\n"
        editor.type("accept dport 80;\n")
        assert editor.ask("textDocument/formatting", textDocument=DOCUMENT, options=options) == []
        editor.type("accept dport eighty;\n")
        assert editor.ask("textDocument/formatting", textDocument=DOCUMENT, options=options) == []
        assert "cannot be laid out" in editor.wait("window/showMessage")["message"]


@needs("z3")
def test_proofs_come_later_and_are_not_of_an_older_text() -> None:
    dead = "accept;\n"
    with Editor() as editor:
        editor.open("drop dport 80;\ndrop dport 80;\naccept;\n")
        editor.type("accept dport 80;\n" * 2 + dead)
        found = editor.findings("ZT201")
        assert [span(one)[0] for one in found if one["code"] == "ZT201"] == [1]
        editor.tell("textDocument/didClose", textDocument=DOCUMENT)
        assert editor.findings() == []


def test_members_by_name(tmp_path: Path) -> None:
    network = {"members": [{"address": "8e30f50a25", "name": "sensor", "authorized": True}]}
    (tmp_path / "network.json").write_text(json.dumps(network), encoding="utf-8")
    with Editor(tmp_path, {"network": "network.json"}) as editor:
        editor.open("accept ztsrc \n;")
        (item,) = editor.at("completion", 0, 13)["items"]
        assert (item["label"], item["textEdit"]["newText"]) == ("sensor", "8e30f50a25")


def test_members_of_the_texts_own_project(tmp_path: Path) -> None:
    """The open folder is the repository; each office below has its settings."""
    for office in ("north", "south"):
        (tmp_path / office).mkdir()
        (tmp_path / office / "ztfast.toml").write_text('network = "net.toml"\n')
        member = f'[[member]]\naddress = "8e30f50a25"\nname = "{office}"\n'
        (tmp_path / office / "net.toml").write_text(member)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "ztfast.toml").write_text("netwerk = 1\n")
    with Editor(tmp_path) as editor:
        for office in ("north", "south"):
            uri = (tmp_path / office / "rules.ztrules").as_uri()
            editor.open("accept ztsrc \n;", uri)
            (item,) = editor.at("completion", 0, 13, uri)["items"]
            assert item["label"] == office
        for name in ("one", "two"):
            editor.open("accept;", (tmp_path / "broken" / f"{name}.ztrules").as_uri())
        said = editor.wait("window/showMessage")["message"]
        assert "`netwerk` is not a setting" in said
        editor.at("completion", 0, 0, uri)  # whatever else it says has come by then
        assert not [told for told in editor.told if told.get("method") == "window/showMessage"]


def test_a_network_that_is_missing_is_said(tmp_path: Path) -> None:
    with Editor(tmp_path, {"network": "gone.json"}) as editor:
        assert "gone.json" in editor.wait("window/showMessage")["message"]
        assert editor.open("accept dport eighty;")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["network.json"], "must be an object"),
        ({"network": 7}, "`network` must be"),
        ({"netwerk": "network.json"}, "knows no netwerk"),
    ],
)
def test_settings_that_are_none_are_said(options: Any, says: str) -> None:
    with Editor(options=options) as editor:
        assert says in editor.wait("window/showMessage")["message"]
        assert editor.open("accept dport eighty;")


@pytest.mark.parametrize(
    "text",
    ["\ud800 accept", "\x00", "{" * 1000, "accept " * 20_000, "tag " * 20_000, "\u2028\r\r\n😀"],
    ids=range(6),
)
def test_hostile_texts_do_not_end_it(text: str) -> None:
    with Editor() as editor:
        editor.open(text)
        for line, character in ((0, 0), (0, 2**31 - 1), (2**31 - 1, 2**31 - 1)):
            editor.at("hover", line, character)
            editor.at("completion", line, character)
            editor.at("definition", line, character)
        editor.ask("textDocument/documentSymbol", textDocument=DOCUMENT)
        assert editor.type("accept dport eighty;")


def test_hostile_requests_do_not_end_it(tmp_path: Path) -> None:
    with Editor(options={"network": 7}) as editor:
        editor.raw(b"{")
        editor.raw(b"[]")
        editor.raw(b'{"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": 7}')
        place = {"line": 0, "character": 0}
        answer = editor.answer("textDocument/hover", textDocument=DOCUMENT, position=place)
        assert "not open" in answer["error"]["message"]
        editor.tell("textDocument/hover", textDocument=7)
        assert "error" in editor.answer("no/such/method")
        assert editor.open("accept dport eighty;")
