"""What the adapters share: optional libraries, batches of byte strings, verdicts as columns.

Contract: nothing here knows any of the libraries.  Tested by tests/adapters.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from types import SimpleNamespace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from ztfast.engine.network_verdicts import Verdicts
from ztfast.errors import BackendError, Diagnostic
from ztfast.frames.batch import FrameBatch

ETHERNET = 1
# name -> attribute of `Verdicts`, in the order of the columns that adapters give
COLUMNS = (
    *("accepted", "action", "side", "line", "entry", "capability"),
    *("destination", "qos", "uncertain"),
)

Item = TypeVar("Item")


def library(name: str, extra: str) -> Any:
    """An optional library (untyped), or a BackendError that names the extra to install."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        text = f"{name.split('.', maxsplit=1)[0]} cannot be imported: {error}"
        help = f"pip install 'ztfast[{extra}]'"
        raise BackendError(Diagnostic("ZT422", text, help=help)) from error


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


def verdict_columns(verdicts: Verdicts) -> dict[str, npt.NDArray[Any]]:
    """The verdicts by name (`COLUMNS`), numpy arrays of one item a frame."""
    return {name: np.asarray(getattr(verdicts, name)) for name in COLUMNS}


def in_groups(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of up to `size` items, as they come."""
    rest = iter(items)
    while group := list(islice(rest, size)):
        yield group
