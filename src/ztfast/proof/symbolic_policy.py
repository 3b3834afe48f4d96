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
from ztfast.model.kinds import KINDS, Kind
from ztfast.model.policy import Policy, Tag
from ztfast.model.view import DIRECTIONS, View, make_view
from ztfast.proof.explained import Explainer
from ztfast.proof.formula import TRUE, Assignment, Formulas, Literal
from ztfast.proof.frame_model import BROADCAST, FrameFormulas
from ztfast.proof.match_formulas import SideFields
from ztfast.proof.solver import Prover, Undecided
from ztfast.proof.symbolic import SideTrace, trace_side
from ztfast.proof.verdict_classes import VerdictText, verdict_text
from ztfast.proof.witness import SideNames, context_of, contradiction, replay
from ztfast.proof.witness_text import (
    USUAL_MACS,
    PolicyDependencies,
    context_text,
    witness_facts,
)

SIDES = ("both", "out", "in")
# What the sender's second pass over a multicast can find otherwise than the first.
_RECEIVERS = frozenset(
    {
        Kind.MATCH_TAGS_DIFFERENCE,
        Kind.MATCH_TAGS_BITWISE_AND,
        Kind.MATCH_TAGS_BITWISE_OR,
        Kind.MATCH_TAGS_BITWISE_XOR,
        Kind.MATCH_TAGS_EQUAL,
        Kind.MATCH_TAG_RECEIVER,
        Kind.MATCH_DEST_ZEROTIER_ADDRESS,
        Kind.MATCH_RANDOM,
        Kind.ACTION_REDIRECT,
    }
)
_ACTIONS = {"accept": "accepted", "drop": "dropped", "redirect": "redirected"}


@dataclass(frozen=True)
class WitnessVerdict:
    """One policy's word on a witness: in words, and the entry that decided."""

    verdict: VerdictText
    by: str

    def __str__(self) -> str:
        return f"{self.verdict} {self.by}".rstrip()


class SymbolicPolicy:
    """A policy on one or both sides.

    views: by direction; traces: by pass (verdict_classes.PASSES).
    defaults: the tags' default values by id.
    default_capabilities: the ids of those that everyone holds.
    """

    def __init__(
        self,
        policy: Policy,
        engine: str,
        side: str,
        formulas: Formulas,
        frame: FrameFormulas,
        held: frozenset[int] | None = None,
    ) -> None:
        """`side`: one of SIDES; raises UsageError for another.

        held: ids of the capabilities that every sender holds; None: those that are default.
        """
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
        default = frozenset(cap.id for cap in policy.capabilities if cap.default)
        self.default_capabilities = default if held is None else held
        self.passes = {direction: SideNames(direction) for direction in self.directions}
        if side == "both" and _sees_receivers(self.views["out"]):
            # behind the first: a frame gets there in the order of these
            self.passes = {
                "out": SideNames("out"),
                "again": SideNames("out", again=True),
                "in": SideNames("in"),
            }
        self.traces: dict[str, SideTrace] = {
            name: self._trace(names, frame) for name, names in self.passes.items()
        }
        self._explainer = Explainer(policy, engine, side)
        self.dependencies = PolicyDependencies(policy, self.directions, self.default_capabilities)

    def _trace(self, names: SideNames, frame: FrameFormulas) -> SideTrace:
        fields = SideFields(
            self.formulas, frame, names.direction, defaults=self.defaults, again=names.again
        )
        view = self.views[names.direction]
        return trace_side(view, fields, dict.fromkeys(self.default_capabilities, TRUE))

    # --- a witness

    def verdict_on(self, assignment: Assignment, frame: Frame) -> WitnessVerdict:
        """The verdict on a witness, and which entry gave it."""
        outcomes = self.outcomes(assignment, frame)
        found = verdict_text(outcomes)
        self._confirm(found, assignment, frame)
        return WitnessVerdict(found, self._decider(*list(outcomes.items())[-1]))

    def outcomes(self, assignment: Assignment, frame: Frame) -> dict[str, Outcome]:
        """What each pass does, by both evaluators, as far as the frame gets."""
        found: dict[str, Outcome] = {}
        for name, context in self.contexts(assignment, frame).items():
            found[name] = replay(self.views[self.passes[name].direction], frame, context)
            if not found[name].accept:
                break
        return found

    def contexts(self, assignment: Assignment, frame: Frame) -> dict[str, FrameContext]:
        """The circumstances of each pass that is made over the frame."""
        found = {
            name: context_of(
                assignment,
                self.views[names.direction],
                frame,
                names,
                self.defaults,
                self.default_capabilities,
            )
            for name, names in self.passes.items()
        }
        if "again" in found and found["out"].zt_dest:
            del found["again"]  # its one receiver was known at once
        return found

    def _confirm(
        self,
        found: VerdictText,
        assignment: Assignment,
        frame: Frame,
    ) -> None:
        """Raise BackendError (ZT291) where `explain` judges a witness otherwise."""
        contexts = self.contexts(assignment, frame)
        said = self._explainer.verdict(frame, contexts.get("out"), contexts.get("in"))
        if said is not None and not found.action.startswith(_ACTIONS[said]):
            raise contradiction(f"proved to be {found.action}, but explain says {said}", frame)

    def _decider(self, name: str, outcome: Outcome) -> str:
        number = 0 if outcome.capability is None else outcome.capability + 1
        if outcome.entry < 0:
            return "as nothing accepts it"
        entry = self.traces[name].rule_sets[number].steps[outcome.entry].entry
        ordered = self.policy.ordered_capabilities
        rules = self.policy.rules if number == 0 else ordered[number - 1].rules
        rule = rules[entry.rule]
        word = KINDS[entry.kind].word or entry.kind.name
        place = f"entry {outcome.entry}" if rule.span is None else f"line {rule.span.line}"
        held = ordered[number - 1] if number else None
        inside = f" of capability {held.name or held.id}" if held else ""
        return f"by `{word}` in {place}{inside}"


