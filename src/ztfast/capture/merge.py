"""Merging by time stamp: frames of several captures in one order, whole windows at a time.

Contract: each capture's own order is kept (a time that goes back counts as the latest before
it); equal times come in the captures' order.  Where all frames at hand have one layout and
link type, a merged batch is one buffer put together from stretches of the others'; else the
order is kept by smaller batches.  Blocks that are no packets are not merged: writers make
one section (`unify`).  Tested by tests/capture/test_many.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ztfast.capture.packets import (
    MAX_FRAMES,
    NO_BLOCKS,
    Int64s,
    Interface,
    PacketBatch,
    Uint16s,
    bytes_of,
)
from ztfast.capture.pcap_header import PcapLayout
from ztfast.capture.pcapng_layout import PcapngLayout
from ztfast.capture.session import ReadSession

_MAX_INTERFACES = 65_536


class _Source:
    """One capture: the batch at hand, how far it was given, and its times made monotonic."""

    def __init__(self, batches: Iterator[PacketBatch]) -> None:
        self._batches = batches
        self._latest = -(1 << 63)
        self.batch: PacketBatch | None = None
        self.times: Int64s = np.zeros(0, np.int64)
        self.at = 0

    def fill(self) -> bool:
        """Make sure that frames are at hand; False at the end."""
        while self.batch is None or self.at >= len(self.batch):
            self.batch = next(self._batches, None)
            self.at = 0
            if self.batch is None:
                return False
            if len(self.batch):
                times = np.maximum.accumulate(self.batch.timestamps)
                self.times = np.maximum(times, self._latest)
                self._latest = int(self.times[-1])
        return True

    def take(self, until: int) -> tuple[PacketBatch, Int64s] | None:
        """The frames at hand up to and including a time, and their times."""
        if self.batch is None:
            return None
        high = int(np.searchsorted(self.times, until, "right"))
        low, self.at = self.at, max(high, self.at)
        if high <= low:
            return None
        part = self.batch.part(low, high)
        return part.vouched() if self.batch.checked else part, self.times[low:high]


def merged(
    captures: Sequence[Iterator[PacketBatch]], session: ReadSession
) -> Iterator[PacketBatch]:
    """Batches of all frames in the order of their times, numbered anew."""
    sources = [_Source(batches) for batches in captures]
    # the readers number frames as they read; in a merge the merged order counts
    number = session.frames
    while live := [source for source in sources if source.fill()]:
        # up to here nothing earlier can come any more
        until = min(int(source.times[-1]) for source in live)
        taken = [pair for source in live if (pair := source.take(until)) is not None]
        order = np.argsort(np.concatenate([times for _, times in taken]), kind="stable")
        for batch in _woven([part for part, _ in taken], order):
            yield _numbered(batch, number, session.next_section())
            number += len(batch)
    session.frames = number


def _woven(parts: list[PacketBatch], order: Int64s) -> Iterator[PacketBatch]:
    """The parts' frames in that order, in as few batches as their kinds allow."""
    if len(parts) == 1:
        yield parts[0]
    elif len({_key(part) for part in parts}) == 1 and _interfaces(parts) <= _MAX_INTERFACES:
        whole = _joined(parts)
        for low in range(0, len(order), MAX_FRAMES):
            yield whole.chosen(order[low : low + MAX_FRAMES])
    else:
        yield from _by_turns(parts, order)


def _numbered(batch: PacketBatch, first: int, section: int) -> PacketBatch:
    placed = replace(batch, first=first, others=NO_BLOCKS, section=section)
    return placed.vouched() if batch.checked else placed


def _interfaces(parts: list[PacketBatch]) -> int:
    return sum(len(part.interfaces) for part in parts)


def _key(part: PacketBatch) -> tuple[object, ...]:
    """What frames must share to be in one batch."""
    layout = part.layout
    swapped = layout.swapped if isinstance(layout, PcapngLayout) else layout
    return layout.kind, swapped, part.linktype, part.fcs


def _joined(parts: list[PacketBatch]) -> PacketBatch:
    """All frames in one buffer, the parts' stretches one behind the other."""
    stretches: list[npt.NDArray[np.uint8]] = []
    shifts: list[int] = []
    ids: list[Uint16s] = []
    interfaces: list[Interface] = []
    known: dict[int, int] = {}
    total = 0
    for part in parts:
        start, end = _stretch(part)
        stretches.append(bytes_of(part.buffer)[start:end])
        shifts.append(total - start)
        total += end - start
        key = id(part.interfaces)
        if key not in known:
            known[key] = len(interfaces)
            interfaces.extend(part.interfaces)
        ids.append(part.interface_ids + np.uint16(known[key]))
    moved = list(zip(parts, shifts, strict=True))
    joined = replace(
        parts[0],
        buffer=np.concatenate(stretches),
        offsets=np.concatenate([part.offsets + shift for part, shift in moved]),
        captured=np.concatenate([part.captured for part in parts]),
        lengths=np.concatenate([part.lengths for part in parts]),
        interface=np.concatenate(ids),
        interfaces=tuple(interfaces),
        layout=_joined_layout(moved),
        path=", ".join(dict.fromkeys(part.path for part in parts)),
        judged=None,
        base=0,
    )
    return joined.vouched() if all(part.checked for part in parts) else joined


def _stretch(part: PacketBatch) -> tuple[int, int]:
    """The bytes of the buffer that hold all records: they stand in the file's order."""
    ends = part.part(0, 1), part.part(len(part) - 1, len(part))
    return int(ends[0].record_start[0]), int(ends[1].record_end[0])


def _joined_layout(moved: list[tuple[PacketBatch, int]]) -> PcapLayout | PcapngLayout:
    """The layout of parts that were moved by so many bytes."""
    layout = moved[0][0].layout
    if not isinstance(layout, PcapngLayout):
        assert isinstance(layout, PcapLayout)
        return layout
    layouts = [(part.layout, by) for part, by in moved if isinstance(part.layout, PcapngLayout)]
    return replace(
        layout,
        section=b"",
        types=np.concatenate([one.types for one, _ in layouts]),
        starts=np.concatenate([one.starts + shift for one, shift in layouts]),
        ends=np.concatenate([one.ends + shift for one, shift in layouts]),
    )


@dataclass
class _Turn:
    """How far a part was given."""

    part: PacketBatch
    at: int = 0


def _by_turns(parts: list[PacketBatch], order: Int64s) -> Iterator[PacketBatch]:
    """One batch for each run of frames of one part."""
    owner = np.repeat(np.arange(len(parts)), [len(part) for part in parts])[order]
    edges = np.flatnonzero(np.diff(owner)) + 1
    turns = [_Turn(part) for part in parts]
    sizes = np.diff(np.concatenate(([0], edges, [len(owner)])))
    firsts = np.concatenate(([0], edges))
    owners: list[int] = owner[firsts].tolist()
    for number, size in zip(owners, sizes.tolist(), strict=True):
        turn = turns[number]
        yield turn.part.part(turn.at, turn.at + size)
        turn.at += size
