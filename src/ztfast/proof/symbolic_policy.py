"""A policy for all frames at once, and for one: what `diff` and `search` ask.

Contract: a `SymbolicPolicy` has the traces of the sides that judge, over fields that it shares
with other policies, and the verdict on a witness, which both evaluators gave.
`network_constraints` and `witness_preferences` say what a network is like, and what a witness is
to look like where it may.  Tested by tests/proof/test_diff.py and test_search.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ztfast.engine.context import FrameContext, Outcome
from ztfast.errors import usage
from ztfast.frames.frame import Frame
from ztfast.model.kinds import KINDS
from ztfast.model.policy import Policy
from ztfast.model.view import DIRECTIONS, View, make_view
from ztfast.proof.formula import TRUE, Assignment, Formulas, Literal
from ztfast.proof.frame_model import FrameFormulas
from ztfast.proof.match_formulas import SideFields
from ztfast.proof.solver import Prover, Undecided
from ztfast.proof.symbolic import SideTrace, trace_side
from ztfast.proof.verdict_classes import VerdictText, verdict_text
from ztfast.proof.witness import SideNames, context_of, replay
from ztfast.proof.witness_text import (
    USUAL_MACS,
    PolicyDependencies,
    context_text,
    witness_facts,
)

SIDES = ("both", "out", "in")


@dataclass(frozen=True)
class WitnessVerdict:
    """One policy's word on a witness: in words, and the entry that decided."""

    verdict: VerdictText
    by: str

    def __str__(self) -> str:
        return f"{self.verdict} {self.by}".rstrip()


class SymbolicPolicy:
    """A policy on one or both sides.

    views, traces: by direction.  defaults: the tags' default values by id.
    default_capabilities: the ids of those that everyone holds.
    """

    def __init__(
        self, policy: Policy, engine: str, side: str, formulas: Formulas, frame: FrameFormulas
    ) -> None:
        """`side`: one of SIDES; raises UsageError for another."""
        if side not in SIDES:
            raise usage(f"unknown side {side!r}", "use 'out', 'in' or 'both'")
        self.policy, self.formulas = policy, formulas
        self.directions = DIRECTIONS if side == "both" else (side,)
        self.views: dict[str, View] = {
            direction: make_view(policy, direction, engine) for direction in self.directions
        }
        self.defaults = {
            tag.id: tag.default & 0xFFFFFFFF for tag in policy.tags if tag.default is not None
        }
        self.default_capabilities = frozenset(cap.id for cap in policy.capabilities if cap.default)
        self.traces: dict[str, SideTrace] = {
            direction: self._trace(view, frame) for direction, view in self.views.items()
        }
        self.dependencies = PolicyDependencies(policy, self.directions)

    def _trace(self, view: View, frame: FrameFormulas) -> SideTrace:
        fields = SideFields(self.formulas, frame, view.direction, defaults=self.defaults)
        return trace_side(view, fields, dict.fromkeys(self.default_capabilities, TRUE))

    # --- a witness

    def verdict_on(self, assignment: Assignment, frame: Frame) -> WitnessVerdict:
        """The verdict on a witness, and which entry gave it."""
        outcomes = self.outcomes(assignment, frame)
        return WitnessVerdict(verdict_text(outcomes), self._decider(*list(outcomes.items())[-1]))

    def outcomes(self, assignment: Assignment, frame: Frame) -> dict[str, Outcome]:
        """What the sides do, by both evaluators; the receiver only where the frame gets there."""
        found: dict[str, Outcome] = {}
        for direction, context in self.contexts(assignment, frame).items():
            found[direction] = replay(self.views[direction], frame, context)
            if not found[direction].accept:
                break
        return found

    def contexts(self, assignment: Assignment, frame: Frame) -> dict[str, FrameContext]:
        """Each side's circumstances, by direction."""
        return {
            direction: context_of(
                assignment,
                view,
                frame,
                SideNames(direction),
                self.defaults,
                self.default_capabilities,
            )
            for direction, view in self.views.items()
        }

    def _decider(self, direction: str, outcome: Outcome) -> str:
        number = 0 if outcome.capability is None else outcome.capability + 1
        if outcome.entry < 0:
            return "as nothing accepts it"
        entry = self.traces[direction].rule_sets[number].steps[outcome.entry].entry
        ordered = self.policy.ordered_capabilities
        rules = self.policy.rules if number == 0 else ordered[number - 1].rules
        rule = rules[entry.rule]
        word = KINDS[entry.kind].word or entry.kind.name
        place = f"entry {outcome.entry}" if rule.span is None else f"line {rule.span.line}"
        held = ordered[number - 1] if number else None
        inside = f" of capability {held.name or held.id}" if held else ""
        return f"by `{word}` in {place}{inside}"


