"""Tables: one row a frame as Parquet, Arrow, CSV or NPY, streamed.

Contract: a `TableSink` takes ready columns, one numpy array (or texts: sinks.text_columns, a list)
for each name of its schema, and writes them as they come; the file appears when it is whole.  CSV
and NPY, a numpy structured array, need no extra; the others need `pip install 'ztfast[table]'`.
Tested by tests/sinks/test_tables.py.
"""

from __future__ import annotations

import ast
import importlib
import os
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ztfast.errors import Diagnostic, OutputError, usage
from ztfast.sinks.csv import TIME, CsvWriter
from ztfast.sinks.output import Output
from ztfast.sinks.text_columns import Coded, Texts

FORMATS = {
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".csv": "csv",
    ".npy": "npy",
}


class Column(NamedTuple):
    """A column: `kind` is a numpy integer or bool dtype's name, `time`, `text`, or `name`.

    `name` is one of a few texts, the same in every write (`Coded`), which Arrow and Parquet keep as
    a dictionary.
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

Values = npt.NDArray[Any] | Sequence[str] | Texts | Coded


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
        return CsvWriter(path, [(name, kind) for name, kind, _ in schema])
    try:
        return _ArrowWriter(kind, path, schema)
    except ImportError as error:
        raise OutputError(
            Diagnostic(
                "ZT607",
                f"a {kind} table needs {error.name}, which is not installed",
                path=path,
                help="pip install 'ztfast[table]', or write .csv or .npy",
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
    """Parquet or Arrow's file format by pyarrow; a row group for each write."""

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
        return self._pa.ipc.new_file(file, self._schema)

    def write(self, columns: Mapping[str, Values]) -> None:
        pa = self._pa
        arrays = [
            arrow_array(pa, columns[name], kind)
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
    if column.kind == "name":
        return pa.dictionary(pa.int32(), pa.string())
    return pa.string() if column.kind == "text" else pa.from_numpy_dtype(np.dtype(column.kind))


def arrow_array(pa: Any, values: Values, kind: Any) -> Any:
    """A column; texts are taken over as they are."""
    if isinstance(values, Texts):
        buffers = pa.py_buffer(values.offsets), pa.py_buffer(values.data)
        return pa.StringArray.from_buffers(len(values), *buffers)
    if isinstance(values, Coded):
        texts = arrow_array(pa, values.values, pa.string())
        found = pa.DictionaryArray.from_arrays(pa.array(values.codes), texts)
        return found if pa.types.is_dictionary(kind) else texts.take(found.indices)
    return pa.array(values, type=kind)


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
            values = np.asarray(given.tolist() if isinstance(given, (Texts, Coded)) else given)
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
