"""dpkt (and pypcap): the loop over a reader of (timestamp, frame), with verdicts.

Contract: the reader is any iterable of (timestamp, bytes) with `datalink()`, as dpkt.pcap.Reader,
dpkt.pcapng.Reader and pypcap's `pcap.pcap` are; it is read in groups, so memory stays bounded.
These readers do not tell a frame's original length: frames cut by the snaplen count as whole
(ztfast.open_capture knows better).  Tested by tests/adapters/test_dpkt.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ztfast.adapters.common import batch_of, in_groups
from ztfast.engine.engine import Engine
from ztfast.engine.network_verdicts import Verdicts

GROUP = 4096


class Judged(NamedTuple):
    """One group of frames: seconds since 1970 as the reader gave them, frames, verdicts."""

    timestamps: list[Any]
    frames: list[bytes]
    verdicts: Verdicts


def evaluate(engine: Engine, reader: Any, *, size: int = GROUP) -> Iterator[Judged]:
    """Groups of up to `size` frames with their verdicts, until the reader ends.

    Raises CaptureError for a link type that cannot be read; what the reader raises is its own.
    """
    linktype, first = int(reader.datalink()), 0
    for group in in_groups(reader, size):
        frames = [bytes(frame) for _, frame in group]
        verdicts = engine.evaluate(batch_of(frames, None, linktype), first=first)
        yield Judged([time for time, _ in group], frames, verdicts)
        first += len(frames)


def accepted(engine: Engine, reader: Any, *, size: int = GROUP) -> Iterator[tuple[Any, bytes]]:
    """The (timestamp, frame) that the rules accept, to be written by dpkt.pcap.Writer, say."""
    for times, frames, verdicts in evaluate(engine, reader, size=size):
        for index in verdicts.accepted.nonzero()[0].tolist():
            yield times[index], frames[index]
