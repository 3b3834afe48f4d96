"""Arrow: a column of binary frames in, verdict columns out.

Contract: the frames' bytes are never copied: an array's data buffer becomes the batch's, its
64-bit offsets (large_binary) too; 32-bit ones (binary) are widened, 8 bytes a frame.  Arrays
with nulls are refused.  Offsets are checked, so an array built wrongly is an error, not a crash.
Tested by tests/adapters/test_arrow.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ztfast.adapters.common import library
from ztfast.engine.engine import Engine
from ztfast.engine.network_verdicts import Verdicts
from ztfast.errors import Diagnostic, FrameError
from ztfast.frames.batch import FrameBatch


def batch(frames: Any, lengths: Any = None) -> FrameBatch:
    """An array of Ethernet frames as a batch over the array's own memory.

    frames: pyarrow Array of binary, large_binary, fixed_size_binary or binary_view (this last
    is copied), or a ChunkedArray of one chunk.  lengths: integer array of the lengths that the
    frames really had; None: all is there.  Raises FrameError.
    """
    pa = library("pyarrow", "table")
    array = _one_chunk(pa, frames)
    if array.null_count:
        raise _bad(f"{array.null_count} of the frames are null", "leave them out: drop_null()")
    if pa.types.is_fixed_size_binary(array.type):
        offsets, data = _fixed(array)
    else:
        offsets, data = _variable(pa, array)
    captured = np.diff(offsets)
    return FrameBatch(data, offsets[:-1], captured, None if lengths is None else _lengths(lengths))


def columns(verdicts: Verdicts) -> Any:
    """The verdicts as a RecordBatch: the columns of `adapters.common.COLUMNS`."""
    return verdicts.to_arrow()


def evaluate(
    engine: Engine,
    records: Any,
    *,
    frames: str = "frame",
    lengths: str | None = None,
    first: int = 0,
) -> Any:
    """The verdicts on a RecordBatch's column of frames, as a RecordBatch of the same length.

    frames, lengths: names of columns.  first: as in `Engine.evaluate`.  Raises FrameError.
    """
    given = None if lengths is None else _column(records, lengths)
    return columns(engine.evaluate(batch(_column(records, frames), given), first=first))


def evaluate_table(
    engine: Engine, table: Any, *, frames: str = "frame", lengths: str | None = None
) -> Any:
    """The same for a Table, chunk by chunk: a Table of verdicts."""
    pa = library("pyarrow", "table")
    found: list[Any] = []
    first = 0
    for records in table.to_batches():
        found.append(evaluate(engine, records, frames=frames, lengths=lengths, first=first))
        first += len(records)
    empty = columns(engine.evaluate(FrameBatch.from_frames([])))
    return pa.Table.from_batches(found, schema=empty.schema)


def _one_chunk(pa: Any, frames: Any) -> Any:
    if isinstance(frames, pa.ChunkedArray):
        if frames.num_chunks > 1:
            raise _bad(f"{frames.num_chunks} chunks in one array", "one at a time: .chunks")
        frames = frames.chunk(0) if frames.num_chunks else pa.array([], frames.type)
    if not isinstance(frames, pa.Array):
        raise _bad(f"{type(frames).__name__} is not an Arrow array", "use pyarrow.array(…)")
    return frames


def _variable(pa: Any, array: Any) -> tuple[npt.NDArray[np.int64], Any]:
    """(offsets int64[n + 1], data) of a binary array."""
    types = pa.types
    if types.is_binary_view(array.type):
        array = array.cast(pa.large_binary())
    if not (types.is_binary(array.type) or types.is_large_binary(array.type)):
        raise _bad(f"frames of Arrow type {array.type}", "use binary or large_binary")
    if not len(array):
        return np.zeros(1, np.int64), b""
    wide = types.is_large_binary(array.type)
    _, offsets, data = array.buffers()
    found = np.frombuffer(offsets, np.int64 if wide else np.int32)
    part = found[array.offset : array.offset + len(array) + 1]
    return part.astype(np.int64, copy=False), b"" if data is None else data


def _fixed(array: Any) -> tuple[npt.NDArray[np.int64], Any]:
    width, data = array.type.byte_width, array.buffers()[1]
    offsets = np.arange(array.offset, array.offset + len(array) + 1, dtype=np.int64) * width
    return offsets, b"" if data is None else data


def _lengths(lengths: Any) -> npt.NDArray[Any]:
    if getattr(lengths, "null_count", 0):
        raise _bad("some of the lengths are null", "fill them: fill_null(0)")
    return np.asarray(lengths)


def _column(records: Any, name: str) -> Any:
    if name not in records.schema.names:
        names = ", ".join(records.schema.names)
        raise _bad(f"there is no column {name!r:.40}", f"there are: {names:.200}")
    return records.column(name)


def _bad(message: str, help: str) -> FrameError:
    return FrameError(Diagnostic("ZT401", message, help=help))
