"""Scanning a capture window by window: what pcap and pcapng have in common.

Contract: a `Scanner` knows its place in the input and whether it is lost after damage; the
formats say how to read a window and how to look for the next place that proves itself.
Tested through the readers and tests/capture/test_resync.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ztfast.capture.packets import PacketBatch
from ztfast.capture.session import ReadSession
from ztfast.capture.sources import Feed, Window


class Place(NamedTuple):
    """Where to go on: a record that proved itself, or (not `proved`) where to look on."""

    position: int
    proved: bool


class Scanner:
    """The place in the input, `position`, and where it got lost, `lost`.

    `at_hand` is a window got before, which holds `position`.
    """

    WHAT = "record"

    def __init__(self, feed: Feed, session: ReadSession, position: int) -> None:
        self.feed = feed
        self.session = session
        self.path = feed.path
        self.position = position
        self.lost: int | None = None
        self.at_hand: Window | None = None

    def run_through(self) -> Iterator[PacketBatch]:
        """All batches of the input."""
        while True:
            window = self.at_hand or self.feed.window(self.position)
            self.at_hand = None
            while True:
                yield from self.batches(window)
                if not window.last:
                    break
                if self._at_end(window):
                    return
            del window

    def batches(self, window: Window) -> Iterator[PacketBatch]:
        """Everything complete in the window; `position` is behind it then."""
        raise NotImplementedError

    def search(self, window: Window, start: int) -> Place:
        """The next place in the window's buffer that proves itself."""
        raise NotImplementedError

    def damaged(self, window: Window, message: str) -> None:
        """Damage at `position`: raises, or searching starts behind it."""
        self.session.damage(self.path, self.position, message)
        self._lose(window)

    def on_track(self, window: Window) -> bool:
        """Is `position` the start of something?  After damage: search for one."""
        if self.lost is None:
            return True
        place = self.search(window, self.position - window.base)
        self.position = window.base + place.position
        if place.proved:
            self.session.skipped(self.path, self.lost, self.position)
            self.lost = None
        return place.proved

    def _at_end(self, window: Window) -> bool:
        """Behind the last window: is all read?  False where a search has yet to look."""
        end = window.base + window.end
        if self.lost is not None:
            self.session.skipped(self.path, self.lost, end, last=True)
            return True
        if self.position < end or window.error:
            self.session.truncated(self.path, self.position, window, self.WHAT)
            self._lose(window)
            return False
        return True

    def _lose(self, window: Window) -> None:
        self.lost = self.position
        self.position = min(self.position + 1, window.base + window.end)
