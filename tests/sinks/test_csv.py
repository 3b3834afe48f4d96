"""Rows of CSV: what a reader gets back, and the same bytes with loops and without."""

from __future__ import annotations

import csv
import random

import numpy as np
import pytest

from tests.needs import needs, needs_loops
from ztfast import dispatch
from ztfast.sinks.csv import CsvColumn, CsvWriter, Kind, csv_column
from ztfast.sinks.text_columns import Addresses, Macs, coded, texts_of

SCHEMA = [
    *((kind, kind) for kind in ("int8", "int16", "int32", "int64")),
    *((kind, kind) for kind in ("uint8", "uint16", "uint32", "uint64")),
    ("yes", "bool"),
    ("when", "time"),
    ("text", "text"),
    ("name", "name"),
    ("listed", "text"),
    ("mac", "text"),
    ("address", "text"),
]
LETTERS = ['"', ",", "\n", "a", "ä", "😀", " "]


def rows(seed, count=300):
    rng = random.Random(seed)
    columns = {}
    for name, kind in SCHEMA[:8]:
        low, high = np.iinfo(kind).min, np.iinfo(kind).max
        values = [rng.choice([low, high, 0, 1, rng.randint(low, high)]) for _ in range(count)]
        columns[name] = np.array(values, kind)
    texts = ["".join(rng.choices(LETTERS, k=rng.randrange(9))) for _ in range(count)]
    days = [0, 951_782_400, 951_868_800, -1, 4_102_444_800, -2_208_988_800, 68_169_600]
    when = [rng.choice(days) * 10**9 + rng.randrange(10**9) for _ in range(count)]
    return columns | {
        "yes": np.array([rng.random() < 0.5 for _ in range(count)]),
        "when": np.array(when, np.int64),
        "text": texts_of(texts),
        "name": coded(["", 'q"', "ok"], [rng.randrange(3) for _ in range(count)]),
        "listed": texts[::-1],
        "mac": Macs(
            np.array([rng.choice([0, 1]) for _ in range(count)], np.uint8),
            np.array([rng.getrandbits(48) for _ in range(count)], np.uint64),
        ),
        "address": Addresses(
            np.array([rng.choice([0, 4, 6]) for _ in range(count)], np.uint8),
            *(
                np.array([rng.getrandbits(rng.choice([1, 17, 64])) for _ in texts], np.uint64)
                for _ in range(2)
            ),
        ),
    }


def write(path, seeds, count=300):
    writer = CsvWriter(str(path), SCHEMA)
    for seed in seeds:
        writer.write(rows(seed, count))
    writer.close()
    return path.read_bytes()


def test_a_reader_gets_the_values_back(tmp_path):
    write(tmp_path / "a.csv", [1, 2])
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    expected = [rows(1), rows(2)]
    for name, kind in SCHEMA:
        values = [value for part in expected for value in list_of(part[name])]
        if kind == "time":
            values = [time_text(value) for value in values]
        elif kind == "bool":
            values = ["true" if value else "false" for value in values]
        assert [row[name] for row in found] == [str(value) for value in values], name


def list_of(values):
    return values if isinstance(values, list) else values.tolist()


def time_text(nanoseconds):
    return str(np.datetime64(nanoseconds, "ns")).replace("T", " ") + "Z"


@needs_loops
def test_loops_and_plain_python_write_the_same(tmp_path, monkeypatch):
    made = write(tmp_path / "a.csv", range(5))
    monkeypatch.setattr(dispatch, "core", None)
    assert made == write(tmp_path / "b.csv", range(5))


@needs_loops
def test_numbers_of_every_length(tmp_path, monkeypatch):
    ends = [*(10**digits + more for digits in range(20) for more in (-1, 0, 1)), 2**64 - 1]
    values = {"n": np.array(ends, np.uint64)}
    for compiled in (True, False):
        if not compiled:
            monkeypatch.setattr(dispatch, "core", None)
        writer = CsvWriter(str(tmp_path / "a.csv"), [("n", "uint64")])
        writer.write(values)
        writer.close()
        assert (tmp_path / "a.csv").read_text().split()[1:] == [str(end) for end in ends]


