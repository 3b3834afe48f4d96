"""Whose frames an edit's effects are: those that a rule named before, names now, or both.

Contract: `EditClasses.of(edit)` gives the classes in which an edit's effects are told.  A rule
names the frames that all its matches hold for, on any pass, wherever it stands.  A rule that was
changed has three classes: what it named before and does not name now (`old`), the other way
round (`new`), and what both do (`both`); every other edit has one (``).  `Whole` says of which
effects it is proved that no frame of a class contradicts them.
Tested by tests/proof/test_edit_classes.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ztfast.proof.diff import EventPair
from ztfast.proof.edits import Edit, Statement
from ztfast.proof.formula import FALSE, Formulas, Literal
from ztfast.proof.solver import Prover, Undecided
from ztfast.proof.symbolic_policy import SymbolicPolicy


class Relation(NamedTuple):
    """Which classes of a changed rule may hold frames; False is proved."""

    gone: bool = True
    come: bool = True
    shared: bool = True


class EditClasses:
    """The classes of edits between two policies over the same fields."""

    def __init__(
        self, formulas: Formulas, prover: Prover, policies: tuple[SymbolicPolicy, SymbolicPolicy]
    ) -> None:
        self._formulas, self._prover, self._policies = formulas, prover, policies

    def of(self, edit: Edit | None) -> dict[str, Literal]:
        """The classes by name, in the order in which they are told."""
        if edit is None or edit.kind == "setting":
            return {}
        old, new = (
            FALSE if one is None else self._named(policy, one)
            for policy, one in zip(self._policies, (edit.old, edit.new), strict=True)
        )
        both = self._formulas.both
        if edit.kind != "changed":
            return {"": self._formulas.either(old, new)}
        return {"old": both(old, -new), "new": both(new, -old), "both": both(old, new)}

    def relation(self, classes: Mapping[str, Literal]) -> Relation:
        """Which of a changed rule's classes there are frames of."""
        if "both" not in classes:
            return Relation()
        gone, come, shared = (self._may_hold(classes[name]) for name in ("old", "new", "both"))
        return Relation(gone, come, shared)

    def _may_hold(self, where: Literal) -> bool:
        try:
            return not self._prover.empty(where)
        except Undecided:
            return True

    def _named(self, policy: SymbolicPolicy, statement: Statement) -> Literal:
        """Where all matches of a statement hold, whether evaluation comes to it or not."""
        number = rule_set_number(policy, statement.capability)
        if number is None:
            return FALSE
        return self._formulas.any(
            step.before
            for trace in policy.traces.values()
            for step in trace.rule_sets[number].steps
            if step.is_action and step.entry.rule == statement.last
        )


class Whole:
    """What no frame of a class contradicts, proved.

    actions: where the new policy accepts, redirects, drops; events: of both.  The target of a
    copy or a redirect gets none of its own frames, which does not count.
    """

    def __init__(
        self,
        formulas: Formulas,
        prover: Prover,
        new: SymbolicPolicy,
        actions: tuple[Mapping[str, Literal], Mapping[str, Literal]],
        events: Sequence[EventPair],
    ) -> None:
        self._formulas, self._prover, self._new = formulas, prover, new
        self._before, self._after = actions
        self._redirects = [pair for pair in events if pair.event[1:2] == ("redirect",)]

    def verdict(self, where: Literal, after: str, changes: bool) -> bool:
        """Does every frame end so; changes: and none ended so before?"""
        kept = self._formulas.both(self._before[after], self._after[after])
        if changes and not self._none(where, kept):
            return False
        if after != "redirected":
            return self._none(where, -self._after[after])
        return any(self._redirected(where, pair) for pair in self._redirects)

    def _redirected(self, where: Literal, pair: EventPair) -> bool:
        """Is every frame redirected to one target, on one side?"""
        own = self._own(int(pair.event[2]))
        return self._none(where, -own, -pair.new) and self._none(
            where, self._after["redirected"], -pair.new
        )

    def copy(self, where: Literal, after: str, target: int, copied: Literal, starts: bool) -> bool:
        """Is every frame that ends so copied to the target now, or none?"""
        ended = self._after[after]
        if starts:
            return self._none(where, ended, -self._own(target), -copied)
        return self._none(where, ended, copied)

    def otherwise(self, where: Literal, differs: Literal) -> bool:
        """Is every frame judged otherwise?"""
        return self._none(where, -differs)

    def _none(self, *literals: Literal) -> bool:
        """Is it proved that there is no such frame?"""
        try:
            return self._prover.empty(*literals)
        except Undecided:
            return False

    def _own(self, target: int) -> Literal:
        """Frames from a member or to it."""
        fields = [trace.fields for trace in self._new.traces.values()]
        ends = (end for one in fields for end in (one.zt_source, one.zt_dest, one.node))
        return self._formulas.any(self._formulas.test(end, target) for end in ends)


def acts(policy: SymbolicPolicy, statement: Statement) -> Iterable[Literal]:
    """Where a statement's action is taken or ends the evaluation, in each pass."""
    number = rule_set_number(policy, statement.capability)
    if number is None:
        return
    for trace in policy.traces.values():
        for step in trace.rule_sets[number].steps:
            if step.is_action and step.entry.rule == statement.last:
                yield from (step.taken, step.ends)


def rule_set_number(policy: SymbolicPolicy, capability: int | None) -> int | None:
    """Where a list of entries stands among a trace's rule sets."""
    if capability is None:
        return 0
    ids = [cap.id for cap in policy.policy.ordered_capabilities]
    return ids.index(capability) + 1 if capability in ids else None
