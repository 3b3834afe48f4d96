"""Fixes of rules texts: small edits at places that findings know.

Contract: every function gives a `Fix` of the source's text, or None where the text there is not as
simple as the edit needs (a comment in between, a macro's body, JSON).  Nothing is changed here.
Tested by tests/lang/test_rewrites.py, and as a whole by tests/cli/test_check_fix.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ztfast.errors import Edit, Fix, Source, Span
from ztfast.lang.tokens import Word
from ztfast.model.policy import Policy, Rule

_CLOSE = re.compile(r"[ \t\r\n]*;")
_WORD = re.compile(r"[^ \t\r\n]+")
_LINE_START = re.compile(r"[^\r\n]*\Z")


def replaced(
    source: Source, span: Span | Word, old: str, new: str, *, safe: bool = False
) -> Fix | None:
    """`new` in the place of `old`, which must stand once within the span."""
    within = source.text[span.start : span.end]
    if within.count(old) != 1:
        return None
    start = span.start + within.index(old)
    return Fix(f"write {_shown(new)}", (Edit(start, start + len(old), new),), safe)


def _shown(text: str) -> str:
    return f"`{text}`" if text.strip() else "a space"


def without_block(source: Source, opener: Word, close: Word) -> Fix | None:
    """`Accept` for `accept;`: a word that opens no block, and no `;`."""
    at = close.end if close.start != opener.start else opener.end
    if source.text[at : at + 1] != ";":
        return None
    capital = opener.text.capitalize()
    edits = [Edit(opener.start, opener.end, capital), Edit(at, at + 1, "")]
    if at == opener.end:
        edits = [Edit(opener.start, at + 1, capital)]
    return Fix(f"write `{capital}` without `;`", tuple(edits))


# --- sets of matches


def statement_of(rules: Sequence[Rule], index: int) -> range | None:
    """The entries of the action at or behind an entry, with its matches; None in a macro's body."""
    first, last = index, index
    while first and not _is_action(rules[first - 1]):
        first -= 1
    while last < len(rules) - 1 and not _is_action(rules[last]):
        last += 1
    parts = rules[first : last + 1]
    if any(rule.span is None or rule.parent is not None for rule in parts):
        return None
    return range(first, last + 1)


def _is_action(rule: Rule) -> bool:
    return str(rule.json.get("type")).startswith("ACTION_")


def without_match(source: Source | None, rules: Sequence[Rule], index: int) -> Fix | None:
    """The set without one of its matches, where all of them are joined by `and`."""
    entries = statement_of(rules, index)
    if source is None or entries is None or len(entries) < 3:
        return None  # without any match the action would need another form
    matches = [rules[number] for number in entries[:-1]]
    if any(rule.json.get("or") is True for rule in matches):
        return None
    if not _leaves_no_trace(rules[index]):
        return None
    spans = [rule.span for rule in matches if rule.span is not None]
    at = index - entries.start
    if at:
        start, end = spans[at - 1].end, spans[at].end
        gap = source.text[start : spans[at].start]
    else:
        following = _words(source, spans[0].end, spans[1].start)
        start, end = _begin(source, rules[entries[-1]], spans[0]), spans[1].start
        if "not" in [text.lower() for text, _ in following]:
            end = next(place for text, place in following if text.lower() == "not")
        gap = source.text[start:end]
    if "#" in gap:
        return None
    shown = source.text[spans[at].start : spans[at].end]
    return Fix(f"drop `{shown}`", (Edit(start, end, ""),), True)


def _begin(source: Source, action: Rule, match: Span) -> int:
    """Where a set's first match begins, with its `not`."""
    assert action.span is not None
    before = _words(source, action.span.end, match.start)
    return before[0][1] if before else match.start


def _words(source: Source, start: int, end: int) -> list[tuple[str, int]]:
    """The words between two places, each with its own."""
    return [(one.group(), one.start()) for one in _WORD.finditer(source.text, start, end)]