def _sees_receivers(view: View) -> bool:
    entries = (entry for rules in (view.base, *view.capabilities) for entry in rules)
    return any(entry.kind in _RECEIVERS for entry in entries)


# --- what every question adds


def network_constraints(formulas: Formulas, directions: Collection[str]) -> list[Literal]:
    """What holds of members' addresses on a network (docs/spec/evaluation.md sections 7 and 8).

    A multicast has no one receiver: for its sender the destination is 0 and no tags are known.
    """
    for name in ("zt_source", "out.node", "out.zt_dest", "in.node", "in.zt_dest"):
        formulas.field(name, 40)
    found = [-formulas.test("zt_source", 0)]
    unicast = -formulas.test("out.zt_dest", 0)
    if "out" in directions:
        known = formulas.test(formulas.field("receiver_known", 1), 1)
        one_receiver = formulas.test(formulas.field("mac_dest", 48), 0, 0, 1 << 40)
        found.append(formulas.compare("equal", "out.node", "zt_source"))
        found += [formulas.implies(unicast, known), formulas.implies(known, unicast)]
        found.append(formulas.implies(unicast, one_receiver))
    if "in" in directions:
        found.append(-formulas.test("in.node", 0))
        found.append(-formulas.compare("equal", "zt_source", "in.node"))
        found.append(formulas.compare("equal", "in.node", "in.zt_dest"))
    if "out" in directions and "in" in directions:
        same = formulas.compare("equal", "out.zt_dest", "in.node")
        found.append(formulas.implies(unicast, same))
    return found


def refuse_unbuildable(prover: Prover, buildable: Literal, where: Sequence[Literal]) -> None:
    """Raise Undecided where only frames are left of which it is not known that they exist."""
    if buildable != TRUE and not prover.empty(*where):
        raise Undecided("INTEGER_RANGE in IPv6 packets with extension headers is not decided")


def witness_preferences(frame: FrameFormulas) -> list[Literal]:
    """What makes a witness look like a frame that people know, the first first."""
    test, formulas = frame.test, frame.formulas
    one_receiver = test("mac_dest", 0, 0, 1 << 40)
    return [
        frame.plain,
        formulas.test("receiver_known", 1),
        test("length", 60, 1500),
        test("ethertype", 0x0800),
        test("vlan", 0),
        test("owns_ip", 1),
        test("owns_mac", 0),  # no controller certifies MACs
        test("protocol", 6),
        test("tcp", 2),
        test("tcp", 0x10),
        test("tos", 0),
        # whom its sender does not know is rather everybody than somebody behind a bridge
        formulas.implies(one_receiver, formulas.test("receiver_known", 1)),
        one_receiver,
        formulas.either(one_receiver, test("mac_dest", BROADCAST)),
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
    tags: Mapping[int, Tag],
    members: Mapping[int, str] | None = None,
) -> str:
    """A witness's circumstances in words, for the policies that judge it.

    They are as the last side sees them, which of a multicast's recipients knows itself.

    tags: by id.  members: names by address.
    """
    first = policies[0]
    direction = first.directions[-1]
    dependencies = [policy.dependencies for policy in policies]
    addressed = any(each.addresses for each in dependencies)
    context = first.contexts(assignment, frame)[direction]
    text = context_text(context, direction, tags, addressed, members)
    return "; ".join([text] * bool(text) + witness_facts(dependencies, assignment, frame))
