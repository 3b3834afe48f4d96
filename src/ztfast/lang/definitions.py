"""The first pass: macros, tags and capabilities of a tree's top level.

Contract: docs/spec/rules-language.md section 3.  Bodies of macros and capabilities stay trees
(the second pass, `lang.compiler`, turns them into entries); tags are finished here.
Tested by tests/lang/test_compiler.py and the compile vectors.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ztfast.errors import Edit, Fix
from ztfast.lang.errors import Errors, suggestion
from ztfast.lang.matches import quote
from ztfast.lang.numbers import parse_default, parse_number, to_int32
from ztfast.lang.parser import Block, Node
from ztfast.lang.rewrites import line_end
from ztfast.lang.tokens import Word
from ztfast.model.names import BLOCK_WORDS, DEFINITION_WORDS, OBJECT_WORDS, RESERVED, is_name
from ztfast.model.policy import Tag

_UINT32 = 0xFFFFFFFF


class Macro(NamedTuple):
    """A macro as written: its head, the positions of its parameters, its body."""

    name: str
    word: Word
    parameters: dict[str, int]
    body: Block


class CapabilityText(NamedTuple):
    """A capability before its rules are compiled."""

    name: str
    word: Word
    id: int
    default: bool
    body: Block


class Definitions:
    """What the top level defines, by name, and the rest of it: the base rules' tree."""

    def __init__(self) -> None:
        self.macros: dict[str, Macro] = {}
        self.tags: dict[str, Tag] = {}
        self.tag_words: dict[str, Word] = {}
        self.tag_defaults: dict[str, Word] = {}
        self.capabilities: dict[str, CapabilityText] = {}
        self.rules: Block = []
        self.capability_ids: dict[int, str] = {}


def define(items: Block, errors: Errors) -> Definitions:
    """Read every definition of a top level; errors go to `errors`."""
    found = Definitions()
    readers = {"macro": _macro, "tag": _tag, "cap": _capability}
    position = 0
    while position < len(items):
        item = items[position]
        position += 1
        kind = item.text.lower() if isinstance(item, Word) else ""
        if kind not in DEFINITION_WORDS or not isinstance(item, Word):
            found.rules.append(item)
            continue
        block = items[position] if position < len(items) else None
        if not isinstance(block, list):
            _nameless(kind, item, errors)
            continue
        position += 1
        head = block[0]
        assert isinstance(head, Word), "a list always follows its opening word"
        readers[kind](head, block, found, errors)
    return found


_SHAPES = {
    "macro": "macro NAME($a,$b) ACTIONS… ;",
    "tag": "tag NAME id N [default V] [enum N name]… [flag B name]… ;",
    "cap": "cap NAME id N [default] ACTIONS… ;",
}
_TITLES = {"macro": "macro", "tag": "tag", "cap": "capability"}


def _nameless(kind: str, word: Word, errors: Errors) -> None:
    help = f"expected: {_SHAPES[kind]}"
    if word.text != kind:
        help = f"only `{kind}` in lower case opens a definition; {help}"
    else:
        help += " (an empty block at the end of the file loses all blocks that are still open)"
    errors.add("ZT030", word, f"`{word.text}` has no name or body", help)


def _not_closed(kind: str, head: Word, inner: Word, errors: Errors) -> None:
    """The `;` of a definition is missing, as a word shows that cannot be part of it."""
    line = errors.lines.of(inner).line
    name = quote(head.text)
    end = "" if kind == "tag" else ", behind the one of its last action"
    errors.add(
        "ZT037",
        head,
        f"the {_TITLES[kind]} {name} is not closed: `{inner.text}` in line {line} is read as part "
        "of it",
        f"put the `;` that closes it before line {line}{end}",
        _closing(inner, errors) if kind == "tag" else None,
    )


def _closing(inner: Word, errors: Errors) -> Fix:
    """A `;` on a line of its own before a word that no longer belongs to the definition."""
    end = f";{line_end(errors.source.text)}"
    return Fix("close it there", (Edit(inner.start, inner.start, end),))


