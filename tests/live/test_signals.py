"""Signals set flags and wake; afterwards everything is as it was."""

from __future__ import annotations

import os
import select
import signal

import pytest

from ztfast.live.signals import Signals


def raised(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize(
    ("number", "flag"),
    [
        (signal.SIGTERM, "stop"),
        (signal.SIGINT, "stop"),
        (signal.SIGHUP, "reload"),
        (signal.SIGUSR1, "report"),
    ],
)
def test_a_signal_sets_a_flag_and_wakes(number: int, flag: str) -> None:
    before = signal.getsignal(number)
    with Signals() as signals:
        assert not getattr(signals, flag)
        raised(number)
        assert select.select([signals], [], [], 10)[0]
        assert getattr(signals, flag)
        signals.clear()
        assert not select.select([signals], [], [], 0)[0]
        assert getattr(signals, flag)
    assert signal.getsignal(number) is before


def test_a_second_interrupt_ends_at_once() -> None:
    with pytest.raises(KeyboardInterrupt), Signals():  # noqa: PT012
        raised(signal.SIGINT)
        raised(signal.SIGINT)
