"""The names of a text: where they are defined and used, what they are called henceforth.

Contract: `definition`, `references` and `rename` are of the name at an offset, in its own space (a
tag's values are its own, a macro's parameters the macro's); `rename` raises UsageError for a name
that the language does not take or that is taken.  Tested by tests/lsp/test_symbols.py.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import NamedTuple

from ztfast.errors import Edit, usage
from ztfast.lang.matches import quote
from ztfast.lsp.document import Document
from ztfast.lsp.pieces import Definition, Piece, Role, sections
from ztfast.model.names import RESERVED, is_name

_CLOSE = re.compile(r"[ \t\r\n]*;")
_ROLES = {"macro": Role.MACRO, "tag": Role.TAG, "cap": Role.CAPABILITY}


def definition(document: Document, offset: int) -> Piece | None:
    """Where the name at an offset is defined."""
    name = document.name_at(offset)
    if name is None:
        return None
    return next((piece for piece in document.uses(name) if piece.defines), None)


def references(document: Document, offset: int, *, with_definition: bool = True) -> list[Piece]:
    """Every place of the name at an offset."""
    name = document.name_at(offset)
    if name is None:
        return []
    return [piece for piece in document.uses(name) if with_definition or not piece.defines]


def renamable(document: Document, offset: int) -> Piece | None:
    """The name at an offset, where its definition is in the text as well."""
    return document.name_at(offset) if definition(document, offset) is not None else None


def rename(document: Document, offset: int, name: str) -> list[Edit]:
    """The edits that call the name at an offset otherwise; raises UsageError."""
    if renamable(document, offset) is None:
        raise usage("there is no name here that the text defines", "rename a macro, tag or value")
    places = references(document, offset)
    new = _checked(document, places[0], name)
    return [Edit(piece.start, piece.end, new) for piece in places]


def _checked(document: Document, old: Piece, name: str) -> str:
    """The name as it is written: lowered, since names are lowered where they are defined."""
    new = name.lower()
    bare = new.removeprefix("$") if old.role is Role.PARAMETER else new
    if old.role is Role.PARAMETER and not new.startswith("$"):
        raise usage(f"{quote(name)} is not a parameter", "a parameter starts with `$`")
    if not is_name(bare):
        raise usage(f"{quote(name)} is not a name", "a name is letters, digits (not first) and _")
    if new in RESERVED:
        raise usage(f"`{new}` is a reserved word", "choose another name")
    taken = (old.role, old.owner, new)
    if taken != old.key and any(piece.key == taken for piece in document.pieces if piece.defines):
        raise usage(f"{quote(new)} is defined already", "choose another name")
    return new


# --- the outline


class Symbol(NamedTuple):
    """A definition for an outline: from its opening word to its `;`, its name, what is in it."""

    name: Piece
    start: int
    end: int
    values: list[Piece]


def symbols(document: Document) -> list[Symbol]:
    """The macros, tags and capabilities of a text, in its order."""
    found: list[Symbol] = []
    names = {piece.start: piece for piece in document.pieces if piece.defines}
    values = [piece for piece in document.pieces if piece.role is Role.VALUE and piece.defines]
    starts = [piece.start for piece in values]
    for section in sections(document.tree.items):
        if not isinstance(section, Definition) or not section.words:
            continue
        name = names[section.words[0].start]
        if name.text:
            start, end = section.opener.start, _end(document.text, section)
            first, behind = bisect_left(starts, start), bisect_left(starts, end)
            inside = values[first:behind]
            found.append(Symbol(name, start, end, inside))
    return found


def _end(text: str, section: Definition) -> int:
    """Behind the `;` that closes a definition."""
    end = section.words[-1].end
    for _ in range(section.depth):
        close = _CLOSE.match(text, end)
        if close is None:
            break
        end = close.end()
    return end
