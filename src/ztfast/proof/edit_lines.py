"""What edits of rules do, in plain words: one line an edit.

Contract: pure functions of the report of `proof.edit_effects.compare_edits`.  Lines have no newline
and are not yet made harmless for a terminal or a page: names in them are the rules' own.
Tested by tests/proof/test_edit_lines.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import NamedTuple

from ztfast.model.policy import Policy
from ztfast.proof.edit_effects import CopyChange, EditEffect, EditReport, Effect
from ztfast.proof.edits import Edit, Statement
from ztfast.proof.render import called
from ztfast.proof.rule_words import RuleWords

_SHOWN = 3  # rules that decide now, in one line
_PLURAL = ("frames", "answers", "ping replies", "router", "neighbour")
_OTHER = " other than "
_COPIED = {"tee": "teed", "watch": "watched"}


class EditLine(NamedTuple):
    """An edit as `head: body`; rule: its text in the rules language, "" where no rule is meant."""

    head: str
    body: str
    rule: str = ""

    def __str__(self) -> str:
        return f"{self.head}: {self.body}"


class EditWriter:
    """Writes the edits between two policies; names: members' names by ZeroTier address."""

    def __init__(self, old: Policy, new: Policy, names: Mapping[int, str] | None = None) -> None:
        self.names = names or {}
        self._old, self._new = RuleWords(old.tags, names), RuleWords(new.tags, names)

    def lines(self, report: EditReport) -> list[EditLine]:
        """A line for each edit, and one for what happens where no edited rule acts."""
        rest, settings = report.rest, [one for one in report.edits if _is_setting(one)]
        found = [self._line(one) for one in report.edits if not _is_setting(one)]
        head = "; ".join(one.edit.what for one in settings if one.edit is not None)
        if settings or rest.effects or not rest.decided:
            alone = "" if settings or not rest.effects else "frames that no edited rule acts on"
            found.append(EditLine(head or "elsewhere", self._body(rest, alone or "frames"), ""))
        return found

    def _line(self, one: EditEffect) -> EditLine:
        edit = one.edit
        assert edit is not None
        return EditLine(self._head(edit), self._body(one), self._rule(edit))

    # --- heads

    def _head(self, edit: Edit) -> str:
        old, new = edit.old, edit.new
        if old is None or new is None:
            one = old or new
            return f"{one.place if one else ''} {edit.kind}"
        if edit.kind == "moved":
            return f"{old.place} moved to {new.place}"
        was = "" if old.place == new.place else f" (was {old.place})"
        return f"{new.place} changed{was}"

    def _rule(self, edit: Edit) -> str:
        if edit.old is not None and edit.new is not None and edit.kind == "changed":
            return f"{self._old.text(edit.old.rules)} → {self._new.text(edit.new.rules)}"
        if edit.new is not None:
            return self._new.text(edit.new.rules)
        return self._old.text(edit.old.rules) if edit.old is not None else ""

    # --- whose frames they are

    def _subject(self, one: EditEffect, part: str) -> str:
        """The frames of a class, by what the rule said before, says now, or both."""
        edit = one.edit
        assert edit is not None
        if not part:
            return self._frames(edit.new or edit.old, edit.new is not None)
        gone, come, shared = one.relation
        old, new = self._frames(edit.old, False), self._frames(edit.new, True)
        if part == "both":
            if not come or not gone:
                return old if come else new
            texts = self._matches(edit.old, False), self._matches(edit.new, True)
            return f"frames of both {texts[0]} and {texts[1]}"
        named, other = (old, new) if part == "old" else (new, old)
        if old != new:
            return f"{named}{_OTHER}{_those(other)}" if shared else named
        texts = self._matches(edit.old, False), self._matches(edit.new, True)
        named, other = texts if part == "old" else texts[::-1]
        return f"frames of {named}{_OTHER}those of {other}" if shared else f"frames of {named}"

    def _frames(self, one: Statement | None, now: bool) -> str:
        """What a rule is about; now: it is one of the new policy."""
        assert one is not None
        words = self._new if now else self._old
        return f"{words.frames_text(one.rules)} {words.members_text(one.rules)}".rstrip()

    def _matches(self, one: Statement | None, now: bool) -> str:
        """A rule's matches as the rules language has them."""
        assert one is not None
        return f"`{(self._new if now else self._old).matches_text(one.rules)}`"

    # --- bodies

    def _body(self, one: EditEffect, frames: str = "") -> str:
        """What an edit does, class by class; frames: whose effects these are, where it has none."""
        if not one.effects:
            return "changes nothing" if one.decided else "not decided in time"
        parts = {
            part: [effect for effect in one.effects if effect.part == part]
            for part in {effect.part: 0 for effect in one.effects}
        }
        texts = [
            self._class(effects, frames or self._subject(one, part), one.edit)
            for part, effects in parts.items()
        ]
        return "; ".join(texts) + ("" if one.decided else "; more is not decided in time")

    def _class(self, effects: Sequence[Effect], frames: str, edit: Edit | None) -> str:
        """What becomes of the frames of one class."""
        own = edit.new if edit is not None else None
        main = [effect for effect in effects if effect.before != effect.after] or effects
        alike = [[e for e in main if e.after == after] for after in {e.after: 0 for e in main}]
        partly = len(alike) > 1 or not _whole(main)
        parts = [self._sentence(same, own) for same in alike]
        parts[0] = f"{_some(frames) if partly else frames} {_verb(frames, partly)} {parts[0]}"
        return "; ".join((parts[0], *(f"others are {part}" for part in parts[1:])))

    def _sentence(self, effects: Sequence[Effect], own: Statement | None) -> str:
        """What becomes of frames, behind `are`; effects: all that end in the same verdict."""
        first = effects[0]
        copies = {copy for effect in effects for copy in effect.copies}
        if first.before == first.after:
            # one copy is what `some` is said of
            return self._copies(copies, len(copies) > 1) or "copied or queued otherwise"
        # where a redirect leads to is the verdict's own word
        where_to = called(first.new.verdict.action, self.names)
        what = where_to if first.after == "redirected" else first.after
        text = f"now {what}{self._deciders(effects, own)}"
        every = [copy for copy in copies if copy.whole]
        if every:
            text += f", and {self._copies(every, False)}"
        some = self._copies([copy for copy in copies if not copy.whole], False)
        return text + (f", and some of that {some}" if some else "")

    def _deciders(self, effects: Sequence[Effect], own: Statement | None) -> str:
        """By which rules: ` between members of one department (line 66)`."""
        found: list[Statement | None] = []
        for effect in effects:
            found += [one for one in effect.deciders if one not in found]
        after = effects[0].after
        others = [one for one in found if one is None or one != own]
        itself = own is not None and len(others) < len(found)
        if itself:  # whoever is a copy's target takes them by that word: no matter for the others
            others = [one for one in others if one is None or _copied_to(one, after) is None]
        ordered = sorted(others, key=self._breadth)
        said = list(dict.fromkeys(self._decider(one, after) for one in ordered))
        said = ["by this rule", *said] if itself and said else said
        texts, more = said[:_SHOWN], len(said) - _SHOWN
        if any(effect.others for effect in effects):
            texts.append("by other rules too")
        elif more > 0:
            texts.append(f"by {more} more rule{'s' * (more > 1)}")
        return (": " if len(texts) > 1 else " " if texts else "") + ", ".join(texts)

    def _decider(self, one: Statement | None, after: str) -> str:
        if one is None:
            return "as no rule accepts them"
        target = _copied_to(one, after)
        if target is not None:
            return f"to {self._new.member(target)} itself ({one.place})"
        who = self._new.members_text(one.rules)
        return f"{who} ({one.place})" if who else f"by {one.place}"

    @staticmethod
    def _breadth(one: Statement | None) -> tuple[int, int]:
        """Rules that ask for little come first: they decide about most frames."""
        return (0, 0) if one is None else (len(one.rules), one.first)

    def _copies(self, copies: Iterable[CopyChange], partly: bool) -> str:
        """Copies that begin or end; partly: one that not all frames have is said of some."""
        texts: list[str] = []
        ordered = sorted(copies)
        for starts, kind, whole in product((True, False), _COPIED, (True, False)):
            same = [one for one in ordered if one[:1] + one[2:] == (kind, starts, whole)]
            to = [self._new.member(one.target) for one in same]
            if to:
                some = "some " if partly and not whole else ""
                how = "" if starts else "no longer "
                texts.append(f"{some}{how}{_COPIED[kind]} to {', '.join(to)}")
        return ", ".join(texts)


