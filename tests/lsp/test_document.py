from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lsp.texts import RULES, at, cursor
from ztfast.lang.lint import check
from ztfast.lsp.complete import complete
from ztfast.lsp.document import MAX_CHARACTERS, Document
from ztfast.lsp.hover import hover
from ztfast.lsp.quick_fixes import quick_fixes, touched
from ztfast.lsp.symbols import definition, references, symbols

LANGUAGE = "tag macro cap enum flag id default accept drop include teq dport chr ztsrc"
PARTS = [
    *re.findall(r"\S+", f"{LANGUAGE} a $a m($a) 80; ; 😀 {{ accept; ( ` \x00 \ud800"),
    *(" ", "\n", "# ä"),
]


def test_findings_are_those_of_check() -> None:
    text = RULES + "accept dport 80,443 ;\n"
    document = Document("x", text)
    assert document.findings == check(document.source)[1]
    assert "ZT126" in {finding.code for finding in document.findings}
    assert document.policy is not None


def test_comments_are_known() -> None:
    assert [
        cursor(text)[0].comment_at(cursor(text)[1]) is not None
        for text in (
            "drop; # a|b",
            "drop; |# ab",
            "80#|x",
            "# one\ndrop|;",
        )
    ] == [True, False, False, False]


def test_a_name_ends_where_the_cursor_is_behind_it() -> None:
    document, offset = at("include web|(80)")
    piece = document.name_at(offset)
    assert piece is not None
    assert piece.text == "web"
    document, offset = at("tee 128| 8e30")
    assert document.name_at(offset) is None


def test_json_has_findings_only() -> None:
    document = Document("x", '{"rules": [{"type": "ACTION_SHRUG"}]}')
    assert document.findings
    assert document.pieces == []
    assert complete(document, 5).items == []


def test_a_text_that_is_too_long_is_left_alone() -> None:
    document = Document("x", "accept dport 80 ;\n" * (MAX_CHARACTERS // 18 + 1))
    assert (document.findings, document.pieces, document.policy) == ([], [], None)


def ask_everything(document: Document, offset: int) -> None:
    hover(document, offset)
    complete(document, offset)
    definition(document, offset)
    references(document, offset)
    symbols(document)
    quick_fixes(document, touched(document.findings, 0, len(document.text)))


@given(st.lists(st.sampled_from(PARTS)), st.integers(0, 60))
def test_no_text_is_too_odd(parts: list[str], offset: int) -> None:
    document = Document("x", " ".join(parts))
    ask_everything(document, min(offset, len(document.text)))


@pytest.mark.parametrize(
    "text",
    [
        *("tag " * 5000, "accept " * 5000, "macro m(" * 5000, "teq a " * 5000),
        *("include m " * 5000, "tag a enum 1 b; " * 3000, "cap x id 1 accept; " * 3000),
        *("{" * 5000, "[" * 50_000),
    ],
    ids=range(9),
)
def test_no_text_is_too_much(text: str) -> None:
    ask_everything(Document("x", text), len(text) - 1)
