"""What the adapters share: optional libraries, batches of byte strings, verdicts as columns.

Contract: nothing here knows any of the libraries.  Tested by tests/adapters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from types import SimpleNamespace
from typing import TypeVar

import numpy.typing as npt

from ztfast.engine.verdict_tables import VERDICT_COLUMNS, library, verdict_columns
from ztfast.frames.batch import FrameBatch

__all__ = ["COLUMNS", "ETHERNET", "batch_of", "in_groups", "library", "verdict_columns"]
ETHERNET = 1
COLUMNS = VERDICT_COLUMNS  # of the tables that adapters give

Item = TypeVar("Item")


def batch_of(
    frames: Sequence[bytes], lengths: npt.ArrayLike | None = None, linktype: int = ETHERNET
) -> FrameBatch:
    """A batch of frames of any link type that `ztfast filter` reads (tcpdump.org/linktypes.html).

    lengths: what the frames really had, with their link-layer header; None: all is there.
    Raises FrameError, and CaptureError for a link type that cannot be read.
    """
    batch = FrameBatch.from_frames(frames, lengths)
    if linktype == ETHERNET:
        return batch
    packets = SimpleNamespace(
        buffer=batch.buffer,
        offsets=batch.offsets,
        captured=batch.captured,
        lengths=batch.lengths,
        linktype=linktype,
        fcs=0,
    )
    return FrameBatch.from_packets(packets)


def in_groups(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of up to `size` items, as they come."""
    rest = iter(items)
    while group := list(islice(rest, size)):
        yield group
