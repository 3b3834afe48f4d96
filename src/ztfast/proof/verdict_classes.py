"""Verdicts as formulas and as words: what is compared between two policies, and searched for.

Contract: `event_formulas(…)` gives a formula for each thing that can happen to a frame
(delivered, redirected, a copy sent, a QoS bucket), so that two policies agree on a frame exactly
where all events do; `verdict_text(outcomes)` says the same of replayed outcomes in words.
Both go by the passes of `PASSES`: the sender's (out), its second over a frame without one receiver
(again), which sends no copies, and the receiver's (in).
Tested by tests/proof/test_diff.py: random frames get the events that their verdict has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ztfast.engine.context import Outcome, Sent
from ztfast.model.kinds import Kind
from ztfast.proof.formula import FALSE, TRUE, Formulas, Literal
from ztfast.proof.symbolic import RuleSetTrace, SideTrace

PASSES = ("out", "again", "in")

# ("delivered",), or a pass and: "redirect" and its target; "qos" and the bucket; "tee" or
# "watch", the target, a length that the copy exceeds, and how many such copies there are at least.
Event = tuple[str | int, ...]


class VerdictText(NamedTuple):
    """What becomes of a frame: `accepted`, `dropped`, `redirected to …`; copies; QoS buckets."""

    action: str
    copies: tuple[str, ...] = ()
    qos: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ", ".join((self.action, *self.copies, *self.qos))


# --- formulas


def event_formulas(
    formulas: Formulas, traces: Mapping[str, SideTrace], lengths: Iterable[int]
) -> dict[Event, Literal]:
    """The events of a network (both sides) or one side, by pass.

    lengths: the copies' limits to be told apart.  A receiver is asked only where the sender's
    side delivers; the second pass is made where the first knew no destination.
    """
    found: dict[Event, Literal] = {}
    reached = TRUE
    for name in PASSES:
        trace = traces.get(name)
        if trace is None:
            continue
        asked = reached
        if name == "again":
            asked = formulas.both(reached, formulas.test(traces["out"].fields.zt_dest, 0))
            events = _redirects(formulas, trace)
        else:
            events = _side_events(formulas, trace, sorted(set(lengths)))
        for event, literal in events.items():
            found[(name, *event)] = formulas.both(asked, literal)
        passed = trace.delivered
        if name == "again":
            passed = formulas.implies(asked, passed)
        reached = formulas.both(reached, passed)
    found[("delivered",)] = reached
    return found


def _side_events(formulas: Formulas, trace: SideTrace, lengths: list[int]) -> dict[Event, Literal]:
    found = _redirects(formulas, trace)
    for rules in trace.rule_sets:
        for bucket, where in rules.qos.items():
            if bucket == 0 and not trace.fields.inbound:
                continue  # where nothing is set the sender's bucket is 0 too
            _add(formulas, found, ("qos", bucket), where)
    for event, literals in _copies(formulas, trace, lengths).items():
        for count, literal in enumerate(_counted(formulas, literals), 1):
            _add(formulas, found, (*event, count), literal)
    return found


def _redirects(formulas: Formulas, trace: SideTrace) -> dict[Event, Literal]:
    found: dict[Event, Literal] = {}
    for rules in trace.rule_sets:
        for target, where in rules.redirects.items():
            if target:
                elsewhere = -formulas.test(trace.fields.zt_dest, target)
                _add(formulas, found, ("redirect", target), formulas.both(where, elsewhere))
    return found


def _add(formulas: Formulas, found: dict[Event, Literal], event: Event, literal: Literal) -> None:
    if literal != FALSE:
        found[event] = formulas.either(found.get(event, FALSE), literal)


def _copies(formulas: Formulas, trace: SideTrace, lengths: list[int]) -> dict[Event, list[Literal]]:
    """For each kind, target and limit: where each rule set sends such a copy longer than that."""
    found: dict[Event, list[Literal]] = {}
    for number, rules in enumerate(trace.rule_sets):
        passes = trace.accepted if number == 0 else rules.passes(formulas)
        for event, literal in _rule_set_copies(formulas, trace, rules, passes, lengths).items():
            found.setdefault(event, []).append(literal)
    return found


def _rule_set_copies(
    formulas: Formulas,
    trace: SideTrace,
    rules: RuleSetTrace,
    passes: Literal,
    lengths: list[int],
) -> dict[Event, Literal]:
    found: dict[Event, Literal] = {}
    for index, noted in rules.copies:
        entry = rules.steps[index].entry
        kind = "watch" if entry.kind is Kind.ACTION_WATCH else "tee"
        sent = formulas.both(noted, passes)
        asked = entry.value[1] or 0xFFFF
        for limit in (0, *lengths):
            if limit and asked <= limit:
                continue
            longer = formulas.both(sent, trace.fields.frame.test("length", limit + 1, 0xFFFF))
            literal = longer if limit else sent
            _add(formulas, found, (kind, entry.value[0] or 0, limit), literal)
    return found


def _counted(formulas: Formulas, literals: list[Literal]) -> list[Literal]:
    """Where at least one holds, at least two: base rules and a capability may both send."""
    at_least = [FALSE, FALSE]
    for literal in literals:
        at_least[1] = formulas.either(at_least[1], formulas.both(at_least[0], literal))
        at_least[0] = formulas.either(at_least[0], literal)
    return [item for item in at_least if item != FALSE]


def copy_lengths(traces: Iterable[SideTrace]) -> set[int]:
    """The limits that any tee or watch asks for."""
    return {
        step.entry.value[1] or 0xFFFF
        for trace in traces
        for rules in trace.rule_sets
        for step in rules.steps
        if step.entry.kind in (Kind.ACTION_TEE, Kind.ACTION_WATCH)
    }


# --- words

_PLACES = {
    "out": "at the sender",
    "again": "at the sender for this recipient",
    "in": "at the receiver",
}
_COPY_KINDS = {0x02: "tee", 0x08: "tee", 0x16: "watch", 0x1C: "watch"}
_NO_BUCKET = {"out": 0, "in": 255}


def verdict_text(outcomes: Mapping[str, Outcome]) -> VerdictText:
    """What became of a frame: `outcomes` by the passes that were made, in order."""
    action = "accepted"
    copies: list[str] = []
    qos: list[str] = []
    for direction, outcome in outcomes.items():
        place = _PLACES[direction]
        if direction != "again":
            copies += [f"{text} {place}" for text in _copy_texts(outcome.copies)]
        if direction != "again" and outcome.qos != _NO_BUCKET[direction]:
            qos.append(f"QoS bucket {outcome.qos} {place}")
        if not outcome.accepted:
            action = "dropped"
            break
        if not outcome.accept:
            action = f"redirected to {outcome.destination:010x} {place}"
            break
    return VerdictText(action, tuple(sorted(copies)), tuple(qos))


def _copy_texts(copies: Iterable[Sent]) -> list[str]:
    return [
        f"{_COPY_KINDS[copy.flags]} of {copy.length} bytes to {copy.to:010x}"
        for copy in copies
        if copy.flags in _COPY_KINDS
    ]