@needs("pyarrow")
def test_the_same_bytes_as_pyarrow(tmp_path):
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    made = write(tmp_path / "a.csv", [3])
    columns = {name: list_of(values) for name, values in rows(3).items()}
    kinds = [
        (name, pa.timestamp("ns", "UTC") if kind == "time" else pa.string())
        if kind in ("time", "text", "name")
        else (name, pa.bool_() if kind == "bool" else getattr(pa, kind)())
        for name, kind in SCHEMA
    ]
    table = pa.table(columns, schema=pa.schema(kinds))
    arrow_csv.write_csv(table, tmp_path / "b.csv")
    assert made == (tmp_path / "b.csv").read_bytes()


def test_rows_longer_than_the_space_for_them(tmp_path):
    long = '"' * 700_000
    writer = CsvWriter(str(tmp_path / "a.csv"), [("n", "int8"), ("text", "text")])
    writer.write({"n": np.arange(3, dtype=np.int8), "text": ["x", long, "y"]})
    writer.close()
    with (tmp_path / "a.csv").open(newline="") as file:
        csv.field_size_limit(1_000_000)
        assert [row["text"] for row in csv.DictReader(file)] == ["x", long, "y"]


@needs_loops
def test_nothing_is_read_or_written_outside():
    rows_of = dispatch.require().csv_rows
    number = csv_column("uint16", np.arange(4, dtype=np.uint16))
    text = csv_column("text", ["a", "b"])
    out = np.full(100, 0xEE, np.uint8)
    assert rows_of([number, text], 0, 2, out) == (2, 12)
    assert bytes(out[:12]) == b'0,"a"\n1,"b"\n'
    every = [csv_column(kind, rows(1)[name]) for name, kind in SCHEMA]
    for room in range(0, 2000, 7):
        longer = np.full(2100, 0xEE, np.uint8)
        following, used = rows_of(every, 0, 300, longer[:room])
        assert (longer[room:] == 0xEE).all()
        assert used <= room
        assert bytes(longer[:used]).endswith(b"\n") or following == 0
    assert rows_of([number, text], 0, 2, out[:36]) == (0, 0)  # room for the longest number
    with pytest.raises(ValueError, match="other length"):
        rows_of([number], 0, 5, out)
    with pytest.raises(ValueError, match="not there"):
        rows_of([text], 0, 3, out)
    mac = Macs(np.ones(4, np.uint8), np.arange(4, dtype=np.uint64))
    address = Addresses(np.full(4, 6, np.uint8), mac.macs, mac.macs)
    for column in (csv_column("text", mac), csv_column("text", address)):
        assert rows_of([column], 0, 4, out[:60])[0] == 1
        with pytest.raises(ValueError, match="other length"):
            rows_of([column], 0, 5, out)
        with pytest.raises(ValueError, match="other length"):
            rows_of([column._replace(data=column.data[:3])], 0, 4, out)
    with pytest.raises(ValueError, match="not whole"):
        rows_of([csv_column("text", address)._replace(high=mac.macs[:3])], 0, 4, out)
    with pytest.raises(ValueError, match="no known kind"):
        rows_of([(8, *number[1:])], 0, 4, out)
    wrong = csv_column("name", coded(["a"], [0, 1, -1]))
    for row in (1, 2):
        with pytest.raises(ValueError, match="not there"):
            rows_of([wrong], row, 3, out)
    data = np.zeros(4, np.uint8)
    for offsets in ([0, 5], [-1, 2], [3, 1, 4]):
        column = CsvColumn(Kind.TEXT, number.items, np.array(offsets, np.int32), data)
        with pytest.raises(ValueError, match="texts that"):
            rows_of([column], 0, 1, out)
    with pytest.raises(ValueError, match="no row"):
        rows_of([number], -1, 1, out)