def _leaves_no_trace(rule: Rule) -> bool:
    """May an entry be missing where it decides nothing?  Tags arm skipDrop, draws are counted."""
    kind = str(rule.json.get("type"))
    return kind != "MATCH_RANDOM" and not kind.startswith("MATCH_TAG")


def joined_by_or(source: Source | None, rules: Sequence[Rule], index: int) -> Fix | None:
    """`or` for the `and` before a match."""
    entries = statement_of(rules, index)
    here = rules[index].span
    if source is None or entries is None or here is None or index == entries.start:
        return None
    before = rules[index - 1].span
    assert before is not None
    words = _words(source, before.end, here.start)
    if any(text.startswith("#") for text, _ in words):
        return None
    places = [place for text, place in words if text.lower() == "and"]
    if places:
        edit = Edit(places[0], places[0] + len("and"), "or")
    else:
        start = words[0][1] if words else here.start  # before its `not`
        edit = Edit(start, start, "or ")
    return Fix("join them by `or`", (edit,))


def without_first_or(source: Source | None, rules: Sequence[Rule], index: int) -> Fix | None:
    """A set whose first match has no `or`."""
    entries, here = statement_of(rules, index), rules[index].span
    if source is None or entries is None or here is None:
        return None
    action = rules[entries[-1]].span
    assert action is not None
    words = _words(source, action.end, here.start)
    places = [place for text, place in words if text.lower() == "or"]
    if len(places) != 1:
        return None
    following = [place for _, place in words if place > places[0]]
    return Fix("drop the `or`", (Edit(places[0], following[0] if following else here.start, ""),))


# --- statements


def line_end(text: str) -> str:
    """How the text ends its lines."""
    return "\r\n" if "\r\n" in text else "\n"


def without_statement(source: Source | None, rules: Sequence[Rule], index: int) -> Fix | None:
    """The text without an action and its matches."""
    entries = statement_of(rules, index)
    if source is None or entries is None:
        return None
    spans = [span for number in entries if (span := rules[number].span) is not None]
    start, end = min(span.start for span in spans), max(span.end for span in spans)
    found = _CLOSE.match(source.text, end)
    if found is not None:
        end = found.end()
    elif len(spans) > 1:
        return None
    if "#" in source.text[start:end]:
        return None
    if not source.text[:start].strip() and not source.text[end:].strip():
        return None  # an empty text says something else
    start, end = _with_line(source.text, start, end)
    safe = all(_leaves_no_trace(rules[number]) for number in entries)
    return Fix("remove it", (Edit(start, end, ""),), safe)


def _with_line(text: str, start: int, end: int) -> tuple[int, int]:
    """The place, with its whole line where nothing else stands on it."""
    indent = _LINE_START.search(text, 0, start)
    first = indent.start() if indent is not None else start
    behind = re.compile(r"[ \t]*(\r\n|\r|\n)").match(text, end)
    if text[first:start].strip() or behind is None:
        return start, end
    return first, behind.end()


def inserted(policy: Policy, index: int | None, *statements: str) -> Fix | None:
    """Statements before the base rule to which an entry belongs (None: before the first one)."""
    rules, source = policy.rules, policy.source
    at = next((n for n in range(index or 0, len(rules)) if _is_action(rules[n])), None)
    if source is None or at is None:
        return None
    start = _statement_start(source, rules[at])
    if start is None:
        return None
    line = _LINE_START.search(source.text, 0, start)
    indent = line.group() if line is not None else ""
    joint = " " if indent.strip() else f"{line_end(source.text)}{indent}"
    shown = " ".join(f"`{statement}`" for statement in statements)
    edit = Edit(start, start, "".join(statement + joint for statement in statements))
    return Fix(f"put {shown} before it", (edit,))


def _statement_start(source: Source, action: Rule) -> int | None:
    """Where an action's text begins; that of a macro's rule: where its include does."""
    if action.parent is None:
        return None if action.span is None else action.span.start
    words = _words(source, max(0, action.parent.start - 200), action.parent.start)
    if not words or words[-1][0].lower() != "include":
        return None
    return words[-1][1]
