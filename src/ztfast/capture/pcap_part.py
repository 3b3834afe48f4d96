"""A part of a classic pcap, plain or in zstd of several frames: records that begin between places.

Contract: `open_part` reads the records from the one at a `Place` up to the last that begins before
byte `stop`; `Part.end` is where the record behind it begins, once all was read.  That a record
begins at the place, the caller has proved: it is where another part ended, or where the header
ends.  Any damage is the reader's to tell; where the place or `stop` is inside a zstd frame, that is
such damage.
Tested by tests/capture/test_pcap_part.py and test_zstd_part.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ztfast.capture import pcap
from ztfast.capture.ahead import AheadFeed
from ztfast.capture.open import Capture
from ztfast.capture.packets import MAX_BUFFER, MAX_CAPTURED, PacketBatch
from ztfast.capture.pcap_header import (
    FILE_HEADER,
    MAGICS,
    Lengths,
    PcapHeader,
    PcapLayout,
    parse_header,
)
from ztfast.capture.pcap_scan import RecordScan
from ztfast.capture.ranges import Ranges
from ztfast.capture.session import ReadSession
from ztfast.capture.sources import Feed, Window
from ztfast.capture.zstd_part import ZstdPartReader, head_within, is_zstd

_SIZE_AT, _RECORD = 8, 16  # of a record's captured length; bytes that hold it


class Place(NamedTuple):
    """Where a record begins: at a byte of the file, or so many decoded bytes behind it.

    byte: in zstd a frame's first.  skip: what is decoded from there and belongs to records before.
    """

    byte: int
    skip: int = 0


class PartFeed:
    """Windows of a feed that end where a part's records do.

    stop: gives the position at which the next part's frames or records begin, None while that is
    not known.  end: where the record behind the part begins, once all was read.
    """

    def __init__(self, feed: Feed, layout: PcapLayout, stop: Callable[[], int | None]) -> None:
        self.path = feed.path
        self.end: int | None = None
        self._feed, self._layout, self._stop = feed, layout, stop
        self._held: Window | None = None
        self._asked = -1

    @property
    def done(self) -> int:
        """As the feed that is given."""
        return self._feed.done

    def window(self, position: int) -> Window:
        """What is left of the part, and at last the whole of the record that reaches over it."""
        end = self._known(position)
        window = self._held
        if window is None or end is None or _top(window) < end:
            window = self._held = self._feed.window(position)
            end = self._known(position)
        if end is None or (_top(window) < end and not window.last):
            return window
        if position >= end:
            return Window(b"", 0, 0, position, True)
        window = window._replace(start=position - window.base)
        if position == self._asked:
            return self._reaching_over(window, position, end)
        self._asked = position
        short = _top(window) <= end
        return window._replace(end=min(window.end, end - window.base), last=window.last and short)

    def _known(self, position: int) -> int | None:
        stop = self._stop()
        if stop is not None:
            self.end = max(stop, self.end or 0, position if position >= stop else 0)
        return self.end

    def _reaching_over(self, window: Window, record: int, end: int) -> Window:
        """The window up to the end of the record that begins before the part's end."""
        while _top(window) < record + _RECORD and not window.last:
            window = self._feed.window(record)
        end = self.end = max(end, self._behind(window, record))
        while _top(window) < end and not window.last:
            window = self._feed.window(record)
        self._held = window
        error = window.error if _top(window) < end else None  # what is behind is no concern
        return window._replace(end=min(window.end, end - window.base), last=True, error=error)

    def _behind(self, window: Window, record: int) -> int:
        """Where the record ends; behind its lengths alone where these cannot be."""
        at = record - window.base
        head = bytes(memoryview(window.buffer)[at + _SIZE_AT : min(at + _RECORD, window.end)])
        if len(head) < _RECORD - _SIZE_AT:
            return record + _RECORD
        captured = int.from_bytes(head[:4], "big" if self._layout.swapped else "little")
        if captured > MAX_CAPTURED:
            return record + _RECORD
        return record + self._layout.header + captured

    def close(self) -> None:
        """Let go of what the feed holds."""
        self._held = None
        self._feed.close()


def _top(window: Window) -> int:
    return window.base + window.end


class Part(Capture):
    """A capture's part, open: iterate over it once."""

    def __init__(self, file: Ranges, place: Place, stop: int, session: ReadSession) -> None:
        head = header_of(file)
        if head is None or head.layout is None or place.byte > file.size:
            session.fail(file.path, 0, "is not a capture that was cut into parts; it changed")
            raise AssertionError
        self._zstd: ZstdPartReader | None = None
        self._part_stop, self._file = stop, file
        if is_zstd(file):
            reader = self._zstd = ZstdPartReader(file, place.byte, stop)
            feed: Feed = AheadFeed(reader, file.path, span=MAX_BUFFER)
            self._windows = PartFeed(feed, head.layout, lambda: reader.mark)
            record = place.skip
        else:
            feed = file.feed(place.byte, stop)
            self._windows = PartFeed(feed, head.layout, lambda: min(stop, file.size))
            record = place.byte

        def read(
            feed: Feed, session: ReadSession, scan: RecordScan | None, _: int
        ) -> Iterator[PacketBatch]:
            return pcap.read_behind(head, feed, session, record, scan)

        super().__init__(self._windows, "pcap", read, session)
        self.compression = None if self._zstd is None else "zstd"

    @property
    def end(self) -> Place | None:
        """Where the record behind the part begins, once all was read."""
        end = self._windows.end
        if self._zstd is None or end is None:
            return None if end is None else Place(end)
        return Place(self._part_stop, end - (self._zstd.mark or 0))

    @property
    def decoded(self) -> int:
        """Bytes that the part's zstd frames hold, once all was read; 0 of a plain capture."""
        return 0 if self._zstd is None else self._zstd.mark or 0

    def close(self) -> None:
        """Close the file.  Batches already given stay valid."""
        super().close()
        self._file.close()


def header_of(file: Ranges) -> PcapHeader | None:
    """The header of a classic pcap that can be cut, plain or in zstd; None of anything else.

    Raises OSError.
    """
    head = head_within(file, FILE_HEADER) if is_zstd(file) else file.piece(0, FILE_HEADER)
    if len(head) < FILE_HEADER or head[:4] not in MAGICS:
        return None
    header = parse_header(head)
    layout = header.layout
    return header if layout is not None and layout.lengths == Lengths.CAPTURED_FIRST else None


def open_part(file: Ranges, place: Place, stop: int, session: ReadSession) -> Part:
    """A part, ready to be read, and `file` its own; raises CaptureError, OSError."""
    try:
        return Part(file, place, stop, session)
    except BaseException:
        file.close()
        raise
