"""Reading a segment: as `ztfast filter` reads its file, or the part of it, or what a time span has.

Contract: frames are numbered from the segment's `first`, whichever of them are given.
Tested by tests/archive/test_job_equal.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any, cast

import numpy as np

from ztfast.archive.remote import RemoteFile, is_url
from ztfast.archive.segments import Segment
from ztfast.capture.many import Captures
from ztfast.capture.open import Capture, open_capture
from ztfast.capture.packets import PacketBatch
from ztfast.capture.pcap_part import PartFeed, open_part
from ztfast.capture.pcap_scan import RecordScan
from ztfast.capture.session import UNREADABLE, ReadSession
from ztfast.errors import CaptureError, Diagnostic

Span = tuple[int | None, int | None]  # from this time on, and before that (ns since 1970)


class SegmentCaptures(Captures):
    """One segment, open: iterate once."""

    def __init__(self, segment: Segment, resync: bool, span: Span = (None, None)) -> None:
        super().__init__(
            [segment.path], ReadSession(resync, segment.first), opened=self._opened_segment
        )
        self.segment, self._span = segment, span
        self._part: PartFeed | None = None
        self._remote: RemoteFile | None = None

    def __enter__(self) -> SegmentCaptures:
        return self

    def _opened_segment(self, path: str, *, follow: bool, session: ReadSession) -> Capture:
        del follow
        start, stop = self.segment.start, self.segment.stop
        if is_url(path):
            self._remote = _remote(path)
            return open_capture(cast("IO[bytes]", self._remote), session=session)
        if start is None or stop is None:
            return open_capture(path, session=session)
        try:
            capture, self._part = open_part(path, start, stop, session)
        except OSError as error:
            message = f"cannot be opened: {error.strerror}"
            raise CaptureError(Diagnostic(UNREADABLE, message, path=path, offset=0)) from error
        return capture

    @property
    def end(self) -> int | None:
        """Where the record behind a part begins, once it was read."""
        return None if self._part is None else self._part.end

    def check_transfer(self) -> None:
        """Raise CaptureError where a transfer broke off: that is no damage of the capture."""
        if self._remote is not None and self._remote.failure:
            message = f"could not be read to its end: {self._remote.failure}"
            raise CaptureError(Diagnostic(UNREADABLE, message, path=self.segment.path))

    def close(self) -> None:
        """Close what is open.  Batches already given stay valid."""
        super().close()
        if self._remote is not None:
            self._remote.close()

    def batches(self, scan: RecordScan | None = None) -> Iterator[PacketBatch]:
        """All batches, or the frames of the time span."""
        if self._span == (None, None):
            return super().batches(scan)
        return within(super().batches(), self._span)


def _remote(url: str) -> RemoteFile:
    try:
        return RemoteFile(url)
    except OSError as error:
        raise CaptureError(
            Diagnostic(UNREADABLE, f"cannot be opened: {error.strerror}", path=url, offset=0)
        ) from error


def within(batches: Iterator[PacketBatch], span: Span) -> Iterator[PacketBatch]:
    """The frames of a time span, each run of neighbours a batch, numbered as they were."""
    since, until = span
    for batch in batches:
        times = batch.timestamps
        inside = np.ones(len(batch), np.bool_)
        if since is not None:
            inside &= times >= since
        if until is not None:
            inside &= times < until
        if inside.all():
            yield batch
            continue
        edges = np.flatnonzero(np.diff(np.concatenate(([False], inside, [False])).view(np.int8)))
        for low, high in edges.reshape(-1, 2).tolist():
            yield batch.part(low, high)


def as_json(finding: Diagnostic) -> dict[str, Any]:
    """A finding about a capture, for a manifest."""
    names = ("code", "message", "severity", "path", "offset", "help")
    return {name: getattr(finding, name) for name in names}


def from_json(row: dict[str, Any]) -> Diagnostic:
    """The finding that `as_json` wrote."""
    return Diagnostic(**row)
