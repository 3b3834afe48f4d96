"""Frames and bytes, counted: what every tally is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ztfast.capture.packets import PacketBatch

Interface = tuple[str, str, int]  # path, name, link type


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


def count_unjudged(counts: dict[Interface, Count], packets: PacketBatch) -> None:
    """Count a batch whose link type is not known, by interface."""
    ids = packets.interface_ids
    numbers: list[int] = np.flatnonzero(np.bincount(ids)).tolist()
    for number in numbers:
        lengths = packets.lengths[ids == number]
        key = (packets.path, interface_name(packets, number), packets.linktype)
        add(counts, key, len(lengths), int(lengths.sum(dtype=np.uint64)))


def interface_name(packets: PacketBatch, number: int) -> str:
    """What the capture calls an interface, or its number; "" where it has but one."""
    name = packets.interfaces[number].name
    return str(number) if not name and packets.layout.kind == "pcapng" else name


def read_count(row: Mapping[str, Any]) -> tuple[int, int]:
    """`frames` and `bytes` of a JSON row; raises KeyError or ValueError."""
    return whole(row["frames"]), whole(row["bytes"])


def whole(value: Any) -> int:
    """A count out of JSON; raises ValueError for what is none."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r:.40} where a count must be")
    return value
