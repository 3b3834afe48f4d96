"""Parquet, and Arrow's file format, by pyarrow: the columns' own memory, taken over as it is.

Contract: a row group (record batch) for each write.  In Parquet texts are handed over as
dictionaries, whose values pyarrow need not find again; readers are told the table's own types.
Arrays are made of buffers: `pyarrow.array` loads pandas where that is installed.
Tested by tests/sinks/test_tables.py and test_arrow.py.
"""

from __future__ import annotations

import base64
import importlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ztfast.sinks.columns import TIME, Column, Values
from ztfast.sinks.output import Output
from ztfast.sinks.text_columns import Addresses, Coded, Macs, Texts, coded, texts_of

_PIECE = 1 << 18  # bytes that are written at once
_TEXTS = ("text", "name")


class ArrowWriter:
    """A table in one file; raises ImportError where pyarrow is missing."""

    def __init__(self, kind: str, path: str, schema: Sequence[Column]) -> None:
        # imported by name: it ships no types
        pa: Any = importlib.import_module("pyarrow")
        self._pa = pa
        self._columns = tuple(schema)
        self._parquet = kind == "parquet"
        self._schema = (_parquet_schema if self._parquet else _schema)(pa, schema)
        self.output = Output(path)
        self._pieces = _Pieces(self.output)
        self._file: Any = pa.PythonFile(self._pieces, mode="w")
        self._writer: Any = self._open()

    def _open(self) -> Any:
        if not self._parquet:
            return self._pa.ipc.new_file(self._file, self._schema)
        return importlib.import_module("pyarrow.parquet").ParquetWriter(
            self._file,
            self._schema,
            compression="zstd",
            use_dictionary=[column.name for column in self._columns if column.dictionary],
            write_statistics=[column.name for column in self._columns if column.statistics],
            store_schema=False,  # `close` says the types of the table
        )

    def write(self, columns: Mapping[str, Values]) -> None:
        """Write rows: values for each column of the schema, all of one length."""
        arrays = [self._array(column, columns[column.name]) for column in self._columns]
        self._writer.write_table(self._pa.Table.from_arrays(arrays, schema=self._schema))

    def _array(self, column: Column, values: Any) -> Any:
        if column.kind not in _TEXTS:
            return _number_array(self._pa, column.kind, values)
        if self._parquet or column.kind == "name":
            return _dictionary_array(self._pa, values)
        return text_array(self._pa, values)

    def close(self) -> None:
        """Finish the file."""
        if not self._file.closed:
            if not self.output.failed:
                if self._parquet:
                    self._writer.add_key_value_metadata(_note(self._pa, self._columns))
                self._writer.close()
                self._pieces.flush()
            self._file.close()
        self.output.close()


class _Pieces:
    """An `Output` as the file object that pyarrow writes to; many small writes become one."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._waiting: list[bytes | memoryview] = []
        self._size = 0
        self.closed = False

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self._size += len(view)
        if self._size < _PIECE:
            self._waiting.append(bytes(view))
        else:
            self._waiting.append(view)  # it is there until this returns
            self.flush()
        return len(view)

    def flush(self) -> None:
        """Write what waits; pyarrow does not ask for it."""
        waiting, self._waiting, self._size = self._waiting, [], 0
        if waiting:
            self._output.write(waiting)

    def tell(self) -> int:
        return self._output.written + self._size

    def seekable(self) -> bool:
        return False

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True


# --- types -------------------------------------------------------------------------------------


def _schema(pa: Any, columns: Sequence[Column]) -> Any:
    """What a reader of the table gets."""
    return pa.schema([(column.name, _type(pa, column.kind)) for column in columns])


def _parquet_schema(pa: Any, columns: Sequence[Column]) -> Any:
    """What pyarrow is handed for Parquet: every text as a dictionary."""
    kinds = ("name" if column.kind in _TEXTS else column.kind for column in columns)
    handed = zip((column.name for column in columns), kinds, strict=True)
    return pa.schema([(name, _type(pa, kind)) for name, kind in handed])


def _note(pa: Any, columns: Sequence[Column]) -> dict[str, str]:
    """What pyarrow leaves in a file for readers that know Arrow's types."""
    return {
        "ARROW:schema": base64.b64encode(_schema(pa, columns).serialize().to_pybytes()).decode()
    }


def _type(pa: Any, kind: str) -> Any:
    if kind == TIME:
        return pa.timestamp("ns", tz="UTC")
    if kind == "name":
        return pa.dictionary(pa.int32(), pa.string())
    return pa.string() if kind == "text" else pa.from_numpy_dtype(np.dtype(kind))


# --- columns -----------------------------------------------------------------------------------


def text_array(pa: Any, values: Any) -> Any:
    """A column of texts as strings: any of sinks.text_columns, or Python's."""
    if isinstance(values, Coded):
        found = _dictionary_array(pa, values)
        return found.dictionary.take(found.indices)
    if isinstance(values, (Macs, Addresses)):
        values = values.texts()
    texts = values if isinstance(values, Texts) else texts_of(list(values))
    buffers = pa.py_buffer(texts.offsets), pa.py_buffer(texts.data)
    return pa.StringArray.from_buffers(len(texts), *buffers)


def _dictionary_array(pa: Any, values: Any) -> Any:
    """A column of texts as a dictionary, each different text in it once."""
    if isinstance(values, (Macs, Addresses)):
        values = values.coded()
    elif isinstance(values, Coded):
        values = _each_once(values)
    else:
        return text_array(pa, values).dictionary_encode()
    codes = _number_array(pa, "int32", values.codes)
    return pa.DictionaryArray.from_arrays(codes, text_array(pa, values.values))


def _each_once(values: Coded) -> Coded:
    """The same with each text once, as Parquet's dictionaries must have them."""
    texts = values.values.tolist()
    number_of = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    if len(number_of) == len(texts):
        return values
    numbers = np.array([number_of[text] for text in texts], np.int32)
    return coded(list(number_of), numbers[values.codes])


def _number_array(pa: Any, kind: str, values: npt.ArrayLike) -> Any:
    """Numbers, booleans or times over the memory that they stand in."""
    items = np.ascontiguousarray(values, np.int64 if kind == TIME else np.dtype(kind))
    data = np.packbits(items, bitorder="little") if items.dtype == np.bool_ else items
    return pa.Array.from_buffers(_type(pa, kind), len(items), [None, pa.py_buffer(data)])
