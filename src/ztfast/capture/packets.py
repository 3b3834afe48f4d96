"""Packet batches: what a capture hands to the rest, a window of bytes and columns into it.

Contract: a `PacketBatch` never copies frame bytes; `offsets` point into `buffer`, and every
frame's captured bytes lie inside it (the readers have checked).  A batch has one link type.
It may hold no frames, only blocks that are not packets (pcapng) and belong at that place.
Tested by tests/capture/test_pcap.py and test_pcapng.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
Uint32s = npt.NDArray[np.uint32]
Uint16s = npt.NDArray[np.uint16]
# bytes, bytearray, memoryview, mmap or ndarray uint8: whatever has the buffer protocol, which
# Python 3.10 cannot name as a type
Buffer: TypeAlias = Any

MAX_FRAMES = 65_536
MAX_CAPTURED = 262_144
MAX_BUFFER = 16 * 1024 * 1024
MAPPED = 2 * MAX_BUFFER  # bytes of a file that are mapped at once: nothing is copied


class Interface(NamedTuple):
    """Where frames were captured: one of a pcapng section, or the whole of a classic pcap.

    `resolution` is the pcapng if_tsresol byte (6: microseconds, 9: nanoseconds, 0x80 set:
    a power of two), `offset` seconds to add, `fcs` bytes of check sequence at each frame's end,
    `block` the interface block as it stood in the file (None for classic pcap).
    """

    linktype: int
    snaplen: int = 0
    resolution: int = 6
    name: str = ""
    offset: int = 0
    fcs: int = 0
    block: bytes | None = None
    swapped: bool = False


class ScanOutcome(Protocol):
    """What a scan that judges frames on the way found of them (pipeline/scan.py has two)."""

    @property
    def frames(self) -> int:
        """Frames of the capture that were scanned, also those left out of the columns."""
        ...


class Layout(Protocol):
    """How the records of a batch stand in its buffer; one class a format."""

    @property
    def kind(self) -> str:
        """`pcap` or `pcapng`."""
        ...

    def timestamps(self, batch: PacketBatch) -> Int64s:
        """Nanoseconds since 1970, int64[n]."""
        ...

    def spans(self, batch: PacketBatch) -> tuple[Int64s, Int64s]:
        """First byte of each record or block and the byte behind it, int64[n] each."""
        ...

    def part(self, low: int, high: int, skipped: Uint32s) -> Layout:
        """The layout of frames `low` to `high`, where blocks of types `skipped` came before."""
        ...

    def chosen(self, index: npt.NDArray[np.intp]) -> Layout:
        """The layout of some frames, by their numbers."""
        ...


class OtherBlocks(NamedTuple):
    """Blocks that are no packets: `before[i]` is the frame of the batch that block i precedes."""

    before: Int64s
    starts: Int64s
    ends: Int64s


_NONE = np.zeros(0, np.int64)
NO_BLOCKS = OtherBlocks(_NONE, _NONE, _NONE)


@dataclass(frozen=True, eq=False)
class PacketBatch:
    """Up to 65,536 frames of one link type in one buffer.

    `offsets` int64[n]: first captured byte of each frame in `buffer`; `captured` and `lengths`
    uint32[n]: bytes there, and bytes that the frame really had; `first`: number of the first
    frame, counted from 0 over the whole run; `interface` the index into `interfaces` of each
    frame, uint16[n], or one number for all; `base`: place of buffer[0] in the file `path`
    (for a compressed file: in what it holds); `section`: a number that changes where a new
    file or pcapng section begins, so that writers know when interfaces start anew; `judged`
    what a scan that judges frames on the way found of them, None for any other scan; `own_fcs`
    bytes of check sequence that its frames' own flags tell, None: as their interface.
    """

    buffer: Any
    offsets: Int64s
    captured: Uint32s
    lengths: Uint32s
    linktype: int
    layout: Layout
    first: int = 0
    interface: Uint16s | int = 0
    interfaces: tuple[Interface, ...] = ()
    path: str = ""
    base: int = 0
    section: int = 0
    others: OtherBlocks = field(default=NO_BLOCKS)
    judged: ScanOutcome | None = None
    own_fcs: int | None = None
    # not an argument, so that what is made by hand or with `replace` is checked again
    checked: bool = field(default=False, init=False)

    def vouched(self) -> PacketBatch:
        """This batch, whose reader found every frame inside the buffer: nobody checks it again."""
        object.__setattr__(self, "checked", True)
        return self

    def __len__(self) -> int:
        return len(self.offsets)

    @property
    def scanned(self) -> int:
        """Frames of the capture that this batch stands for, also those left out."""
        return len(self) if self.judged is None else self.judged.frames

    @cached_property
    def timestamps(self) -> Int64s:
        """Time of each frame, int64[n] nanoseconds since 1970; 0 where the file has none."""
        return self.layout.timestamps(self)

    @cached_property
    def _spans(self) -> tuple[Int64s, Int64s]:
        return self.layout.spans(self)

    @property
    def record_start(self) -> Int64s:
        """First byte in `buffer` of each frame's whole record or block, int64[n]."""
        return self._spans[0]

    @property
    def record_end(self) -> Int64s:
        """The byte in `buffer` behind each frame's whole record or block, int64[n]."""
        return self._spans[1]

    @property
    def interface_ids(self) -> Uint16s:
        """The interface of each frame, uint16[n]."""
        if isinstance(self.interface, (int, np.integer)):
            return np.full(len(self), self.interface, np.uint16)
        return self.interface

    @property
    def fcs(self) -> int:
        """Bytes of frame check sequence that end each frame (one value for the batch)."""
        if self.own_fcs is not None:
            return self.own_fcs
        if not self.interfaces or not len(self):
            return 0
        index = self.interface if isinstance(self.interface, int) else int(self.interface[0])
        return self.interfaces[index].fcs

    def part(self, low: int, high: int) -> PacketBatch:
        """Frames `low` to `high` with the other blocks in front of them (the last: also behind)."""
        others, count = self.others, len(self)
        first = int(np.searchsorted(others.before, low)) if low > 0 else 0
        last = int(np.searchsorted(others.before, high)) if high < count else len(others.before)
        ids = self.interface
        return replace(
            self,
            offsets=self.offsets[low:high],
            captured=self.captured[low:high],
            lengths=self.lengths[low:high],
            first=self.first + low,
            judged=None,
            interface=ids if isinstance(ids, (int, np.integer)) else ids[low:high],
            layout=self.layout.part(low, high, self._other_types(first)),
            others=OtherBlocks(
                others.before[first:last] - low, others.starts[first:last], others.ends[first:last]
            ),
        )

    def chosen(self, index: npt.NDArray[np.intp], judged: ScanOutcome | None = None) -> PacketBatch:
        """Some frames, by their numbers in the batch, no other blocks; judged: as a batch's."""
        ids = self.interface
        part = replace(
            self,
            offsets=self.offsets[index],
            captured=self.captured[index],
            lengths=self.lengths[index],
            layout=self.layout.chosen(index),
            interface=ids if isinstance(ids, (int, np.integer)) else ids[index],
            others=NO_BLOCKS,
            judged=judged,
        )
        return part.vouched() if self.checked else part

    def _other_types(self, count: int) -> Uint32s:
        """Types of the first `count` other blocks as little-endian numbers, uint32[count]."""
        if not count:
            return np.zeros(0, np.uint32)
        types: Uint32s = unaligned(self.buffer, "<u4")[self.others.starts[:count]]
        return types

    def frames(self) -> Iterator[bytes]:
        """The captured bytes of each frame: for tests and small jobs."""
        view = memoryview(self.buffer)
        for offset, captured in zip(self.offsets.tolist(), self.captured.tolist(), strict=True):
            yield bytes(view[offset : offset + captured])


def bytes_of(buffer: Buffer) -> npt.NDArray[np.uint8]:
    """The buffer as uint8[...], not copied."""
    return np.frombuffer(buffer, np.uint8)


def unaligned(buffer: Buffer, dtype: str) -> npt.NDArray[Any]:
    """A view with one overlapping item for every byte offset: index it by byte offsets.

    Empty where the buffer is shorter than one item.
    """
    raw = bytes_of(buffer)
    size = np.dtype(dtype).itemsize
    count = max(0, len(raw) - size + 1)
    return np.ndarray((count,), dtype, raw, 0, (1,))
