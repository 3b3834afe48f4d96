"""The line under a finding, whether or not its offsets are true."""

from __future__ import annotations

import pytest

from ztfast.diagnostics.render import format_diagnostic
from ztfast.errors import Diagnostic, Source, Span
from ztfast.lang.tokens import Lines, scan

TEXT = "first\r\nsecond word\rthird\n\nfifth"


@pytest.mark.parametrize("word", ["first", "second", "word", "third", "fifth"])
def test_lines_of_words(word: str) -> None:
    span = next(Lines(TEXT).of(found) for found in scan(TEXT) if found.text == word)
    line, pointer = format_diagnostic(_at(span)).split("\n")[1:]
    assert word in line
    assert pointer.index("^") == line.index(word)
    assert pointer.count("^") == len(word)


@pytest.mark.parametrize("span", [Span(0, 1, 5, 0), Span(0, 1, 5, 2), Span(99, 100, 5, 1)])
def test_places_without_offsets(span: Span) -> None:
    assert format_diagnostic(_at(span)).split("\n")[1] == " 5 | fifth"


def test_a_place_beyond_the_text() -> None:
    assert format_diagnostic(_at(Span(99, 100, 99, 0))).split("\n")[1] == " 99 | "


def _at(span: Span) -> Diagnostic:
    return Diagnostic("ZT000", "message", span=span, source=Source("t", TEXT))
