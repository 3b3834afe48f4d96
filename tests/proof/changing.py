"""Random policies, changes of them, and frames with circumstances that both judge."""

from __future__ import annotations

import random

from tests.proof.drawing import ADDRESSES, add_integers, draw_assignment, random_entry
from ztfast.engine.context import Outcome
from ztfast.engine.reference import evaluate
from ztfast.frames.frame import Frame
from ztfast.model.policy import Capability, Policy, Rule
from ztfast.proof.symbolic_policy import SymbolicPolicy


def random_policy(rng: random.Random) -> Policy:
    rules = tuple(Rule(random_entry(rng)) for _ in range(rng.choice([1, 4, 10])))
    caps = tuple(
        Capability(number, rng.random() < 0.3, tuple(Rule(random_entry(rng)) for _ in range(4)))
        for number in range(rng.choice([0, 0, 1, 2]))
    )
    return Policy(rules, caps)


def changed(rng: random.Random, policy: Policy) -> Policy:
    """The policy with an entry added, dropped, moved or doubled, or as it is."""
    rules = list(policy.rules)
    at = rng.randrange(len(rules))
    how = rng.randrange(5)
    if how == 0:
        rules.insert(at, Rule(random_entry(rng)))
    elif how == 1:
        del rules[at]
    elif how == 2:
        rules.insert(rng.randrange(len(rules)), rules.pop(at))
    elif how == 3:
        rules.insert(at, rules[at])
    return Policy(tuple(rules), policy.capabilities)


def outcomes(
    symbolic: SymbolicPolicy, assignment: dict[str, int], frame: Frame
) -> dict[str, Outcome]:
    """By the reference evaluator alone."""
    found: dict[str, Outcome] = {}
    for name, context in symbolic.contexts(assignment, frame).items():
        found[name] = evaluate(symbolic.views[symbolic.passes[name].direction], frame, context)
        if not found[name].accept:
            break
    return found


def network_assignment(
    rng: random.Random, symbolic: SymbolicPolicy, frame: Frame, names: list[str]
) -> dict[str, int]:
    """Random circumstances in which the addresses are what a network's are."""
    assignment: dict[str, int] = {}
    for view in symbolic.views.values():
        assignment.update(draw_assignment(rng, view, frame))
    for name in names:
        if name.startswith("again.draw."):
            assignment[name] = rng.getrandbits(32)
    source, dest = rng.sample([int(text, 16) for text in ADDRESSES if int(text, 16)], 2)
    assignment |= {"zt_source": source, "out.node": source, "in.node": dest, "in.zt_dest": dest}
    if frame.mac_dest >> 40 & 1:
        assignment["receiver_known"] = 0
    assignment["out.zt_dest"] = dest if assignment["receiver_known"] else 0
    add_integers(assignment, frame, names)
    return assignment
