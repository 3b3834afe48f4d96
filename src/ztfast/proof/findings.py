"""What can be proved about a policy: dead entries, idle matches, lost replies (ZT2xx).

Contract: every finding of `findings` holds for all frames of up to 65,535 payload bytes,
all members, tags and random draws, on both sides of the network; where the time limit
ends before all is decided, a note (ZT209) says so and nothing is claimed of the rest.
Tested by tests/proof/test_findings.py, with random frames against every claim.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ztfast.engine.side_verdicts import Result
from ztfast.errors import Diagnostic, Severity, Span
from ztfast.frames.text import frame_text
from ztfast.model.kinds import KINDS, Kind
from ztfast.model.policy import Policy, Rule
from ztfast.model.view import DIRECTIONS, make_view
from ztfast.proof.formula import FALSE, Lit, Sets
from ztfast.proof.frame_model import FrameSets
from ztfast.proof.match_formulas import Side
from ztfast.proof.patterns import candidates
from ztfast.proof.reply_trap import Flow
from ztfast.proof.solver import Deadline, Prover, Undecided
from ztfast.proof.symbolic import SideWalk, Step, walk

TIME_LIMIT = 8.0
MAX_TRAPS = 10
MAX_SHADOWS = 4
_COPIES = (Kind.ACTION_TEE, Kind.ACTION_WATCH)
_ACCEPTING = (Kind.ACTION_ACCEPT, Kind.ACTION_REDIRECT, Kind.ACTION_PRIORITY)


def findings(
    policy: Policy, *, time_limit: float | None = TIME_LIMIT, engine: str = "1.14"
) -> list[Diagnostic]:
    """The analysis' findings about a policy, each proved.

    time_limit: seconds after which no further proof is begun (None: none).
    Raises BackendError where z3 is missing or a witness contradicts a proof.
    """
    return _Analysis(policy, Deadline(time_limit), engine).run()


class _Analysis:
    """A policy's views walked symbolically, and the questions asked of them."""

    def __init__(self, policy: Policy, deadline: Deadline, engine: str) -> None:
        self.policy = policy
        self.sets = Sets()
        self.frame = FrameSets(self.sets)
        self.views = {side: make_view(policy, side, engine) for side in DIRECTIONS}
        self.walks: dict[str, SideWalk] = {
            side: walk(view, Side(self.sets, self.frame, side)) for side, view in self.views.items()
        }
        self.prover = Prover(self.sets, deadline)
        for literal in self.frame.structure():
            self.prover.require(literal)
        for rules in self.walks["out"].rule_sets:
            self.prover.suggest(candidates(self.sets, rules.steps))
        self.undecided = 0
        self._answers: dict[Lit, bool] = {}

    def run(self) -> list[Diagnostic]:
        ordered = self.policy.ordered_capabilities
        rules: list[tuple[str, Sequence[Rule], Span | None]] = [
            ("the base rules", self.policy.rules, None)
        ]
        rules += [(f"the capability {cap.name or cap.id}", cap.rules, cap.span) for cap in ordered]
        found: list[Diagnostic] = []
        for number, (where, entries, span) in enumerate(rules):
            found += _RuleSet(self, number, where, entries, span).run()
        found += self.ask(self._nothing_accepted)
        found += self.ask(self._traps)
        if self.undecided:
            found.append(self._note())
        return found

    def ask(self, question: Callable[[], Iterator[Diagnostic]]) -> list[Diagnostic]:
        """The question's findings; what is still open at the time limit is counted."""
        found: list[Diagnostic] = []
        try:
            for finding in question():
                found.append(finding)
        except Undecided:
            self.undecided += 1
        return found

    def possible(self, literal: Lit) -> bool:
        """Does any frame lie in the set?  Raises Undecided."""
        known = self._answers.get(literal)
        if known is None:
            known = self._answers[literal] = not self.prover.empty(literal)
        return known

    def both_sides(self, part: Callable[[SideWalk], Lit]) -> Lit:
        """A set of the sender's side or the same of the receiver's."""
        return self.sets.any(part(self.walks[side]) for side in DIRECTIONS)

    def warning(
        self, code: str, message: str, span: Span | None, help: str, rule: Rule | None = None
    ) -> Diagnostic:
        place = rule.span if span is None and rule is not None else span
        return Diagnostic(
            code, message, Severity.WARNING, span=place, source=self.policy.source, help=help
        )

    def _note(self) -> Diagnostic:
        limit = self.prover.deadline.seconds
        return Diagnostic(
            "ZT209",
            f"the analysis stopped after {limit:g} seconds with {self.undecided} questions open:"
            " nothing is claimed about those",
            Severity.NOTE,
            source=self.policy.source,
            help="analyse parts of the rules alone, or give it longer",
        )

    # --- the policy as a whole

    def _nothing_accepted(self) -> Iterator[Diagnostic]:
        every = [*self.policy.rules, *(r for cap in self.policy.capabilities for r in cap.rules)]
        if not any(rule.json.get("type") in [kind.name for kind in _ACCEPTING] for rule in every):
            return  # ZT125 has said so
        for side, who in (("out", "sender"), ("in", "receiver")):
            if not self.possible(self.walks[side].accepted):
                yield self.warning(
                    "ZT207",
                    f"no frame is ever accepted: the {who}'s side drops all of them",
                    None,
                    "see which entries are never reached (ZT201), and put `accept` before them",
                )
                return

    def _traps(self) -> Iterator[Diagnostic]:
        """One finding for each accepting action of base rules or capability that traps a SYN."""
        defaults = {
            tag.id: tag.default & 0xFFFFFFFF for tag in self.policy.tags if tag.default is not None
        }
        flow = Flow(self.sets, self.frame, self.views, defaults)
        if not self.possible(flow.trap):
            return
        out = flow.forward["out"]
        counted = 0
        for number, rules in enumerate(out.rule_sets):
            for index, ends in rules.ends:
                if rules.steps[index].entry.kind is not Kind.ACTION_ACCEPT:
                    continue
                trapped = self.sets.both(flow.trap, ends)
                if not self.possible(trapped):
                    continue
                counted += 1
                if counted > MAX_TRAPS:
                    yield self._more_traps(number, index)
                    return
                yield self._trap(flow, number, index, trapped)

    def _trap(self, flow: Flow, number: int, index: int, trapped: Lit) -> Diagnostic:
        model = self.prover.preferring([trapped], _wishes(self.frame))
        assert model is not None
        syn, answer, _, stopped = flow.witness(model)
        # The base rules drop it, or else neither they nor a capability accept it: then their
        # last entry, if there is any, ended them without a decision.
        drops = stopped.result is Result.DROP
        by = f"by {self.line_of(0, stopped.entry)}" if drops else "since no rule accepts it"
        return self.warning(
            "ZT208",
            f"replies cannot come back: `{frame_text(syn)}` is accepted here, its answer"
            f" `{frame_text(answer)}` is dropped {by}",
            self.span_of(number, index),
            "rules keep no state: accept what answers too, as `accept chr tcp_ack;` does"
            " (with `ipprotocol tcp`), or the same ports with `sport`",
        )

    def _more_traps(self, number: int, index: int) -> Diagnostic:
        return self.warning(
            "ZT208",
            "replies cannot come back here either, and perhaps for later actions:"
            f" {MAX_TRAPS} such actions are shown in full",
            self.span_of(number, index),
            "correct those first",
        )

    # --- places

    def rule_of(self, number: int, index: int) -> Rule:
        """The Rule of a view's entry; `number`: 0 the base rules, then capabilities by id."""
        ordered = self.policy.ordered_capabilities
        rules = self.policy.rules if number == 0 else ordered[number - 1].rules
        return rules[self.walks["out"].rule_sets[number].steps[index].entry.rule]

    def span_of(self, number: int, index: int) -> Span | None:
        """Where an entry was written."""
        return self.rule_of(number, index).span

    def line_of(self, number: int, index: int) -> str:
        """`accept in line 14`, or `entry 3 (ACTION_ACCEPT)` where there is no text."""
        rule = self.rule_of(number, index)
        kind = self.walks["out"].rule_sets[number].steps[index].entry.kind
        if rule.span is None:
            return f"entry {index} ({kind.name})"
        included = f" (included in line {rule.parent.line})" if rule.parent is not None else ""
        return f"`{KINDS[kind].word or kind.name}` in line {rule.span.line}{included}"


