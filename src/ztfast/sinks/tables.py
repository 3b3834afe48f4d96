"""Tables: one row a frame as Parquet, Arrow, CSV or NPY, streamed.

Contract: a `TableSink` takes ready columns, one numpy array (or list of texts) for each name
of its schema, and writes them as they come; the file appears when it is whole.  NPY is a
numpy structured array and needs no extra; the others need `pip install 'ztfast[table]'`.
Tested by tests/sinks/test_tables.py.
"""

from __future__ import annotations

import ast
import importlib
import ipaddress
import os
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ztfast.errors import Diagnostic, OutputError, usage
from ztfast.sinks.output import Output

FORMATS = {
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".csv": "csv",
    ".npy": "npy",
}
TIME = "time"  # int64 nanoseconds since 1970


class Column(NamedTuple):
    """A column: `kind` is a numpy integer, float or bool dtype's name, `time`, or `text`.

    `width` is the most characters of a text, which NPY needs.
    """

    name: str
    kind: str
    width: int = 0


FRAME_COLUMNS = (
    Column("number", "int64"),
    Column("time", TIME),
    Column("captured", "uint32"),
    Column("length", "uint32"),
    Column("mac_source", "text", 17),
    Column("mac_dest", "text", 17),
    Column("ethertype", "uint16"),
    Column("vlan", "uint16"),
    Column("source", "text", 39),
    Column("dest", "text", 39),
    Column("protocol", "uint8"),
    Column("source_port", "uint16"),
    Column("dest_port", "uint16"),
    Column("verdict", "text", 16),
    Column("line", "int32"),
    Column("copies", "text", 80),
)

Values = npt.NDArray[Any] | Sequence[str]


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
    try:
        return _ArrowWriter(kind, path, schema)
    except ImportError as error:
        raise OutputError(
            Diagnostic(
                "ZT607",
                f"a {kind} table needs {error.name}, which is not installed",
                path=path,
                help="pip install 'ztfast[table]', or write .npy",
            )
        ) from error


class _File:
    """An `Output` as the file object that pyarrow writes to."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self.closed = False

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self._output.write([view])
        return len(view)

    def tell(self) -> int:
        return self._output.written

    def flush(self) -> None: ...

    def seekable(self) -> bool:
        return False

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True


class _ArrowWriter:
    """Parquet, Arrow's file format, or CSV by pyarrow; a row group for each write."""

    def __init__(self, kind: str, path: str, schema: Sequence[Column]) -> None:
        # imported by name: it ships no types
        pa: Any = importlib.import_module("pyarrow")
        self._pa = pa
        self._names = [column.name for column in schema]
        self._schema = pa.schema([(column.name, _arrow_type(pa, column)) for column in schema])
        self.output = Output(path)
        file: Any = pa.PythonFile(_File(self.output), mode="w")
        self._writer: Any = self._open(kind, file)
        self._file = file

    def _open(self, kind: str, file: Any) -> Any:
        if kind == "parquet":
            pq = importlib.import_module("pyarrow.parquet")
            return pq.ParquetWriter(file, self._schema, compression="zstd")
        if kind == "csv":
            pc = importlib.import_module("pyarrow.csv")
            return pc.CSVWriter(file, self._schema)
        return self._pa.ipc.new_file(file, self._schema)

    def write(self, columns: Mapping[str, Values]) -> None:
        pa = self._pa
        arrays = [
            pa.array(columns[name], type=kind)
            for name, kind in zip(self._names, self._schema.types, strict=True)
        ]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        if not self._file.closed:
            if not self.output.failed:
                self._writer.close()
            self._file.close()
        self.output.close()


def _arrow_type(pa: Any, column: Column) -> Any:
    if column.kind == TIME:
        return pa.timestamp("ns", tz="UTC")
    return pa.string() if column.kind == "text" else pa.from_numpy_dtype(np.dtype(column.kind))


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
            values = np.asarray(columns[column.name])
            if column.kind == "text":
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
    return f"<U{column.width}" if column.kind == "text" else np.dtype(column.kind).str


def mac_texts(macs: npt.NDArray[np.uint64]) -> npt.NDArray[np.object_]:
    """48-bit numbers as `aa:bb:cc:dd:ee:ff`; each different one is formatted once."""
    different, which = np.unique(macs, return_inverse=True)
    texts = [int(mac).to_bytes(8, "big")[2:].hex(":") for mac in different]
    return np.array(texts, object)[which] if texts else np.zeros(0, object)


def address_texts(
    high: npt.NDArray[np.uint64], low: npt.NDArray[np.uint64], version: npt.NDArray[np.uint8]
) -> npt.NDArray[np.object_]:
    """Addresses as text: `version` 4 (`low` holds 32 bits), 6 (`high` and `low`), else empty."""
    texts = np.full(len(low), "", object)
    four, six = version == 4, version == 6
    different, which = np.unique(low[four] & np.uint64(0xFFFF_FFFF), return_inverse=True)
    texts[four] = np.array([_ipv4_text(address) for address in different.tolist()], object)[which]
    if six.any():
        keys = np.empty(int(six.sum()), [("high", "u8"), ("low", "u8")])
        keys["high"], keys["low"] = high[six], low[six]
        wide, which = np.unique(keys, return_inverse=True)
        shown = [str(ipaddress.IPv6Address(top << 64 | rest)) for top, rest in wide.tolist()]
        texts[six] = np.array(shown, object)[which]
    return texts


def _ipv4_text(address: int) -> str:
    return f"{address >> 24}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}"
