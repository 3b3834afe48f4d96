"""Address resolution that no rule lets through: nobody can talk, whatever else is accepted.

Contract: `resolution_findings` gives ZT210 where IPv4 is delivered between members and ARP never
(or IPv6, of which the rules speak, and neighbour discovery never): requests or answers; and ZT211
at each `break` whose tags take requests whatever the receiver's tags are.  Every "never" is
proved.  Source: docs/spec/evaluation.md sections 6 and 8.
Tested by tests/proof/test_resolution_findings.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ztfast.errors import Diagnostic
from ztfast.frames.build import ICMP, ICMP6, TCP, UDP
from ztfast.lang.rewrites import inserted
from ztfast.model.kinds import Entry, Kind
from ztfast.model.view import View
from ztfast.proof.analysis import Analysis
from ztfast.proof.formula import Literal
from ztfast.proof.frame_model import ARP, BROADCAST, IPV6, FrameFormulas
from ztfast.proof.match_formulas import RECEIVERS_TAGS
from ztfast.proof.symbolic_policy import SymbolicPolicy, network_constraints, witness_preferences
from ztfast.proof.verdict_classes import event_formulas
from ztfast.proof.witness import frame_of

_ARP_RULE = "accept ethertype arp;"
_NDP_RULE = "accept icmp 135 -1 or icmp 136 -1;"


class _Family(NamedTuple):
    """An IP version and what finds addresses in it: frames as formulas."""

    name: str
    resolution: str
    traffic: Literal
    request: Literal
    answer: Literal
    wanted: bool
    rule: str
    help: str


def resolution_findings(analysis: Analysis, engine: str) -> Iterator[Diagnostic]:
    """What is wrong with ARP and neighbour discovery."""
    yield from _Resolution(analysis, engine).find()


class _Resolution:
    """A policy between members of a network, and what is delivered there."""

    def __init__(self, analysis: Analysis, engine: str) -> None:
        self.analysis = analysis
        formulas, frame = analysis.formulas, analysis.frame
        self.symbolic = SymbolicPolicy(analysis.policy, engine, "both", formulas, frame)
        self.delivered = event_formulas(formulas, self.symbolic.traces, ())[("delivered",)]
        self.network = formulas.all(network_constraints(formulas, ("out", "in")))
        self.families = _families(frame, _mentions_ipv6(analysis.views["out"]))

    def find(self) -> Iterator[Diagnostic]:
        """ZT211 at each `break` that takes requests; ZT210 where another entry does."""
        taken = [index for index in self._tag_breaks() if self._takes_requests(index)]
        yield from map(self._taken, taken)
        for family in self.families:
            if not family.wanted or not self._possible(family.traffic, self.delivered):
                continue
            for what, frames in (("request", family.request), ("answer", family.answer)):
                if not self._possible(frames, self.delivered):
                    stopped = self._stopped(frames)
                    if stopped not in taken:
                        yield self._lost(family, what, stopped)
                    break

    def _possible(self, *parts: Literal) -> bool:
        return self.analysis.possible(self.analysis.formulas.all((self.network, *parts)))

    def _lost(self, family: _Family, what: str, index: int | None) -> Diagnostic:
        by, span = "no rule accepts it", None
        if index is not None:
            by = f"{self.analysis.entry_text(0, index)} ends it"
            span = self.analysis.span_of(0, index)
        return self.analysis.warning(
            "ZT210",
            f"{family.name} is accepted, but no {family.resolution} {what} ever arrives: {by}."
            " Members cannot find each other, so they cannot talk",
            span,
            family.help,
            inserted(self.analysis.policy, None, family.rule),
        )

    def _stopped(self, frames: Literal) -> int | None:
        """The base entry that stops a usual one of these frames; None: the end of the rules."""
        preferences = witness_preferences(self.analysis.frame)
        wanted = [self.network, frames]
        assignment = self.analysis.prover.find_preferred(wanted, preferences)
        assert assignment is not None
        frame = frame_of(assignment)
        self.symbolic.verdict_on(assignment, frame)  # by both evaluators and by `explain`
        outcome = list(self.symbolic.outcomes(assignment, frame).values())[-1]
        return None if outcome.entry < 0 or outcome.capability is not None else outcome.entry

    # --- a `break` on tags that the sender cannot know

    def _tag_breaks(self) -> Iterator[int]:
        """Each `break` whose set asks for the receiver's tags."""
        matches: list[Entry] = []
        for index, step in enumerate(self.symbolic.traces["out"].base.steps):
            if not step.is_action:
                matches.append(step.entry)
                continue
            tagged = any(entry.kind in RECEIVERS_TAGS for entry in matches)
            matches = []
            if tagged and step.entry.kind is Kind.ACTION_BREAK:
                yield index

    def _takes_requests(self, index: int) -> bool:
        """Are there requests that end there for good, and other frames of IP that do not?"""
        trace = self.symbolic.traces["out"]
        family = self.families[0]
        here = trace.base.steps[index].ends
        return self._possible(family.request, here, -trace.accepted) and self._possible(
            family.traffic, self.delivered
        )

    def _taken(self, index: int) -> Diagnostic:
        return self.analysis.warning(
            "ZT211",
            "ARP requests end here whatever the receiver's tags are: a sender knows no receiver's"
            " tags when it asks everybody, and on ZeroTier 1.14 they then count as matching",
            self.analysis.span_of(0, index),
            f"put `{_ARP_RULE}` (and `accept icmp 135 -1;`) before it",
            inserted(
                self.analysis.policy,
                self.analysis.number_of(0, index),
                _ARP_RULE,
                "accept icmp 135 -1;",
            ),
        )


