"""Rules that did nothing in a run: none of its frames was decided, or copied, by them.

Contract: `idle_rules` names accept, drop, break, redirect, tee and watch.  Of a multicast the rule
that decided for one of its recipients counts, as in the figures.  A tee or watch without a line
(rules from JSON) is left out where copies of multicasts may be its.
Tested by tests/report/test_idle_rules.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ztfast.model.kinds import Kind
from ztfast.model.policy import Policy, Rule
from ztfast.pipeline.overview import Overview
from ztfast.pipeline.tally import Tally, known_rules, rule_text

_DECIDES = (Kind.ACTION_DROP, Kind.ACTION_ACCEPT, Kind.ACTION_BREAK, Kind.ACTION_REDIRECT)
_COPIES = (Kind.ACTION_TEE, Kind.ACTION_WATCH)


class IdleRule(NamedTuple):
    """Where it stands (`22 (64)`: a macro's, and its include; `-`: no lines), and its text.

    capability: its name, "" for the base rules.
    """

    place: str
    capability: str
    text: str


def idle_rules(tally: Tally, overview: Overview, delivered: bool) -> tuple[list[IdleRule], int]:
    """(rules that did nothing, as they stand; how many rules there are that could).

    delivered: copies were followed to their targets, so that recipients' copies are known by line.
    """
    idle: list[IdleRule] = []
    count = 0
    decided = {(one.capability, one.entry) for one in tally.deciders}
    for capability, name, rules in _rule_sets(tally.policy):
        known = known_rules(rules)
        for at, rule in enumerate(known):
            kind = _kind(rule)
            if kind not in (*_DECIDES, *_COPIES):
                continue
            count += 1
            did = (capability, at) in (overview.sent if kind in _COPIES else decided)
            if not did and not (kind not in _DECIDES and _may_have_sent(rule, overview, delivered)):
                idle.append(IdleRule(_place(rule), name, rule_text(tally.policy, known, at)))
    return idle, count


def _rule_sets(policy: Policy) -> Iterator[tuple[int, str, Sequence[Rule]]]:
    yield -1, "", policy.rules
    for number, capability in enumerate(policy.ordered_capabilities):
        yield number, capability.name or str(capability.id), capability.rules


def _kind(rule: Rule) -> Kind | None:
    return Kind.__members__.get(str(rule.json.get("type")))


def _may_have_sent(rule: Rule, overview: Overview, delivered: bool) -> bool:
    """Did a copy for one of many recipients come from it, as far as lines tell?"""
    if rule.span is None:
        return delivered
    return rule.span.line in overview.sent_lines


def _place(rule: Rule) -> str:
    if rule.span is None:
        return "-"
    line = str(rule.span.line)
    return line if rule.parent is None else f"{line} ({rule.parent.line})"
