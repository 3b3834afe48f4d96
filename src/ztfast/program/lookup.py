"""Look-ups: a run of sets as tables that name the first set that holds, whatever their number.

Contract: each column's values are cut into classes (intervals on which no test of the run
changes); each class has a row of bits, one a term; the first bit set in the rows of all of a
frame's classes is the deciding term.  The bit-vector scheme of Lakshman and Stiliadis,
"High-speed policy-based packet forwarding using efficient multi-dimensional range matching"
(1998), with a summary word a row.  `_core/lookup.pxi` reads these arrays as they are.
Tested by tests/program/test_lookup.py and the differential tests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.program.dnf import Comparison, Term

MAX_TERMS = 65536
MAX_COLUMNS = 16
MAX_CLASSES = 0x7FFF
MAX_BYTES = 1 << 26  # of rows: a longer run becomes several look-ups
MAX_ENUMERATED = 1024  # tests of a column whose every value is looked at
GROUP = 8  # words of a row that the loops look at together
BY_BYTE, BY_WORD, BY_TRIE, BY_SEARCH = range(4)
SIEVE_BITS = 17  # a sieve is 16 KiB: it stays in the first cache
SIEVE_FACTOR = 0x9E3779B97F4A7C15  # Fibonacci hashing: the product's upper bits spread well
_SIEVED = 1 << 13  # values; at most 1 in 16 others passes a sieve of so many
_NONE = np.zeros(0, dtype=np.uint8)
_ONES = np.array([value.bit_count() for value in range(256)], dtype=np.uint8)

Narrow = Callable[[npt.NDArray[np.bool_], Comparison], None]


@dataclass(frozen=True, eq=False)
class ColumnTable:
    """One column's classes and their rows; class 0 is that of every value without any term.

    classes uint16: class by value (BY_BYTE 256, BY_WORD 65,536 items), or a trie of 16, 8 and
    8 bits (root, then leaves of 256; an item with its top bit set is the number of a leaf), or
    by place in `bounds` (uint64, ascending first values).  rows: uint64[classes, words];
    summary: uint64[classes], bit g set where group g of GROUP words is not zero (bit 63: any
    from the 63rd on).  sieve: uint8[2**SIEVE_BITS / 8], where few values have any term: bit h
    is set where such a value times SIEVE_FACTOR (mod 2**64) has h in its upper bits; else empty.
    """

    column: int
    form: int
    classes: npt.NDArray[np.uint16]
    bounds: npt.NDArray[np.uint64]
    rows: npt.NDArray[np.uint64]
    summary: npt.NDArray[np.uint64]
    sieve: npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Lookup:
    """A run of terms: tables by column, and what each term decides.

    entry int32[terms], code uint8[terms] (model.result.Result; SUPER_ACCEPT stands for
    PRIORITY, which accepts but never super-accepts).
    """

    tables: tuple[ColumnTable, ...]
    words: int
    entry: npt.NDArray[np.int32]
    code: npt.NDArray[np.uint8]

    @property
    def columns(self) -> tuple[int, ...]:
        """The columns that it reads."""
        return tuple(table.column for table in self.tables)

    @property
    def nbytes(self) -> int:
        """Memory for its rows, which is nearly all of it."""
        return sum(table.rows.nbytes for table in self.tables)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lookup) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self.entry.tobytes())

    def _key(self) -> tuple[Any, ...]:
        tables = tuple(
            (table.column, table.classes.tobytes(), table.bounds.tobytes(), table.rows.tobytes())
            for table in self.tables
        )
        return (*tables, self.entry.tobytes(), self.code.tobytes())


class Range(NamedTuple):
    """Values from first to last, both included."""

    first: int
    last: int


def range_of(test: Comparison, width: int) -> Range | None:
    """The values for which a test without `negate` holds; None where they are no range."""
    full = (1 << width) - 1
    mask = test.mask & full
    free = full & ~mask
    if free & (free + 1):  # the mask is no prefix
        return None
    if free and test.span:
        return None
    if test.low & free or test.low > full:
        return Range(1, 0)  # can never hold
    return Range(test.low, min(test.low + test.span, full) | free)


def make_lookup(
    terms: list[Term], entries: list[int], codes: list[int], widths: dict[int, int]
) -> Lookup | None:
    """The look-up of a run of terms, or None where its tables would be too large.

    So it is, too, where `can_classify` does not allow a test.
    """
    if not terms or len(terms) > MAX_TERMS or len(widths) > MAX_COLUMNS:
        return None
    words = -(-len(terms) // (64 * GROUP)) * GROUP
    tables: list[ColumnTable] = []
    room = MAX_BYTES
    for column, width in widths.items():
        tests = [[test for test in term if test.column == column] for term in terms]
        table = _column_table(tests, column, width, words, room // (8 * words))
        if table is None:
            return None
        room -= table.rows.nbytes
        tables.append(table)
    tables.sort(key=lambda table: _coverage(table, widths[table.column]))
    return Lookup(
        tuple(tables), words, np.array(entries, dtype=np.int32), np.array(codes, dtype=np.uint8)
    )


def can_classify(test: Comparison, width: int) -> bool:
    """Can a column be cut into the values for which a test holds and others?"""
    return width <= 16 or range_of(test, width) is not None


def density(lookup: Lookup) -> float:
    """The part of all terms that the most telling column leaves, on average over its classes.

    Small where terms differ in an address or port of their own: then most frames are done with
    that column.  Near 1 where many terms overlap.
    """
    return min(
        float(_ONES[table.rows[table.summary != 0].view(np.uint8)].sum(axis=1).mean())
        if table.summary.any()
        else 0.0
        for table in lookup.tables
    ) / len(lookup.entry)


def _coverage(table: ColumnTable, width: int) -> float:
    """The part of a column's values for which any term is left: small ones are asked first."""
    if table.form in (BY_BYTE, BY_WORD):
        return float((table.classes != 0).mean())
    sizes = np.diff(np.append(table.bounds.astype(np.float64), 2.0**width))
    first = class_of_values(table, table.bounds)
    return float(sizes[first != 0].sum() / 2.0**width)


