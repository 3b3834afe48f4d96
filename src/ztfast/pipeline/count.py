"""Frames and bytes, counted: what every tally is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Count(NamedTuple):
    """Frames and original bytes."""

    frames: int = 0
    bytes: int = 0

    def plus(self, frames: int, bytes: int) -> Count:
        """Both sums."""
        return Count(self.frames + frames, self.bytes + bytes)


def add(counts: dict[Any, Count], key: Any, frames: int, bytes: int) -> None:
    """Count under a key."""
    counts[key] = counts.get(key, Count()).plus(frames, bytes)


def read_count(row: Mapping[str, Any]) -> tuple[int, int]:
    """`frames` and `bytes` of a JSON row; raises KeyError or ValueError."""
    return whole(row["frames"]), whole(row["bytes"])


def whole(value: Any) -> int:
    """A count out of JSON; raises ValueError for what is none."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r:.40} where a count must be")
    return value
