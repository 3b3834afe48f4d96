"""Why one frame gets its verdict: both sides, every rule set, every entry.

Contract: `explain` runs the reference evaluator and returns plain frozen values; what they
say is what it did, step by step.  `explain.render` shows them as text and JSON.
Tested by tests/explain/test_explain.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ztfast.engine.context import EntryStep as Step
from ztfast.engine.context import Outcome, Sent, Trial
from ztfast.errors import Span
from ztfast.explain.contexts import ContextResolver, FrameContexts
from ztfast.explain.delivery import DeliveryNote
from ztfast.explain.match_text import MatchDescriber
from ztfast.explain.walk import Pass, Walk, fate_of
from ztfast.frames.frame import Frame
from ztfast.frames.text import frame_text
from ztfast.lang.printer import entry_printer
from ztfast.model.kinds import Entry, Kind
from ztfast.model.policy import Capability, Policy, Rule, included_text
from ztfast.model.reads import ASSUMED_MASK, UNCERTAIN_MASK, Reads
from ztfast.model.result import Result

_COPYING = (Kind.ACTION_TEE, Kind.ACTION_WATCH)


class EntryNote(NamedTuple):
    """One entry and what became of it.

    status: matches "true", "false" (after `not`) or "skipped"; actions "taken" or "passed
    over" (their set was false); "not reached".  set_after: the set's value behind a match.
    parent: the include that a macro's entry stands for.
    """

    entry: int
    text: str
    span: Span | None
    action: bool
    status: str
    set_after: bool | None
    why: str
    parent: Span | None = None


class RuleSetNote(NamedTuple):
    """One rule set as evaluated: the base rules (capability None) or a capability."""

    name: str
    capability: int | None
    result: str
    entries: tuple[EntryNote, ...]


class SideNote(NamedTuple):
    """One side: what it did and why.

    direction: "out" (sender) or "in" (receiver).  node: its ZeroTier address, where known.
    members: how many judge alike.  reached: False where the frame never got there; the rest is
    then as it stands here.  verdict: "accept", "drop" or "redirect".  by: the deciding entry
    (None: the rules' end), rule_set: that of it.  destination: after redirects.
    notes: what mattered beside the matches; assumed: what nobody gave or captured; uncertain: of
    that the parts of the frame.
    recipient: for whom the sender judges again a frame that goes to several, else None.
    """

    direction: str
    node: int | None
    members: int
    destination: int
    reached: bool = False
    verdict: str = "drop"
    super_accept: bool = False
    by: EntryNote | None = None
    rule_set: str = ""
    rule_sets: tuple[RuleSetNote, ...] = ()
    copies: tuple[Sent, ...] = ()
    qos: int = 0
    notes: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    uncertain: Reads = Reads(0)
    outcome: Outcome | None = None
    recipient: int | None = None


class Explanation(NamedTuple):
    """The whole answer for one frame.

    verdict: what becomes of it, "accept", "drop" or "redirect".  stopped: why it goes to nobody,
    whatever the rules say; "" where they decide.  deliveries: what is sent for it on the network
    and where it ends; None where its members are not known, or one side was asked.  names: of the
    network's members, by address.
    """

    frame: Frame
    frame_text: str
    verdict: str
    sides: tuple[SideNote, ...]
    policy: Policy
    stopped: str = ""
    deliveries: tuple[DeliveryNote, ...] | None = None
    names: Mapping[int, str] = {}


def explain(
    resolver: ContextResolver,
    contexts: FrameContexts,
    side: str = "both",
    deliveries: tuple[DeliveryNote, ...] | None = None,
) -> Explanation:
    """Judge one frame and say why; side "both", "out" or "in".

    deliveries: what `explain.delivery` says of the frame, where that is to be shown too.
    """
    walk, frame = Walk(resolver, contexts, side), contexts.frame
    sides = tuple(_SideExplainer(resolver, frame, one).note() for one in walk.passes())
    text, policy = frame_text(frame), resolver.policy
    members = () if resolver.network is None else resolver.network.members
    names = {member.address: member.name for member in members if member.name}
    verdict, stopped = walk.verdict(), walk.stopped()
    return Explanation(frame, text, verdict, sides, policy, stopped, deliveries, names)


class _SideExplainer:
    """Makes the note of one side."""

    def __init__(self, resolver: ContextResolver, frame: Frame, judged: Pass) -> None:
        direction = judged.direction
        self.policy, self.view = resolver.policy, resolver.views[direction]
        self.context, self.judged = judged.context, judged
        self.capabilities = self.policy.ordered_capabilities
        self.text = entry_printer(self.policy.tags)
        self.matches = MatchDescriber(frame, self.context, direction == "in", self.policy.tags)

    def note(self) -> SideNote:
        """What happened, or that the frame never got there."""
        judged, outcome = self.judged, self.judged.outcome
        note = SideNote(
            judged.direction,
            self.context.node or None,
            judged.members,
            self.context.zt_dest,
            recipient=judged.recipient,
        )
        if outcome is None:
            return note
        rule_sets = tuple(self._rule_set(trial) for trial in outcome.trials)
        deciding = rule_sets[-1 if outcome.capability is not None else 0]
        return note._replace(
            reached=True,
            verdict=fate_of(outcome),
            super_accept=outcome.accept == 2,
            by=deciding.entries[outcome.entry] if outcome.entry >= 0 else None,
            rule_set=deciding.name,
            rule_sets=rule_sets,
            copies=outcome.copies,
            destination=outcome.destination,
            qos=outcome.qos,
            notes=tuple(self._notes(outcome)),
            assumed=tuple(_assumptions(outcome.reads)),
            uncertain=outcome.reads & UNCERTAIN_MASK,
            outcome=outcome,
        )

    # --- rule sets

    def _rules(self, capability: int | None) -> tuple[tuple[Entry, ...], tuple[Rule, ...]]:
        if capability is None:
            return self.view.base, self.policy.rules
        return self.view.capabilities[capability], self.capabilities[capability].rules

    def _rule_set(self, trial: Trial) -> RuleSetNote:
        entries, rules = self._rules(trial.capability)
        first = self._first_index(trial.capability)
        steps = {step.entry: step for step in trial.steps}
        notes = tuple(
            self._entry(index, entry, rules[entry.rule], steps.get(index), first)
            for index, entry in enumerate(entries)
        )
        name = self._name(trial.capability)
        return RuleSetNote(name, trial.capability, RESULT_WORDS[trial.result], notes)

    def _first_index(self, capability: int | None) -> int:
        """The number of a rule set's first entry, counting base rules, then all capabilities."""
        if capability is None:
            return 0
        return len(self.view.base) + sum(map(len, self.view.capabilities[:capability]))

    def _name(self, capability: int | None) -> str:
        return (
            "base rules" if capability is None else capability_title(self.capabilities[capability])
        )

    def _entry(
        self, index: int, entry: Entry, rule: Rule, step: Step | None, first: int
    ) -> EntryNote:
        action = entry.kind.is_action
        if step is None:
            status, after, why = "not reached", None, ""
        elif action:
            after = None
            status, why = self._action(entry, step)
        elif step.answer is None:
            status, after, why = "skipped", step.after.matches, "the set is false already"
        else:
            status, after = ("true" if step.matched else "false"), step.after.matches
            why = self._match(entry, step, first + index)
        text = self.text(rule.json)
        return EntryNote(index, text, rule.span, action, status, after, why, rule.parent)

    def _match(self, entry: Entry, step: Step, index: int) -> str:
        text = self.matches.describe(entry, index, step.answer)
        if self.view.engine == "1.12":
            return text.partition(": true for now")[0]
        if entry.inverted and step.answer in ("hardNo", "hardYes"):
            text += "; `not` does not turn that"
        return text

    def _action(self, entry: Entry, step: Step) -> tuple[str, str]:
        if not step.before.matches:
            armed = step.after.super_accept and not step.before.super_accept
            return "passed over", (
                "its copy is for this node: super-accept is armed" if armed else "the set is false"
            )
        if step.result is not None:
            return "taken", _ENDS[step.result]
        if entry.kind is Kind.ACTION_DROP:
            return "taken", "passed over: an unknown tag was taken as true before (skipDrop)"
        if entry.kind in _COPYING and step.after.copy != step.before.copy:
            copy = step.after.copy
            return "taken", (
                "the noted copy is cleared"
                if copy is None
                else f"a copy of {copy.length} bytes of payload to {copy.target:010x} is noted"
            )
        return "taken", "it has nothing to do here: its target is an end of this frame"

    # --- what mattered

    def _notes(self, outcome: Outcome) -> Iterator[str]:
        for trial in outcome.trials:
            name = self._name(trial.capability)
            for step in trial.steps:
                yield from self._step_notes(trial, step, name)
        if len(outcome.trials) != 1 or outcome.trials[0].result is Result.NO_MATCH:
            yield self._capabilities_note(len(outcome.trials) - 1)
        if self.context.no_tee:
            yield "judged again for a recipient: no copies are sent"

    def _capabilities_note(self, tried: int) -> str:
        held = len(self.context.held)
        if held:
            whose = "the sender's" if self.view.direction == "in" else "its own"
            capabilities = f"so {whose} capabilities are tried: {tried} of {held}"
            return f"the base rules decide nothing, {capabilities}"
        which = " of these rules" if self.policy.capabilities else ""
        return f"the base rules decide nothing, and the sender holds no capability{which}: dropped"

    def _step_notes(self, trial: Trial, step: Step, name: str) -> Iterator[str]:
        entries, rules = self._rules(trial.capability)
        where = _place(rules[entries[step.entry].rule], step.entry, name)
        if step.after.skip_drop and not step.before.skip_drop:
            armed = "" if self.view.engine == "1.12" else "; skipDrop is armed"
            yield f"{where}: a tag is not known here, taken as true{armed}"
        if step.before.skip_drop and not step.after.skip_drop:
            yield f"{where}: this drop is passed over because skipDrop was armed"
        if step.after.super_accept and not step.before.super_accept:
            yield f"{where}: this node is the target of a copy; super-accept is armed"
        if step.result is Result.SUPER_ACCEPT:
            yield f"{where}: super-accepted, this node is the target of a copy"
        hard = step.answer == "hardNo" and self.view.engine != "1.12"
        if hard and entries[step.entry].kind.name.startswith("MATCH_TAG"):
            yield f"{where}: a tag is missing, which is false here whatever `not` says"


def _place(rule: Rule, entry: int, name: str) -> str:
    if rule.span is None:
        return f"{name}, entry {entry}"
    return f"line {rule.span.line}{included_text(rule.parent)}"


def capability_title(capability: Capability) -> str:
    """How a capability is called in reports."""
    return f"capability {capability.name or capability.id}"


RESULT_WORDS = {
    Result.NO_MATCH: "no match",
    Result.DROP: "drop",
    Result.REDIRECT: "redirect",
    Result.ACCEPT: "accept",
    Result.SUPER_ACCEPT: "super-accept",
}
_ENDS = {
    Result.NO_MATCH: "these rules end here without a decision",
    Result.DROP: "dropped here",
    Result.REDIRECT: "redirected here",
    Result.ACCEPT: "accepted here",
    Result.SUPER_ACCEPT: "super-accepted here",
}
_READ_NAMES = {
    Reads.ETHERTYPE: "the ethertype",
    Reads.MAC_DEST: "the destination MAC",
    Reads.MAC_SOURCE: "the source MAC",
    Reads.IP_SOURCE: "the source address",
    Reads.IP_DEST: "the destination address",
    Reads.TOS: "the TOS",
    Reads.PROTOCOL: "the protocol",
    Reads.SOURCE_PORT: "the source port",
    Reads.DEST_PORT: "the destination port",
    Reads.ICMP: "the ICMP type",
    Reads.TCP_FLAGS: "the TCP flags",
    Reads.AUTH_ADDRESS: "the address that ipauth checks",
    Reads.INTEGER: "payload bytes",
    Reads.ASSUMED_OWNERSHIP: "which addresses the sender owns",
    Reads.ASSUMED_TAGS: "tags of unknown members",
    Reads.ASSUMED_ADDRESS: "unknown ZeroTier addresses",
}


_MACS = Reads.MAC_SOURCE | Reads.MAC_DEST


def uncertainty(sides: Iterable[SideNote]) -> str:
    """What of the frame the rules looked at though it is not known; "" where there is nothing."""
    reads = Reads(0)
    for side in sides:
        reads |= side.uncertain
    names = [name for bit, name in _READ_NAMES.items() if bit & reads]
    if not names:
        return ""
    how = "not captured" if reads & ~_MACS else "not given"
    return f"the rules looked at what was {how}: {', '.join(names)} (taken as zero)"


def _assumptions(reads: Reads) -> Iterator[str]:
    for bit, name in _READ_NAMES.items():
        if reads & bit & UNCERTAIN_MASK:
            yield f"{name} ({'not given' if bit & _MACS else 'not captured'}: taken as zero)"
        elif reads & bit & ASSUMED_MASK:
            yield name
