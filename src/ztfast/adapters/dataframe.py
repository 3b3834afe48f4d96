"""pandas and polars: a column of frames in, the same table with verdict columns out.

Contract: goes through Arrow (polars hands its memory over, pandas' objects are copied into an
array); rows keep their order and index, and columns of those names are replaced.
Tested by tests/adapters/test_dataframe.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ztfast.adapters import arrow
from ztfast.adapters.common import library, verdict_columns
from ztfast.engine.engine import Engine
from ztfast.errors import Diagnostic, FrameError
from ztfast.frames.batch import FrameBatch


def evaluate(
    engine: Engine,
    table: Any,
    *,
    frames: str = "frame",
    lengths: str | None = None,
    first: int = 0,
) -> Any:
    """A pandas or polars DataFrame with a column for each of `adapters.common.COLUMNS`.

    frames, lengths: names of the columns with the frames' bytes and original lengths.
    Raises FrameError.
    """
    kind = type(table).__module__.split(".")[0]
    if kind not in ("pandas", "polars"):
        raise _bad(f"{type(table).__name__} is not a DataFrame of pandas or polars")
    for name in (frames, *([] if lengths is None else [lengths])):
        if name not in table.columns:
            raise _bad(f"there is no column {name!r:.40}")
    given = None if lengths is None else np.asarray(table[lengths])
    batch = (_of_polars if kind == "polars" else _of_pandas)(table[frames], given)
    found = verdict_columns(engine.evaluate(batch, first=first))
    if kind == "polars":
        pl = library("polars", "dataframe")
        return table.with_columns(*(pl.Series(name, values) for name, values in found.items()))
    return table.assign(**found)


def _of_polars(series: Any, lengths: Any) -> FrameBatch:
    library("pyarrow", "dataframe")
    return arrow.batch(series.rechunk().to_arrow(), lengths)


def _of_pandas(series: Any, lengths: Any) -> FrameBatch:
    pa = library("pyarrow", "dataframe")
    try:
        # its own type, so that texts are refused rather than encoded; no rows have none
        array = pa.array(series, pa.binary() if series.empty else None, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise _bad(f"the column of frames is not bytes: {error!s:.80}") from None
    return arrow.batch(array, lengths)


def _bad(message: str) -> FrameError:
    return FrameError(Diagnostic("ZT401", message, help="hand in a table with a column of bytes"))
