"""Trying again, less and less often."""

from __future__ import annotations

import pytest

from ztfast.live.backoff import Backoff


def test_pauses_double_up_to_five_seconds() -> None:
    backoff, now, pauses = Backoff(), 100.0, []
    assert backoff.due is None
    assert not backoff.is_due(now)
    for _ in range(8):
        backoff.failed(now)
        assert backoff.due is not None
        pauses.append(backoff.due - now)
        assert not backoff.is_due(backoff.due - 0.01)
        now = backoff.due
        assert backoff.is_due(now)
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0])


def test_after_success_it_begins_anew() -> None:
    backoff = Backoff()
    backoff.failed(0)
    backoff.failed(1)
    backoff.worked()
    assert backoff.due is None
    backoff.failed(10)
    assert backoff.due == pytest.approx(10.1)
