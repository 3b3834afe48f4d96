"""What is to be said of the word under the pointer, in Markdown.

Contract: `hover` says what a word means, a match's JSON type and the very entry it becomes, what a
name stands for, whose an address is; None where there is nothing to say.  Words of the text come
out in code spans only.  Tested by tests/lsp/test_hover.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ztfast.lang.matches import MATCHES
from ztfast.lsp.document import Document
from ztfast.lsp.meanings import ACTIONS_MEAN, MATCHES_MEAN, OTHERS_MEAN
from ztfast.lsp.pieces import ACTION_ARGUMENTS, Piece, Role
from ztfast.model.addresses import parse_address
from ztfast.model.names import CHARACTERISTICS, ETHERTYPES, PROTOCOLS
from ztfast.model.policy import Rule, Tag
from ztfast.network.members import Network

KNOWN_NAMES = {"ethertype": ETHERTYPES, "ipprotocol": PROTOCOLS, "chr": CHARACTERISTICS}
_SHOWN = 40


class Hover(NamedTuple):
    """Markdown about the text from `start` to `end`."""

    text: str
    start: int
    end: int


def hover(document: Document, offset: int, network: Network | None = None) -> Hover | None:
    """What is to be said of the word at an offset."""
    piece = document.piece_at(offset)
    if piece is None or document.comment_at(offset) is not None:
        return None
    text = _about(document, piece, network)
    return Hover(text, piece.start, piece.end) if text else None


def _about(document: Document, piece: Piece, network: Network | None) -> str | None:
    word = piece.text.lower()
    if piece.role is Role.MATCH:
        return _match(document, piece)
    if piece.role is Role.ACTION:
        arguments = ACTION_ARGUMENTS.get(word, ())
        said = f"{_head(word, arguments)}\n\nThe action {ACTIONS_MEAN[word]}."
        return f"{said}\n\n`ACTION_{word.upper()}`"
    if piece.role in (Role.OPENER, Role.INCLUDE, Role.JOINT, Role.PART):
        return f"{_head(word)}: {OTHERS_MEAN[word]}"
    if piece.role is Role.ARGUMENT:
        return _argument(piece, network)
    return _name(document, piece)


def _head(word: str, arguments: tuple[str, ...] = ()) -> str:
    return " ".join([f"**{word}**", *(name.upper() for name in arguments)])


def _match(document: Document, piece: Piece) -> str:
    word = piece.text.lower()
    match = MATCHES[word]
    kinds = match.type
    if word in ("ipsrc", "ipdest"):
        kinds = f"{match.type}` or `{match.type.replace('IPV4', 'IPV6')}"
    said = f"{_head(word, match.arguments)}\n\nTrue where {MATCHES_MEAN[word]}.\n\n`{kinds}`"
    rule = next((rule for rule in _rules(document) if _starts_at(rule, piece.start)), None)
    if rule is None:
        return said
    return f"{said}\n\n```json\n{json.dumps(dict(rule.json))}\n```"


def _rules(document: Document) -> Iterator[Rule]:
    policy = document.policy
    if policy is not None:
        yield from policy.rules
        for capability in policy.capabilities:
            yield from capability.rules


def _starts_at(rule: Rule, start: int) -> bool:
    return rule.span is not None and rule.span.start == start


def _argument(piece: Piece, network: Network | None) -> str | None:
    names = KNOWN_NAMES.get(piece.word)
    if names is not None:
        found = [f"`{name}` is {names[name]}" for name in piece.text.split(",") if name in names]
        return f"{piece.word}: {', '.join(found)}" if found else None
    if network is None or not takes_address(piece.word, piece.place):
        return None
    address = parse_address(piece.text)
    member = next((one for one in network.members if one.address == address), None)
    if member is None:
        return f"{_code(piece.text)} is not a member of the network"
    return f"{_code(piece.text)} is the member {_code(member.name or member.label)}"


def takes_address(word: str, index: int) -> bool:
    """Is that argument of a match or action a member's address?"""
    arguments = MATCHES[word].arguments if word in MATCHES else ACTION_ARGUMENTS.get(word, ())
    return index < len(arguments) and arguments[index] == "address"


def _name(document: Document, piece: Piece) -> str | None:
    defined, name = document.definitions, piece.text.lower()
    if piece.role is Role.TAG and name in defined.tags:
        return _tag(defined.tags[name], name)
    if piece.role is Role.MACRO and name in defined.macros:
        parameters = defined.macros[name].parameters
        return f"macro {_code(called(name, parameters))}"
    if piece.role is Role.CAPABILITY and name in defined.capabilities:
        capability = defined.capabilities[name]
        held = ", held by default" if capability.default else ""
        return f"capability {_code(name)}, id {capability.id}{held}"
    if piece.role is Role.VALUE and piece.owner in defined.tags:
        tag = defined.tags[piece.owner]
        number = tag.flags.get(name, tag.enums.get(name))
        if number is not None:
            return f"{_code(name)} is {number} of the tag {_code(piece.owner)}"
    if piece.role is Role.PARAMETER:
        return f"{_code(piece.text)}: a parameter of the macro {_code(piece.owner)}"
    return None


def called(name: str, parameters: Iterable[str]) -> str:
    """A macro as an include writes it."""
    inside = ",".join(parameters)
    return f"{name}({inside})" if inside else name


def _tag(tag: Tag, name: str) -> str:
    default = "no default" if tag.default is None else f"default {tag.default}"
    values = [*tag.enums.items(), *tag.flags.items()]
    lines = [f"- {_code(value)} = {number}" for value, number in values[:_SHOWN]]
    more = [f"- and {len(values) - _SHOWN} more"] if len(values) > _SHOWN else []
    return "\n".join([f"tag {_code(name)}, id {tag.id}, {default}\n", *lines, *more])


def _code(text: str) -> str:
    """A code span: what stands in it is shown as it is."""
    short = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    return f"`{short.replace('`', 'ˋ')}`"
