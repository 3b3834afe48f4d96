"""pcapy-ng: frames of libpcap, from a file or live, with verdicts.

Contract: a reader of `pcapy.open_offline` or `pcapy.open_live`; original lengths and link type
are libpcap's.  A file is read to its end; live, what came before a time-out is judged at once.
pypcap's reader goes through ztfast.adapters.dpkt.  Tested by tests/adapters/test_pcap.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ztfast.adapters.common import batch_of
from ztfast.engine.engine import Engine
from ztfast.engine.network_verdicts import Verdicts

GROUP = 4096


class Judged(NamedTuple):
    """One group: libpcap's headers (`getts()`, `getlen()`, `getcaplen()`), frames, verdicts."""

    headers: list[Any]
    frames: list[bytes]
    verdicts: Verdicts


def evaluate(
    engine: Engine, reader: Any, *, size: int = GROUP, live: bool = False
) -> Iterator[Judged]:
    """Groups of up to `size` frames with their verdicts.

    live: go on after a time-out without frames, for ever; else that is the file's end.
    Raises CaptureError for a link type that cannot be read; pcapy's errors are its own.
    """
    linktype, first = int(reader.datalink()), 0
    while True:
        found = _some(reader, size)
        if not found and not live:
            return
        if not found:
            continue
        headers = [header for header, _ in found]
        frames = [frame for _, frame in found]
        batch = batch_of(frames, [header.getlen() for header in headers], linktype)
        yield Judged(headers, frames, engine.evaluate(batch, first=first))
        first += len(found)


def _some(reader: Any, size: int) -> list[tuple[Any, bytes]]:
    """Up to `size` headers and frames: none at a file's end, or after a time-out."""
    found: list[tuple[Any, bytes]] = []

    def keep(header: Any, frame: Any) -> None:
        found.append((header, bytes(frame)))

    reader.dispatch(size, keep)
    return found
