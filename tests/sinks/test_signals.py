"""Signals are held back while something is written, whatever blocks stand inside each other."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from ztfast.sinks.signals import Held, held, shielded


@pytest.fixture
def came() -> Iterator[list[int]]:
    """The signals that arrived."""
    found: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: found.append(number))
    yield found
    signal.signal(signal.SIGINT, before)


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no os.kill of this kind")
def test_what_came_inside_arrives_when_the_outermost_block_is_done(came: list[int]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with shielded():
        with shielded():
            interrupt()
        assert not came
        with shielded():
            pass
        assert not came
    assert came == [signal.SIGINT]
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no os.kill of this kind")
def test_a_block_that_lets_signals_through_can_hold_them_again(came: list[int]) -> None:
    with held() as outer:
        with outer.let_through():
            interrupt()
            assert came == [signal.SIGINT]
            with shielded():
                interrupt()
                assert len(came) == 1
            assert len(came) == 2
        interrupt()
        assert outer.came
        assert len(came) == 2
    assert len(came) == 2


@pytest.mark.skipif(os.name == "nt", reason="Windows has no os.kill of this kind")
def test_an_error_leaves_nothing_held(came: list[int]) -> None:
    with pytest.raises(ValueError, match="inside"), shielded(), shielded():
        raise ValueError("inside")
    assert Held.blocks == 0
    interrupt()
    assert came == [signal.SIGINT]
