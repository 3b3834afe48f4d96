"""Verdicts as sets and as words: what is compared between two policies, and searched for.

Contract: `labels(sides)` gives a set for each thing that can happen to a frame (delivered,
redirected, a copy sent, a QoS bucket), so that two policies agree on a frame exactly where
all labels do; `happened(outcomes)` says the same of replayed outcomes in words.
Tested by tests/proof/test_diff.py: random frames get the labels that their verdict has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ztfast.engine.context import Outcome
from ztfast.model.kinds import Kind
from ztfast.proof.formula import FALSE, TRUE, Lit, Sets
from ztfast.proof.symbolic import RuleSetWalk, SideWalk

Label = tuple[str | int, ...]


class Happened(NamedTuple):
    """What becomes of a frame: `accepted`, `dropped`, `redirected to …`; copies; QoS buckets."""

    what: str
    copies: tuple[str, ...] = ()
    qos: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ", ".join((self.what, *self.copies, *self.qos))


def labels(sets: Sets, walks: Mapping[str, SideWalk], lengths: Iterable[int]) -> dict[Label, Lit]:
    """The labels of a network (both sides) or one side; `lengths`: the copies' limits asked for.

    A receiver is asked only where the sender's side delivers.
    """
    found: dict[Label, Lit] = {}
    reached = TRUE
    for side in ("out", "in"):
        walked = walks.get(side)
        if walked is None:
            continue
        for label, literal in _side_labels(sets, walked, sorted(set(lengths))).items():
            found[(side, *label)] = sets.both(reached, literal)
        reached = sets.both(reached, walked.delivered)
    found[("delivered",)] = reached
    return found


def _side_labels(sets: Sets, walked: SideWalk, lengths: list[int]) -> dict[Label, Lit]:
    found: dict[Label, Lit] = {}
    for rules in walked.rule_sets:
        for target, where in rules.redirects.items():
            moved = sets.both(where, -sets.test(walked.side.zt_dest, target)) if target else FALSE
            _add(sets, found, ("redirect", target), moved)
        for bucket, where in rules.qos.items():
            if bucket == 0 and not walked.side.inbound:
                continue  # where nothing is set the sender's bucket is 0 too
            _add(sets, found, ("qos", bucket), where)
    for label, literals in _copies(sets, walked, lengths).items():
        for count, literal in enumerate(_counted(sets, literals), 1):
            _add(sets, found, (*label, count), literal)
    return found


def _add(sets: Sets, found: dict[Label, Lit], label: Label, literal: Lit) -> None:
    if literal != FALSE:
        found[label] = sets.either(found.get(label, FALSE), literal)


def _copies(sets: Sets, walked: SideWalk, lengths: list[int]) -> dict[Label, list[Lit]]:
    """For each kind, target and limit: where each rule set sends such a copy longer than that."""
    found: dict[Label, list[Lit]] = {}
    for number, rules in enumerate(walked.rule_sets):
        passes = walked.accepted if number == 0 else _accepting(sets, rules)
        here: dict[Label, Lit] = {}
        for index, noted in rules.copies:
            entry = rules.steps[index].entry
            kind = "watch" if entry.kind is Kind.ACTION_WATCH else "tee"
            sent = sets.both(noted, passes)
            asked = entry.value[1] or 0xFFFF
            for limit in (0, *lengths):
                if limit and asked <= limit:
                    continue
                longer = sets.both(sent, walked.side.frame.test("length", limit + 1, 0xFFFF))
                literal = longer if limit else sent
                _add(sets, here, (kind, entry.value[0] or 0, limit), literal)
        for label, literal in here.items():
            found.setdefault(label, []).append(literal)
    return found


def _accepting(sets: Sets, rules: RuleSetWalk) -> Lit:
    return sets.any((rules.accepts, *rules.redirects.values()))


def _counted(sets: Sets, literals: list[Lit]) -> list[Lit]:
    """Where at least one holds, at least two: base rules and a capability may both send."""
    at_least = [FALSE, FALSE]
    for literal in literals:
        at_least[1] = sets.either(at_least[1], sets.both(at_least[0], literal))
        at_least[0] = sets.either(at_least[0], literal)
    return [item for item in at_least if item != FALSE]


def copy_lengths(walks: Iterable[SideWalk]) -> set[int]:
    """The limits that any tee or watch asks for."""
    return {
        step.entry.value[1] or 0xFFFF
        for walked in walks
        for rules in walked.rule_sets
        for step in rules.steps
        if step.entry.kind in (Kind.ACTION_TEE, Kind.ACTION_WATCH)
    }


def happened(outcomes: Mapping[str, Outcome]) -> Happened:
    """What became of a frame: `outcomes` of the sides that were asked, "out" before "in"."""
    what = "accepted"
    copies: list[str] = []
    qos: list[str] = []
    for side, outcome in outcomes.items():
        by = {"out": "at the sender", "in": "at the receiver"}[side]
        for copy in outcome.copies:
            kind = {0x02: "tee", 0x08: "tee", 0x16: "watch", 0x1C: "watch"}.get(copy.flags)
            if kind is not None:
                copies.append(f"{kind} of {copy.length} bytes to {copy.to:010x} {by}")
        if outcome.qos != (255 if side == "in" else 0):
            qos.append(f"QoS bucket {outcome.qos} {by}")
        if not outcome.accepted:
            what = "dropped"
            break
        if not outcome.accept:
            what = f"redirected to {outcome.destination:010x} {by}"
            break
    return Happened(what, tuple(sorted(copies)), tuple(qos))
