"""The 24 bytes that open a classic pcap: byte order, unit of time, version, link type.

Contract: `parse_header` reads them, or says which version it is that nobody reads; `starts_header`
tells a header by its first 16 bytes, for those that stand where a record is due.  Versions before
2.3, and 543.0 (of an old NetScaler), hold a record's original length before the captured one; in
2.3 both orders exist, and the larger is the original.  The link-type field's check-sequence and
class bits are read as in draft-ietf-opsawg-pcap, section 4.
Tested by tests/capture/test_pcap_header.py.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast import dispatch
from ztfast.capture.packets import (
    Buffer,
    Int64s,
    Interface,
    PacketBatch,
    Uint32s,
    bytes_of,
    unaligned,
)

# The magic as the file's first four bytes -> (swapped, nanoseconds, header of a record)
MAGICS: dict[bytes, tuple[bool, bool, int]] = {
    b"\xd4\xc3\xb2\xa1": (False, False, 16),
    b"\xa1\xb2\xc3\xd4": (True, False, 16),
    b"\x4d\x3c\xb2\xa1": (False, True, 16),
    b"\xa1\xb2\x3c\x4d": (True, True, 16),
    b"\x34\xcd\xb2\xa1": (False, False, 24),
    b"\xa1\xb2\xcd\x34": (True, False, 24),
}
FILE_HEADER = 24
ENOUGH = 16  # bytes that tell a header

_MOST_WEST = 14 * 3600
_FCS_PRESENT = 0x0400_0000
_CLASS_BITS = 0x03FF_0000
_NETBSD_RAW = 0x0224_0000
_RAW_FAMILIES = {2: 228, 24: 229}  # NetBSD's AF_INET and AF_INET6 -> raw IPv4, raw IPv6


class Lengths(IntEnum):
    """How a record's two lengths stand in it."""

    CAPTURED_FIRST = 0
    ORIGINAL_FIRST = 1
    LARGER_IS_ORIGINAL = 2


_VERSIONS = {
    **dict.fromkeys([(2, 0), (2, 1), (2, 2), (543, 0)], Lengths.ORIGINAL_FIRST),
    (2, 3): Lengths.LARGER_IS_ORIGINAL,
    (2, 4): Lengths.CAPTURED_FIRST,
}


@dataclass(frozen=True)
class PcapLayout:
    """Byte order, unit of time, length of the record headers, and the order of their lengths."""

    swapped: bool
    nanoseconds: bool
    header: int
    lengths: Lengths = Lengths.CAPTURED_FIRST

    @property
    def fraction(self) -> int:
        """Nanoseconds of the unit of time."""
        return 1 if self.nanoseconds else 1000

    @property
    def kind(self) -> str:
        """The format's name."""
        return "pcap"

    def timestamps(self, batch: PacketBatch) -> Int64s:
        """Read from the record headers: 32-bit seconds (to 2106) and the fraction."""
        if dispatch.core is None:
            return self._plain_times(batch)
        times = np.empty(len(batch), np.int64)
        offsets = np.ascontiguousarray(batch.offsets)
        buffer = bytes_of(batch.buffer)
        dispatch.core.record_times(buffer, offsets, self.header, self.swapped, self.fraction, times)
        return times

    def _plain_times(self, batch: PacketBatch) -> Int64s:
        words = unaligned(batch.buffer, ">u4" if self.swapped else "<u4")
        at = batch.offsets - self.header
        nanoseconds: Int64s = words[at].astype(np.int64) * 1_000_000_000
        nanoseconds += words[at + 4].astype(np.int64) * self.fraction
        return nanoseconds

    def spans(self, batch: PacketBatch) -> tuple[Int64s, Int64s]:
        """Header and captured bytes."""
        return batch.offsets - self.header, batch.offsets + batch.captured

    def part(self, low: int, high: int, skipped: Uint32s) -> PcapLayout:
        """The same for every frame."""
        return self

    def chosen(self, index: npt.NDArray[np.intp]) -> PcapLayout:
        """The same for every frame."""
        return self


class PcapHeader(NamedTuple):
    """What a file header says; `layout` is None where nobody reads that version."""

    version: str
    layout: PcapLayout | None
    interface: Interface


def parse_header(data: bytes) -> PcapHeader:
    """24 bytes whose first four are one of `MAGICS`."""
    swapped, nanoseconds, size = MAGICS[data[:4]]
    major, minor, _, _, snaplen, field = struct.unpack(
        (">" if swapped else "<") + "HHiIII", data[4:]
    )
    lengths = _VERSIONS.get((major, minor))
    layout = None if lengths is None else PcapLayout(swapped, nanoseconds, size, lengths)
    linktype, fcs = split_linktype(field)
    interface = Interface(linktype, snaplen, 9 if nanoseconds else 6, fcs=fcs, block=data)
    return PcapHeader(f"{major}.{minor}", layout, interface)


def starts_header(data: bytes) -> bool:
    """Do these 16 bytes open a classic pcap of a version that is read?

    Nothing behind the version but a time zone west of Greenwich: read as a record, whatever its
    byte order, a header has no bytes or too many.
    """
    found = MAGICS.get(data[:4])
    if found is None or len(data) < ENOUGH:
        return False
    major, minor, zone, figures = struct.unpack_from(">HHiI" if found[0] else "<HHiI", data, 4)
    return (major, minor) in _VERSIONS and -_MOST_WEST <= zone <= 0 and figures == 0


def next_header(buffer: Buffer, start: int, end: int) -> int | None:
    """The first place from `start` on where 16 bytes before `end` open a classic pcap."""
    raw = bytes_of(buffer)
    words = unaligned(raw[start:end], "<u4")
    for low in range(0, len(words), _PIECE):
        for place in np.flatnonzero(np.isin(words[low : low + _PIECE], _WORDS)).tolist():
            at = start + low + place
            if starts_header(bytes(raw[at : min(at + ENOUGH, end)])):
                return int(at)
    return None


_PIECE = 1 << 18
_WORDS = np.array([int.from_bytes(magic, "little") for magic in MAGICS], np.uint32)


def split_linktype(field: int) -> tuple[int, int]:
    """Link type and bytes of check sequence out of the header's 32-bit field."""
    fcs = (field >> 28) * 2 if field & _FCS_PRESENT else 0
    linktype = field & 0xFFFF
    if field & _CLASS_BITS == _NETBSD_RAW:
        return _RAW_FAMILIES.get(linktype, field & 0x03FF_FFFF), fcs
    return (field & 0x03FF_FFFF) if field & _CLASS_BITS else linktype, fcs
