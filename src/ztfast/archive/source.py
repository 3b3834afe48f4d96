"""Reading a segment: as `ztfast filter` reads its file, or the part of it, or what a time span has.

Contract: frames are numbered from the segment's `first`, whichever of them are given.
Tested by tests/archive/test_job_equal.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import IO, Any, cast

import numpy as np

from ztfast.archive.remote import RemoteFile, RemoteRanges, is_url
from ztfast.archive.segments import Segment, ranges_of
from ztfast.capture.many import Captures
from ztfast.capture.open import Capture, open_capture
from ztfast.capture.packets import PacketBatch
from ztfast.capture.pcap_part import Part, Place, open_part
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
        self._part: Part | None = None
        self._remote: RemoteFile | RemoteRanges | None = None

    def __enter__(self) -> SegmentCaptures:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, _)
        self._part = None  # else what it has mapped stays until the collector comes by

    def _opened_segment(self, path: str, *, follow: bool, session: ReadSession) -> Capture:
        del follow
        try:
            return self._place_opened(path, session)
        except OSError as error:
            message = f"cannot be opened: {error.strerror or error}"
            raise CaptureError(Diagnostic(UNREADABLE, message, path=path, offset=0)) from error

    def _place_opened(self, path: str, session: ReadSession) -> Capture:
        segment = self.segment
        if segment.start is not None and segment.stop is not None:
            file = ranges_of(path)
            self._remote = file if isinstance(file, RemoteRanges) else None
            self._part = open_part(file, segment.place, segment.stop, session)
            return self._part
        if is_url(path):
            self._remote = RemoteFile(path)
            return open_capture(cast("IO[bytes]", self._remote), session=session)
        return open_capture(path, session=session)

    @property
    def end(self) -> Place | None:
        """Where the record behind a part begins, once it was read."""
        return None if self._part is None else self._part.end

    @property
    def decoded(self) -> int:
        """Bytes that the zstd frames of a part hold, once it was read; 0 of anything else."""
        return 0 if self._part is None else self._part.decoded

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
