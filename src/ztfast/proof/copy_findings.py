"""Copies that never arrive: sent by every rule's word, and refused by the member they are for.

Contract: `copy_findings` gives ZT213 for each tee and watch whose copies its target never takes: of
any frame with ordinary headers (FrameFormulas.plain), from any member that no rule sends anything
to, with any tags.  Those of the frame's sender are meant, or, where it sends none, those of its
receiver, whose address the copy then comes from (of those, IPv4 alone, too: a receiver does not own
the address of the frame's sender).  ZT215 is a note where it is a matter of the target's own tags
which copies it takes.  The target judges what it is sent by the same rules, as the frame's
receiver: cut to the copy's length, from the member that sent it.  Proved; in doubt
(bytes that INTEGER_RANGE reads) nothing is said.
Source: docs/spec/evaluation.md sections 5 and 8.
Tested by tests/proof/test_copy_findings.py, against deliveries too.
"""

from __future__ import annotations

from collections.abc import Iterator

from ztfast.errors import Diagnostic, Severity
from ztfast.model.kinds import KINDS, Kind
from ztfast.model.view import DIRECTIONS
from ztfast.proof.analysis import Analysis
from ztfast.proof.formula import FALSE, TRUE, Formulas, Literal
from ztfast.proof.frame_model import MAX_LENGTH, FrameFormulas
from ztfast.proof.match_formulas import RECEIVERS_TAGS, SideFields
from ztfast.proof.symbolic import trace_side
from ztfast.proof.symbolic_policy import network_constraints, witness_preferences
from ztfast.proof.witness import SideNames, context_of, frame_of, replay

COPY = "copy:"
_OWN = ("length", "tcp", "chain_valid", "owns_ip")  # what cutting a frame changes
_COPIES = (Kind.ACTION_TEE, Kind.ACTION_WATCH)
_SENDING = (*_COPIES, Kind.ACTION_REDIRECT)


class _Copy(FrameFormulas):
    """A copy's frame: the sent frame's fields, but those that cutting it changes."""

    def test(
        self, name: str, low: int, high: int | None = None, mask: int | None = None
    ) -> Literal:
        return self.formulas.test(self._field(name), low, high, mask)

    def reaches(self, count: int) -> Literal:
        return self.formulas.compare("at most", "position", self._field("length"), count)

    def _tie(self, field: str, at: int, other: str, bit: int, count: int) -> Literal:
        return self.formulas.slices(self._field(field), at, self._field(other), bit, count)

    def _field(self, name: str) -> str:
        return self.prefix + name if name in _OWN else name


def copy_findings(analysis: Analysis) -> Iterator[Diagnostic]:
    """A finding for each tee and watch of base rules and capabilities."""
    rule_sets = analysis.traces["out"].rule_sets
    if analysis.frame.payload_bytes or not any(rules.copies for rules in rule_sets):
        return
    asked = {side: _Copies(analysis, side) for side in DIRECTIONS}
    for number, rules in enumerate(rule_sets):
        received = dict(analysis.traces["in"].rule_sets[number].copies)
        for index, noted in rules.copies:
            copies = {"out": noted, "in": received.get(index, FALSE)}
            side = next((one for one in DIRECTIONS if asked[one].sends(number, copies[one])), None)
            if side is not None:
                yield from asked[side].find(number, index, copies[side])


