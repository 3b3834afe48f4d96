"""Words to a tree of blocks, closing exactly where the official compiler closes.

Contract: docs/spec/rules-language.md section 2.  A block is a list that follows its opening
word in the list around it.  No recursion: nesting is bounded by the text's length only.
The tree also says which closes did nothing and what was lost, for errors and warnings.
Tested by tests/lang/test_parser.py and the compile vectors.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Union

from ztfast.errors import Diagnostic, RulesError, Source
from ztfast.lang.tokens import Word, scan
from ztfast.model.names import BLOCK_WORDS

Node = Union[Word, "list[Node]"]
Block = list[Node]

# The network holds 9,216 entries at most; this bounds memory on hostile texts.
MAX_WORDS = 2_000_000
_MAX_NOTES = 1000


@dataclass
class Tree:
    """The top level of a rules text, and what a reader would not expect of its blocks."""

    items: Block
    # The opening words whose blocks were still open where the text ended, outermost first.
    open_at_end: list[Word] = field(default_factory=list[Word])
    # True where the innermost of them was empty, so that the contents of all are lost.
    lost: bool = False
    # (opening word, closing word): a `;` that closed nothing since the block was empty.
    not_closed: list[tuple[Word, Word]] = field(default_factory=list[tuple[Word, Word]])
    # (word, opening word): `accept;` inside a block ended the block around it.  Not where the
    # next word is that block's own `;`, which then closes nothing: it reads as it is meant.
    closed_around: list[tuple[Word, Word]] = field(default_factory=list[tuple[Word, Word]])
    # Where each block closes, in the order of closing: the offset of its `;`, or the text's end.
    closes: list[int] = field(default_factory=list[int])
    # The offset of the last word that is more than a `;`, -1 where there is none.
    last: int = -1


def parse(source: Source) -> Tree:
    """The tree of a rules text; raises RulesError only where the text is absurdly long."""
    text = source.text
    end = len(text)
    top: Block = []
    tree = Tree(top)
    current = top
    outer: list[tuple[Block, Word]] = []
    count = 0
    closed_early = False
    for written in scan(text):
        token, start = written
        if token[0] == "#":
            continue
        count += 1
        if count > MAX_WORDS:
            raise _too_long(source)
        ended_by_file = start + len(token) == end
        closes = token[-1] == ";"
        word = written
        if closes:
            token = token[:-1]
            word = Word(token, start)
        if token:
            current.append(word)
            tree.last = start
        elif closed_early:
            tree.closed_around.pop()
        closed_early = False
        if ended_by_file:
            break
        if closes and outer and current:
            block = current
            current, opener = outer.pop()
            current.append(block)
            tree.closes.append(start + len(token))
            if token in BLOCK_WORDS:
                tree.closed_around.append((word, opener))
                closed_early = not outer
        elif token in BLOCK_WORDS:
            outer.append((current, word))
            current = []
            if closes:
                _note(tree, word, word)
        elif closes and outer:
            _note(tree, outer[-1][1], word)
    _close_all(tree, current, outer, end)
    return tree


def _note(tree: Tree, opener: Word, close: Word) -> None:
    if len(tree.not_closed) < _MAX_NOTES:
        tree.not_closed.append((opener, close))


def _close_all(tree: Tree, current: Block, outer: list[tuple[Block, Word]], end: int) -> None:
    """The end of the file: close what is open, unless the innermost block is empty."""
    tree.open_at_end = [opener for _, opener in outer]
    if not current:
        tree.lost = bool(outer)
        return
    while outer:
        block = current
        current, _ = outer.pop()
        current.append(block)
        tree.closes.append(end)


def _too_long(source: Source) -> RulesError:
    return RulesError(
        Diagnostic(
            "ZT044",
            f"the text has more than {MAX_WORDS:,} words",
            source=source,
            help="a network holds 1,024 base entries and 64 in each of 128 capabilities",
        )
    )
