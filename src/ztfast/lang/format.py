"""The canonical layout of a rules text; comments stay, the meaning stays.

Contract: `format_text` gives a text that compiles to the same JSON (checked each time)
and is its own layout.  One match a line under its action, two spaces a level; an action
with a single match and no comment inside stays on one line; keywords in lower case; an
action without matches is `Accept`, since `accept;` would swallow what follows.
Works on the tree, so that closes which do nothing disappear.
Tested by tests/lang/test_format.py.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Any

from ztfast.errors import Diagnostic, RulesError, Source
from ztfast.lang.compiler import compile_tree
from ztfast.lang.matches import MATCHES
from ztfast.lang.parser import Block, Tree, parse
from ztfast.lang.tokens import Lines, Word, scan
from ztfast.model.names import ACTION_WORDS, BLOCK_WORDS, DEFINITION_WORDS
from ztfast.model.policy import Policy

_INDENT = "  "
_HEADS = {"tee": 2, "watch": 2, "redirect": 1}
_TAG_PARTS = {"id": 1, "default": 1, "enum": 2, "flag": 2}


_MOST_LAYOUTS = 3


def format_text(text: str, name: str = "<text>") -> str:
    """The text in canonical layout; raises RulesError where it does not compile.

    `name` is what errors call the text.
    """
    source = Source(name, text)
    tree = parse(source)
    return format_tree(source, tree, compile_tree(source, tree)[0])


def format_tree(source: Source, tree: Tree, policy: Policy) -> str:
    """The text of a tree in canonical layout; policy: what it compiles to."""
    if tree.lost and tree.open_at_end[0].start < tree.last:
        raise _refused(source, tree.open_at_end[0], "the contents of this block are lost")
    before: dict[str, Any] | None = None
    last, made = source.text, _Layout(source, tree).text()
    for _ in range(_MOST_LAYOUTS):  # a comment may take another place once it was moved
        if made == last:
            break
        laid_out = Source(source.name, made)
        before = before or policy.to_json()
        again = parse(laid_out)
        if not _compiles_to(laid_out, again, before):
            word = Word(source.text[:1], 0)
            raise _refused(source, word, "cannot be laid out without changing its meaning")
        last, made = made, _Layout(laid_out, again).text()
    return made


def _compiles_to(source: Source, tree: Tree, output: dict[str, Any]) -> bool:
    try:
        return compile_tree(source, tree)[0].to_json() == output
    except RulesError:  # whose places would mean nothing in the text as it was written
        return False


def _refused(source: Source, word: Word, message: str) -> RulesError:
    span = Lines(source.text).of(word)
    help = "correct what `ztfast check` reports there first"
    return RulesError(Diagnostic("ZT061", message, span=span, source=source, help=help))


@dataclass
class _Line:
    """A line to write: its words, where its first word stands in the source."""

    start: int
    depth: int
    text: str
    opens: bool = False
    closes: bool = False
    comment: str = ""


class _Layout:
    """One text being laid out: first its lines, then the comments among them."""

    def __init__(self, source: Source, tree: Tree) -> None:
        self._source = source
        self._tree = tree
        self._lines: list[_Line] = []
        self._next_close = iter(tree.closes)
        self._comments: list[Word] = []
        self._word_starts: list[int] = []
        for word in scan(source.text):
            if word.text[0] == "#":
                self._comments.append(word)
            else:
                self._word_starts.append(word.start)
        self._comment_starts = [word.start for word in self._comments]

    def text(self) -> str:
        """The laid out text."""
        self._top(self._tree.items)
        if self._lines and self._lines[-1].text in ("Accept", "Drop", "Break"):
            self._lines[-1].text = self._lines[-1].text.lower() + ";"
        return self._written()

    def _line(self, start: int, depth: int, text: str, opens: bool = False) -> None:
        self._lines.append(_Line(start, depth, text, opens))

    def _close(self, depth: int) -> None:
        self._lines.append(_Line(next(self._next_close), depth, ";", closes=True))

    # --- definitions

    def _top(self, items: Block) -> None:
        position = 0
        while position < len(items):
            word = _word(items, position)
            kind = word.text.lower() if word is not None else ""
            if word is None or kind not in DEFINITION_WORDS:
                position = self._action(items, position, 0)
                continue
            block = items[position + 1]
            assert isinstance(block, list), "else it would not have compiled"
            position += 2
            head = block[0]
            assert isinstance(head, Word), "a list always follows its opening word"
            self._line(word.start, 0, f"{kind} {_spelled(head)}", opens=True)
            if kind == "tag":
                self._tag(block)
            else:
                self._body(block, kind == "cap")
            self._close(0)

    def _tag(self, block: Block) -> None:
        position = 1
        while position < len(block):
            word = _word(block, position)
            if word is None:
                raise self._stuck(block, position)
            kind = word.text.lower()
            count = _TAG_PARTS[kind]
            values = [_spelled(self._needed(block, position + 1 + n)) for n in range(count)]
            if count == 2 and values[1] in BLOCK_WORDS:
                values[1] = values[1].capitalize()  # lowered again; as it is, it opens a block
            self._line(word.start, 1, " ".join([kind, *values]))
            position += 1 + count

    def _body(self, block: Block, capability: bool) -> None:
        position = 1
        while position < len(block):
            word = _word(block, position)
            kind = word.text.lower() if word is not None and capability else ""
            if word is not None and kind == "id":
                value = self._needed(block, position + 1)
                self._line(word.start, 1, f"id {_spelled(value)}")
                position += 2
            elif word is not None and kind == "default":
                self._line(word.start, 1, kind)
                position += 1
            else:
                position = self._action(block, position, 1)

    # --- actions

    def _action(self, items: Block, position: int, depth: int) -> int:
        word = _word(items, position)
        if word is None:
            raise self._stuck(items, position)
        kind = word.text.lower()
        position += 1
        if kind == "include":
            target = _word(items, position)
            if target is None or target.text.lower() in ("id", "default"):
                self._line(word.start, depth, kind)  # as in `include default m`, in a capability
                return position
            self._line(word.start, depth, f"{kind} {_spelled(target)}")
            return position + 1
        following = items[position] if position < len(items) else None
        block = following if isinstance(following, list) else None
        if kind not in ACTION_WORDS:
            # in a macro that is never included, anything can stand
            if depth == 0 or block is not None or word.text.endswith(";"):
                raise self._stuck(items, position - 1)
            self._line(word.start, depth, word.text)
        elif block is None:
            self._line(word.start, depth, kind.capitalize())
        else:
            self._block(word, block, depth)
        return position + (block is not None)

    def _block(self, word: Word, block: Block, depth: int) -> None:
        """An action and its matches, closed."""
        words = [item for item in block if isinstance(item, Word)]
        if len(words) != len(block):
            raise self._stuck(block, 0)
        kind = word.text.lower()
        count = _HEADS.get(kind, 0)
        head = " ".join([kind, *(_spelled(item) for item in words[:count])])
        try:
            matches = _matches(words[count:])
        except _Unreadable:
            raise self._stuck(block, 0) from None
        close = next(self._next_close)
        first = bisect_left(self._comment_starts, word.start)
        last = bisect_left(self._comment_starts, close)
        if first == last and len(matches) <= 1:
            text = " ".join([head, *(text for _, text in matches)])
            bare = not matches and not count
            self._line(word.start, depth, kind.capitalize() if bare else text + ";")
            return
        if not matches and not count:
            self._line(word.start, depth, kind.capitalize())
            return
        self._line(word.start, depth, head, opens=True)
        for start, text in matches:
            self._line(start, depth + 1, text)
        self._lines.append(_Line(close, depth, ";", closes=True))

    def _needed(self, block: Block, position: int) -> Word:
        word = _word(block, position)
        if word is None:
            raise self._stuck(block, position)
        return word

    def _stuck(self, block: Block, position: int) -> RulesError:
        """What compiles by accident only, such as a block where a tag's value is expected."""
        place: Block = block
        item = place[position]
        while not isinstance(item, Word):
            item = item[0]
        return _refused(self._source, item, "this part cannot be laid out")

    # --- comments and blank lines

    def _written(self) -> str:
        before = self._place_comments()
        written: list[str] = []
        after_opening = True
        for index, line in enumerate(self._lines):
            depth = line.depth + line.closes
            for comment in before.get(index, ()):
                self._put(written, comment.start, depth, comment.text.rstrip(), after_opening)
                after_opening = False
            text = f"{line.text} {line.comment}" if line.comment else line.text
            self._put(written, line.start, line.depth, text, after_opening or line.closes)
            after_opening = line.opens
        for comment in before.get(len(self._lines), ()):
            self._put(written, comment.start, 0, comment.text.rstrip(), not written)
        return "\n".join(written) + "\n" if written else ""

    def _put(self, written: list[str], start: int, depth: int, text: str, no_blank: bool) -> None:
        if not no_blank and self._blank_before(start):
            written.append("")
        written.append(_INDENT * depth + text)

    def _blank_before(self, start: int) -> bool:
        """True where an empty line stands before an offset of the source."""
        text = self._source.text
        ends = 0
        while start > 0 and text[start - 1] in " \t\r\n":
            start -= 1
            # CR LF is one end of line: count its LF only.
            ends += text[start] == "\n" or (
                text[start] == "\r" and text[start + 1 : start + 2] != "\n"
            )
        return ends > 1

    def _place_comments(self) -> dict[int, list[Word]]:
        """Put a comment behind a word on its line there; give the others by following line."""
        before: dict[int, list[Word]] = {}
        starts = [line.start for line in self._lines]
        for comment in self._comments:
            position = bisect_left(self._word_starts, comment.start) - 1
            index = bisect_left(starts, comment.start)
            if position < 0 or self._ends_line(self._word_starts[position], comment.start):
                before.setdefault(index, []).append(comment)
                continue
            index = max(bisect_right(starts, self._word_starts[position]) - 1, 0)
            if index >= len(self._lines):  # nothing but closes that close nothing
                before.setdefault(index, []).append(comment)
                continue
            line = self._lines[index]
            if line.comment:  # two comments on what is now one line: the first moves above it
                before.setdefault(index, []).append(Word(line.comment, line.start))
            line.comment = comment.text.rstrip()
        return before

    def _ends_line(self, start: int, end: int) -> bool:
        text = self._source.text
        return text.find("\n", start, end) >= 0 or text.find("\r", start, end) >= 0


