"""CSV: rows out of columns, without an object a row or a text.

Contract: RFC 4180 with `\\n`; texts are quoted, numbers are not, times are
`2026-01-12 06:40:00.015569000Z`.  By the compiled loops where they are there (_core/csv.pxi, a
tenth of what pyarrow's writer takes for the same bytes), else plainly.
Tested by tests/sinks/test_csv.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast import dispatch
from ztfast.sinks.columns import TIME
from ztfast.sinks.output import Output
from ztfast.sinks.text_columns import (
    Addresses,
    Coded,
    Macs,
    Texts,
    address_text,
    mac_text,
    texts_of,
)

_SCRATCH = 1 << 18
_NOTHING = np.zeros(0, np.int32)
_BEHIND = np.zeros(8, np.uint8)  # the loops copy eight bytes at a time, where so many may be read


class Kind(IntEnum):
    """How a column is written, as _core/csv.pxi numbers them."""

    SIGNED = 0
    UNSIGNED = 1
    BOOL = 2
    TIME = 3
    TEXT = 4
    CODED = 5
    MAC = 6
    ADDRESS = 7


class CsvColumn(NamedTuple):
    """A column as rows are made of it.

    items: numbers, the codes of coded texts, MACs, low halves of addresses.  offsets, data: of
    texts (sinks.text_columns).  data: also which MACs are known, and versions of addresses.
    high: halves of addresses.
    """

    kind: Kind
    items: npt.NDArray[Any]
    offsets: npt.NDArray[np.int32] = _NOTHING
    data: npt.NDArray[np.uint8] = _NOTHING.view(np.uint8)
    high: npt.NDArray[np.uint64] = _NOTHING.view(np.uint64)


class CsvWriter:
    """Rows of columns with these names and kinds (sinks.columns.Column)."""

    def __init__(self, path: str, schema: Sequence[tuple[str, str]]) -> None:
        self._schema = tuple(schema)
        self.output = Output(path)
        names = ",".join(_quoted(name) for name, _ in self._schema)
        self.output.write([f"{names}\n".encode()])

    def write(self, columns: Mapping[str, Any]) -> None:
        """Write rows; all columns have one length."""
        made = [csv_column(kind, columns[name]) for name, kind in self._schema]
        count = len(columns[self._schema[0][0]])
        if dispatch.core is None:
            self.output.write(["".join(_plain_rows(made, count)).encode()])
            return
        for piece in _pieces(dispatch.core.csv_rows, made, count):
            self.output.write([piece])

    def close(self) -> None:
        """Finish the file."""
        self.output.close()


def csv_column(kind: str, values: Any) -> CsvColumn:
    """A column of a table as rows are made of it."""
    if kind in ("text", "name"):
        return _text_column(values)
    items = np.ascontiguousarray(values, np.int64 if kind == TIME else np.dtype(kind))
    if kind == TIME:
        return CsvColumn(Kind.TIME, items)
    how = {"b": Kind.BOOL, "i": Kind.SIGNED, "u": Kind.UNSIGNED}[items.dtype.kind]
    return CsvColumn(how, items)


def _text_column(values: Any) -> CsvColumn:
    if isinstance(values, Coded):
        ahead = np.append(values.values.data, _BEHIND)
        return CsvColumn(Kind.CODED, values.codes, values.values.offsets, ahead)
    if isinstance(values, Macs):
        return CsvColumn(Kind.MAC, values.macs, data=values.known)
    if isinstance(values, Addresses):
        return CsvColumn(Kind.ADDRESS, values.low, data=values.version, high=values.high)
    texts = values if isinstance(values, Texts) else texts_of(list(values))
    return CsvColumn(Kind.TEXT, _NOTHING, texts.offsets, texts.data)


def _pieces(
    rows_of: Callable[..., tuple[int, int]], columns: list[CsvColumn], count: int
) -> Iterator[memoryview]:
    """The rows in pieces that stay in the cache; each is to be written before the next."""
    out = np.empty(_SCRATCH, np.uint8)
    row = 0
    while row < count:
        following, used = rows_of(columns, row, count, out)
        if following == row:  # a row that is longer than the space for it
            out = np.empty(2 * len(out), np.uint8)
            continue
        yield out[:used].data
        row = following


def _plain_rows(columns: list[CsvColumn], count: int) -> Iterator[str]:
    fields = [_plain_fields(column) for column in columns]
    for row in range(count):
        yield ",".join(field(row) for field in fields) + "\n"


def _plain_fields(column: CsvColumn) -> Callable[[int], str]:
    """What gives a column's field in a row."""
    kind, items, offsets, data, high = column
    if kind is Kind.TEXT:
        texts = Texts(offsets, data).tolist()
        return lambda row: _quoted(texts[row])
    if kind is Kind.CODED:
        texts = Texts(offsets, data).tolist()
        codes: list[int] = items.tolist()
        return lambda row: _quoted(texts[codes[row]])
    if kind is Kind.MAC:
        return lambda row: _quoted(mac_text(int(items[row])) if data[row] else "")
    if kind is Kind.ADDRESS:
        halves = high, items
        return lambda row: _quoted(address_text(int(data[row]), *(int(h[row]) for h in halves)))
    if kind is Kind.BOOL:
        return lambda row: "true" if items[row] else "false"
    if kind is Kind.TIME:
        return lambda row: _time_text(int(items[row]))
    return lambda row: str(int(items[row]))


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _time_text(nanoseconds: int) -> str:
    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    return f"{str(np.datetime64(seconds, 's')).replace('T', ' ')}.{fraction:09d}Z"
