"""Tables: one row a frame as Parquet, Arrow, CSV or NPY, streamed.

Contract: a `TableSink` takes ready columns, one numpy array (or texts: sinks.text_columns, a list)
for each name of its schema, and writes them as they come; the file appears when it is whole.  CSV
and NPY, a numpy structured array, need no extra; the others need `pip install 'ztfast[table]'`.
Tested by tests/sinks/test_tables.py.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ztfast.errors import Diagnostic, OutputError, usage
from ztfast.sinks.columns import TIME, Column, Values
from ztfast.sinks.csv import CsvWriter
from ztfast.sinks.output import Output
from ztfast.sinks.text_columns import Addresses, Coded, Macs, Texts

FORMATS = {
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".csv": "csv",
    ".npy": "npy",
}


FRAME_COLUMNS = (
    Column("number", "int64", dictionary=False),
    Column("time", TIME, dictionary=False),
    Column("captured", "uint32"),
    Column("length", "uint32"),
    Column("mac_source", "text", 17, statistics=False),
    Column("mac_dest", "text", 17, statistics=False),
    Column("ethertype", "uint16"),
    Column("vlan", "uint16"),
    Column("source", "text", 39, statistics=False),
    Column("dest", "text", 39, statistics=False),
    Column("protocol", "uint8"),
    Column("source_port", "uint16", dictionary=False),
    Column("dest_port", "uint16", dictionary=False),
    Column("verdict", "text", 16),
    Column("line", "int32"),
    Column("copies", "text", 80),
)

# the same with addresses as numbers, an IPv4 address in the low half; verdicts as a dictionary
NUMBER_COLUMNS = (
    *FRAME_COLUMNS[:4],
    Column("mac_source", "uint64"),
    Column("mac_dest", "uint64"),
    *FRAME_COLUMNS[6:8],
    Column("ip_version", "uint8"),
    Column("source_high", "uint64"),
    Column("source_low", "uint64"),
    Column("dest_high", "uint64"),
    Column("dest_low", "uint64"),
    *FRAME_COLUMNS[10:13],
    Column("verdict", "name", 16),
    Column("line", "int32"),
    FRAME_COLUMNS[15],
)
TYPES = {"text": FRAME_COLUMNS, "numbers": NUMBER_COLUMNS}


class _Writer(Protocol):
    output: Output

    def write(self, columns: Mapping[str, Values]) -> None: ...

    def close(self) -> None: ...


class TableSink:
    """A table in one file; its format is that of the suffix, or `format`."""

    def __init__(
        self, path: str, schema: Sequence[Column] = FRAME_COLUMNS, format: str | None = None
    ) -> None:
        kind = format or FORMATS.get(os.path.splitext(path)[1].lower())
        if kind is None or kind not in FORMATS.values():
            known = ", ".join(FORMATS)
            raise usage(f"{path}: no table format goes by that name", f"end it in one of: {known}")
        if kind == "npy" and path == "-":
            raise usage("NPY cannot be written to a pipe: it begins with its length", "use CSV")
        self.path = path
        self.schema = tuple(schema)
        self.rows = 0
        self._writer: _Writer = _make(kind, path, self.schema)

    def write(self, columns: Mapping[str, Values]) -> None:
        """Write rows: one value sequence for each column of the schema, all of one length."""
        names = {column.name for column in self.schema}
        if names != set(columns):
            wrong = ", ".join(sorted(names ^ set(columns)))
            raise usage(f"these columns are missing or not of the table: {wrong}")
        lengths = {len(values) for values in columns.values()}
        if len(lengths) > 1:
            raise usage(f"columns of different lengths: {sorted(lengths)}")
        count = lengths.pop() if lengths else 0
        if count:
            self._writer.write(columns)
            self.rows += count

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()

    def discard(self) -> None:
        """Give up the file: it never appears."""
        self._writer.output.discard()

    def __enter__(self) -> TableSink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()


def _make(kind: str, path: str, schema: Sequence[Column]) -> _Writer:
    if kind == "npy":
        return _NpyWriter(path, schema)
    if kind == "csv":
        return CsvWriter(path, [(column.name, column.kind) for column in schema])
    try:
        from ztfast.sinks.arrow import ArrowWriter  # start-up stays short

        return ArrowWriter(kind, path, schema)
    except ImportError as error:
        raise OutputError(
            Diagnostic(
                "ZT607",
                f"a {kind} table needs {error.name}, which is not installed",
                path=path,
                help="pip install 'ztfast[table]', or write .csv or .npy",
            )
        ) from error


_NPY_HEADER = 64  # the file's header fills a multiple of this


class _NpyWriter:
    """A structured array whose length is put into the header at the end."""

    def __init__(self, path: str, schema: Sequence[Column]) -> None:
        self._schema = schema
        self._dtype = np.dtype([(column.name, _npy_type(column)) for column in schema])
        self._rows = 0
        self._path = path
        if os.path.exists(path) and not os.path.isfile(path):
            raise usage(f"{path}: NPY can only be a plain file", "use CSV or Arrow for a pipe")
        self.output = Output(path)
        self._space = len(self._header(10**18))
        self.output.write([self._header(0)])

    def write(self, columns: Mapping[str, Values]) -> None:
        rows = np.zeros(len(columns[self._schema[0].name]), self._dtype)
        for column in self._schema:
            given = columns[column.name]
            if isinstance(given, (Texts, Coded, Macs, Addresses)):
                given = given.tolist()
            values = np.asarray(given)
            if column.kind in ("text", "name"):
                self._check_width(column, values)
            rows[column.name] = values
        self._rows += len(rows)
        self.output.write([rows.tobytes()])

    def close(self) -> None:
        if not self.output.failed:
            self.output.patch(0, self._header(self._rows))
        self.output.close()

    def _check_width(self, column: Column, values: npt.NDArray[Any]) -> None:
        longest = max(map(len, values.tolist()), default=0)
        if longest > column.width:
            raise OutputError(
                Diagnostic(
                    "ZT608",
                    f"a text of {longest} characters in column {column.name}, "
                    f"which holds {column.width}",
                    path=self._path,
                    help="NPY's texts have a fixed width: write Parquet, Arrow or CSV",
                )
            )

    def _header(self, rows: int) -> bytes:
        """Version 1.0 of the format (NEP 1), with room for any number of rows."""
        text = repr({"descr": self._dtype.descr, "fortran_order": False, "shape": (rows,)})
        assert ast.literal_eval(text)["shape"] == (rows,)
        space = getattr(self, "_space", 0) or -(-(len(text) + 11) // _NPY_HEADER) * _NPY_HEADER
        body = text.encode("latin-1").ljust(space - 11) + b"\n"
        return b"\x93NUMPY\x01\x00" + len(body).to_bytes(2, "little") + body


def _npy_type(column: Column) -> str:
    if column.kind == TIME:
        return "<M8[ns]"
    texts = column.kind in ("text", "name")
    return f"<U{column.width}" if texts else np.dtype(column.kind).str
