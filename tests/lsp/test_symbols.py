from __future__ import annotations

import pytest

from tests.lsp.texts import RULES, at, cursor
from ztfast.diagnostics.fixes import apply
from ztfast.errors import Fix, UsageError
from ztfast.lang.compiler import compile_text
from ztfast.lsp.symbols import definition, references, renamable, rename, symbols


@pytest.mark.parametrize(
    ("part", "line", "count"),
    [
        ("teq depart|ment", "tag department", 2),
        ("teq department sa|les", "100 sales", 3),
        ("flag print|ers,servers", "flag 0 printers", 2),
        ("flag printers,serv|ers", "flag 1 servers", 2),
        ("tand access every|thing", "servers everything", 2),
        ("include web|(443)", "macro web", 3),
        ("dport $po|rt", "web($port", 2),
        ("cap |ssh", "cap ssh", 1),
    ],
)
def test_names(part: str, line: str, count: int) -> None:
    document, offset = at(part)
    found = definition(document, offset)
    assert found is not None
    assert document.text[: found.end].endswith(line)
    assert len(references(document, offset)) == count
    assert len(references(document, offset, with_definition=False)) == count - 1


@pytest.mark.parametrize("part", ["te|q", "tee 12|8", "# ein U|mlaut", "dport 2|2"])
def test_what_is_no_name(part: str) -> None:
    document, offset = at(part)
    assert definition(document, offset) is None
    assert references(document, offset) == []
    assert renamable(document, offset) is None
    with pytest.raises(UsageError, match="no name here"):
        rename(document, offset, "x")


@pytest.mark.parametrize(
    ("part", "name", "written"),
    [
        ("teq depart|ment", "Abteilung", "teq abteilung sales"),
        ("teq department sa|les", "verkauf_ä", "teq department verkauf_ä"),
        ("flag print|ers,servers", "paper", "flag paper,servers everything"),
        ("include web|(443)", "http", "include http(443)"),
        ("dport $po|rt", "$p", "web($p)\n  accept dport $p ipprotocol tcp;"),
        ("cap s|sh", "shell", "cap shell id 7"),
    ],
)
def test_a_renamed_text_compiles_to_the_same(part: str, name: str, written: str) -> None:
    document, offset = at(part)
    text = apply(RULES, [Fix("", tuple(rename(document, offset, name)))])
    assert written in text
    assert compile_text(text).to_json()["config"] == compile_text(RULES).to_json()["config"]


@pytest.mark.parametrize(
    ("part", "name", "message"),
    [
        ("teq depart|ment", "access", "defined already"),
        ("teq depart|ment", "1st", "not a name"),
        ("teq depart|ment", "accept", "reserved"),
        ("teq depart|ment", "two words", "not a name"),
        ("teq department sa|les", "engineering", "defined already"),
        ("dport $po|rt", "port", "not a parameter"),
        ("dport $po|rt", "$", "not a name"),
    ],
)
def test_a_name_that_cannot_be(part: str, name: str, message: str) -> None:
    document, offset = at(part)
    with pytest.raises(UsageError, match=message):
        rename(document, offset, name)


def test_values_of_two_tags_are_two_names() -> None:
    text = "tag a id 1 enum 1 x; tag b id 2 enum 2 x; accept teq a x and teq b |x;"
    document, offset = cursor(text)
    assert len(rename(document, offset, "y")) == 2


def test_the_outline() -> None:
    document, _ = at("cap |ssh")
    found = symbols(document)
    assert [one.name.text for one in found] == ["department", "access", "web", "ssh"]
    assert [len(one.values) for one in found] == [2, 3, 0, 0]
    assert all(document.text[one.end - 1] == ";" for one in found)
    macro = found[2]
    assert document.text[macro.start : macro.end].endswith("tcp;\n;")
    assert [one.name.text for one in symbols(cursor("tag a id 1 enum 1|")[0])] == ["a"]
