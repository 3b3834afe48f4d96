"""A rules text word by word, each with the part it plays: a match, its argument, a tag's name.

Contract: `pieces(items)` gives the words of a tree in the order of the text, whatever the text is;
names carry whose they are (`owner`: a value's tag, a parameter's macro) and whether they are
defined there.  No recursion.  Tested by tests/lsp/test_pieces.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from ztfast.lang.matches import MATCHES
from ztfast.lang.parser import Block, Node
from ztfast.lang.tokens import Word
from ztfast.model.names import ACTION_WORDS, DEFINITION_WORDS, RESERVED, is_name

_ITEM = re.compile(r"[^,()]+")
_TAG_PARTS = {"id": 1, "default": 1, "enum": 2, "flag": 2}
ACTION_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "tee": ("length", "address"),
    "watch": ("length", "address"),
    "redirect": ("address",),
}


class Role(Enum):
    """The part that a word plays."""

    OPENER = "the word that opens a definition"
    MACRO = "a macro's name"
    TAG = "a tag's name"
    CAPABILITY = "a capability's name"
    VALUE = "the name of a tag's value"
    PARAMETER = "a macro's parameter"
    PART = "id, default, enum, flag"
    INCLUDE = "include"
    ACTION = "an action"
    MATCH = "a match"
    ARGUMENT = "a number, an address or a known name"
    JOINT = "and, or, not"
    UNKNOWN = "none of these"


NAMES = frozenset({Role.MACRO, Role.TAG, Role.CAPABILITY, Role.VALUE, Role.PARAMETER})


class Piece(NamedTuple):
    """A word or a part of one.

    word: the match, action or part whose argument it is, and `place` which of them, from 0.
    owner: of a value its tag, of a parameter its macro.
    """

    role: Role
    text: str
    start: int
    word: str = ""
    place: int = 0
    owner: str = ""
    defines: bool = False

    @property
    def end(self) -> int:
        """The offset behind it."""
        return self.start + len(self.text)

    @property
    def key(self) -> tuple[Role, str, str]:
        """What pieces of one name have in common; names are lowered where they are defined."""
        return self.role, self.owner, self.text.lower()


class Definition(NamedTuple):
    """A macro, tag or capability: its opening word, its words, how deep blocks are in it."""

    opener: Word
    words: list[Word]
    depth: int


def flat(items: list[Node]) -> tuple[list[Word], int]:
    """The words of nested blocks in the order of the text, and how deep they nest."""
    words: list[Word] = []
    open_blocks = [iter(items)]
    deepest = 1
    while open_blocks:
        item = next(open_blocks[-1], None)
        if item is None:
            open_blocks.pop()
        elif isinstance(item, Word):
            words.append(item)
        else:
            open_blocks.append(iter(item))
            deepest = max(deepest, len(open_blocks))
    return words, deepest


def sections(items: Block) -> Iterator[Definition | list[Node]]:
    """The definitions of a top level, and what stands between them."""
    between: list[Node] = []
    position = 0
    while position < len(items):
        item = items[position]
        block = items[position + 1] if position + 1 < len(items) else None
        position += 1
        if isinstance(item, Word) and item.text in DEFINITION_WORDS and isinstance(block, list):
            yield between
            between = []
            yield Definition(item, *flat(block))
            position += 1
        else:
            between.append(item)
    yield between


def pieces(items: Block) -> Iterator[Piece]:
    """Every word of a top level with the part it plays."""
    for section in sections(items):
        if not isinstance(section, Definition):
            yield from _body(flat(section)[0], "", frozenset())
            continue
        kind = section.opener.text
        yield Piece(Role.OPENER, kind, section.opener.start)
        if not section.words:
            continue
        head, rest = section.words[0], section.words[1:]
        if kind == "tag":
            yield Piece(Role.TAG, head.text, head.start, defines=True)
            yield from _tag(rest, head.text.lower())
        elif kind == "cap":
            yield Piece(Role.CAPABILITY, head.text, head.start, defines=True)
            yield from _body(rest, "", frozenset({"id", "default"}))
        else:
            name = head.text.partition("(")[0]
            yield Piece(Role.MACRO, name, head.start, defines=True)
            for text, start in _items(head, len(name)):
                owner = name.lower()
                yield Piece(Role.PARAMETER, text, start, owner=owner, defines=True)
            yield from _body(rest, name.lower(), frozenset())


def _items(word: Word, behind: int = 0) -> list[tuple[str, int]]:
    """What commas and parentheses separate in a word."""
    return [(one.group(), word.start + one.start()) for one in _ITEM.finditer(word.text, behind)]


def _tag(words: list[Word], tag: str) -> Iterator[Piece]:
    position = 0
    while position < len(words):
        word = words[position]
        kind = word.text.lower()
        count = _TAG_PARTS.get(kind)
        position += 1
        if count is None:
            yield Piece(Role.UNKNOWN, word.text, word.start, owner=tag)
            continue
        yield Piece(Role.PART, word.text, word.start, owner=tag)
        for index, value in enumerate(words[position : position + count]):
            if index == 1:
                yield Piece(Role.VALUE, value.text, value.start, kind, index, tag, True)
            elif kind in ("flag", "default"):
                for text, start in _items(value):
                    role = Role.VALUE if is_name(text.lower()) else Role.ARGUMENT
                    yield Piece(role, text, start, kind, index, tag)
            else:
                yield Piece(Role.ARGUMENT, value.text, value.start, kind, index, tag)
        position += count


def _body(words: list[Word], macro: str, parts: frozenset[str]) -> Iterator[Piece]:
    """Actions and matches; macro: whose parameters `$x` are; parts: what a capability has."""
    position = 0
    while position < len(words):
        word = words[position]
        kind = word.text.lower()
        position += 1
        count = 0
        if kind in MATCHES:
            yield Piece(Role.MATCH, word.text, word.start)
            count = len(MATCHES[kind].arguments)
        elif kind in ACTION_WORDS:
            yield Piece(Role.ACTION, word.text, word.start)
            count = len(ACTION_ARGUMENTS.get(kind, ()))
        elif kind == "include":
            yield Piece(Role.INCLUDE, word.text, word.start)
            if position < len(words):
                target = words[position]
                name = target.text.partition("(")[0]
                yield Piece(Role.MACRO, name, target.start, kind)
                position += 1
        elif kind in ("and", "or", "not"):
            yield Piece(Role.JOINT, word.text, word.start)
        elif kind in parts:
            yield Piece(Role.PART, word.text, word.start, owner="")
            count = int(kind == "id")
        else:
            yield Piece(Role.UNKNOWN, word.text, word.start)
        given = 0
        while given < count and position < len(words) and words[position].text not in RESERVED:
            before = words[position - 1].text if given else ""
            yield _argument(words[position], kind, given, before, macro)
            position += 1
            given += 1


def _argument(word: Word, kind: str, index: int, before: str, macro: str) -> Piece:
    role, owner = Role.ARGUMENT, ""
    if word.text[0] == "$":
        role, owner = Role.PARAMETER, macro
    elif kind in MATCHES and MATCHES[kind].arguments[0] == "tag" and is_name(word.text.lower()):
        role, owner = (Role.VALUE, before.lower()) if index else (Role.TAG, "")
    return Piece(role, word.text, word.start, kind, index, owner)