class _Copies:
    """What one side of a frame sends, and what its target makes of it; side: "out" or "in"."""

    def __init__(self, analysis: Analysis, side: str) -> None:
        self.analysis, self.side = analysis, side
        self.prefix = f"{side}.{COPY}"
        # who sends the copy: the frame's sender, or its receiver
        self.end, self.address = ("from", "zt_source") if side == "out" else ("to", "in.node")
        self.formulas: Formulas = analysis.formulas
        self.frame = _Copy(self.formulas, self.prefix)
        fields = SideFields(self.formulas, self.frame, "in", self.prefix, None, self.end, "target")
        self.trace = trace_side(analysis.views["in"], fields)
        sides = DIRECTIONS[: DIRECTIONS.index(side) + 1]
        self.network = self.formulas.all(network_constraints(self.formulas, sides))
        steps = [step for rules in analysis.traces["out"].rule_sets for step in rules.steps]
        targets = {step.entry.value[0] or 0 for step in steps if step.entry.kind in _SENDING}
        # what a member sends itself goes nowhere: whoever is no target shows more
        strangers = [
            -self.formulas.test(address, target)
            for target in sorted(targets)
            for address in ("zt_source", "in.node")[: len(sides)]
        ]
        self.usual = self.formulas.all((analysis.frame.plain, *strangers))
        self.structure = self.formulas.all(self.frame.structure())

    def sends(self, number: int, noted: Literal) -> bool:
        """Is any copy of such a tee or watch sent by this side?"""
        if noted == FALSE:
            return False
        reaches = TRUE if self.side == "out" else self.analysis.traces["out"].delivered
        where = (self.network, self.usual, noted, self._accepted(number), reaches)
        return self.analysis.possible(self.formulas.all(where))

    def find(self, number: int, index: int, noted: Literal) -> Iterator[Diagnostic]:
        """The finding about one tee or watch that sends copies, where there is one."""
        entry = self.analysis.traces["out"].rule_sets[number].steps[index].entry
        target, limit = entry.value[0] or 0, entry.value[1] or MAX_LENGTH
        sent = self.formulas.both(noted, self._accepted(number))
        where = self.formulas.all((self.network, self.usual, sent, *self._sent_to(target, limit)))
        if not self.analysis.possible(where):
            return
        if not self._taken(where):
            yield self._finding(number, index, where)
            return
        own = self._of_another_owner(where)
        if self.side == "in" and self.analysis.possible(own) and not self._taken(own):
            yield self._finding(number, index, own, "IPv4 ")
            return
        stops = next(self._stopped_by_tags(where), None)
        if stops is not None:
            yield self._by_tags(number, index, stops)

    def _taken(self, where: Literal) -> bool:
        """Does the target take any of these copies?"""
        return self.analysis.possible(self.formulas.both(where, self.trace.delivered))

    def _of_another_owner(self, where: Literal) -> Literal:
        """IPv4 from the owner of its address, as a receiver copies it: it does not own that."""
        sent = self.analysis.frame
        return self.formulas.all(
            (where, sent.ipv4, sent.test("owns_ip", 1), -self.frame.test("owns_ip", 1))
        )

    def _stopped_by_tags(self, where: Literal) -> Iterator[int]:
        """Base entries that ask for the receiver's tags and stop copies of frames that arrive."""
        arrives = [trace.delivered for trace in self.analysis.traces.values()]
        known = self.formulas.test("receiver_known", 1)
        usual = self.formulas.all((where, known, *arrives, -self.trace.delivered))
        asks = False
        for index, step in enumerate(self.trace.base.steps):
            asks = asks or step.entry.kind in RECEIVERS_TAGS
            if step.is_action:
                here = self.formulas.both(usual, step.ends)
                if asks and here != FALSE and self.analysis.possible(here):
                    yield index
                asks = False

    def _accepted(self, number: int) -> Literal:
        trace = self.analysis.traces[self.side]
        return trace.accepted if number == 0 else trace.rule_sets[number].passes(self.formulas)

    def _sent_to(self, target: int, limit: int) -> Iterator[Literal]:
        """Who judges the copy, from whom it is, and what is left of the frame."""
        formulas, frame = self.formulas, self.frame
        yield self.structure
        yield formulas.test(f"{self.prefix}in.node", target)
        yield formulas.test(f"{self.prefix}in.zt_dest", target)
        yield formulas.compare("equal", f"{self.prefix}zt_source", self.address)
        whole = self.analysis.frame.test("length", 0, limit)
        yield formulas.implies(whole, formulas.compare("equal", f"{self.prefix}length", "length"))
        yield formulas.implies(-whole, frame.test("length", limit))
        held = formulas.both(self.analysis.frame.test("chain_valid", 1), frame.reaches(0))
        yield -formulas.differ(frame.test("chain_valid", 1), held)
        # what the cut took away may be anything: more than there is can only let more arrive
        same = formulas.compare("equal", f"{self.prefix}tcp", "tcp")
        yield formulas.implies(formulas.either(whole, frame.reaches(14)), same)
        if self.side == "in":
            return  # the receiver may own the address, too: more can only arrive
        owned = formulas.differ(frame.test("owns_ip", 1), self.analysis.frame.test("owns_ip", 1))
        yield formulas.implies(formulas.either(whole, frame.test("length", 64, MAX_LENGTH)), -owned)

    def _by_tags(self, number: int, index: int, stops: int) -> Diagnostic:
        entry = self.analysis.traces["out"].rule_sets[number].steps[index].entry
        word, target = KINDS[entry.kind].word, f"{entry.value[0] or 0:010x}"
        return Diagnostic(
            "ZT215",
            f"which copies of this {word} {target} takes is a matter of its own tags:"
            f" {self.analysis.entry_text(0, stops)} judges them first",
            Severity.NOTE,
            self.analysis.span_of(number, index),
            self.analysis.policy.source,
            help=f"put the {word} before it, or give {target} tags that pass",
        )

    def _finding(self, number: int, index: int, where: Literal, which: str = "") -> Diagnostic:
        analysis = self.analysis
        preferences = witness_preferences(analysis.frame)
        assignment = analysis.prover.find_preferred([where], preferences, smallest=False)
        assert assignment is not None
        entry = analysis.traces["out"].rule_sets[number].steps[index].entry
        target, limit = entry.value[0] or 0, entry.value[1] or MAX_LENGTH
        whole = frame_of(assignment)
        length = min(whole.length, limit)
        cut = whole._replace(payload=whole.payload[:length], length=length)
        names = SideNames("in", self.end, "target", self.prefix)
        view = analysis.views["in"]
        outcome = replay(view, cut, context_of(assignment, view, cut, names))
        by = "no rule of its accepts them"
        if outcome.entry >= 0 and outcome.capability is None:
            by = f"{analysis.entry_text(0, outcome.entry)} stops them there"
        word = KINDS[entry.kind].word
        who = "" if self.side == "out" else " from a frame's receiver"
        shorter = length < whole.length
        return analysis.warning(
            "ZT213",
            f"the {which}copies that this {word} sends{who} never arrive: {target:010x} judges"
            f" them by these rules too, and {by}",
            analysis.span_of(number, index),
            "cut them less: what is left does not meet the matches any more"
            if shorter
            else f"put the {word} before what stops them",
        )
