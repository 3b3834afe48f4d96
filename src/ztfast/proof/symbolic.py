"""One side's evaluation of a View for all frames at once.

Contract: `walk(view, side)` gives for each entry the sets of frames that get there, and
for the side its outcome, exactly as docs/spec/evaluation.md says: folds, hard answers, skipDrop,
super-accept, copies, capabilities, both engines.  Linear in entries.
Tested by tests/proof/test_symbolic.py against the reference evaluator, entry by entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ztfast.model.kinds import Entry, Kind
from ztfast.model.view import View
from ztfast.proof.formula import FALSE, TRUE, Lit, Sets
from ztfast.proof.match_formulas import Side, said

_FORWARDING = frozenset((Kind.ACTION_TEE, Kind.ACTION_WATCH, Kind.ACTION_REDIRECT))


class Step(NamedTuple):
    """One entry.  All sets are of assignments.

    live: evaluation comes to this entry.  before: the set is true before it.  match: the
    outcome after `not` where it is evaluated (matches), else TRUE.  taken: what the entry
    does happens (actions: live and its set true, and not a DROP passed over; copies: noted).
    ends: evaluation ends here.  would_end: it would, if it came here.
    """

    entry: Entry
    live: Lit
    before: Lit
    match: Lit
    taken: Lit
    ends: Lit
    would_end: Lit = FALSE

    @property
    def is_action(self) -> bool:
        """An action, not a match."""
        return self.entry.kind.is_action


@dataclass
class RuleSetWalk:
    """One rule set.

    accepts: 1 or more (also super-accept).  super_accepts: super-accept.  redirects: by
    target.  no_match: list ended or BREAK.  copies: (entry index, set where its copy is the
    one noted at the end, whatever the end).  qos: by bucket.
    """

    start: Lit
    steps: list[Step] = field(default_factory=list[Step])
    accepts: Lit = FALSE
    super_accepts: Lit = FALSE
    redirects: dict[int, Lit] = field(default_factory=dict[int, Lit])
    no_match: Lit = FALSE
    copies: list[tuple[int, Lit]] = field(default_factory=list[tuple[int, Lit]])
    qos: dict[int, Lit] = field(default_factory=dict[int, Lit])

    @property
    def ends(self) -> list[tuple[int, Lit]]:
        """(entry index, where evaluation ends there)."""
        return [(index, step.ends) for index, step in enumerate(self.steps) if step.ends != FALSE]


@dataclass
class SideWalk:
    """One side: base rules, the capabilities in turn, and the verdict (section 7)."""

    view: View
    side: Side
    base: RuleSetWalk
    capabilities: list[RuleSetWalk]
    accepted: Lit  # passes, perhaps redirected
    delivered: Lit  # passes to where it was going

    @property
    def rule_sets(self) -> list[RuleSetWalk]:
        """Base rules, then capabilities."""
        return [self.base, *self.capabilities]


def walk(view: View, side: Side, holds: Mapping[int, Lit] | None = None) -> SideWalk:
    """Evaluate a view symbolically; `holds` says who holds a capability (by id), where known."""
    sets = side.sets
    base = _Walker(view, side, "base", TRUE).run(view.base)
    accepted = _passes(sets, base)
    open_yet = base.no_match
    capabilities: list[RuleSetWalk] = []
    for number, entries in zip(view.capability_ids, view.capabilities, strict=True):
        held = (holds or {}).get(number)
        if held is None:
            held = sets.test(sets.field(f"{side.sender}.holds.{number}", 1), 1)
        result = _Walker(view, side, str(number), sets.both(open_yet, held)).run(entries)
        passes = _passes(sets, result)
        accepted = sets.either(accepted, passes)
        open_yet = sets.both(open_yet, -passes)
        capabilities.append(result)
    moved = sets.any(
        sets.both(where, -sets.test(side.zt_dest, target))
        for rules in (base, *capabilities)
        for target, where in rules.redirects.items()
        if target
    )
    return SideWalk(view, side, base, capabilities, accepted, sets.both(accepted, -moved))


def _passes(sets: Sets, rules: RuleSetWalk) -> Lit:
    return sets.any((rules.accepts, *rules.redirects.values()))


class _Walker:
    """The state of one evaluation as sets (sections 1 and 5)."""

    def __init__(self, view: View, side: Side, where: str, start: Lit) -> None:
        self.view, self.side, self.where = view, side, where
        self.sets = side.sets
        self.live = start
        self.set: Lit = TRUE
        self.super_accept: Lit = FALSE
        self.skip_drop: Lit = FALSE
        self.randoms = 0
        self.noted: list[tuple[int, Lit]] = []
        self.walk = RuleSetWalk(start)

    def run(self, entries: tuple[Entry, ...]) -> RuleSetWalk:
        for index, entry in enumerate(entries):
            if entry.kind.is_action:
                self._action(index, entry)
                self.set = TRUE
            else:
                self._match(entry)
        walk = self.walk
        walk.no_match = self.sets.either(walk.no_match, self.live)
        walk.copies = self._last_copies()
        return walk

    def _match(self, entry: Entry) -> None:
        sets = self.sets
        answer = said(entry, self.side, self.super_accept, self._draw(entry))
        match = answer.after_not(sets, entry.inverted, self.view.engine)
        self.walk.steps.append(Step(entry, self.live, self.set, match, FALSE, FALSE))
        if entry.alternative:
            self.skip_drop = sets.either(self.skip_drop, answer.arms)
            self.set = sets.either(self.set, match)
        else:
            self.skip_drop = sets.either(self.skip_drop, sets.both(self.set, answer.arms))
            self.set = sets.both(self.set, match)

    def _draw(self, entry: Entry) -> Lit:
        if entry.kind is not Kind.MATCH_RANDOM:
            return FALSE
        self.randoms += 1
        return self.side.draw(self.where, self.randoms, entry.value[0] or 0)

    def _action(self, index: int, entry: Entry) -> None:
        sets, walk = self.sets, self.walk
        would = taken = self.set
        if entry.kind is Kind.ACTION_DROP:
            if self.view.engine != "1.12":
                would = taken = sets.both(self.set, -self.skip_drop)
                self.skip_drop = sets.both(self.skip_drop, -self.set)
        elif entry.kind in _FORWARDING:
            taken, would = self._forward(index, entry)
        ends = sets.both(self.live, would)
        taken = sets.both(self.live, taken)
        if entry.kind is Kind.ACTION_ACCEPT:
            walk.accepts = sets.either(walk.accepts, ends)
            supers = sets.both(ends, self.super_accept)
            walk.super_accepts = sets.either(walk.super_accepts, supers)
        elif entry.kind is Kind.ACTION_BREAK:
            walk.no_match = sets.either(walk.no_match, ends)
        elif entry.kind is Kind.ACTION_PRIORITY:
            walk.accepts = sets.either(walk.accepts, ends)
            bucket = entry.value[0] or 0
            bucket = bucket if bucket <= 8 else 4
            walk.qos[bucket] = sets.either(walk.qos.get(bucket, FALSE), ends)
        walk.steps.append(Step(entry, self.live, self.set, TRUE, taken, ends, would))
        self.live = sets.both(self.live, -ends)

    def _forward(self, index: int, entry: Entry) -> tuple[Lit, Lit]:
        """TEE, WATCH, REDIRECT: (taken, would end), both where evaluation comes here."""
        sets, side, walk = self.sets, self.side, self.walk
        target = entry.value[0] or 0
        elsewhere = sets.both(self.set, -sets.test(side.zt_source, target))
        for_us = sets.test(side.node, target)
        would = FALSE
        if side.inbound:
            would = sets.both(elsewhere, for_us)
            ends = sets.both(self.live, would)
            walk.accepts = sets.either(walk.accepts, ends)
            walk.super_accepts = sets.either(walk.super_accepts, ends)
            armed = sets.both(-self.set, for_us)
            self.super_accept = sets.either(self.super_accept, armed)
        taken = sets.all((elsewhere, -for_us, -sets.test(side.zt_dest, target)))
        happens = sets.both(self.live, taken)
        if entry.kind is Kind.ACTION_REDIRECT:
            walk.redirects[target] = sets.either(walk.redirects.get(target, FALSE), happens)
            would = sets.either(would, taken)
        else:
            self.noted.append((index, happens))
        return taken, would

    def _last_copies(self) -> list[tuple[int, Lit]]:
        """For each tee and watch, where no later one replaces or clears its copy."""
        later: Lit = FALSE
        found: list[tuple[int, Lit]] = []
        for index, taken in reversed(self.noted):
            if self.walk.steps[index].entry.value[0]:
                found.append((index, self.sets.both(taken, -later)))
            later = self.sets.either(later, taken)
        return found[::-1]
