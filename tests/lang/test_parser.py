"""Blocks: what closes, what does not, what is lost."""

from __future__ import annotations

from typing import Any

import pytest

from ztfast.errors import RulesError, Source
from ztfast.lang import parser
from ztfast.lang.parser import parse


def shape(items: list[Any]) -> list[Any]:
    return [shape(item) if isinstance(item, list) else item.text for item in items]


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", []),
        ("; ;", []),
        ("accept dport 1 ;", ["accept", ["dport", "1"]]),
        ("accept dport 1;;", ["accept", ["dport", "1;"]]),
        ("accept;", ["accept"]),
        ("accept; ", ["accept"]),
        ("accept;\ndrop dport 1 ;\n;", ["accept", ["drop", ["dport", "1"]]]),
        ("accept ;\ndrop ;", ["accept"]),
        ("drop;accept;", ["drop;accept"]),
        ("cap c id 1 drop; x", ["cap", ["c", "id", "1", "drop"], "x"]),
        ("cap drop; x", ["cap", ["drop"], "x"]),
        ("cap c id 1 drop x; y ;", ["cap", ["c", "id", "1", "drop", ["x"], "y"]]),
        ("macro m", ["macro", ["m"]]),
        ("macro", ["macro"]),
        ("macro ", ["macro"]),
        ("macro m accept drop", ["macro", ["m", "accept", ["drop"]]]),
        ("macro m accept drop ", ["macro"]),
        ("Accept dport 1 ;", ["Accept", "dport", "1"]),
    ],
)
def test_blocks(text: str, tree: list[Any]) -> None:
    assert shape(parse(Source("t", text)).items) == tree


def test_what_a_reader_would_not_expect_is_told() -> None:
    lost = parse(Source("t", "cap c id 1\naccept ;\n"))
    assert lost.lost
    assert [word.text for word in lost.open_at_end] == ["cap", "accept"]
    assert [(a.text, b.start) for a, b in lost.not_closed] == [("accept", 18)]
    early = parse(Source("t", "cap c id 1 accept; drop x ;"))
    assert [(a.text, b.text) for a, b in early.closed_around] == [("accept", "cap")]
    assert not early.lost


def test_nesting_needs_no_recursion() -> None:
    deep = parse(Source("t", "accept " * 20_000 + "x " + "; " * 20_000))
    assert len(deep.items) == 2
    assert not deep.open_at_end
    assert parse(Source("t", "accept " * 20_000)).lost


def test_too_many_words_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "MAX_WORDS", 10)
    with pytest.raises(RulesError, match="more than 10 words"):
        parse(Source("t", "x " * 11))