def _name(kind: str, text: str, word: Word, known: object, errors: Errors) -> bool:
    """Check a defined name (already lowered); False after an error."""
    title = _TITLES[kind]
    if not is_name(text):
        expected = "a name is letters, digits (not first) and _"
        errors.add("ZT031", word, f"{quote(word.text)} is not a name for a {title}", expected)
    elif text in RESERVED:
        errors.add("ZT031", word, f"`{text}` is a reserved word", f"choose another {title} name")
    elif isinstance(known, dict) and text in known:
        note = "" if text == word.text else f" (names are lowered: {quote(word.text)})"
        errors.add("ZT032", word, f"the {title} `{text}` is defined twice{note}", "rename one")
    else:
        return True
    return False


# --- macros

# A closing parenthesis is only another comma to the official compiler, and need not be there.
_BETWEEN = re.compile(r"[,)]+")


def split_list(text: str) -> list[str]:
    """What stands behind the `(` of a macro or include: its items, empty ones only at the ends."""
    return _BETWEEN.split(text)


def _macro(head: Word, block: Block, found: Definitions, errors: Errors) -> None:
    name, _, rest = head.text.lower().partition("(")
    if not _name(
        "macro",
        name,
        Word(head.text.partition("(")[0] or head.text, head.start),
        found.macros,
        errors,
    ):
        return
    parameters = {text: place for place, text in enumerate(split_list(rest)) if text}
    found.macros[name] = Macro(name, head, parameters, block[1:])


# --- capabilities


def _capability(head: Word, block: Block, found: Definitions, errors: Errors) -> None:
    name = head.text.lower()
    block = _whole(head, block, errors)
    named = _name("cap", name, head, found.capabilities, errors)
    number: int | None = None
    default = False
    body: Block = []
    position = 1
    while position < len(block):
        item = block[position]
        position += 1
        word = item.text.lower() if isinstance(item, Word) else ""
        if word == "id" and isinstance(item, Word):
            if number is not None:
                errors.add("ZT036", item, "a second id in one capability", "remove one")
            number = _capability_id(item, _at(block, position), found, errors)
            position += 1
        elif word == "default":
            default = True
        else:
            body.append(item)
    if number is None:
        errors.add(
            "ZT034", head, f"the capability {quote(name)} has no id", f"expected: {_SHAPES['cap']}"
        )
    elif named:
        if number >= 0:
            found.capability_ids[number] = name
        found.capabilities[name] = CapabilityText(name, head, number, default, body)


def _whole(head: Word, block: Block, errors: Errors) -> Block:
    """A capability as it was meant: it ends before a definition, which cannot stand in it.

    That is one error, at its name, whatever else stands behind.
    """
    for position, item in enumerate(block):
        if position and isinstance(item, Word) and item.text in DEFINITION_WORDS:
            _not_closed("cap", head, item, errors)
            return block[:position]
    return block


def _capability_id(word: Word, value: Node | None, found: Definitions, errors: Errors) -> int:
    """The id, or -1 after an error."""
    number = parse_number(value.text) if isinstance(value, Word) else None
    place = value if isinstance(value, Word) else word
    if number is None or not 0 <= number <= _UINT32:
        errors.add("ZT034", place, "not a capability id", "expected a number from 0 to 4294967295")
        return -1
    if number in found.capability_ids:
        other = found.capability_ids[number]
        errors.add(
            "ZT034",
            place,
            f"the capability {quote(other)} has the id {number} already",
            "capability ids must be unique",
        )
    return number


# --- tags


_BEHIND_TAGS = BLOCK_WORDS | {"include"}


class _TagText:
    def __init__(self, head: Word) -> None:
        self.head = head
        self.id: int | None = None
        self.default: Word | None = None
        self.enums: dict[str, int] = {}
        self.flags: dict[str, int] = {}


def _tag(head: Word, block: Block, found: Definitions, errors: Errors) -> None:
    name = head.text.lower()
    named = _name("tag", name, head, found.tags, errors)
    tag = _TagText(head)
    position = 1
    while position < len(block):
        item = block[position]
        position += 1
        if not isinstance(item, Word):
            _block_in_tag(item, errors)
            continue
        reader = _TAG_PARTS.get(item.text.lower())
        if reader is None and item.text.lower() in _BEHIND_TAGS:
            _not_closed("tag", head, item, errors)
            break
        if reader is None:
            errors.add(
                "ZT033",
                item,
                f"{quote(item.text)} is not part of a tag definition",
                "expected id, default, enum or flag" + suggestion(item.text, _TAG_PARTS),
            )
            continue
        arguments = 2 if reader in (_enum, _flag) else 1
        values = [node for node in block[position : position + arguments] if isinstance(node, Word)]
        position += arguments
        if len(values) < arguments:
            errors.add(
                "ZT033", item, f"`{item.text}` lacks its value", f"expected: {_SHAPES['tag']}"
            )
        else:
            reader(tag, item, values, errors)
    if tag.id is None:
        errors.add("ZT034", head, f"the tag {quote(name)} has no id", f"expected: {_SHAPES['tag']}")
    elif named:
        span = errors.lines.of(head)
        found.tags[name] = Tag(tag.id, _default(tag), tag.enums, tag.flags, name, span)
        found.tag_words[name] = head
        if tag.default is not None:
            found.tag_defaults[name] = tag.default


