"""What may stand where the cursor is.

Contract: `complete` offers the words that the grammar takes there: matches or actions, the names
that a match knows, tags, their values, macros, and members by name, which insert their address.
It reads the text before the cursor only, and names from all of it.
Tested by tests/lsp/test_complete.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ztfast.errors import Source
from ztfast.lang.matches import MATCHES
from ztfast.lang.parser import Tree, parse
from ztfast.lsp.document import Document
from ztfast.lsp.hover import KNOWN_NAMES, called, takes_address
from ztfast.lsp.meanings import ACTIONS_MEAN, MATCHES_MEAN, OTHERS_MEAN
from ztfast.lsp.pieces import ACTION_ARGUMENTS, Piece, Role, pieces
from ztfast.model.names import ACTION_WORDS, DEFINITION_WORDS
from ztfast.model.policy import Tag
from ztfast.network.members import Network

_WORD_START = re.compile(r"[^ \t\r\n;]*\Z")
_LONGEST_WORD = 1000


class Item(NamedTuple):
    """A word on offer: what is shown, of which kind, what stands beside it, what is inserted."""

    label: str
    kind: str
    detail: str = ""
    about: str = ""
    insert: str = ""


class Completion(NamedTuple):
    """Words for the place of the text from `start` to `end`."""

    items: list[Item]
    start: int
    end: int


def complete(document: Document, offset: int, network: Network | None = None) -> Completion:
    """The words that may stand at an offset."""
    start = _word_start(document.text, offset)
    if document.is_json or document.is_long or document.comment_at(offset) is not None:
        return Completion([], start, offset)
    tree = parse(Source("", f"{document.text[:start]}\n"))
    last = next(reversed(list(pieces(tree.items))), None)
    known = _argument(document, last, network) if last is not None else None
    if last is not None and last.role is Role.MATCH and last.text.lower() == "chr":
        start += document.text[start:offset].rfind(",") + 1
    items = list(known if known is not None else _words(tree, last))
    return Completion(items, start, offset)


def _word_start(text: str, offset: int) -> int:
    found = _WORD_START.search(text, max(0, offset - _LONGEST_WORD), offset)
    return offset if found is None else found.start()


# --- arguments


def _argument(document: Document, last: Piece, network: Network | None) -> Iterable[Item] | None:
    """What may follow a word that needs an argument; None where it needs none."""
    if last.role is Role.INCLUDE:
        macros = document.definitions.macros.values()
        return [Item(one.name, "macro", insert=called(one.name, one.parameters)) for one in macros]
    if last.role in (Role.MATCH, Role.ACTION):
        return _of(document, last.text.lower(), 0, "", network)
    if last.role is Role.PART:
        return _part(document, last)
    if last.word in MATCHES or last.word in ACTION_ARGUMENTS:
        return _of(document, last.word, last.place + 1, last.text.lower(), network)
    return [] if last.word in ("enum", "flag") and last.place == 0 else None


def _of(
    document: Document, word: str, index: int, before: str, network: Network | None
) -> Iterable[Item] | None:
    """The argument of a match or action at an index; before: the one before it."""
    arguments = MATCHES[word].arguments if word in MATCHES else ACTION_ARGUMENTS.get(word, ())
    if index >= len(arguments):
        return None
    if takes_address(word, index):
        return _members(network)
    tags = document.definitions.tags
    if arguments[index] == "tag":
        return [Item(name, "tag", f"id {tag.id}") for name, tag in tags.items()]
    if arguments[index] == "value":
        return _values(tags.get(before))
    return _numbers(KNOWN_NAMES.get(word, {}))


def _part(document: Document, last: Piece) -> Iterable[Item] | None:
    kind = last.text.lower()
    if kind != "default":
        return []
    return _values(document.definitions.tags.get(last.owner)) if last.owner else None


def _members(network: Network | None) -> list[Item]:
    active = () if network is None else network.active_members()
    return [
        Item(member.name or member.label, "member", member.label, insert=member.label)
        for member in active
    ]


def _values(tag: Tag | None) -> list[Item]:
    return [] if tag is None else _numbers({**tag.enums, **tag.flags})


def _numbers(names: Mapping[str, int]) -> list[Item]:
    return [Item(name, "value", str(number)) for name, number in names.items()]


# --- words


def _words(tree: Tree, last: Piece | None) -> Iterable[Item]:
    """What may stand where no argument is due: it depends on the block that is open."""
    opener = tree.open_at_end[-1].text if tree.open_at_end else ""
    if opener in ACTION_WORDS:
        joints = [] if last is not None and last.text == "not" else ["and", "or", "not"]
        return [*_matches(), *_others(joints)]
    if opener == "tag":
        return _others(["id", "default", "enum", "flag"]) if _named(last) else []
    if opener in ("cap", "macro"):
        if not _named(last):
            return []
        return [*_actions(), *_others(["include", *(["id", "default"] if opener == "cap" else [])])]
    return [*_actions(), *_others(["include", "macro", "tag", "cap"])]


def _named(last: Piece | None) -> bool:
    """Has the definition its name?"""
    return last is not None and last.text not in DEFINITION_WORDS


def _matches() -> list[Item]:
    return [
        Item(word, "match", " ".join(match.arguments), f"True where {MATCHES_MEAN[word]}.")
        for word, match in MATCHES.items()
    ]


def _actions() -> list[Item]:
    return [
        Item(word, "action", " ".join(ACTION_ARGUMENTS.get(word, ())), f"The action {meaning}.")
        for word, meaning in ACTIONS_MEAN.items()
    ]


def _others(words: Iterable[str]) -> list[Item]:
    return [Item(word, "word", about=OTHERS_MEAN[word]) for word in words]
