"""Sums that nothing may be missing from, and how long frames were held."""

from __future__ import annotations

import errno

from ztfast.live.counters import InputCounts, Latency, OutputCounts, reason


def test_nothing_is_missing_from_an_input() -> None:
    counts = InputCounts(received=10, dropped=3, judged=7)
    assert counts.missing == 0
    counts.judged = 6
    assert counts.missing == 1
    assert counts.to_json()["missing"] == 1


def test_nothing_is_missing_from_an_output() -> None:
    counts = OutputCounts(copies=20, sent=9, deduplicated=4, waiting=2)
    counts.refuse("queue full", 3)
    counts.refuse("queue full", 1)
    counts.refuse("too long", 1)
    counts.refuse("never", 0)
    assert counts.refused == {"queue full": 4, "too long": 1}
    assert (counts.refusals, counts.missing) == (5, 0)
    counts.sent -= 1
    assert counts.missing == 1


def test_reasons() -> None:
    assert reason(errno.EAGAIN) == reason(errno.ENOBUFS) == "queue full"
    assert reason(errno.EMSGSIZE) == "too long"
    assert reason(errno.ENETDOWN) == reason(errno.ENXIO) == "interface down"
    assert reason(errno.EPERM) == "operation not permitted"


def test_how_long_frames_were_held() -> None:
    latency = Latency()
    assert latency.at_most(0.5) is None
    latency.add(900_000, 60)  # 900 µs
    latency.add(5_000_000, 39)
    latency.add(-7, 0)
    latency.add(10**15, 1)
    assert latency.at_most(0.5) == 1024
    assert latency.at_most(0.9) == 5120
    assert latency.at_most(1.0) == Latency.bound(Latency.STEPS - 1)
    assert int(latency.counts.sum()) == 100


def test_every_time_lies_under_its_bound_and_over_the_one_before() -> None:
    for micros in (*range(70), 1000, 1023, 1024, 1279, 1280, 10**6):
        latency = Latency()
        latency.add(micros * 1000 + 999, 1)
        step = latency.counts.tolist().index(1)
        assert micros < latency.bound(step)
        assert step == 0 or micros >= latency.bound(step - 1)
