"""Classic pcap in: microseconds, nanoseconds, the modified form, both byte orders, old versions.

Contract: `read(feed, state)` gives batches of complete frames; damage is reported to the
state after every complete frame before it was given (or skipped, with `resync`).  Another file's
header where a record is due (captures written one behind the other) is damage that says so, never
a frame; with `resync` a new section begins there, in its own byte order and unit of time.
Tested by tests/capture/test_pcap.py and test_pcap_concatenated.py.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from ztfast.capture.packets import MAX_CAPTURED, Int64s, PacketBatch, unaligned
from ztfast.capture.pcap_header import (
    ENOUGH,
    FILE_HEADER,
    Lengths,
    PcapHeader,
    PcapLayout,
    next_header,
    parse_header,
    starts_header,
)
from ztfast.capture.pcap_scan import (
    OK,
    OldScan,
    RecordScan,
    RecordShape,
    ScannedRecords,
    scan_records,
)
from ztfast.capture.scanner import Place, Scanner
from ztfast.capture.session import ReadSession
from ztfast.capture.sources import Feed, Window

_ETHERNET = 1
_MODIFIED = 24  # bytes of a record's header: as long as a file's
_RECENT = 9  # records whose times say what is near, after damage
_SEVERAL = (
    "--resync reads on with it; or write captures into files of their own (mergecap joins them)"
)


def read(
    feed: Feed,
    session: ReadSession,
    scan: RecordScan | None = None,
    start: int = 0,
) -> Iterator[PacketBatch]:
    """The batches of a classic pcap whose first bytes, at byte `start`, were recognised.

    scan: how Ethernet records are scanned; None: `scan_records`.
    """
    window = _header_window(feed, session, start)
    header = parse_header(_bytes(window, window.start, FILE_HEADER))
    if header.layout is None:
        session.fail(
            feed.path,
            start + 4,
            f"pcap version {header.version}; versions 2.0 to 2.4 and 543.0 are read",
            "rewrite it with a program of its time, or correct bytes 4 to 7",
        )
        return
    scanner = _PcapScanner(feed, session, header, scan or scan_records, start + FILE_HEADER)
    yield scanner.nothing()
    scanner.at_hand = window  # is handed on before a slow pipe is asked for more
    del window  # memory: the scanner alone holds it
    yield from scanner.run_through()


def read_behind(
    header: PcapHeader,
    feed: Feed,
    session: ReadSession,
    record: int,
    scan: RecordScan | None = None,
) -> Iterator[PacketBatch]:
    """The batches of a capture with a header that was read, from the record at a byte on."""
    scanner = _PcapScanner(feed, session, header, scan or scan_records, record)
    yield scanner.nothing()
    yield from scanner.run_through()


def _header_window(feed: Feed, session: ReadSession, start: int) -> Window:
    """A window with the 24 bytes that open the file; a slow pipe may give them in pieces."""
    window = feed.window(start)
    while not window.last and window.end - window.start < FILE_HEADER:
        window = feed.window(start)
    there = window.end - window.start
    if there < FILE_HEADER:
        short = f"the file ends after {there} bytes, inside the 24-byte pcap header"
        session.fail(feed.path, start + there, window.error or short)
    return window


def _bytes(window: Window, start: int, size: int) -> bytes:
    """Up to `size` bytes of the window's buffer."""
    return bytes(memoryview(window.buffer)[start : min(start + size, window.end)])


