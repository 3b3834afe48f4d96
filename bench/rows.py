"""A line of the results, and the unit of most of them."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One line of the results: what was asked, what was measured, is it met (None: told only)."""

    goal: str
    what: str
    asked: str
    measured: str
    met: bool | None


def ns(seconds: float, frames: int) -> float:
    """Nanoseconds a frame."""
    return seconds / frames * 1e9
