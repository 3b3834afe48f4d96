"""Verdicts as tables of other libraries: Arrow, pandas, polars.

Contract: the columns of `VERDICT_COLUMNS`, one row a frame, in order, of anything that
has them (`Verdicts`).  The libraries are optional
and loaded here; a missing one is a BackendError that names the extra.
Tested by tests/engine/test_verdict_tables.py.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import numpy.typing as npt

from ztfast.errors import BackendError, Diagnostic

# name -> attribute of `Verdicts`
VERDICT_COLUMNS = (
    *("accepted", "action", "side", "line", "entry", "capability"),
    *("destination", "qos", "uncertain"),
)


def library(name: str, extra: str) -> Any:
    """An optional library (untyped), or a BackendError that names the extra to install."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        text = f"{name.split('.', maxsplit=1)[0]} cannot be imported: {error}"
        help = f"pip install 'ztfast[{extra}]'"
        raise BackendError(Diagnostic("ZT422", text, help=help)) from error


def verdict_columns(verdicts: Any) -> dict[str, npt.NDArray[Any]]:
    """The verdicts by name, numpy arrays of one item a frame."""
    return {name: np.asarray(getattr(verdicts, name)) for name in VERDICT_COLUMNS}


def to_arrow(verdicts: Any) -> Any:
    """A pyarrow.RecordBatch."""
    pa = library("pyarrow", "table")
    columns = verdict_columns(verdicts)
    return pa.RecordBatch.from_arrays([pa.array(one) for one in columns.values()], list(columns))


def to_pandas(verdicts: Any) -> Any:
    """A pandas.DataFrame."""
    return library("pandas", "dataframe").DataFrame(verdict_columns(verdicts))


def to_polars(verdicts: Any) -> Any:
    """A polars.DataFrame."""
    return library("polars", "dataframe").DataFrame(verdict_columns(verdicts))
