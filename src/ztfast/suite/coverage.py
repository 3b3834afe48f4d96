"""Which entries of a policy a set of frames put to the test, and with which outcomes.

Contract: a `Coverage` adds up evaluations in any order.  A match has two outcomes, true and
false (after `not`); an action has one, taken.  An outcome is covered when some evaluation
had it, on either side.  Tested by tests/suite/test_coverage.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ztfast.engine.context import Trial
from ztfast.errors import Span
from ztfast.explain.explain import capability_title
from ztfast.lang.printer import entry_printer
from ztfast.model.entries import read_entry
from ztfast.model.policy import Policy, Rule


class EntryCoverage(NamedTuple):
    """One entry: how often it was true and false (a match), or taken (an action).

    missing: the outcomes that never were, of "true", "false", "taken".  parent: the include that
    a macro's entry stands for.
    """

    rule_set: str
    entry: int
    text: str
    span: Span | None
    action: bool
    true: int
    false: int
    missing: tuple[str, ...]
    parent: Span | None = None


class Coverage:
    """Counts over all evaluations that were added."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._capabilities = policy.ordered_capabilities
        self._sets: list[tuple[str, tuple[Rule, ...], list[int]]] = [
            ("base rules", policy.rules, _installed(policy.rules)),
            *(
                (capability_title(cap), cap.rules, _installed(cap.rules))
                for cap in self._capabilities
            ),
        ]
        self._counts = [[[0, 0] for _ in kept] for _, _, kept in self._sets]

    def add(self, trials: tuple[Trial, ...]) -> None:
        """Count one side's evaluation of one frame."""
        for trial in trials:
            counts = self._counts[0 if trial.capability is None else trial.capability + 1]
            for step in trial.steps:
                if step.matched is not None:
                    counts[step.entry][step.matched] += 1
                elif step.answer is None and step.before.matches:
                    counts[step.entry][1] += 1  # an action whose set is true

    def entries(self) -> Iterator[EntryCoverage]:
        """Every entry in the order of the policy, capabilities by id."""
        text = entry_printer(self.policy.tags)
        for (name, rules, kept), counts in zip(self._sets, self._counts, strict=True):
            for index, ((false, true), place) in enumerate(zip(counts, kept, strict=True)):
                rule = rules[place]
                action = str(rule.json.get("type", "")).startswith("ACTION")
                missing = [] if true else ["taken" if action else "true"]
                if not action and not false:
                    missing.append("false")
                yield EntryCoverage(
                    name,
                    index,
                    text(rule.json),
                    rule.span,
                    action,
                    true,
                    false,
                    tuple(missing),
                    rule.parent,
                )

    def outcomes(self) -> tuple[int, int]:
        """(covered, all) outcomes."""
        entries = list(self.entries())
        every = sum(1 if entry.action else 2 for entry in entries)
        return every - sum(len(entry.missing) for entry in entries), every

    def reached(self) -> tuple[int, int]:
        """(entries with any outcome, all entries)."""
        entries = list(self.entries())
        return sum(bool(entry.true or entry.false) for entry in entries), len(entries)

    @property
    def percent(self) -> float:
        """Covered outcomes in percent; 100 where there are no entries."""
        covered, every = self.outcomes()
        return 100.0 if not every else 100 * covered / every


def _installed(rules: tuple[Rule, ...]) -> list[int]:
    """The indexes of the rules that a view keeps (an unknown type is left out)."""
    return [index for index, rule in enumerate(rules) if read_entry(rule.json) is not None]