def _wishes(frame: FrameSets) -> list[Lit]:
    """What makes a witness look like a frame that people know."""
    test = frame.test
    return [
        test("ethertype", 0x0800),
        test("length", 60),
        test("tos", 0),
        test("source4", 0x0A000001),
        test("source4", 0x0A000000, mask=0xFF000000),
        test("source4", 1, mask=0xFF),
        test("dest4", 0x0A000002),
        test("dest4", 2, mask=0xFF),
        test("source6", 0xFD00 << 112 | 1),
        test("dest6", 0xFD00 << 112 | 2),
        test("sport", 40000),
        test("dport", 443),
        test("mac_source", 0x020000000001),
        test("mac_dest", 0x020000000002),
    ]


class _RuleSet:
    """The questions about one list of entries."""

    def __init__(
        self,
        analysis: _Analysis,
        number: int,
        where: str,
        rules: Sequence[Rule],
        span: Span | None,
    ) -> None:
        self.analysis, self.number, self.where = analysis, number, where
        self.rules, self.span = rules, span
        self.sets = analysis.sets
        self.sides = [analysis.walks[side].rule_sets[number] for side in DIRECTIONS]
        self.steps: list[tuple[Step, ...]] = list(
            zip(*(walked.steps for walked in self.sides), strict=True)
        )

    def run(self) -> list[Diagnostic]:
        found: list[Diagnostic] = []
        if self.number:
            asked = self.analysis.ask(self._capability)
            found += asked
            if any(finding.code == "ZT205" for finding in asked) and not self._asked:
                return found
        first = 0
        for index in range(len(self.steps)):
            if not self.steps[index][0].is_action:
                continue
            members, first = range(first, index), index + 1
            found += self.analysis.ask(lambda m=members, i=index: self._set(m, i))  # type: ignore[misc]
            if self._over:
                break
        return found

    _asked = True
    _over = False

    def union(self, parts: Sequence[Lit]) -> Lit:
        return self.sets.any(parts)

    def possible(self, *parts: Lit) -> bool:
        return self.analysis.possible(self.union(parts))

    # --- capabilities

    def _capability(self) -> Iterator[Diagnostic]:
        walks = [self.analysis.walks[side] for side in DIRECTIONS]
        passes = [
            self.sets.any((walked.accepts, *walked.redirects.values())) for walked in self.sides
        ]
        if not self.possible(*passes):
            self._asked = self.possible(*(walked.start for walked in self.sides))
            why = (
                "it accepts nothing"
                if self._asked
                else "the base rules decide every frame before it is asked"
            )
            yield self._warning(
                "ZT205",
                f"{self.where} grants nothing: {why}",
                "put `break` before the base rules' last action, or drop it",
            )
            return
        left = [
            self.sets.both(walked.start, -passed)
            for walked, passed in zip(self.sides, passes, strict=True)
        ]
        base_decides = [walked.base.no_match for walked in walks]
        if not self.possible(*left) and self.possible(*base_decides):
            yield self._warning(
                "ZT206",
                f"{self.where} grants everything that the base rules leave open",
                "narrow it with matches, unless it is meant for administrators",
            )

    def _warning(self, code: str, message: str, help: str) -> Diagnostic:
        return self.analysis.warning(code, message, self.span, help)

    # --- sets of matches with their action

    def _set(self, members: range, index: int) -> Iterator[Diagnostic]:
        action = self.steps[index]
        if not self.possible(*(step.live for step in action)):
            yield self._end(index)
            self._over = True
            return
        if not self.possible(*(self.sets.both(step.live, step.before) for step in action)):
            yield from self._never(members, index)
            return
        if action[0].entry.kind in _COPIES and not self.possible(*self._sends(index)):
            yield self._at(
                index,
                "ZT204",
                f"this {KINDS[action[0].entry.kind].word} never sends a copy:"
                f" {self._why_not(index)}",
                "put it before what ends evaluation, and where the frame is accepted later",
            )
        for member in members:
            yield from self._match(member)

    def _sends(self, index: int) -> list[Lit]:
        parts: list[Lit] = []
        for walked, side in zip(self.sides, DIRECTIONS, strict=True):
            noted = dict(walked.copies).get(index, FALSE)
            passes = self.analysis.walks[side].accepted
            if self.number:
                passes = self.sets.any((walked.accepts, *walked.redirects.values()))
            parts.append(self.sets.both(noted, passes))
        return parts

    def _why_not(self, index: int) -> str:
        if not self.steps[index][0].entry.value[0]:
            return "its target is no member (0000000000)"
        noted = [dict(walked.copies).get(index, FALSE) for walked in self.sides]
        if not self.possible(*noted):
            return "a later one always replaces it"
        return "the frame is never accepted afterwards"

    def _match(self, index: int) -> Iterator[Diagnostic]:
        steps = self.steps[index]
        asked = [
            step.live if step.entry.alternative else self.sets.both(step.live, step.before)
            for step in steps
        ]
        pairs = list(zip(asked, steps, strict=True))
        if not self.possible(*(self.sets.both(here, step.match) for here, step in pairs)):
            if self.possible(*asked):
                yield self._false(index)
        elif not self.possible(*(self.sets.both(here, -step.match) for here, step in pairs)):
            yield self._at(
                index,
                "ZT202",
                "this match is always true where it stands: it narrows nothing down",
                "drop it, or check what was meant",
            )

    def _false(self, index: int) -> Diagnostic:
        return self._at(
            index,
            "ZT203",
            "this match is always false where it stands",
            "check the value, the `not`, and the entries before it",
        )

    def _end(self, index: int) -> Diagnostic:
        """Evaluation never comes here: all frames have been decided before."""
        rest = [step[0].entry.kind for step in self.steps[index:] if step[0].is_action]
        accepting = sum(kind in _ACCEPTING for kind in rest)
        behind = f", nor {len(rest) - 1} more behind it" if len(rest) > 1 else ""
        behind += f" ({accepting} of them accept)" if behind and accepting else ""
        shadows = self._shadows(index, [walked.start for walked in self.sides])
        return self._at(
            index,
            "ZT201",
            f"this action is never reached{behind}: {shadows} decides every frame before",
            "move it up, or drop it",
        )

    def _never(self, members: range, index: int) -> Iterator[Diagnostic]:
        """Evaluation comes here, and the set is never true."""
        action = self.steps[index]
        alone = [
            self.sets.both(walked.start, step.before)
            for walked, step in zip(self.sides, action, strict=True)
        ]
        if not self.possible(*alone):
            for member in members:
                false = [f for f in self._match(member) if f.code == "ZT203"]
                if false:
                    yield false[0]
                    return
            yield self._at(
                index,
                "ZT201",
                "this action is never taken: its matches contradict each other",
                "use `or` between alternatives, or split the action",
            )
            return
        shadows = self._shadows(index, alone)
        yield self._at(
            index,
            "ZT201",
            f"this action is never taken: {shadows} decides all its frames before",
            "move it up, or drop it",
        )

    def _shadows(self, index: int, alone: Sequence[Lit]) -> str:
        """The earlier entries that leave nothing, in words."""
        found: dict[int, None] = {}
        for walked, wanted in zip(self.sides, alone, strict=True):
            ends = [(at, walked.steps[at].would_end) for at, _ in walked.ends if at < index]
            core = self._core(wanted, [-ending for _, ending in ends])
            found.update((at, None) for at, ending in ends if -ending in core)
        names = [self.analysis.line_of(self.number, at) for at in sorted(found)]
        if len(names) > MAX_SHADOWS:
            more = len(names) - MAX_SHADOWS
            return f"{', '.join(names[:MAX_SHADOWS])} and {more} more together"
        return " and ".join(names) if names else "what stands before it"

    def _core(self, wanted: Lit, among: Sequence[Lit]) -> Sequence[Lit]:
        try:
            return self.analysis.prover.reasons([wanted], among) or ()
        except Undecided:
            return among

    def _at(self, index: int, code: str, message: str, help: str) -> Diagnostic:
        rule = self.analysis.rule_of(self.number, index)
        if rule.span is None:
            message = f"entry {index} of {self.where}: {message}"
        if rule.span is None or rule.parent is None:
            return self.analysis.warning(code, message, rule.span, help)
        # Of a macro only what one include brings here is proved: it is said there.
        message = f"line {rule.span.line} as included here: {message}"
        help = f"{help}; the macro's other includes may need it"
        return self.analysis.warning(code, message, rule.parent, help)
