"""What edits of rules do, in plain words: one line an edit.

Contract: pure functions of the report of `proof.edit_effects.compare_edits`.  Lines have no newline
and are not yet made harmless for a terminal or a page: names in them are the rules' own.
Tested by tests/proof/test_edit_lines.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ztfast.model.policy import Policy
from ztfast.proof.edit_effects import CopyChange, EditEffect, EditReport, Effect
from ztfast.proof.edits import Edit, Statement
from ztfast.proof.rule_words import RuleWords

_SHOWN = 3  # rules that decide now, in one line
_PLURAL = ("frames", "answers", "ping replies", "router", "neighbour")
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
        return EditLine(self._head(edit), self._body(one, self._frames(edit)), self._rule(edit))

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

    def _frames(self, edit: Edit) -> str:
        """What the edited rule is about, as its old or its new text says."""
        words, one = (self._new, edit.new) if edit.new is not None else (self._old, edit.old)
        if one is None:
            return "frames"
        return f"{words.frames_text(one.rules)} {words.members_text(one.rules)}".rstrip()

    # --- bodies

    def _body(self, one: EditEffect, frames: str) -> str:
        if not one.effects:
            return "changes nothing" if one.decided else "not decided in time"
        own = one.edit.new if one.edit is not None else None
        main = [effect for effect in one.effects if effect.before != effect.after] or one.effects
        alike = [[e for e in main if e.after == after] for after in {e.after: 0 for e in main}]
        partly = len(alike) > 1 or (one.edit is not None and one.edit.kind == "changed")
        parts = [self._sentence(effects, own) for effects in alike]
        parts[0] = f"{_some(frames) if partly else frames} {_verb(frames, partly)} {parts[0]}"
        parts[1:] = [f"others are {part}" for part in parts[1:]]
        return "; ".join(parts) + ("" if one.decided else "; more is not decided in time")

    def _sentence(self, effects: Sequence[Effect], own: Statement | None) -> str:
        """What becomes of frames, behind `are`; effects: all that end in the same verdict."""
        first = effects[0]
        copies = self._copies({copy for effect in effects for copy in effect.copies})
        if first.before == first.after:
            return copies or "copied or queued otherwise"
        # where a redirect leads to is the verdict's own word
        what = first.new.verdict.action if first.after == "redirected" else first.after
        who = self._deciders(effects, own)
        return f"now {what}{who}" + (f", and {copies}" if copies else "")

    def _deciders(self, effects: Sequence[Effect], own: Statement | None) -> str:
        """By which rules: ` between members of one department (line 66)`."""
        found: list[Statement | None] = []
        for effect in effects:
            found += [one for one in effect.deciders if one not in found]
        ordered = sorted((one for one in found if one is None or one != own), key=self._breadth)
        texts = [self._decider(one, effects[0].after) for one in ordered[:_SHOWN]]
        more = len(ordered) - _SHOWN
        if any(effect.others for effect in effects):
            texts.append("by other rules too")
        elif more > 0:
            texts.append(f"by {more} more rule{'s' * (more > 1)}")
        return (": " if len(texts) > 1 else " " if texts else "") + ", ".join(texts)

    def _decider(self, one: Statement | None, after: str) -> str:
        if one is None:
            return "as no rule accepts them"
        action = str(one.action.json.get("type"))
        if action in ("ACTION_TEE", "ACTION_WATCH") and after == "accepted":
            target = int(str(one.action.json.get("address", "0")), 16)
            return f"to {self._new.member(target)} itself ({one.place})"
        who = self._new.members_text(one.rules)
        return f"{who} ({one.place})" if who else f"by {one.place}"

    @staticmethod
    def _breadth(one: Statement | None) -> tuple[int, int]:
        """Rules that ask for little come first: they decide about most frames."""
        return (0, 0) if one is None else (len(one.rules), one.first)

    def _copies(self, copies: Iterable[CopyChange]) -> str:
        texts: list[str] = []
        ordered = sorted(copies)
        for starts, word in ((True, ""), (False, "no longer ")):
            for kind in ("tee", "watch"):
                to = [one.target for one in ordered if one.kind == kind and one.starts == starts]
                if to:
                    names = ", ".join(self._new.member(target) for target in to)
                    texts.append(f"{word}{_COPIED[kind]} to {names}")
        return ", ".join(texts)


def _is_setting(one: EditEffect) -> bool:
    return one.edit is not None and one.edit.kind == "setting"


def _some(frames: str) -> str:
    return "some frames" + frames[11:] if frames.startswith("every frame") else f"some {frames}"


def _verb(frames: str, partly: bool) -> str:
    plural = frames.startswith(_PLURAL) or "connections" in frames
    return "are" if plural or (partly and frames.startswith("every frame")) else "is"


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
