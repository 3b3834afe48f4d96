"""One side's evaluation of a View for all frames at once.

Contract: `trace_side(view, fields)` gives for each entry where evaluation gets there, and for
the side its outcome, exactly as docs/spec/evaluation.md says: folds, hard answers, skipDrop,
super-accept, copies, capabilities, both engines.  Linear in entries.
Tested by tests/proof/test_symbolic.py against the reference evaluator, entry by entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ztfast.model.kinds import Entry, Kind
from ztfast.model.view import View
from ztfast.proof.formula import FALSE, TRUE, Formulas, Literal
from ztfast.proof.match_formulas import SideFields, match_formula

_FORWARDING = frozenset((Kind.ACTION_TEE, Kind.ACTION_WATCH, Kind.ACTION_REDIRECT))


class SymbolicStep(NamedTuple):
    """One entry, evaluated for all frames.

    live: evaluation comes to this entry.  before: the set is true before it.  match: the
    outcome after `not` where it is evaluated (matches), else TRUE.  taken: what the entry
    does happens (actions: live and its set true, and not a DROP passed over; copies: noted).
    ends: evaluation ends here.  would_end: it would, if it came here.
    """

    entry: Entry
    live: Literal
    before: Literal
    match: Literal
    taken: Literal
    ends: Literal
    would_end: Literal = FALSE

    @property
    def is_action(self) -> bool:
        """An action, not a match."""
        return self.entry.kind.is_action


@dataclass
class RuleSetTrace:
    """One rule set.

    accepts: 1 or more (also super-accept).  super_accepts: super-accept.  redirects: by
    target.  no_match: list ended or BREAK.  copies: (entry index, where its copy is the one
    noted at the end, whatever the end).  qos: by bucket.
    """

    start: Literal
    steps: list[SymbolicStep] = field(default_factory=list[SymbolicStep])
    accepts: Literal = FALSE
    super_accepts: Literal = FALSE
    redirects: dict[int, Literal] = field(default_factory=dict[int, Literal])
    no_match: Literal = FALSE
    copies: list[tuple[int, Literal]] = field(default_factory=list[tuple[int, Literal]])
    qos: dict[int, Literal] = field(default_factory=dict[int, Literal])

    @property
    def ends(self) -> list[tuple[int, Literal]]:
        """(entry index, where evaluation ends there)."""
        return [(index, step.ends) for index, step in enumerate(self.steps) if step.ends != FALSE]

    def passes(self, formulas: Formulas) -> Literal:
        """Accepted or redirected."""
        return formulas.any((self.accepts, *self.redirects.values()))


@dataclass
class SideTrace:
    """One side: base rules, the capabilities in turn, and the verdict (section 7)."""

    view: View
    fields: SideFields
    base: RuleSetTrace
    capabilities: list[RuleSetTrace]
    accepted: Literal  # passes, perhaps redirected
    delivered: Literal  # passes to where it was going

    @property
    def rule_sets(self) -> list[RuleSetTrace]:
        """Base rules, then capabilities."""
        return [self.base, *self.capabilities]


def trace_side(
    view: View, fields: SideFields, holds: Mapping[int, Literal] | None = None
) -> SideTrace:
    """Evaluate a view symbolically; `holds` says who holds a capability (by id), where known."""
    formulas = fields.formulas
    base = _Tracer(view, fields, "base", TRUE).trace_entries(view.base)
    accepted = base.passes(formulas)
    undecided = base.no_match
    capabilities: list[RuleSetTrace] = []
    for number, entries in zip(view.capability_ids, view.capabilities, strict=True):
        held = (holds or {}).get(number)
        start = formulas.both(undecided, fields.holds(number) if held is None else held)
        trace = _Tracer(view, fields, str(number), start).trace_entries(entries)
        passes = trace.passes(formulas)
        accepted = formulas.either(accepted, passes)
        undecided = formulas.both(undecided, -passes)
        capabilities.append(trace)
    moved = _moved(fields, (base, *capabilities))
    delivered = formulas.both(accepted, -moved)
    return SideTrace(view, fields, base, capabilities, accepted, delivered)


def _moved(fields: SideFields, rule_sets: tuple[RuleSetTrace, ...]) -> Literal:
    """Where a redirect leads elsewhere than the frame was going."""
    formulas = fields.formulas
    return formulas.any(
        formulas.both(where, -formulas.test(fields.zt_dest, target))
        for rules in rule_sets
        for target, where in rules.redirects.items()
        if target
    )


class _Tracer:
    """The state of one evaluation as formulas (sections 1 and 5)."""

    def __init__(self, view: View, fields: SideFields, where: str, start: Literal) -> None:
        self.view, self.fields, self.where = view, fields, where
        self.formulas = fields.formulas
        self.live = start
        self.matches: Literal = TRUE
        self.super_accept: Literal = FALSE
        self.skip_drop: Literal = FALSE
        self.randoms = 0
        self.noted: list[tuple[int, Literal]] = []
        self.trace = RuleSetTrace(start)

    def trace_entries(self, entries: tuple[Entry, ...]) -> RuleSetTrace:
        """All entries of the rule set."""
        for index, entry in enumerate(entries):
            if entry.kind.is_action:
                self._action(index, entry)
                self.matches = TRUE
            else:
                self._match(entry)
        self.trace.no_match = self.formulas.either(self.trace.no_match, self.live)
        self.trace.copies = self._last_copies()
        return self.trace

    # --- matches

    def _match(self, entry: Entry) -> None:
        formulas = self.formulas
        found = match_formula(entry, self.fields, self.super_accept, self._draw(entry))
        match = found.after_not(formulas, entry.inverted, self.view.engine)
        self.trace.steps.append(SymbolicStep(entry, self.live, self.matches, match, FALSE, FALSE))
        if entry.alternative:
            self.skip_drop = formulas.either(self.skip_drop, found.arms)
            self.matches = formulas.either(self.matches, match)
        else:
            armed = formulas.both(self.matches, found.arms)
            self.skip_drop = formulas.either(self.skip_drop, armed)
            self.matches = formulas.both(self.matches, match)

    def _draw(self, entry: Entry) -> Literal:
        if entry.kind is not Kind.MATCH_RANDOM:
            return FALSE
        self.randoms += 1
        return self.fields.draw(self.where, self.randoms, entry.value[0] or 0)

    # --- actions

    def _action(self, index: int, entry: Entry) -> None:
        formulas = self.formulas
        taken = would_end = self.matches
        if entry.kind is Kind.ACTION_DROP:
            taken = would_end = self._drop()
        elif entry.kind in _FORWARDING:
            taken, would_end = self._forward(index, entry)
        ends = formulas.both(self.live, would_end)
        taken = formulas.both(self.live, taken)
        self._settle(entry, ends)
        self.trace.steps.append(
            SymbolicStep(entry, self.live, self.matches, TRUE, taken, ends, would_end)
        )
        self.live = formulas.both(self.live, -ends)

    def _drop(self) -> Literal:
        """Where a DROP would end evaluation; an armed skipDrop passes over one and is spent."""
        if self.view.engine == "1.12":
            return self.matches
        drops = self.formulas.both(self.matches, -self.skip_drop)
        self.skip_drop = self.formulas.both(self.skip_drop, -self.matches)
        return drops

    def _settle(self, entry: Entry, ends: Literal) -> None:
        """Note what the rule set says where it ends with ACCEPT, BREAK or PRIORITY."""
        formulas, trace = self.formulas, self.trace
        if entry.kind in (Kind.ACTION_ACCEPT, Kind.ACTION_PRIORITY):
            trace.accepts = formulas.either(trace.accepts, ends)
        if entry.kind is Kind.ACTION_ACCEPT:
            supers = formulas.both(ends, self.super_accept)
            trace.super_accepts = formulas.either(trace.super_accepts, supers)
        elif entry.kind is Kind.ACTION_BREAK:
            trace.no_match = formulas.either(trace.no_match, ends)
        elif entry.kind is Kind.ACTION_PRIORITY:
            bucket = entry.value[0] or 0
            bucket = bucket if bucket <= 8 else 4
            trace.qos[bucket] = formulas.either(trace.qos.get(bucket, FALSE), ends)

    def _forward(self, index: int, entry: Entry) -> tuple[Literal, Literal]:
        """TEE, WATCH, REDIRECT: (taken, would end), both where evaluation comes here."""
        formulas, fields = self.formulas, self.fields
        target = entry.value[0] or 0
        elsewhere = formulas.both(self.matches, -formulas.test(fields.zt_source, target))
        for_us = formulas.test(fields.node, target)
        would_end = FALSE
        if fields.inbound:
            would_end = formulas.both(elsewhere, for_us)
            self._super_accept(would_end, for_us)
        taken = formulas.all((elsewhere, -for_us, -formulas.test(fields.zt_dest, target)))
        happens = formulas.both(self.live, taken)
        if entry.kind is Kind.ACTION_REDIRECT:
            redirects = self.trace.redirects
            redirects[target] = formulas.either(redirects.get(target, FALSE), happens)
            return taken, formulas.either(would_end, taken)
        self.noted.append((index, happens))
        return taken, would_end

    def _super_accept(self, would_end: Literal, for_us: Literal) -> None:
        """A receiver that is the target itself: it accepts, or where the set is false is armed."""
        formulas, trace = self.formulas, self.trace
        ends = formulas.both(self.live, would_end)
        trace.accepts = formulas.either(trace.accepts, ends)
        trace.super_accepts = formulas.either(trace.super_accepts, ends)
        armed = formulas.both(-self.matches, for_us)
        self.super_accept = formulas.either(self.super_accept, armed)

    def _last_copies(self) -> list[tuple[int, Literal]]:
        """For each tee and watch, where no later one replaces or clears its copy."""
        later: Literal = FALSE
        found: list[tuple[int, Literal]] = []
        for index, taken in reversed(self.noted):
            if self.trace.steps[index].entry.value[0]:
                found.append((index, self.formulas.both(taken, -later)))
            later = self.formulas.either(later, taken)
        return found[::-1]
