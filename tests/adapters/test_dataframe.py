"""pandas and polars tables get the verdicts' columns, row by row those of the capture."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

import ztfast
from tests.adapters.office import engine, wanted
from ztfast.adapters import dataframe as adapter
from ztfast.adapters.common import COLUMNS

pytest.importorskip("pyarrow", reason="pyarrow is not installed")
FRAMES, LENGTHS, VERDICTS = wanted()


@pytest.fixture(params=["pandas", "polars"])
def library(request: pytest.FixtureRequest) -> Any:
    name = str(request.param)
    return pytest.importorskip(name, reason=f"{name} is not installed")


def test_columns_are_added(library: Any) -> None:
    table = library.DataFrame({"frame": FRAMES, "length": LENGTHS})
    out = adapter.evaluate(engine(), table, lengths="length")
    assert list(out.columns) == ["frame", "length", *COLUMNS]
    for name in COLUMNS:
        column = out[name]
        values = column.to_list() if hasattr(column, "to_list") else column.tolist()
        assert values == getattr(VERDICTS, name).tolist(), name
    assert list(table.columns) == ["frame", "length"]


def test_parts_and_none(library: Any) -> None:
    table = library.DataFrame({"frame": FRAMES})[100:150]
    whole = engine().evaluate(ztfast.FrameBatch.from_frames(FRAMES)).line.tolist()
    assert list(adapter.evaluate(engine(), table)["line"]) == whole[100:150]
    assert len(adapter.evaluate(engine(), table[:0])) == 0


def test_pandas_keeps_its_index() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    table = pandas.DataFrame({"frame": FRAMES}, index=range(1000, 1221))
    assert list(adapter.evaluate(engine(), table[::-1]).index) == list(range(1220, 999, -1))


def test_what_does_not_fit(library: Any) -> None:
    table = library.DataFrame({"frame": ["text"], "n": [1]})
    for name in ("frame", "n", "no"):
        with pytest.raises(ztfast.FrameError):
            adapter.evaluate(engine(), table, frames=name)
    with pytest.raises(ztfast.FrameError):
        adapter.evaluate(engine(), table, frames="n", lengths="no")


def test_other_tables_are_refused() -> None:
    with pytest.raises(ztfast.FrameError, match="dict"):
        adapter.evaluate(engine(), {"frame": FRAMES})
    assert importlib.import_module("ztfast.adapters.dataframe") is adapter
