"""Timing side by side: calls take turns, so that the machine's swings hit all of them alike.

`side_by_side` gives the median time of each call in seconds; a ratio of two of its figures
comes from one run.  Nothing here decides a test.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any


def side_by_side(
    calls: Mapping[str, Callable[[], Any]], rounds: int = 7, least: float = 0.02
) -> dict[str, float]:
    """Median seconds of each call, taking turns for `rounds` rounds.

    A call shorter than `least` seconds is repeated within its turn and divided.
    """
    repeats = {name: _repeats(call, least) for name, call in calls.items()}
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            for _ in range(repeats[name]):
                call()
            times[name].append((time.perf_counter() - start) / repeats[name])
    return {name: statistics.median(values) for name, values in times.items()}


def _repeats(call: Callable[[], Any], least: float) -> int:
    start = time.perf_counter()
    call()
    once = time.perf_counter() - start
    return max(1, min(10_000, int(least / max(once, 1e-7))))
