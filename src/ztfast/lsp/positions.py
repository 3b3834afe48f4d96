"""Offsets in a text, and places as editors count them: lines from 0, units of an encoding.

Contract: a line ends with LF, CR LF or CR and nowhere else; columns are UTF-16 units (an emoji is
two) unless another encoding was agreed on.  A place outside the text is its nearest inside.
Tested by tests/lsp/test_positions.py.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple

_LINE_END = re.compile(r"\r\n|\r|\n")


class Place(NamedTuple):
    """A line, and the units before the place on it; both count from 0."""

    line: int
    character: int


class Positions:
    """The lines of one text; encoding: what the units of a column are (utf-8, utf-16, utf-32)."""

    def __init__(self, text: str, encoding: str = "utf-16") -> None:
        self._text = text
        self._encoding = encoding
        ends = list(_LINE_END.finditer(text))
        self._starts = [0, *(found.end() for found in ends)]
        self._ends = [*(found.start() for found in ends), len(text)]
        self._ascii = text.isascii() or encoding == "utf-32"

    def place(self, offset: int) -> Place:
        """Where an offset is."""
        offset = min(max(offset, 0), len(self._text))
        line = bisect_right(self._starts, offset) - 1
        before = self._text[self._starts[line] : min(offset, self._ends[line])]
        return Place(line, len(before) if self._ascii else sum(map(self._units, before)))

    def offset(self, line: int, character: int) -> int:
        """The offset of a place; within a character: the one before it."""
        if line < 0:
            return 0
        if line >= len(self._starts):
            return len(self._text)
        start, end = self._starts[line], self._ends[line]
        if self._ascii:
            return min(start + max(character, 0), end)
        left = character
        for at in range(start, end):
            left -= self._units(self._text[at])
            if left < 0:
                return at
        return end

    def line_end(self, offset: int) -> int:
        """Where the line of an offset ends, before its end of line."""
        return self._ends[bisect_right(self._starts, offset) - 1]

    def of_line(self, line: int, column: int) -> int:
        """The offset of a line (from 1) and a column in characters, as our findings count."""
        line = min(max(line, 1), len(self._starts))
        return min(self._starts[line - 1] + column, len(self._text))

    def _units(self, character: str) -> int:
        number = ord(character)
        if self._encoding == "utf-16":
            return 2 if number > 0xFFFF else 1
        return 1 + (number > 0x7F) + (number > 0x7FF) + (number > 0xFFFF)
