"""Rules text to words: what separates them, where comments start, which word closes a block.

Contract: docs/spec/rules-language.md section 1, in linear time; a word is a slice of the text
with its offset, so every later stage can point at the source.  Tested by
tests/lang/test_tokens.py and the compile vectors.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from ztfast.errors import Span

# A comment starts only where a word would, so `80#x` is one word.
_WORD = re.compile(r"#[^\r\n]*|[^ \t\r\n]+")
_LINE_END = re.compile(r"\r\n|\r|\n")


class Word(NamedTuple):
    """A word (or, from `scan`, a comment with its `#`) and its offset in the text."""

    text: str
    start: int

    @property
    def end(self) -> int:
        """The offset behind the word, without the `;` that was cut off."""
        return self.start + len(self.text)


def scan(text: str) -> Iterator[Word]:
    """Every word and every comment, in order; a closing `;` is still on its word."""
    for found in _WORD.finditer(text):
        yield Word(found.group(), found.start())


def is_blank(text: str) -> bool:
    """True for a text of nothing but blanks and comments."""
    return all(word.text[0] == "#" for word in scan(text))


class Lines:
    """Where the lines of a text start: offsets to spans.

    A line ends with CR LF, CR or LF; the table is made at the first question.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts: list[int] | None = None
        self._last = (0, 0, 0)  # start, end, line: most questions stay on one line

    def span(self, start: int, end: int) -> Span:
        """The span of the offsets [start, end)."""
        first, behind, line = self._last
        if not first <= start < behind:
            first, behind, line = self._last = self._find(start)
        return Span(start, end, line, start - first)

    def of(self, word: Word) -> Span:
        """The span of a word."""
        return self.span(word.start, word.start + len(word.text))

    def _find(self, offset: int) -> tuple[int, int, int]:
        if self._starts is None:
            self._starts = [0, *(found.end() for found in _LINE_END.finditer(self._text))]
        starts = self._starts
        line = bisect_right(starts, offset)
        behind = starts[line] if line < len(starts) else len(self._text) + 1
        return starts[line - 1], behind, line