def _block_in_tag(block: Block, errors: Errors) -> None:
    """As in `default drop x ;`: elsewhere a nested list is skipped silently, here it is not."""
    first = block[0]
    assert isinstance(first, Word), "else the block around it would have been refused"
    help = f"expected: {_SHAPES['tag']}"
    errors.add("ZT033", first, "a block cannot stand in a tag definition", help)


def _tag_id(tag: _TagText, word: Word, values: list[Word], errors: Errors) -> None:
    number = parse_number(values[0].text)
    if tag.id is not None:
        errors.add("ZT036", word, "a second id in one tag", "remove one")
    elif number is None or not 0 <= number <= _UINT32:
        errors.add(
            "ZT034",
            values[0],
            f"{quote(values[0].text)} is not a tag id",
            "expected a number from 0 to 4294967295",
        )
        tag.id = -1
    else:
        tag.id = number


def _tag_default(tag: _TagText, word: Word, values: list[Word], errors: Errors) -> None:
    if tag.default is not None:
        errors.add("ZT036", word, "a second default in one tag", "remove one")
    if values[0].text in OBJECT_WORDS:
        message = f"{quote(values[0].text)} is not a default for a tag"
        errors.add("ZT035", values[0], message, "expected an enum or flag of this tag, or a number")
    tag.default = values[0]


def _default(tag: _TagText) -> int | None:
    """The default as the official compiler reads it: a name, or a number's absolute value."""
    if tag.default is None:
        return None
    text = tag.default.text
    named = tag.enums.get(text, tag.flags.get(text))
    if named is not None:
        return named
    return to_int32(abs(parse_default(text) or 0))


def _enum(tag: _TagText, word: Word, values: list[Word], errors: Errors) -> None:
    number = parse_number(values[0].text)
    if number is None or not 0 <= number <= _UINT32:
        errors.add(
            "ZT035",
            values[0],
            f"{quote(values[0].text)} is not an enum value",
            "expected `enum NUMBER name` with a number from 0 to 4294967295",
        )
        number = 0
    name = _part_name("enum", values[1], tag.enums, errors)
    if name is not None:
        tag.enums[name] = number


_COMMAS = re.compile(",+")


def _flag(tag: _TagText, word: Word, values: list[Word], errors: Errors) -> None:
    bits = 0
    for item in _COMMAS.split(values[0].text):
        earlier = tag.flags.get(item.lower())  # unlike any other use of a name
        bit = parse_number(item) if earlier is None else None
        if earlier is not None:
            bits |= earlier
        elif bit is not None and 0 <= bit <= 31:
            bits |= 1 << bit
        else:
            errors.add(
                "ZT035",
                values[0],
                f"{quote(item)} is not a flag bit",
                "expected bit numbers 0 to 31 or names of earlier flags, joined by commas",
            )
            break
    name = _part_name("flag", values[1], tag.flags, errors)
    if name is not None:
        tag.flags[name] = to_int32(bits)


def _part_name(kind: str, word: Word, known: dict[str, int], errors: Errors) -> str | None:
    name = word.text.lower()
    if not is_name(name) or name in OBJECT_WORDS:
        errors.add(
            "ZT035",
            word,
            f"{quote(word.text)} is not a name for a {kind}",
            "a name is letters, digits (not first) and _",
        )
        return None
    if name in known:
        errors.add("ZT036", word, f"the {kind} `{name}` is defined twice in this tag", "rename one")
        return None
    return name


_TAG_PARTS = {"id": _tag_id, "default": _tag_default, "enum": _enum, "flag": _flag}


def _at(block: Block, position: int) -> Node | None:
    return block[position] if position < len(block) else None