def class_of_values(table: ColumnTable, values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint16]:
    """The class of each value, as the loops find it; uint16[n]."""
    if table.form in (BY_BYTE, BY_WORD):
        return table.classes[values.astype(np.int64)]
    if table.form == BY_SEARCH:
        return table.classes[np.searchsorted(table.bounds, values, side="right") - 1]
    item: npt.NDArray[np.uint16] = table.classes[(values >> np.uint64(16)).astype(np.int64)]
    for shift in (8, 0):
        deeper = (item & 0x8000) != 0
        place = 65536 + ((item.astype(np.int64) & 0x7FFF) << 8)
        place += (values >> np.uint64(shift) & np.uint64(255)).astype(np.int64)
        item = np.where(deeper, table.classes[np.where(deeper, place, 0)], item)
    return item


def _column_table(
    tests: list[list[Comparison]], column: int, width: int, words: int, most: int
) -> ColumnTable | None:
    """A column's table out of its tests by term; None where it takes more than `most` rows."""
    most = min(most, MAX_CLASSES // 2)
    distinct = list(dict.fromkeys(test for own in tests for test in own))
    ranges = {test: range_of(test, width) for test in distinct}
    found = [part for part in ranges.values() if part is not None]
    if len(found) < len(distinct):
        if width > 16 or len(distinct) > MAX_ENUMERATED:
            return None
        return _enumerated(tests, distinct, column, width, words, most)
    bounds = _bounds(found, width)
    if len(bounds) > most:
        return None
    rows = _rows(tests, len(bounds), words, _within(ranges, bounds))
    return _table(column, width, bounds, rows)


def _bounds(ranges: list[Range], width: int) -> npt.NDArray[np.uint64]:
    full = (1 << width) - 1
    cuts = {0}
    for first, last in ranges:
        if first <= last:
            cuts.add(first)
            if last < full:
                cuts.add(last + 1)
    return np.array(sorted(cuts), dtype=np.uint64)


def _rows(
    tests: list[list[Comparison]], count: int, words: int, narrow: Narrow
) -> npt.NDArray[np.uint64]:
    """uint64[count, words]: bit t of a row says whether term t can hold there.

    narrow: takes the values out of a term's bool[count] for which a test does not hold.
    """
    rows = np.empty((count, words), dtype="<u8")
    octets = rows.view(np.uint8)
    for first in range(0, 64 * words, 64 * GROUP):
        held = np.zeros((64 * GROUP, count), dtype=np.bool_)
        for number, own in enumerate(tests[first : first + 64 * GROUP]):
            held[number] = True
            for test in own:
                narrow(held[number], test)
        packed = np.packbits(held, axis=0, bitorder="little")
        octets[:, first // 8 : first // 8 + 8 * GROUP] = packed.T
    return rows


def _within(ranges: dict[Comparison, Range | None], bounds: npt.NDArray[np.uint64]) -> Narrow:
    """As `_rows` takes it, for classes that are intervals."""
    place = {int(value): index for index, value in enumerate(bounds.tolist())}

    def narrow(held: npt.NDArray[np.bool_], test: Comparison) -> None:
        found = ranges[test]
        start = stop = 0
        if found is not None and found.first <= found.last:
            start, stop = place[found.first], place.get(found.last + 1, len(bounds))
        if test.negate:
            held[start:stop] = False
        else:
            held[:start] = False
            held[stop:] = False

    return narrow


def _enumerated(
    tests: list[list[Comparison]],
    distinct: list[Comparison],
    column: int,
    width: int,
    words: int,
    most: int,
) -> ColumnTable | None:
    """A narrow column with masks that are no prefixes: every value is looked at."""
    values = np.arange(1 << width, dtype=np.uint64)
    full = np.uint64((1 << width) - 1)
    outcome = {
        test: (
            (((values & np.uint64(test.mask)) - np.uint64(test.low)) & full) <= np.uint64(test.span)
        )
        != test.negate
        for test in distinct
    }
    signature = np.packbits(np.stack(list(outcome.values())), axis=0)
    _, firsts, inverse = np.unique(signature, axis=1, return_index=True, return_inverse=True)
    if len(firsts) > most:
        return None
    kept = {test: held[firsts] for test, held in outcome.items()}

    def narrow(held: npt.NDArray[np.bool_], test: Comparison) -> None:
        held &= kept[test]

    rows, numbers = _numbered(_rows(tests, len(firsts), words, narrow))
    classes = numbers[inverse.reshape(-1)]
    form = BY_BYTE if width == 8 else BY_WORD
    one = np.zeros(1, np.uint64)
    return ColumnTable(column, form, classes, one, rows, _summary(rows), _NONE)


def _numbered(
    rows: npt.NDArray[np.uint64],
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint16]]:
    """(rows by class, class by row number): equal rows are one, class 0 is that without a term."""
    number = {bytes(rows.itemsize * rows.shape[1]): 0}
    firsts: list[int] = []
    classes = np.zeros(len(rows), dtype=np.uint16)
    for index, row in enumerate(rows):
        found = number.setdefault(row.tobytes(), len(number))
        classes[index] = found
        if found > len(firsts):
            firsts.append(index)
    return np.concatenate((np.zeros((1, rows.shape[1]), np.uint64), rows[firsts])), classes


def _table(
    column: int, width: int, bounds: npt.NDArray[np.uint64], ranged: npt.NDArray[np.uint64]
) -> ColumnTable:
    rows, number = _numbered(ranged)
    if width <= 16:
        sizes = np.diff(np.append(bounds.astype(np.int64), 1 << width))
        form, classes = BY_BYTE if width == 8 else BY_WORD, np.repeat(number, sizes)
    elif width == 32:
        form, classes = BY_TRIE, _trie(bounds, number)
    else:
        form, classes = BY_SEARCH, number
    sieve = _NONE if width <= 16 else _sieve(bounds, number, width)
    return ColumnTable(column, form, classes, bounds, rows, _summary(rows), sieve)


def _sieve(
    bounds: npt.NDArray[np.uint64], number: npt.NDArray[np.uint16], width: int
) -> npt.NDArray[np.uint8]:
    """What most values without any term do not pass; nothing where too many have one."""
    ends = [*bounds[1:].tolist(), 1 << width]
    parts = [
        (first, end - first)
        for first, end, some in zip(bounds.tolist(), ends, number.tolist(), strict=True)
        if some
    ]
    if sum(size for _, size in parts) > _SIEVED:
        return _NONE
    values = [np.arange(size, dtype=np.uint64) + np.uint64(first) for first, size in parts]
    hashed = np.concatenate([np.zeros(0, np.uint64), *values]) * np.uint64(SIEVE_FACTOR)
    bits = np.zeros(1 << SIEVE_BITS, dtype=np.bool_)
    bits[(hashed >> np.uint64(64 - SIEVE_BITS)).astype(np.int64)] = True
    return np.packbits(bits, bitorder="little")


def _trie(bounds: npt.NDArray[np.uint64], number: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint16]:
    """Classes of 32-bit values: 16 bits, then 8, then 8.

    Each bound makes two leaves at the most, so MAX_CLASSES / 2 of them always fit.
    """
    inner = bounds[(bounds & np.uint64(0xFFFF)) != 0] >> np.uint64(8)
    # with counts, or numpy would load its masked arrays, in 30 ms
    tops, _ = np.unique(inner >> np.uint64(8), return_counts=True)
    beyond = bounds[(bounds & np.uint64(0xFF)) != 0]
    deep, _ = np.unique(beyond >> np.uint64(8), return_counts=True)
    step = np.arange(256, dtype=np.uint64)
    root = _class_of(bounds, number, np.arange(65536, dtype=np.uint64) << np.uint64(16))
    middle = _class_of(bounds, number, (tops[:, None] << np.uint64(16)) | step << np.uint64(8))
    last = _class_of(bounds, number, (deep[:, None] << np.uint64(8)) | step)
    root[tops.astype(np.int64)] = 0x8000 | np.arange(len(tops), dtype=np.uint16)
    rows = np.searchsorted(tops, deep >> np.uint64(8))
    middle[rows, (deep & np.uint64(255)).astype(np.int64)] = 0x8000 | np.arange(
        len(tops), len(tops) + len(deep), dtype=np.uint16
    )
    return np.concatenate((root, middle.reshape(-1), last.reshape(-1)))


def _class_of(
    bounds: npt.NDArray[np.uint64], number: npt.NDArray[np.uint16], values: Any
) -> npt.NDArray[np.uint16]:
    found: npt.NDArray[np.uint16] = number[np.searchsorted(bounds, values, side="right") - 1]
    return found


def _summary(rows: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """One bit a group of words that is not zero; the last bit stands for all from the 63rd on."""
    found = (rows != 0).reshape(len(rows), -1, GROUP).any(axis=2)
    bits = np.zeros(len(rows), dtype=np.uint64)
    for group in range(min(63, found.shape[1])):
        bits |= found[:, group].astype(np.uint64) << np.uint64(group)
    if found.shape[1] > 63:
        bits |= found[:, 63:].any(axis=1).astype(np.uint64) << np.uint64(63)
    return bits