# --- what every question adds


def network_constraints(formulas: Formulas, directions: Collection[str]) -> list[Literal]:
    """What holds of members' addresses on a network (docs/spec/evaluation.md sections 7 and 8)."""
    for name in ("zt_source", "out.node", "out.zt_dest", "in.node", "in.zt_dest"):
        formulas.field(name, 40)
    found: list[Literal] = []
    if "out" in directions:
        found.append(formulas.compare("equal", "out.node", "zt_source"))
    if "in" in directions:
        found.append(formulas.compare("equal", "in.node", "in.zt_dest"))
    if "out" in directions and "in" in directions:
        known = formulas.test(formulas.field("receiver_known", 1), 1)
        unicast = -formulas.test("out.zt_dest", 0)
        found.append(formulas.implies(unicast, formulas.compare("equal", "out.zt_dest", "in.node")))
        found += [formulas.implies(unicast, known), formulas.implies(known, unicast)]
    return found


def refuse_unbuildable(prover: Prover, buildable: Literal, where: Sequence[Literal]) -> None:
    """Raise Undecided where only frames are left of which it is not known that they exist."""
    if buildable != TRUE and not prover.empty(*where):
        raise Undecided("INTEGER_RANGE in IPv6 packets with extension headers is not decided")


def witness_preferences(frame: FrameFormulas) -> list[Literal]:
    """What makes a witness look like a frame that people know, the first first."""
    test, formulas = frame.test, frame.formulas
    return [
        frame.plain,
        formulas.test("receiver_known", 1),
        test("length", 60, 1500),
        test("ethertype", 0x0800),
        test("vlan", 0),
        test("owns_ip", 1),
        test("owns_mac", 1),
        test("protocol", 6),
        test("tcp", 2),
        test("tcp", 0x10),
        test("tos", 0),
        test("mac_dest", 0, 0, 1 << 40),
        test("source4", 0x0A000000, mask=0xFF000000),
        test("source4", 0x0A000001),
        test("source4", 1, mask=0xFF),
        test("dest4", 0x0A000002),
        test("dest4", 2, mask=0xFF),
        test("source6", 0xFD00 << 112 | 1),
        test("dest6", 0xFD00 << 112 | 2),
        test("sport", 40000),
        test("dport", 443),
        test("mac_source", USUAL_MACS[0]),
        test("mac_dest", USUAL_MACS[1]),
        test("length", 60),
        formulas.test("zt_source", 0x1111111111),
        *(formulas.test(name, 0x2222222222) for name in ("in.node", "out.zt_dest")),
        *(
            formulas.test(name, 0, 99 if ".tag." in name else 0)
            for name in sorted(formulas.widths)
            if name.startswith(("from.", "to."))
        ),
    ]


def circumstances_text(
    policies: Sequence[SymbolicPolicy],
    assignment: Assignment,
    frame: Frame,
    tags: Mapping[int, str],
) -> str:
    """A witness's circumstances in words, for the policies that judge it; as the first sees them.

    tags: names by id.
    """
    first = policies[0]
    direction = first.directions[0]
    dependencies = [policy.dependencies for policy in policies]
    addressed = any(each.addresses for each in dependencies)
    context = first.contexts(assignment, frame)[direction]
    text = context_text(context, direction, tags, addressed)
    return "; ".join([text] * bool(text) + witness_facts(dependencies, assignment, frame))
