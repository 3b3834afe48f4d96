"""One rules text as an editor has it: read once, asked often.

Contract: a `Document` never raises, whatever its text is; what a text is too long or too broken
for is empty.  JSON has findings only.  Tested by tests/lsp/test_document.py.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from functools import cached_property

from ztfast.errors import Diagnostic, RulesError, Source
from ztfast.lang.compiler import compile_tree
from ztfast.lang.definitions import Definitions, define
from ztfast.lang.errors import Errors
from ztfast.lang.format import format_text, format_tree
from ztfast.lang.lint import check
from ztfast.lang.parser import Tree, parse
from ztfast.lang.sources import is_json
from ztfast.lang.tokens import Word, scan
from ztfast.lsp.pieces import NAMES, Piece, pieces
from ztfast.lsp.positions import Positions
from ztfast.model.policy import Policy

# Longer texts would keep a keystroke waiting for a second: they are checked in the background only.
# A thousand entries are 20,000 characters.
MAX_CHARACTERS = 300_000


class Document:
    """A text, and what is known of it."""

    def __init__(self, name: str, text: str, encoding: str = "utf-16") -> None:
        self.source = Source(name, text)
        self.positions = Positions(text, encoding)
        self.is_json = is_json(text)
        self.is_long = len(text) > MAX_CHARACTERS

    @property
    def text(self) -> str:
        """The text."""
        return self.source.text

    @cached_property
    def findings(self) -> list[Diagnostic]:
        """Errors and warnings that need no proof."""
        return self._checked[1]

    @property
    def policy(self) -> Policy | None:
        """What the text says, where it compiles."""
        return self._checked[0]

    @cached_property
    def _checked(self) -> tuple[Policy | None, list[Diagnostic]]:
        return (None, []) if self.is_long else check(self.source)

    def laid_out(self) -> str:
        """The text as `ztfast fmt` lays it out; raises RulesError where it does not compile."""
        if self.is_json or self.is_long:
            return format_text(self.text, self.source.name)  # which says why
        policy = self.policy if "_checked" in self.__dict__ else None
        if policy is None:  # compiling alone takes a third of what checking does
            policy = compile_tree(self.source, self.tree)[0]
        return format_tree(self.source, self.tree, policy)

    @cached_property
    def tree(self) -> Tree:
        """Its blocks."""
        if self.is_json or self.is_long:
            return Tree([])
        return parse(self.source)

    @cached_property
    def definitions(self) -> Definitions:
        """Its macros, tags and capabilities, as far as they can be read."""
        try:
            return define(self.tree.items, Errors(self.source))
        except RulesError:  # too many errors
            return Definitions()

    @cached_property
    def pieces(self) -> list[Piece]:
        """Its words with the parts they play."""
        return list(pieces(self.tree.items))

    @cached_property
    def _starts(self) -> list[int]:
        return [piece.start for piece in self.pieces]

    def piece_at(self, offset: int) -> Piece | None:
        """The word at an offset, or the one that ends there."""
        index = bisect_right(self._starts, offset) - 1
        found = self.pieces[index] if index >= 0 else None
        return found if found is not None and offset <= found.end else None

    def name_at(self, offset: int) -> Piece | None:
        """The name of something defined that stands at an offset."""
        piece = self.piece_at(offset)
        return piece if piece is not None and piece.role in NAMES and piece.text else None

    def uses(self, name: Piece) -> Iterable[Piece]:
        """Every place of a name, its definition among them."""
        return (piece for piece in self.pieces if piece.key == name.key)

    def comment_at(self, offset: int) -> Word | None:
        """The comment that an offset is in or behind."""
        line = self.positions.place(offset).line
        start = self.positions.offset(line, 0)
        for word in scan(self.text[start : self.positions.line_end(offset)]):
            if word.text[0] == "#" and start + word.start < offset:
                return Word(word.text, start + word.start)
        return None
