"""A part of a classic pcap on the disk: the records that begin between two bytes of the file.

Contract: `open_part` reads the records from the one at byte `start` up to the last that begins
before `stop`; `PartFeed.end` is where the record behind it begins, once all was read.  That `start`
is a record's, the caller has proved: it is where another part ended, or where the header ends.
`likely_starts` only guesses places for parts to begin.  Any damage is the reader's to tell.
Tested by tests/capture/test_pcap_part.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np

from ztfast import dispatch
from ztfast.capture import pcap
from ztfast.capture.open import Capture
from ztfast.capture.packets import MAX_CAPTURED, PacketBatch
from ztfast.capture.pcap_header import FILE_HEADER, MAGICS, Lengths, PcapLayout, parse_header
from ztfast.capture.pcap_scan import RecordScan, RecordShape
from ztfast.capture.session import ReadSession
from ztfast.capture.sources import Feed, MapFeed, Window

_SIZE_AT, _RECORD = 8, 16  # of a record's captured length; bytes that hold it


class PartFeed:
    """Windows of a mapped file: its header, then the part's records."""

    def __init__(self, feed: MapFeed, size: int, layout: PcapLayout, stop: int) -> None:
        self.path = feed.path
        self._feed, self._size, self._layout = feed, size, layout
        self.end = min(stop, size)
        self._asked = -1

    @property
    def done(self) -> int:
        """As the file's feed."""
        return self._feed.done

    def window(self, position: int) -> Window:
        """What is left of the part, and at last the whole of the record that reaches over it."""
        if position >= self.end > FILE_HEADER:
            return Window(b"", 0, 0, position, True)
        window = self._feed.window(position, self.end)
        if window.end < self.end or position < FILE_HEADER:
            return window._replace(end=min(window.end, self.end), last=False)
        reaches_over = position == self._asked
        self._asked = position
        if reaches_over:
            self.end = min(self._size, max(self.end, self._behind(window, position)))
            window = self._feed.window(position, self.end)
        last = reaches_over or self.end == self._size
        return window._replace(end=min(window.end, self.end), last=last)

    def _behind(self, window: Window, record: int) -> int:
        """Where the record ends; behind its lengths alone where these cannot be."""
        head = memoryview(window.buffer)[record + _SIZE_AT : record + _RECORD]
        if len(head) < _RECORD - _SIZE_AT:
            return self._size
        captured = int.from_bytes(head[:4], "big" if self._layout.swapped else "little")
        if captured > MAX_CAPTURED:
            return record + _RECORD
        return record + self._layout.header + captured

    def close(self) -> None:
        """Unmap the file."""
        self._feed.close()


def open_part(path: str, start: int, stop: int, session: ReadSession) -> tuple[Capture, PartFeed]:
    """A part of a classic pcap, ready to be read; raises CaptureError, OSError."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        size = os.fstat(descriptor).st_size
        layout = _layout(os.read(descriptor, FILE_HEADER))
        if layout is None or layout.lengths != Lengths.CAPTURED_FIRST or start > size:
            session.fail(path, 0, "is no capture that was cut into parts; it changed")
            raise AssertionError
        feed = PartFeed(MapFeed(descriptor, size, path), size, layout, stop)
    finally:
        os.close(descriptor)

    def read(
        feed: Feed, session: ReadSession, scan: RecordScan | None, _: int
    ) -> Iterator[PacketBatch]:
        return pcap.read(feed, session, scan, record=start)

    return Capture(feed, "pcap", read, session), feed


def _layout(head: bytes) -> PcapLayout | None:
    if len(head) < FILE_HEADER or head[:4] not in MAGICS:
        return None
    return parse_header(head).layout


def likely_starts(path: str, parts: int) -> list[int]:
    """Places where parts of about one size may begin, ascending; the first behind the header.

    Empty for what is no classic pcap on the disk, or one that cannot be cut: of an old version, or
    without the compiled loops.
    """
    with open(path, "rb") as file:
        layout = _layout(file.read(FILE_HEADER))
        size = os.fstat(file.fileno()).st_size
        if layout is None or layout.lengths != Lengths.CAPTURED_FIRST or dispatch.core is None:
            return []
        if size <= FILE_HEADER:
            return []
        feed = MapFeed(file.fileno(), size, path)
    try:
        buffer = np.frombuffer(feed.window(FILE_HEADER).buffer, np.uint8)
        starts = [FILE_HEADER]
        shape = RecordShape(layout.swapped, layout.header)
        for number in range(1, parts):
            at = FILE_HEADER + (size - FILE_HEADER) * number // parts
            place = dispatch.require().guess_record(buffer, FILE_HEADER, at, size, shape)
            if place > starts[-1]:
                starts.append(place)
        del buffer
        return starts
    finally:
        feed.close()
