"""Where the time goes for a user's own rules on a user's own frames: `ztfast bench`.

Contract: `measure(policy, batch)` times each stage on these frames and what each set of
matches adds, by running the rules up to and including it; figures are medians of rounds in
which the candidates take turns.  Nothing is decided by a time.
Tested by tests/pipeline/test_timing.py.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ztfast.engine.engine import Engine
from ztfast.frames.batch import FrameBatch
from ztfast.model.entries import read_entries
from ztfast.model.policy import Policy, Rule
from ztfast.model.view import make_view
from ztfast.program.encode import encode

_ROUNDS = 5
_LEAST = 20_000
_MAX_CUTS = 64  # sets timed one by one; more are timed in groups
# Look-ups merge sets, so that none could be told from its neighbours.
_SEPARATE = ("fold", "dead", "simplify")


class SetTime(NamedTuple):
    """One set of matches with its action (or several neighbours): its share of evaluation.

    first, last: entries in the base rules; line: source line of the action, None for JSON;
    hits: frames that it decided; seconds: what it added to evaluating the batch; share: of
    the sum of all sets, 0 to 1.
    """

    first: int
    last: int
    line: int | None
    hits: int
    seconds: float
    share: float


class Timing(NamedTuple):
    """Seconds by stage for a batch of `timed` frames made of `frames`; sets slowest first."""

    frames: int
    timed: int
    encode: float
    judge: float
    sets: tuple[SetTime, ...]


def measure(policy: Policy, batch: FrameBatch, backend: str = "auto") -> Timing:
    """Time the sender's side of a policy on a batch of frames.

    Few frames are repeated up to _LEAST, so that calls are not what is measured; their hits
    are counted once.
    """
    engine = Engine(policy, side="out", backend=backend)
    verdicts = engine.evaluate(batch)
    if 0 < len(batch) < _LEAST and engine.backend == "native":
        batch = batch.take(np.resize(np.arange(len(batch)), _LEAST))
    known = read_entries(rule.json for rule in policy.rules)
    hits = np.bincount(verdicts.entry[verdicts.capability < 0] + 1, minlength=len(known) + 1)
    cuts = _cuts([index for index, entry in enumerate(known) if entry.kind.is_action])
    calls: dict[str, Callable[[], Any]] = {
        "encode": lambda: encode(make_view(policy, "out")),
        "judge": lambda: engine.evaluate(batch),
    }
    for number, cut in enumerate((-1, *cuts)):
        part = _first_rules(policy, [policy.rules[entry.rule] for entry in known[: cut + 1]])
        shorter = Engine(part, side="out", backend=backend, passes=_SEPARATE)
        calls[f"cut {number}"] = lambda made=shorter: made.evaluate(batch)  # type: ignore[misc]
    times = _medians(calls)
    added = [
        max(0.0, times[f"cut {number + 1}"] - times[f"cut {number}"]) for number in range(len(cuts))
    ]
    total = sum(added) or 1.0
    sets: list[SetTime] = []
    first = 0
    for cut, seconds in zip(cuts, added, strict=True):
        span = policy.rules[known[cut].rule].span
        decided = int(hits[first + 1 : cut + 2].sum())
        line = span.line if span else None
        sets.append(SetTime(first, cut, line, decided, seconds, seconds / total))
        first = cut + 1
    sets.sort(key=lambda item: -item.seconds)
    return Timing(len(verdicts), len(batch), times["encode"], times["judge"], tuple(sets))


def _cuts(ends: list[int]) -> list[int]:
    """The last entries of the parts to time: every set, or groups of neighbours."""
    step = -(-len(ends) // _MAX_CUTS) or 1
    return [*ends[step - 1 :: step], *([ends[-1]] if len(ends) % step else [])]


def _first_rules(policy: Policy, rules: list[Rule]) -> Policy:
    return replace(policy, rules=tuple(rules), capabilities=())


def _medians(calls: dict[str, Callable[[], Any]]) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(_ROUNDS):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}
