"""What is proved about one list of entries: what never happens in it, and what narrows nothing.

Contract: `RuleSetFindings(analysis, …).find()` gives the findings ZT201 to ZT206 of the base
rules or of a capability, each proved for both sides of the network.
Tested by tests/proof/test_findings.py, with random frames against every claim.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from ztfast.errors import Diagnostic, Fix, Source, Span
from ztfast.lang.rewrites import joined_by_or, without_match, without_statement
from ztfast.model.kinds import KINDS, Kind
from ztfast.model.policy import Rule
from ztfast.model.view import DIRECTIONS
from ztfast.proof.analysis import Analysis
from ztfast.proof.formula import FALSE, TRUE, Literal
from ztfast.proof.solver import Undecided
from ztfast.proof.symbolic import SymbolicStep

Rewrite = Callable[[Source | None, Sequence[Rule], int], Fix | None]
ACCEPTING = (Kind.ACTION_ACCEPT, Kind.ACTION_REDIRECT, Kind.ACTION_PRIORITY)
MAX_SHADOWS = 4
MOST_ALIKE = 4  # findings of one list that say the same and each stand alone
# What a frame has one of: two matches of a kind that want different ones exclude each other.
_ONE_EACH = {
    Kind.MATCH_SOURCE_ZEROTIER_ADDRESS: "sender",
    Kind.MATCH_DEST_ZEROTIER_ADDRESS: "receiver",
    Kind.MATCH_MAC_SOURCE: "source MAC",
    Kind.MATCH_MAC_DEST: "destination MAC",
    Kind.MATCH_IPV4_SOURCE: "source address",
    Kind.MATCH_IPV4_DEST: "destination address",
    Kind.MATCH_IPV6_SOURCE: "source address",
    Kind.MATCH_IPV6_DEST: "destination address",
    Kind.MATCH_IP_PROTOCOL: "protocol",
    Kind.MATCH_ETHERTYPE: "ethertype",
    Kind.MATCH_IP_SOURCE_PORT_RANGE: "source port",
    Kind.MATCH_IP_DEST_PORT_RANGE: "destination port",
}
_COPIES = (Kind.ACTION_TEE, Kind.ACTION_WATCH)


def _merged(found: list[Diagnostic], where: str) -> list[Diagnostic]:
    """Many findings that say the same of one list's matches, as one at the first of them."""
    alike: dict[tuple[str, str, str | None], list[Diagnostic]] = {}
    for one in found:
        if one.span is not None:
            alike.setdefault((one.code, one.message, one.help), []).append(one)
    gone: set[int] = set()
    many: dict[int, Diagnostic] = {}
    for same in alike.values():
        if len(same) > MOST_ALIKE:
            gone.update(id(one) for one in same[1:])
            lines = dict.fromkeys(one.span.line for one in same[1:] if one.span is not None)
            shown = ", ".join(map(str, list(lines)[:MOST_ALIKE]))
            more = " and more" if len(lines) > MOST_ALIKE else ""
            text = f"{same[0].message}, and so are {len(same) - 1} more of {where}"
            many[id(same[0])] = replace(same[0], message=f"{text} (lines {shown}{more})")
    return [many.get(id(one), one) for one in found if id(one) not in gone]


