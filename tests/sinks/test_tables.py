"""Tables: every format holds the same rows, appears when whole, and refuses what cannot be."""

from __future__ import annotations

import csv
import os
import sys

import numpy as np
import pytest

from tests.needs import needs
from ztfast.errors import OutputError, UsageError
from ztfast.sinks.columns import Column
from ztfast.sinks.tables import FRAME_COLUMNS, TableSink

T = 1_700_000_000_123_456_789


def rows(count, first=0):
    n = np.arange(first, first + count)
    values = {}
    for column in FRAME_COLUMNS:
        if column.kind == "text":
            values[column.name] = np.array([f"{column.name[:5]} {i}" for i in n], object)
        elif column.name == "time":
            values[column.name] = T + n
        else:
            values[column.name] = (n % 200).astype(column.kind)
    return values


def write(path, schema=FRAME_COLUMNS):
    with TableSink(str(path), schema) as sink:
        sink.write(rows(1000))
        sink.write(rows(0))
        sink.write(rows(500, 1000))
    assert sink.rows == 1500
    return rows(1500)


def test_npy(tmp_path):
    expected = write(tmp_path / "a.npy")
    table = np.load(tmp_path / "a.npy")
    assert len(table) == 1500
    for column in FRAME_COLUMNS:
        found = table[column.name]
        found = found.astype(np.int64) if column.kind == "time" else found
        assert found.tolist() == expected[column.name].tolist()
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    assert mapped.shape == (1500,)


def test_npy_empty(tmp_path):
    TableSink(str(tmp_path / "a.npy")).close()
    assert np.load(tmp_path / "a.npy").shape == (0,)


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "feather"])
def test_arrow(tmp_path, suffix):
    pa = pytest.importorskip("pyarrow")
    feather = pytest.importorskip("pyarrow.feather")
    parquet = pytest.importorskip("pyarrow.parquet")
    expected = write(tmp_path / f"a.{suffix}")
    read = parquet.read_table if suffix == "parquet" else feather.read_table
    table = read(tmp_path / f"a.{suffix}")
    assert table.column_names == [column.name for column in FRAME_COLUMNS]
    assert table.schema.field("time").type == pa.timestamp("ns", tz="UTC")
    for column in FRAME_COLUMNS:
        found = table[column.name]
        found = found.cast(pa.int64()) if column.kind == "time" else found
        assert found.to_pylist() == expected[column.name].tolist()


def test_csv(tmp_path):
    expected = write(tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    assert len(found) == 1500
    assert found[7]["time"].startswith("2023-11-14 22:13:20.123456796")
    for name in ("number", "length", "source", "copies"):
        assert [row[name] for row in found] == [str(v) for v in expected[name].tolist()]


@needs("pyarrow")
def test_it_appears_when_it_is_whole(tmp_path):
    for name in ("a.npy", "a.csv", "a.parquet"):
        sink = TableSink(str(tmp_path / name))
        sink.write(rows(10))
        assert name not in os.listdir(tmp_path)
        sink.close()
        assert name in os.listdir(tmp_path)


def test_without_pyarrow(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(OutputError, match="table"):
        TableSink(str(tmp_path / "a.parquet"))
    write(tmp_path / "a.npy")


def test_refused(tmp_path):
    with pytest.raises(UsageError, match=r"\.parquet"):
        TableSink(str(tmp_path / "a.xls"))
    with pytest.raises(UsageError, match="pipe"):
        TableSink("-", format="npy")
    os.mkfifo(tmp_path / "fifo.npy")
    with pytest.raises(UsageError, match="plain file"):
        TableSink(str(tmp_path / "fifo.npy"))
    sink = TableSink(str(tmp_path / "b.npy"), [Column("n", "int64"), Column("t", "text", 3)])
    with pytest.raises(UsageError, match="missing"):
        sink.write({"n": np.arange(3)})
    with pytest.raises(UsageError, match="lengths"):
        sink.write({"n": np.arange(3), "t": ["a"]})
    with pytest.raises(OutputError, match="4 characters in column t"):
        sink.write({"n": np.arange(2), "t": ["abc", "abcd"]})
    sink.write({"n": np.arange(2), "t": ["abc", "äöü"]})
    sink.close()
    assert np.load(tmp_path / "b.npy")["t"].tolist() == ["abc", "äöü"]


@needs("pyarrow")
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_full_disk():
    with pytest.raises(OutputError, match="No space left"):
        fill()


def fill():
    with TableSink("/dev/full", format="csv") as sink:
        for i in range(100):
            sink.write(rows(1000, i))