class _PcapScanner(Scanner):
    """Records of a classic pcap, behind its header."""

    def __init__(
        self,
        feed: Feed,
        session: ReadSession,
        header: PcapHeader,
        scan: RecordScan,
        position: int,
    ) -> None:
        super().__init__(feed, session, position)
        self._given_scan = scan
        self._begin(header)

    def _begin(self, header: PcapHeader) -> None:
        """Read on as this file header says."""
        assert header.layout is not None
        self._layout, self._interface = header.layout, header.interface
        self._section = self.session.next_section()
        self._recent: list[int] = []
        self._plain: RecordScan = scan_records
        if self._layout.lengths != Lengths.CAPTURED_FIRST:
            self._plain = OldScan(self._layout.lengths == Lengths.ORIGINAL_FIRST)
        special = self._plain is not scan_records or header.interface.fcs > 0
        plain = special or header.interface.linktype != _ETHERNET
        self._scan = self._plain if plain else self._given_scan

    def batches(self, window: Window) -> Iterator[PacketBatch]:
        """Everything complete in the window."""
        while self.on_track(window):
            start = self.position - window.base
            found = self._scanned(self._scan, window, start, window.end)
            another = self._another(window, start, found)
            if another is not None:
                found = self._scanned(self._scan, window, start, another)
            self.position = window.base + found.next
            if found.scanned:
                yield self._batch(window, found)
            if another is not None and found.next == another:
                if not self._begin_another(window, another):
                    return
            elif found.error != OK:
                self.damaged(window, _too_long(window, found.next, self._layout))
            elif not found.scanned:
                return

    def _scanned(self, scan: RecordScan, window: Window, start: int, end: int) -> ScannedRecords:
        shape = RecordShape(self._layout.swapped, self._layout.header)
        return scan(window.buffer, start, end, shape)

    def _another(self, window: Window, start: int, found: ScannedRecords) -> int | None:
        """Where a file header stands among the records that were found, or behind them.

        It looks like a record without bytes, and what follows can hardly be one.  So where a scan
        kept not all records, they are gone through again only if it ended oddly or with such one.
        """
        if len(found.offsets) == found.scanned:
            place = _header_among(window, found, self._layout)
            return place if place is not None else self._header_at(window, found.next)
        last = max(start, found.next - self._layout.header)
        odd = found.error != OK or (window.last and found.next < window.end)
        odd |= self._layout.header == _MODIFIED
        if not odd and not starts_header(_bytes(window, last, ENOUGH)):
            return None
        at = start
        while at < found.next:
            records = self._scanned(self._plain, window, at, found.next)
            if not records.scanned:
                break
            place = _header_among(window, records, self._layout)
            if place is not None:
                return place
            at = records.next
        return self._header_at(window, found.next)

    @staticmethod
    def _header_at(window: Window, place: int) -> int | None:
        return place if starts_header(_bytes(window, place, ENOUGH)) else None

    def _begin_another(self, window: Window, at: int) -> bool:
        """Damage at a file header; with `resync` go on as it says.  False: it is not whole."""
        data = _bytes(window, at, FILE_HEADER)
        if len(data) < FILE_HEADER:
            return False
        header = parse_header(data)
        what = f"(pcap {header.version}, link type {header.interface.linktype})"
        message = f"another capture's header {what} where a record is due"
        self.session.damage(self.path, self.position, message, help=_SEVERAL)
        self._begin(header)
        self.position += FILE_HEADER
        return True

    def search(self, window: Window, start: int) -> Place:
        """The next record that proves itself, or another file's header before it."""
        from ztfast.capture.resync import Shape, next_record  # start-up stays short

        layout = self._layout
        seconds = sorted(self._recent)[len(self._recent) // 2] if self._recent else None
        turned = layout.lengths != Lengths.CAPTURED_FIRST
        shape = Shape(layout.swapped, layout.nanoseconds, layout.header, seconds, turned)
        place = next_record(window, start, shape)
        header = next_header(window.buffer, start, min(place.position + ENOUGH, window.end))
        return place if header is None else Place(header, True)

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


def _header_among(window: Window, records: ScannedRecords, layout: PcapLayout) -> int | None:
    """The first of the records that is a file header."""
    empty = records.offsets[records.captured == 0] - layout.header
    for place in empty.tolist():
        if starts_header(_bytes(window, place, ENOUGH)):
            return int(place)
    return None


def _too_long(window: Window, start: int, layout: PcapLayout) -> str:
    if _bytes(window, start, 4) == b"\x0a\x0d\x0d\x0a":
        return "a pcapng section header where a record is due: keep captures in files of their own"
    pair = struct.unpack_from((">" if layout.swapped else "<") + "II", window.buffer, start + 8)
    captured = pair[1] if layout.lengths == Lengths.ORIGINAL_FIRST else pair[0]
    captured = min(pair) if layout.lengths == Lengths.LARGER_IS_ORIGINAL else captured
    return f"a record of {captured} captured bytes; the most that a frame has is {MAX_CAPTURED}"
