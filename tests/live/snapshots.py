"""Figures of a tap, made by hand."""

from __future__ import annotations

import numpy as np

import ztfast
from tests.live.building import frames_of
from ztfast.engine.engine import Engine
from ztfast.live.counters import InputCounts, Latency, OutputCounts
from ztfast.live.judge import LiveJudge
from ztfast.live.stats import Snapshot

RULES = "drop ethertype arp;\naccept;\n"


def snapshot(seconds: float = 2.0, times: int = 1) -> Snapshot:
    """So many times three frames accepted and one dropped."""
    judge = LiveJudge(Engine(ztfast.compile(RULES)))
    frames = frames_of(
        [bytes(12) + kind + bytes(46) for kind in (b"\x08\x00",) * 3 + (b"\x08\x06",)]
    )
    assert np.all(frames.columns.captured[:4] == 60)
    for _ in range(times):
        judge.judge(frames)
    inputs = InputCounts(received=5 * times, dropped=times, judged=4 * times, bytes=240 * times)
    output = OutputCounts(copies=6, sent=1, bytes=60, deduplicated=2, refused={"queue full": 3})
    latency = Latency()
    latency.add(700_000, 4)
    outputs = {"packet:to": output, "[red]fifo:x": OutputCounts()}
    return Snapshot(seconds, {"zt0": inputs}, outputs, judge.tally(), latency, 0, 0, 0)