def _mentions_ipv6(view: View) -> bool:
    """Do the rules speak of IPv6 at all?  Of others it is not said what IPv6 would need."""
    entries = [entry for rules in (view.base, *view.capabilities) for entry in rules]
    return any(
        entry.kind in (Kind.MATCH_IPV6_SOURCE, Kind.MATCH_IPV6_DEST)
        or (entry.kind is Kind.MATCH_ETHERTYPE and entry.value[0] == IPV6)
        or (entry.kind is Kind.MATCH_IP_PROTOCOL and entry.value[0] == ICMP6)
        for entry in entries
    )


def _families(frame: FrameFormulas, six_too: bool) -> tuple[_Family, _Family]:
    test, formulas = frame.test, frame.formulas
    one = formulas.all((test("mac_dest", 0, 0, 1 << 40), formulas.test("receiver_known", 1)))
    plain = formulas.all((frame.plain, test("vlan", 0), test("length", 60, 1400)))
    arp = formulas.all((test("ethertype", ARP), test("length", 28, 60), test("vlan", 0)))
    ndp = formulas.all(
        (plain, frame.ipv6_valid, test("protocol", ICMP6), test("icmp_code", 0), frame.has_icmp)
    )
    asks = formulas.both(-test("mac_dest", 0, 0, 1 << 40), -test("mac_dest", BROADCAST))
    ports = formulas.either(test("protocol", TCP), test("protocol", UDP))
    # IPv4 has no messages of such types: `icmp 135 -1` alone accepts none of its traffic
    messages = formulas.either(test("protocol", ICMP), test("protocol", ICMP6))
    no_message = formulas.both(messages, test("icmp_type", 128, 255))
    four = formulas.all((one, plain, frame.ipv4, -no_message))
    six = formulas.all((one, plain, frame.ipv6_valid, ports))
    return (
        _Family(
            "IPv4",
            "ARP",
            four,
            formulas.both(arp, test("mac_dest", BROADCAST)),
            formulas.both(arp, one),
            True,
            _ARP_RULE,
            f"put `{_ARP_RULE}` before the other rules",
        ),
        _Family(
            "IPv6",
            "neighbour discovery",
            six,
            formulas.all((ndp, test("icmp_type", 135), asks)),
            formulas.all((ndp, test("icmp_type", 136), one)),
            six_too,
            _NDP_RULE,
            f"put `{_NDP_RULE}` before the other rules; only networks whose"
            " IPv6 addresses are all RFC 4193 or 6PLANE ones of ZeroTier do without",
        ),
    )