def _copied_to(one: Statement, after: str) -> int | None:
    """The target of a tee or watch by which it takes what is for itself; None: another rule."""
    copies = one.action.json.get("type") in ("ACTION_TEE", "ACTION_WATCH")
    return (
        int(str(one.action.json.get("address", "0")), 16)
        if copies and after == "accepted"
        else None
    )


def _is_setting(one: EditEffect) -> bool:
    return one.edit is not None and one.edit.kind == "setting"


def _some(frames: str) -> str:
    return "some frames" + frames[11:] if frames.startswith("every frame") else f"some {frames}"


def _those(frames: str) -> str:
    return "those" + frames[11:] if frames.startswith("every frame ") else frames


def _verb(frames: str, partly: bool) -> str:
    named = frames.partition(_OTHER)[0]
    plural = named.startswith(_PLURAL) or "connections" in named
    return "are" if plural or (partly and named.startswith("every frame")) else "is"


def _whole(effects: Sequence[Effect]) -> bool:
    """Is what is said of these true of all frames of their class?"""
    if all(effect.before == effect.after for effect in effects):
        copies = (copy for effect in effects for copy in effect.copies)
        return all(effect.whole for effect in effects) and all(copy.whole for copy in copies)
    return all(effect.whole for effect in effects)


def closing_line(report: EditReport, lines: Sequence[EditLine], between: str = "") -> str:
    """What is proved of everything else; between: the ends that were asked about, in words."""
    frame = f"frame {between}".rstrip()
    if report.incomplete:
        return f"not everything is proved: {report.incomplete}"
    if report.same:
        count = len(lines)
        edits = f" ({count} edit{'s' * (count != 1)} without effect)" if lines else ""
        return f"no difference: proved for every {frame}{edits}"
    return f"no other {frame} is judged otherwise: proved"