def _word(block: Block, position: int) -> Word | None:
    item = block[position] if position < len(block) else None
    return item if isinstance(item, Word) else None


class _Unreadable(Exception):
    """Words that are no matches."""


def _spelled(word: Word) -> str:
    """The word without what `80;;` leaves on it: in numbers, nothing counts behind the digits."""
    return word.text.rstrip(";")


def _matches(words: list[Word]) -> list[tuple[int, str]]:
    """(offset, text) of each match, its `and`, `or` and `not` made explicit."""
    found: list[tuple[int, str]] = []
    position = 0
    while position < len(words):
        start = words[position].start
        inverted = alternative = False
        while position < len(words):
            text = words[position].text.lower()
            if text not in ("and", "or", "not"):
                break
            alternative |= text == "or"
            inverted |= text == "not"
            position += 1
        else:
            break  # flags that no match follows mean nothing
        match = MATCHES.get(text)
        if match is None:
            raise _Unreadable  # in a macro that is never included
        parts = ["or"] if alternative else ["and"] if found else []
        parts += ["not"] if inverted else []
        count = len(match.arguments)
        arguments = (_spelled(word) for word in words[position + 1 : position + 1 + count])
        found.append((start, " ".join([*parts, text, *arguments])))
        position += 1 + count
    return found
