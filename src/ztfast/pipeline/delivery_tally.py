"""What was sent and what became of it, counted by kind, target, fate and deciding line.

Contract: tallies merge and go through JSON without a difference.
Tested by tests/pipeline/test_delivery_tally.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ztfast.pipeline.count import Count, add, read_count, whole
from ztfast.pipeline.deliveries import COPIES, WHY, Deliveries, Fate, Kind

Key = tuple[Kind, int, Fate, int]  # kind, address of the target, fate, line that decided (0 none)
_MAX_LOST = 12


class DeliveryTally:
    """Frames of the capture, and what was sent for them."""

    COPIES = COPIES

    def __init__(self) -> None:
        self.frames = 0
        self.sent: dict[Key, Count] = {}

    def add(self, frames: int, found: Deliveries) -> None:
        """Count a batch's deliveries; bytes are those sent, with the Ethernet header."""
        self.frames += frames
        # an address has 40 bits: kind and fate stand below it in one number, quick to sort
        key = found.to << np.uint64(6) | found.kind << np.uint8(3) | found.fate
        keys, which = np.unique(key, return_inverse=True)
        lines, at = np.unique(found.fate_line, return_inverse=True)
        place = which * len(lines) + at
        counts = np.bincount(place, weights=found.times)
        sums = np.bincount(place, weights=found.length * found.times)
        for number in np.flatnonzero(counts).tolist():
            code, line = int(keys[number // len(lines)]), int(lines[number % len(lines)])
            what = Kind(code >> 3 & 7), code >> 6, Fate(code & 7), line
            add(self.sent, what, int(counts[number]), int(sums[number]))

    def add_counts(self, counts: Mapping[Key, Count]) -> None:
        """Add what was counted of frames that are counted already."""
        for key, count in counts.items():
            add(self.sent, key, *count)

    def merge(self, other: DeliveryTally) -> None:
        """Add what another tally counted."""
        self.frames += other.frames
        self.add_counts(other.sent)

    def total(self, *fates: Fate) -> int:
        """Sendings with one of these fates; none named: all."""
        wanted = fates or tuple(Fate)
        return sum(count.frames for (_, _, fate, _), count in self.sent.items() if fate in wanted)

    def lost(self, kinds: Sequence[Kind] = tuple(Kind)) -> list[tuple[Key, Count]]:
        """What did not arrive, most frames first."""
        found = [
            (key, count)
            for key, count in self.sent.items()
            if key[2] != Fate.ARRIVED and key[0] in kinds
        ]
        return sorted(found, key=lambda item: (-item[1].frames, item[0]))

    def copies(self) -> list[tuple[Kind, int, Count, Count]]:
        """(kind, target, sent, arrived) of copies and redirects, by kind and target."""
        sums: dict[tuple[Kind, int], list[Count]] = {}
        for (kind, to, fate, _), count in self.sent.items():
            if kind in COPIES:
                both = sums.setdefault((kind, to), [Count(), Count()])
                both[0] = both[0].plus(*count)
                both[1] = both[1].plus(*count) if fate == Fate.ARRIVED else both[1]
        return [(kind, to, sent, here) for (kind, to), (sent, here) in sorted(sums.items())]

    def to_json(self) -> dict[str, Any]:
        """Everything counted, as one JSON-ready object, which `read` reads back."""
        return {
            "frames": self.frames,
            "sent": [
                {
                    "kind": kind.name.lower(),
                    "to": f"{to:010x}",
                    "fate": fate.name.lower(),
                    "line": line or None,
                    **count._asdict(),
                }
                for (kind, to, fate, line), count in sorted(self.sent.items())
            ],
        }

    def read(self, document: Any) -> None:
        """Add what `to_json` wrote; raises KeyError, TypeError or ValueError for anything else."""
        self.frames += whole(document["frames"])
        for row in document["sent"]:
            kind, fate = Kind[row["kind"].upper()], Fate[row["fate"].upper()]
            line = 0 if row["line"] is None else whole(row["line"])
            add(self.sent, (kind, int(row["to"], 16), fate, line), *read_count(row))


def summary(tally: DeliveryTally, name: Callable[[int], str]) -> Iterator[str]:
    """What a person wants to know first: how much arrived, and what did not, most first."""
    sent, arrived = tally.total(), tally.total(Fate.ARRIVED)
    yield f"{tally.frames:,} frames, {sent:,} sendings, {arrived:,} arrived"
    lost = tally.lost()
    for key, count in lost[:_MAX_LOST]:
        yield f"{count.frames:,} by {key[0].name.lower()} to {name(key[1])}: {reason(key)}"
    if len(lost) > _MAX_LOST:
        rest = sum(count.frames for _, count in lost[_MAX_LOST:])
        yield f"{rest:,} more did not arrive (--refused shows each)"


def reason(key: Key) -> str:
    """Why what is counted under a key did not arrive."""
    _, _, fate, line = key
    return f"{WHY[fate]}, line {line}" if line and fate == Fate.RULES else WHY[fate]
