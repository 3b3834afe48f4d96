"""Parquet and Arrow: the table's own types, whatever the columns are handed over as."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from ztfast.sinks.columns import Column
from ztfast.sinks.tables import NUMBER_COLUMNS, TYPES, TableSink
from ztfast.sinks.text_columns import Addresses, Macs, coded, texts_of

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

SCHEMA = [
    *(Column(kind, kind) for kind in ("int8", "int64", "uint16", "uint64")),
    Column("yes", "bool"),
    Column("when", "time", dictionary=False),
    Column("texts", "text", 9),
    Column("listed", "text", 9),
    Column("coded", "text", 9),
    Column("mac", "text", 17, statistics=False),
    Column("address", "text", 39, statistics=False),
    Column("name", "name", 9),
]
COUNT = 1003


def rows(seed):
    rng = np.random.default_rng(seed)
    kinds = [column.kind for column in SCHEMA[:4]]
    limits = [(np.iinfo(kind).min, np.iinfo(kind).max) for kind in kinds]
    some = [f"t{n}" for n in rng.integers(0, 50, COUNT)]
    halves = rng.integers(0, 2**64 - 1, (2, COUNT), np.uint64)
    return {
        **{
            kind: rng.integers(low, high, COUNT, kind)
            for kind, (low, high) in zip(kinds, limits, strict=True)
        },
        "yes": rng.random(COUNT) < 0.5,
        "when": rng.integers(0, 2**62, COUNT),
        "texts": texts_of(some),
        "listed": some[::-1],
        "coded": coded(["a", "ä", "a", "unused"], rng.integers(0, 3, COUNT)),  # one stands twice
        "mac": Macs(rng.integers(0, 2, COUNT, np.uint8), halves[0] >> 16),
        "address": Addresses(rng.choice([0, 4, 6], COUNT).astype(np.uint8), *halves),
        "name": coded(["x", "y"], rng.integers(0, 2, COUNT)),
    }


def read(path):
    if path.suffix == ".parquet":
        return parquet.read_table(path)
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def write(path, seeds=(1, 2)):
    with TableSink(str(path), SCHEMA) as sink:
        for seed in seeds:
            sink.write(rows(seed))
    return path


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_values_and_types(tmp_path, suffix):
    table = read(write(tmp_path / f"a.{suffix}"))
    parts = rows(1), rows(2)
    for column in SCHEMA:
        values = [value for part in parts for value in list_of(part[column.name])]
        found, kind = table[column.name], table.schema.field(column.name).type
        if column.kind == "time":
            assert kind == pa.timestamp("ns", tz="UTC")
            found = found.cast(pa.int64())
        elif column.kind == "text":
            assert kind == pa.string()
        elif column.kind == "name":
            assert kind == pa.dictionary(pa.int32(), pa.string())
        else:
            assert kind == pa.from_numpy_dtype(np.dtype(column.kind))
        assert found.to_pylist() == values, column.name


def list_of(values):
    return values if isinstance(values, list) else values.tolist()


def test_other_programs_are_told_the_same_types(tmp_path):
    """Without the note that only Arrow's readers know."""
    schema = parquet.ParquetFile(write(tmp_path / "a.parquet")).schema
    logical = {column.name: str(schema.column(n).logical_type) for n, column in enumerate(SCHEMA)}
    for column in SCHEMA:
        if column.kind in ("text", "name"):
            assert logical[column.name] == "String"
    assert "isAdjustedToUTC=true" in logical["when"]
    assert "bitWidth=16, isSigned=false" in logical["uint16"]


def test_statistics_and_dictionaries_where_they_serve(tmp_path):
    group = parquet.ParquetFile(write(tmp_path / "a.parquet", [1])).metadata.row_group(0)
    chunks = {group.column(n).path_in_schema: group.column(n) for n in range(len(SCHEMA))}
    for column in SCHEMA:
        chunk = chunks[column.name]
        assert (chunk.statistics is not None and chunk.statistics.has_min_max) == column.statistics
        if column.kind != "bool":  # which Parquet never puts into one
            assert chunk.has_dictionary_page == column.dictionary, column.name
    assert chunks["coded"].statistics.max == "ä"
    assert chunks["uint16"].statistics.min == int(rows(1)["uint16"].min())


def test_frames_are_told_by_time_and_number():
    for schema in TYPES.values():
        ranged = {column.name for column in schema if column.statistics}
        assert {"number", "time", "verdict", "line", "copies"} <= ranged
    assert all(column.statistics for column in NUMBER_COLUMNS)


def test_many_different_addresses(tmp_path):
    """More than one dictionary page of Parquet holds."""
    count = 100_000
    half = np.arange(count, dtype=np.uint64)
    addresses = Addresses(np.full(count, 6, np.uint8), half << 40, half)
    path = tmp_path / "a.parquet"
    with TableSink(str(path), [Column("address", "text", 39, statistics=False)]) as sink:
        sink.write({"address": addresses})
    assert read(path)["address"].to_pylist() == addresses.tolist()


def test_pandas_is_not_loaded(tmp_path):
    pytest.importorskip("pandas")
    code = (
        "import sys\n"
        "from tests.sinks.test_arrow import write\n"
        "from pathlib import Path\n"
        "assert 'pandas' not in sys.modules\n"
        "for suffix in ('parquet', 'arrow'):\n"
        "    write(Path(sys.argv[1]) / f'a.{suffix}')\n"
        "assert 'pandas' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
