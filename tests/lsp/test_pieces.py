from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tests.lsp.texts import RULES
from ztfast.errors import Source
from ztfast.lang.parser import parse
from ztfast.lang.tokens import scan
from ztfast.lsp.pieces import Definition, Piece, Role, pieces, sections

WORDS = re.findall(
    r"\S+",
    "tag macro cap accept drop; accept; ; ;; include m($a,b) $a teq a b id 1 default enum flag x "
    "dport 80; # ä😀 tee redirect Drop not or and and; a) ( m( ,,",
)


def of(text: str) -> list[Piece]:
    return list(pieces(parse(Source("", text)).items))


def roles(text: str) -> list[tuple[str, str]]:
    return [(piece.role.name, piece.text) for piece in of(text)]


def test_every_word_plays_its_part() -> None:
    assert roles(
        "macro web($p) accept dport $p ; ; include web(80) tee 64 8e30f50a25 not icmp 8 0 ;"
    ) == [
        ("OPENER", "macro"),
        ("MACRO", "web"),
        ("PARAMETER", "$p"),
        ("ACTION", "accept"),
        ("MATCH", "dport"),
        ("PARAMETER", "$p"),
        ("INCLUDE", "include"),
        ("MACRO", "web"),
        ("ACTION", "tee"),
        ("ARGUMENT", "64"),
        ("ARGUMENT", "8e30f50a25"),
        ("JOINT", "not"),
        ("MATCH", "icmp"),
        ("ARGUMENT", "8"),
        ("ARGUMENT", "0"),
    ]


def test_names_have_owners() -> None:
    found = of(RULES)
    values = [(p.owner, p.text, p.defines) for p in found if p.role is Role.VALUE]
    assert values == [
        ("department", "sales", True),
        ("department", "engineering", True),
        ("department", "sales", False),
        ("access", "printers", True),
        ("access", "servers", True),
        ("access", "printers", False),
        ("access", "servers", False),
        ("access", "everything", True),
        ("department", "sales", False),
        ("access", "everything", False),
    ]
    assert {p.owner for p in found if p.role is Role.PARAMETER} == {"web"}
    assert [p.text for p in found if p.role is Role.CAPABILITY] == ["ssh"]


def test_a_missing_argument_takes_no_word_of_the_language() -> None:
    assert roles("accept teq and dport ;") == [
        ("ACTION", "accept"),
        ("MATCH", "teq"),
        ("JOINT", "and"),
        ("MATCH", "dport"),
    ]


@given(st.lists(st.sampled_from(WORDS)), st.sampled_from([" ", "\n", "\r\n"]))
def test_pieces_are_of_the_text_and_in_its_order(words: list[str], between: str) -> None:
    text = between.join(words)
    found = of(text)
    starts = [piece.start for piece in found]
    assert starts == sorted(starts)
    assert all(text[piece.start : piece.end] == piece.text for piece in found)
    in_words = [(w.start, w.start + len(w.text)) for w in scan(text) if w.text[0] != "#"]
    assert all(any(a <= piece.start <= piece.end <= b for a, b in in_words) for piece in found)


def test_deep_blocks_need_no_recursion() -> None:
    tree = parse(Source("", "cap x id 1 " + "accept " * 20_000 + "dport 80"))
    (definition,) = (one for one in sections(tree.items) if isinstance(one, Definition))
    assert definition.depth == 20_001
    assert len(definition.words) == 20_005
