"""Classic pcap in: microseconds, nanoseconds, the modified form, both byte orders.

Contract: `read(feed, state)` gives batches of complete frames; damage is reported to the
state after every complete frame before it was given (or skipped, with `resync`).
The link-type field's check-sequence and class bits are read as in
draft-ietf-opsawg-pcap, section 4.  Tested by tests/capture/test_pcap.py.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ztfast import dispatch
from ztfast.capture.packets import (
    MAX_CAPTURED,
    Int64s,
    Interface,
    PacketBatch,
    Uint32s,
    bytes_of,
    unaligned,
)
from ztfast.capture.pcap_scan import OK, RecordScan, ScannedRecords, scan_records
from ztfast.capture.resync import Shape, next_record
from ztfast.capture.scanner import Place, Scanner
from ztfast.capture.session import ReadSession
from ztfast.capture.sources import Feed, Window

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
_ETHERNET = 1

_RECENT = 9  # records whose times say what is near, after damage
_FCS_PRESENT = 0x0400_0000
_CLASS_BITS = 0x03FF_0000
_NETBSD_RAW = 0x0224_0000
_RAW_FAMILIES = {2: 228, 24: 229}  # NetBSD's AF_INET and AF_INET6 -> raw IPv4, raw IPv6


@dataclass(frozen=True)
class PcapLayout:
    """Byte order, unit of time and length of the record headers."""

    swapped: bool
    nanoseconds: bool
    header: int

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


def read(feed: Feed, session: ReadSession, scan: RecordScan | None = None) -> Iterator[PacketBatch]:
    """The batches of a classic pcap whose first bytes were recognised.

    scan: how Ethernet records are scanned; None: `scan_records`.
    """
    window = _header_window(feed, session)
    header = bytes(memoryview(window.buffer)[window.start : window.start + FILE_HEADER])
    layout = PcapLayout(*MAGICS[header[:4]])
    order = ">" if layout.swapped else "<"
    major, minor, _, _, snaplen, field = struct.unpack(order + "HHiIII", header[4:])
    if major != 2 or not 3 <= minor <= 4:
        session.fail(
            feed.path,
            4,
            f"pcap version {major}.{minor}; versions 2.3 and 2.4 are read",
            "rewrite it with a program of its time, or correct bytes 4 to 7",
        )
        return
    linktype, fcs = split_linktype(field)
    units = 9 if layout.nanoseconds else 6
    interface = Interface(linktype, snaplen, units, fcs=fcs, block=header)
    scanner = _PcapScanner(feed, session, layout, interface, scan or scan_records)
    yield scanner.nothing()
    # what came with the header is handed on before a slow pipe is asked for more
    scanner.at_hand = window
    del window  # memory: the scanner alone holds it
    yield from scanner.run_through()


def split_linktype(field: int) -> tuple[int, int]:
    """Link type and bytes of check sequence out of the header's 32-bit field."""
    fcs = (field >> 28) * 2 if field & _FCS_PRESENT else 0
    linktype = field & 0xFFFF
    if field & _CLASS_BITS == _NETBSD_RAW:
        return _RAW_FAMILIES.get(linktype, field & 0x03FF_FFFF), fcs
    return (field & 0x03FF_FFFF) if field & _CLASS_BITS else linktype, fcs


def _header_window(feed: Feed, session: ReadSession) -> Window:
    """A window with the 24 bytes that open the file; a slow pipe may give them in pieces."""
    window = feed.window(0)
    while not window.last and window.end - window.start < FILE_HEADER:
        window = feed.window(0)
    there = window.end - window.start
    if there < FILE_HEADER:
        short = f"the file ends after {there} bytes, inside the 24-byte pcap header"
        session.fail(feed.path, there, window.error or short)
    return window


class _PcapScanner(Scanner):
    """Records of a classic pcap, behind its header."""

    def __init__(
        self,
        feed: Feed,
        session: ReadSession,
        layout: PcapLayout,
        interface: Interface,
        scan: RecordScan,
    ) -> None:
        super().__init__(feed, session, FILE_HEADER)
        self._layout = layout
        self._interface = interface
        self._section = session.next_section()
        self._recent: list[int] = []
        plain = interface.linktype != _ETHERNET or interface.fcs > 0
        self._scan = scan_records if plain else scan

    def batches(self, window: Window) -> Iterator[PacketBatch]:
        """Everything complete in the window."""
        layout = self._layout
        while self.on_track(window):
            start = self.position - window.base
            found = self._scan(window.buffer, start, window.end, layout.swapped, layout.header)
            self.position = window.base + found.next
            if found.scanned:
                yield self._batch(window, found)
            if found.error != OK:
                self.damaged(window, _too_long(window, found.next, layout))
            elif not found.scanned:
                return

    def search(self, window: Window, start: int) -> Place:
        """The next record that proves itself."""
        layout = self._layout
        seconds = sorted(self._recent)[len(self._recent) // 2] if self._recent else None
        shape = Shape(layout.swapped, layout.nanoseconds, layout.header, seconds)
        return next_record(window, start, shape)

    def nothing(self) -> PacketBatch:
        """A batch without frames, so that a capture without any still shows its link type."""
        none = np.zeros(0, np.uint32)
        empty = ScannedRecords(np.zeros(0, np.int64), none, none, FILE_HEADER, OK)
        return self._batch(Window(b"", 0, 0, 0, False), empty)

    def _batch(self, window: Window, found: ScannedRecords) -> PacketBatch:
        batch = PacketBatch(
            window.buffer,
            found.offsets,
            found.captured,
            found.lengths,
            self._interface.linktype,
            self._layout,
            self.session.number(found.scanned),
            interfaces=(self._interface,),
            path=self.path,
            base=window.base,
            section=self._section,
            judged=found.judged,
        ).vouched()
        if self.session.resync and len(batch):
            self._remember_time(window, found.offsets[-_RECENT:] - self._layout.header)
        return batch

    def _remember_time(self, window: Window, records: Int64s) -> None:
        """The last few records' seconds: their median stands even if one of them is damaged."""
        words = unaligned(window.buffer, ">u4" if self._layout.swapped else "<u4")
        self._recent = [*self._recent, *words[records].tolist()][-_RECENT:]


def _too_long(window: Window, start: int, layout: PcapLayout) -> str:
    order = ">" if layout.swapped else "<"
    (captured,) = struct.unpack_from(order + "I", window.buffer, start + 8)
    return f"a record of {captured} captured bytes; the most that a frame has is {MAX_CAPTURED}"