class RuleSetFindings:
    """The questions about one list of entries.

    number: 0 the base rules, then the capabilities by id; where: what it is called.
    traces: of both sides; steps: of each entry on both sides.
    """

    def __init__(
        self, analysis: Analysis, number: int, where: str, rules: Sequence[Rule], span: Span | None
    ) -> None:
        self.analysis, self.number, self.where = analysis, number, where
        self.rules, self.span = rules, span
        self.formulas, self.possible = analysis.formulas, analysis.possible
        self.traces = [analysis.traces[direction].rule_sets[number] for direction in DIRECTIONS]
        self.steps: list[tuple[SymbolicStep, ...]] = list(
            zip(*(trace.steps for trace in self.traces), strict=True)
        )
        self._reached = True  # evaluation comes to this rule set
        self._ended = False  # and to no later entry of it

    def find(self) -> list[Diagnostic]:
        """All findings, in the order of the entries."""
        found: list[Diagnostic] = []
        if self.number:
            found += self.analysis.ask(self._capability)
            if not self._reached:
                return found
        first = 0
        for index, steps in enumerate(self.steps):
            if not steps[0].is_action:
                continue
            members, first = range(first, index), index + 1
            found += self.analysis.ask(partial(self._set, members, index))
            if self._ended:
                break
        return _merged(found, self.where)

    # --- capabilities

    def _capability(self) -> Iterator[Diagnostic]:
        passes = [trace.passes(self.formulas) for trace in self.traces]
        if not self.possible(*passes):
            yield self._grants_nothing()
            return
        left = [
            self.formulas.both(trace.start, -passed)
            for trace, passed in zip(self.traces, passes, strict=True)
        ]
        base_leaves = [self.analysis.traces[side].base.no_match for side in DIRECTIONS]
        if not self.possible(*left) and self.possible(*base_leaves):
            yield self.analysis.warning(
                "ZT206",
                f"{self.where} grants everything that the base rules leave open",
                self.span,
                "narrow it with matches, unless it is meant for administrators",
            )

    def _grants_nothing(self) -> Diagnostic:
        self._reached = self.possible(*(trace.start for trace in self.traces))
        why = (
            "it accepts nothing"
            if self._reached
            else "the base rules decide every frame before it is asked"
        )
        return self.analysis.warning(
            "ZT205",
            f"{self.where} grants nothing: {why}",
            self.span,
            "put `break` before the base rules' last action, or remove it",
        )

    # --- sets of matches with their action

    def _set(self, members: range, index: int) -> Iterator[Diagnostic]:
        action = self.steps[index]
        if not self.possible(*(step.live for step in action)):
            yield self._never_reached(index)
            self._ended = True
            return
        if not self.possible(*(self.formulas.both(step.live, step.before) for step in action)):
            yield from self._never_taken(members, index)
            return
        if action[0].entry.kind in _COPIES and not self.possible(*self._sends(index)):
            yield self._at(
                index,
                "ZT204",
                f"this {KINDS[action[0].entry.kind].word} never sends a copy:"
                f" {self._why_not_sent(index)}",
                "put it before what ends evaluation, and where the frame is accepted later",
            )
        for member in members:
            yield from self._match(member)

    def _match(self, index: int) -> Iterator[Diagnostic]:
        steps = self.steps[index]
        evaluated = [
            step.live if step.entry.alternative else self.formulas.both(step.live, step.before)
            for step in steps
        ]
        pairs = list(zip(evaluated, steps, strict=True))
        if not self.possible(*(self.formulas.both(here, step.match) for here, step in pairs)):
            if self.possible(*evaluated):
                yield self._always_false(index)
        elif not self.possible(*(self.formulas.both(here, -step.match) for here, step in pairs)):
            if self.number and self._narrows_alone(index):
                return  # what the base rules leave to capabilities may change
            yield self._at(
                index,
                "ZT202",
                "this match is always true where it stands: it narrows nothing down",
                "remove it, or check what was meant",
                self._fix(without_match, index),
            )

    def _narrows_alone(self, index: int) -> bool:
        """Does a match narrow its set down, whatever frames come to the set?"""
        alone = [
            self.formulas.both(TRUE if step.entry.alternative else step.before, -step.match)
            for step in self.steps[index]
        ]
        return self.possible(*alone)

    def _holds_alone(self, index: int) -> bool:
        """Could a match be true, whatever frames come to the set?"""
        alone = [
            self.formulas.both(TRUE if step.entry.alternative else step.before, step.match)
            for step in self.steps[index]
        ]
        return self.possible(*alone)

    def _always_false(self, index: int) -> Diagnostic:
        kind = self.steps[index][0].entry.kind
        message = "this match is always false where it stands"
        if not self._excluded(index):
            help = "check the value, the `not`, and the entries before it"
            if self.number and self._holds_alone(index):
                help = (
                    "the base rules decide all such frames before the capability is asked:"
                    " remove it, or put `break` before them"
                )
            return self._at(index, "ZT203", message, help)
        message += f": a frame has one {_ONE_EACH[kind]}"
        message += f", and `{KINDS[kind].word}` before it asks for another"
        fix = self._fix(joined_by_or, index)
        return self._at(index, "ZT203", message, "for alternatives write `or`", fix)

    def _excluded(self, index: int) -> bool:
        """Does a match of the same kind, joined by `and`, leave nothing to this one?"""
        here = self.steps[index]
        if here[0].entry.kind not in _ONE_EACH or here[0].entry.inverted:
            return False
        for steps in reversed(self.steps[:index]):
            if steps[0].is_action or steps[0].entry.alternative or here[0].entry.alternative:
                break
            same = steps[0].entry.kind is here[0].entry.kind and not steps[0].entry.inverted
            both = [self.formulas.both(a.match, b.match) for a, b in zip(steps, here, strict=True)]
            if same and not self.possible(*both):
                return True
        return False

    # --- copies

    def _sends(self, index: int) -> list[Literal]:
        """Where each side sends the copy of a tee or watch."""
        parts: list[Literal] = []
        for trace, direction in zip(self.traces, DIRECTIONS, strict=True):
            noted = dict(trace.copies).get(index, FALSE)
            passes = self.analysis.traces[direction].accepted
            if self.number:
                passes = trace.passes(self.formulas)
            parts.append(self.formulas.both(noted, passes))
        return parts

    def _why_not_sent(self, index: int) -> str:
        if not self.steps[index][0].entry.value[0]:
            return "its target is not a member (0000000000)"
        noted = [dict(trace.copies).get(index, FALSE) for trace in self.traces]
        if not self.possible(*noted):
            return "a later one always replaces it"
        return "the frame is never accepted afterwards"

    # --- dead entries

    def _never_reached(self, index: int) -> Diagnostic:
        """Evaluation never comes here: all frames have been decided before."""
        rest = [step[0].entry.kind for step in self.steps[index:] if step[0].is_action]
        accepting = sum(kind in ACCEPTING for kind in rest)
        behind = f", nor {len(rest) - 1} more behind it" if len(rest) > 1 else ""
        behind += f" ({accepting} of them accept)" if behind and accepting else ""
        shadows = self._shadows(index, [trace.start for trace in self.traces])
        return self._at(
            index,
            "ZT201",
            f"this action is never reached{behind}: {shadows} decides every frame before",
            "move it up, or remove it",
            self._fix(without_statement, index),
        )

    def _never_taken(self, members: range, index: int) -> Iterator[Diagnostic]:
        """Evaluation comes here, and the set is never true."""
        alone = [
            self.formulas.both(trace.start, step.before)
            for trace, step in zip(self.traces, self.steps[index], strict=True)
        ]
        if not self.possible(*alone):
            yield self._contradictory(members, index)
            return
        yield self._at(
            index,
            "ZT201",
            f"this action is never taken: {self._shadows(index, alone)} decides all its frames"
            " before",
            "move it up, or remove it",
        )

    def _contradictory(self, members: range, index: int) -> Diagnostic:
        """The set is false whatever stands before it: the match that makes it so, or the set."""
        for member in members:
            for finding in self._match(member):
                if finding.code == "ZT203":
                    return finding
        return self._at(
            index,
            "ZT201",
            "this action is never taken: its matches contradict each other",
            "use `or` between alternatives, or split the action",
        )

    def _shadows(self, index: int, alone: Sequence[Literal]) -> str:
        """The earlier entries that leave nothing, in words."""
        found: dict[int, None] = {}
        for trace, wanted in zip(self.traces, alone, strict=True):
            ends = [(at, trace.steps[at].would_end) for at, _ in trace.ends if at < index]
            core = self._core(wanted, [-ending for _, ending in ends])
            found.update((at, None) for at, ending in ends if -ending in core)
        names = [self.analysis.entry_text(self.number, at) for at in sorted(found)]
        if len(names) > MAX_SHADOWS:
            more = len(names) - MAX_SHADOWS
            return f"{', '.join(names[:MAX_SHADOWS])} and {more} more together"
        return " and ".join(names) if names else "what stands before it"

    def _core(self, wanted: Literal, among: Sequence[Literal]) -> Sequence[Literal]:
        try:
            return self.analysis.prover.unsat_core([wanted], among) or ()
        except Undecided:
            return among

    def _fix(self, make: Rewrite, index: int) -> Fix | None:
        """A fix at an entry."""
        at = self.analysis.number_of(self.number, index)
        return make(self.analysis.policy.source, self.rules, at)

    def _at(
        self, index: int, code: str, message: str, help: str, fix: Fix | None = None
    ) -> Diagnostic:
        """A finding about one entry."""
        rule = self.analysis.rule_of(self.number, index)
        if rule.span is None:
            message = f"entry {index} of {self.where}: {message}"
        if rule.span is None or rule.parent is None:
            return self.analysis.warning(code, message, rule.span, help, fix)
        # Of a macro only what one include brings here is proved: it is said there.
        message = f"line {rule.span.line} as included here: {message}"
        help = f"{help}; the macro's other includes may need it"
        return self.analysis.warning(code, message, rule.parent, help)
