"""Which rules were edited between two policies: removed, added, changed or moved.

Contract: `edits_between(old, new)` compares rule by rule (an action with its matches) as JSON, so
that layout, comments and names do not count, and macros are what they stand for.  What else decides
about verdicts (a tag's default, who holds a capability) is an edit without rules.  Nothing is
proved here.
Tested by tests/proof/test_edits.py.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from ztfast.model.policy import Capability, Policy, Rule


@dataclass(frozen=True)
class Statement:
    """An action with the matches before it, `rules[first:last + 1]` of one list of entries.

    capability: the id of the capability whose list it is, None: the base rules; name: what that
    capability is called.
    """

    rules: tuple[Rule, ...]
    capability: int | None
    first: int
    last: int
    name: str = field(default="", compare=False)

    @property
    def key(self) -> tuple[str, ...]:
        """What makes two statements the same."""
        return tuple(json.dumps(dict(rule.json), sort_keys=True) for rule in self.rules)

    @property
    def action(self) -> Rule:
        """The entry that acts; where matches end a list, the last of them."""
        return self.rules[-1]

    @property
    def place(self) -> str:
        """`line 48`, `line 22 (included in line 64)`, or `entry 5`."""
        span, parent = self.action.span, self.action.parent
        if span is None:
            inside = "" if self.capability is None else f" of capability {self.name}"
            return f"entry {self.last}{inside}"
        return f"line {span.line}" + (f" (included in line {parent.line})" if parent else "")


@dataclass(frozen=True)
class Edit:
    """One edit.

    kind: `removed`, `added`, `changed`, `moved`; `setting` where no rule is meant, with `what`.
    """

    kind: str
    old: Statement | None = None
    new: Statement | None = None
    what: str = ""


def statements(rules: Sequence[Rule], held: Capability | None = None) -> list[Statement]:
    """The statements of the base rules, or of a capability, in order."""
    number, name = (None, "") if held is None else (held.id, held.name or str(held.id))
    found: list[Statement] = []
    first = 0
    for index, rule in enumerate(rules):
        if str(rule.json.get("type")).startswith("ACTION_") or index == len(rules) - 1:
            part = tuple(rules[first : index + 1])
            found.append(Statement(part, number, first, index, name))
            first = index + 1
    return found


def edits_between(old: Policy, new: Policy) -> tuple[Edit, ...]:
    """The edits that make the new policy of the old, as they stand in the text."""
    found = list(_list_edits(statements(old.rules), statements(new.rules)))
    before, after = ({cap.id: cap for cap in policy.capabilities} for policy in (old, new))
    for number in sorted({*before, *after}):
        first, second = before.get(number), after.get(number)
        olds = statements(first.rules, first) if first is not None else []
        news = statements(second.rules, second) if second is not None else []
        found += _list_edits(olds, news)
    settings = [*_capability_settings(before, after), *_tag_settings(old, new)]
    return (*found, *settings)


# --- rules


def _list_edits(olds: list[Statement], news: list[Statement]) -> list[Edit]:
    """The edits of one list of statements, as they stand in the text."""
    keys = [statement.key for statement in olds], [statement.key for statement in news]
    matcher = SequenceMatcher(None, *keys, autojunk=False)
    replaced = [
        (olds[low:high], news[start:end])
        for what, low, high, start, end in matcher.get_opcodes()
        if what != "equal"
    ]
    found = list(_moved(replaced))
    for gone, come in replaced:
        found += _changed(gone, come)
    return sorted(found, key=_place_in_text)


def _place_in_text(edit: Edit) -> int:
    """A statement that is gone stands before what took its place."""
    if edit.new is not None:
        return 2 * edit.new.first + 1
    return 2 * edit.old.first if edit.old is not None else 0


def _moved(replaced: list[tuple[list[Statement], list[Statement]]]) -> Iterator[Edit]:
    """Statements that are gone here and there elsewhere; they are taken out of the lists."""
    come = defaultdict[tuple[str, ...], list[tuple[list[Statement], Statement]]](list)
    for _, news in replaced:
        for new in news:
            come[new.key].append((news, new))
    for olds, _ in replaced:
        for old in list(olds):
            same = come[old.key]
            if same:
                news, new = same.pop(0)
                olds.remove(old)
                news.remove(new)
                yield Edit("moved", old, new)


def _changed(olds: list[Statement], news: list[Statement]) -> Iterator[Edit]:
    """Statements in the place of others: two that are alike are one that was changed."""
    rest = list(news)
    for old in olds:
        like = max(rest, key=lambda new: _likeness(old, new), default=None)
        if like is None or not _likeness(old, like):
            yield Edit("removed", old)
            continue
        rest.remove(like)
        yield Edit("changed", old, like)
    for new in rest:
        yield Edit("added", None, new)


def _likeness(old: Statement, new: Statement) -> int:
    """How many entries two statements share; 0 where too few to speak of a change."""
    first, second = set(old.key), set(new.key)
    same = len(first & second)
    return same if 2 * same >= max(len(first), len(second)) else 0


# --- settings


def _capability_settings(
    before: dict[int, Capability], after: dict[int, Capability]
) -> Iterator[Edit]:
    for number in sorted({*before, *after}):
        old, new = before.get(number), after.get(number)
        was, now = old is not None and old.default, new is not None and new.default
        if was != now:
            one = new or old
            name = one.name if one is not None and one.name else str(number)
            who = "by default everybody holds it" if now else "it is no longer held by default"
            yield Edit("setting", what=f"capability {name}: {who}")


def _tag_settings(old: Policy, new: Policy) -> Iterator[Edit]:
    before, after = ({tag.id: tag for tag in policy.tags} for policy in (old, new))
    for number in sorted({*before, *after}):
        one, other = before.get(number), after.get(number)
        values = [tag.default if tag is not None else None for tag in (one, other)]
        if values[0] != values[1]:
            known = other or one
            name = known.name if known is not None and known.name else str(number)
            was, now = ("none" if value is None else str(value) for value in values)
            yield Edit("setting", what=f"tag {name}: its default is {now} (was {was})")
