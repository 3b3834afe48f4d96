"""Reading rules beside: once each time, the newest last, errors told and nothing changed."""

from __future__ import annotations

import threading

import ztfast
from ztfast.engine.engine import Engine
from ztfast.errors import usage
from ztfast.live.judge import LiveJudge
from ztfast.live.reload import Reloading

JUDGE = LiveJudge(Engine(ztfast.compile("accept;")))


def test_the_result_comes_once() -> None:
    reloading = Reloading(lambda: JUDGE, lambda _: None)
    assert not reloading.busy
    assert reloading.result() is None
    reloading.begin()
    assert reloading.busy
    assert reloading.result(wait=True) is JUDGE
    assert not reloading.busy
    assert reloading.result(wait=True) is None


def test_nothing_is_waited_for() -> None:
    may_go = threading.Event()

    def made() -> LiveJudge:
        assert may_go.wait(30)
        return JUDGE

    reloading = Reloading(made, lambda _: None)
    reloading.begin()
    assert reloading.result() is None
    may_go.set()
    assert reloading.result(wait=True) is JUDGE


def test_errors_are_told() -> None:
    told: list[Exception] = []

    def refused() -> LiveJudge:
        raise usage("no rules there")

    reloading = Reloading(refused, told.append)
    reloading.begin()
    assert reloading.result(wait=True) is None
    assert [str(error) for error in told] == ["no rules there"]
    assert not reloading.busy


def test_what_is_asked_for_meanwhile_follows() -> None:
    times: list[int] = []

    def made() -> LiveJudge:
        times.append(1)
        return JUDGE

    reloading = Reloading(made, lambda _: None)
    for _ in range(3):
        reloading.begin()
    assert reloading.result(wait=True) is JUDGE
    assert reloading.busy
    assert reloading.result(wait=True) is JUDGE
    assert not reloading.busy
    assert len(times) == 2
