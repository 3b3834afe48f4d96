"""What rules mean to a network, whatever form and order a controller keeps them in.

Contract: two policies of one meaning give every frame the same verdict with the same members: the
same entries in the same order, the same capabilities and tags by id.  Names, layout, and fields
that an entry does not use do not count.  Tested by tests/deploy/test_meaning.py.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from ztfast.model.entries import read_entries
from ztfast.model.policy import Policy, Rule


def meaning(policy: Policy) -> dict[str, Any]:
    """A JSON-ready value, equal for policies of one meaning."""
    return {
        "rules": _entries(policy.rules),
        "capabilities": {
            str(capability.id): [bool(capability.default), _entries(capability.rules)]
            for capability in sorted(policy.capabilities, key=lambda one: one.id)
        },
        "tags": {str(tag.id): tag.default for tag in sorted(policy.tags, key=lambda one: one.id)},
    }


def meaning_digest(policy: Policy) -> str:
    """SHA-256 of the meaning, in hex."""
    text = json.dumps(meaning(policy), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def first_difference(one: Policy, other: Policy) -> str:
    """Where two meanings part, in words; empty where they are one."""
    mine, its = meaning(one), meaning(other)
    if mine["rules"] != its["rules"]:
        return _difference("rule", mine["rules"], its["rules"])
    for name in ("capabilities", "tags"):
        if mine[name] != its[name]:
            ids = {**mine[name], **its[name]}
            wrong = [number for number in ids if mine[name].get(number) != its[name].get(number)]
            what = {"capabilities": "capability", "tags": "tag"}[name]
            return f"{what} {wrong[0]} is not as it was meant"
    return ""


def _difference(what: str, mine: list[Any], its: list[Any]) -> str:
    if len(mine) != len(its):
        return f"there are {len(its):,} rules instead of {len(mine):,}"
    number = next(n for n, (a, b) in enumerate(zip(mine, its, strict=True)) if a != b)
    return f"{what} {number} is not as it was meant"


def _entries(rules: Iterable[Rule]) -> list[list[Any]]:
    return [
        [entry.kind.name, entry.inverted, entry.alternative, list(entry.value)]
        for entry in read_entries(rule.json for rule in rules)
    ]
