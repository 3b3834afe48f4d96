"""What the findings about one policy share: its traces, the solver, places in its rules.

Contract: `Analysis(policy, …)` traces both sides of a policy once; `possible` decides whether
any frame satisfies a formula, once each; `ask` counts what the time limit leaves open;
`warning`, `span_of` and `entry_text` make and place findings.
Tested by tests/proof/test_findings.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ztfast.errors import Diagnostic, Fix, Severity, Span
from ztfast.model.kinds import KINDS
from ztfast.model.policy import Policy, Rule, included_text
from ztfast.model.view import DIRECTIONS, make_view
from ztfast.proof.formula import Formulas, Literal
from ztfast.proof.frame_model import FrameFormulas
from ztfast.proof.match_formulas import SideFields
from ztfast.proof.patterns import candidates
from ztfast.proof.solver import Deadline, Prover, Undecided
from ztfast.proof.symbolic import SideTrace, trace_side


class Analysis:
    """A policy's views traced symbolically, and what was asked of them.

    undecided: how many questions the time limit left open.
    """

    def __init__(self, policy: Policy, deadline: Deadline, engine: str) -> None:
        self.policy = policy
        self.formulas = Formulas()
        self.frame = FrameFormulas(self.formulas)
        self.views = {direction: make_view(policy, direction, engine) for direction in DIRECTIONS}
        self.traces: dict[str, SideTrace] = {
            direction: trace_side(view, SideFields(self.formulas, self.frame, direction))
            for direction, view in self.views.items()
        }
        self.prover = Prover(self.formulas, deadline)
        for literal in self.frame.structure():
            self.prover.require(literal)
        for rules in self.traces["out"].rule_sets:
            self.prover.add_samples(candidates(self.formulas, rules.steps))
        self.undecided = 0
        self._known: dict[Literal, bool] = {}

    def ask(self, question: Callable[[], Iterator[Diagnostic]]) -> list[Diagnostic]:
        """The question's findings; what is still open at the time limit is counted."""
        found: list[Diagnostic] = []
        try:
            for finding in question():
                found.append(finding)
        except Undecided:
            self.undecided += 1
        return found

    def possible(self, *parts: Literal) -> bool:
        """Does any frame satisfy one of the formulas?  Raises Undecided."""
        literal = self.formulas.any(parts)
        known = self._known.get(literal)
        if known is None:
            known = self._known[literal] = not self.prover.empty(literal)
        return known

    def warning(
        self, code: str, message: str, span: Span | None, help: str, fix: Fix | None = None
    ) -> Diagnostic:
        """A finding in the policy's own text."""
        source, fixes = self.policy.source, () if fix is None else (fix,)
        return Diagnostic(code, message, Severity.WARNING, span, source, help=help, fixes=fixes)

    # --- places; `number`: 0 the base rules, then the capabilities by id

    def rules_of(self, number: int) -> tuple[Rule, ...]:
        """A list of entries as the policy has it."""
        ordered = self.policy.ordered_capabilities
        return self.policy.rules if number == 0 else ordered[number - 1].rules

    def number_of(self, number: int, index: int) -> int:
        """Where a view's entry stands in that list."""
        return self.traces["out"].rule_sets[number].steps[index].entry.rule

    def rule_of(self, number: int, index: int) -> Rule:
        """The Rule of a view's entry."""
        return self.rules_of(number)[self.number_of(number, index)]

    def span_of(self, number: int, index: int) -> Span | None:
        """Where an entry was written."""
        return self.rule_of(number, index).span

    def entry_text(self, number: int, index: int) -> str:
        """`accept in line 14`, or `entry 3 (ACTION_ACCEPT)` where there is no text."""
        rule = self.rule_of(number, index)
        kind = self.traces["out"].rule_sets[number].steps[index].entry.kind
        if rule.span is None:
            return f"entry {index} ({kind.name})"
        line = f"line {rule.span.line}{included_text(rule.parent)}"
        return f"`{KINDS[kind].word or kind.name}` in {line}"
