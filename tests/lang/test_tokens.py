from __future__ import annotations

import pytest

from ztfast.lang.tokens import Lines, Word, scan


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" \t\r\n", []),
        ("accept dport 80#x ;", ["accept", "dport", "80#x", ";"]),
        ("a # b ; c\rd", ["a", "# b ; c", "d"]),
        ("#a\n#b", ["#a", "#b"]),
        ("a\x0bb\xa0c\x00d", ["a\x0bb\xa0c\x00d"]),
        ("drop;accept;", ["drop;accept;"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    found = list(scan(text))
    assert [word.text for word in found] == words
    assert all(text[word.start : word.end] == word.text for word in found)


def test_spans_count_lines_from_one_and_columns_from_zero() -> None:
    text = "a\r\nbb\rccc\n\nd"
    lines = Lines(text)
    places = {w.text: lines.of(w) for w in scan(text)}
    assert {k: (s.line, s.column) for k, s in places.items()} == {
        "a": (1, 0),
        "bb": (2, 0),
        "ccc": (3, 0),
        "d": (5, 0),
    }
    assert lines.of(Word("a", 0)) == (0, 1, 1, 0)  # backwards too
    assert lines.span(len(text), len(text)).line == 5
