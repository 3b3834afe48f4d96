"""Frames and bytes summed by keys that are rows of numbers, in bounded memory.

Contract: columns in, no Python object a frame.  `TimeSums` has a time in its first column and is
always exact: where cells are too many, its spans of time become longer (beside times, keys must be
few).  `TopSums` keeps the keys
of most frames; the rest is in `others`, and `short` says how many frames a kept key may lack.  Sums
of parts merge into those of the whole, whatever the cut (of `TopSums` while `short` is 0), and go
through JSON without a difference.
Tested by tests/pipeline/test_column_sums.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.pipeline.count import Count, whole

Int64s = npt.NDArray[np.int64]
Uint64s = npt.NDArray[np.uint64]
Key = tuple[int, ...]
MINUTE = 60 * 10**9
_DAY = 24 * 60 * MINUTE
SPANS = (MINUTE, 60 * MINUTE, _DAY, 100 * _DAY, 10_000 * _DAY)  # each a part of the next
_FIRST = SPANS[-1] - 2**63  # the earliest time whose span begins in int64
_MIXER = np.uint64(0x9E3779B97F4A7C15)


class _Cells(NamedTuple):
    """Keys, one a column, and their sums."""

    keys: Int64s
    frames: Uint64s
    octets: Uint64s

    @property
    def many(self) -> int:
        return len(self.frames)

    def chosen(self, index: npt.NDArray[np.intp]) -> _Cells:
        return _Cells(self.keys[:, index], self.frames[index], self.octets[index])


class ColumnSums(ABC):
    """Sums by keys of `width` numbers (int64), of which about `most` are kept."""

    def __init__(self, width: int, most: int) -> None:
        self._width, self._most = width, most
        self._parts: list[_Cells] = []

    def add(
        self,
        columns: Sequence[npt.NDArray[Any]],
        octets: npt.NDArray[Any],
        frames: npt.NDArray[Any] | None = None,
    ) -> None:
        """Count frames: one item a frame in each column; octets: their bytes.

        frames: how many frames each item stands for; None: one.
        """
        if len(octets):
            keys = np.stack([_signed(column) for column in columns])
            many = np.ones(len(octets)) if frames is None else frames
            cells = _Cells(self._coarse(keys), many.astype(np.uint64), octets.astype(np.uint64))
            self._take(_grouped(cells))

    def _take(self, cells: _Cells) -> None:
        if cells.many:
            self._parts.append(cells)
        if sum(part.many for part in self._parts) > 2 * self._most:
            self._cells()

    def _coarse(self, keys: Int64s) -> Int64s:
        """Keys as they are kept by now."""
        return keys

    @abstractmethod
    def _fitted(self, cells: _Cells) -> _Cells:
        """No more than `most` of them."""

    def _cells(self) -> _Cells:
        """All there is, each key once."""
        if not self._parts:
            return _Cells(np.zeros((self._width, 0), np.int64), *np.zeros((2, 0), np.uint64))
        if len(self._parts) > 1 or self._parts[0].many > self._most:
            joined = _Cells(
                np.concatenate([part.keys for part in self._parts], axis=1),
                np.concatenate([part.frames for part in self._parts]),
                np.concatenate([part.octets for part in self._parts]),
            )
            self._parts = [self._fitted(_grouped(joined))]
        return self._parts[0]

    def rows(self) -> list[tuple[Key, Count]]:
        """Keys with their sums, most frames first."""
        cells = self._cells()
        cells = cells.chosen(_by_frames(cells))
        counts = map(Count, cells.frames.tolist(), cells.octets.tolist())
        keys: list[list[int]] = cells.keys.T.tolist()
        return [(tuple(key), count) for key, count in zip(keys, counts, strict=True)]

    def _to_json(self) -> dict[str, Any]:
        cells = self._cells()
        cells = cells.chosen(_by_frames(cells))
        return {
            "keys": cells.keys.tolist(),
            "frames": cells.frames.tolist(),
            "bytes": cells.octets.tolist(),
        }

    def _read(self, document: dict[str, Any]) -> None:
        frames, octets = (
            np.array([whole(one) for one in document[name]], np.uint64)
            for name in ("frames", "bytes")
        )
        keys = np.array(document["keys"], np.int64).reshape(self._width, len(frames))
        self._take(_Cells(keys, frames, octets))


class TimeSums(ColumnSums):
    """The first number of a key is a time (ns since 1970), kept as the start of its span.

    level: the index in `SPANS` of how long spans are by now.
    """

    def __init__(self, width: int, most: int) -> None:
        super().__init__(width, most)
        self.level = 0

    @property
    def span(self) -> int:
        """Nanoseconds of a span."""
        self._cells()
        return SPANS[self.level]

    def _coarse(self, keys: Int64s) -> Int64s:
        times = np.maximum(keys[0], _FIRST)
        keys[0] = times - times % SPANS[self.level]
        return keys

    def _fitted(self, cells: _Cells) -> _Cells:
        while cells.many > self._most and self.level + 1 < len(SPANS):
            self.level += 1
            cells = _grouped(cells._replace(keys=self._coarse(cells.keys.copy())))
        return cells

    def _to_level(self, level: int) -> None:
        if level > self.level:
            self.level = level
            self._parts = [
                _grouped(part._replace(keys=self._coarse(part.keys.copy()))) for part in self._parts
            ]

    def merge(self, other: TimeSums) -> None:
        """Add what another one counted."""
        self._to_level(other.level)
        for part in other._parts:
            self._take(_grouped(part._replace(keys=self._coarse(part.keys.copy()))))

    def to_json(self) -> dict[str, Any]:
        """All of it, for `read`."""
        found = self._to_json()
        return {"level": self.level, **found}

    def read(self, document: dict[str, Any]) -> None:
        """Add what `to_json` wrote; raises KeyError, TypeError or ValueError for anything else."""
        level = whole(document["level"])
        if level >= len(SPANS):
            raise ValueError(f"level {level}")
        more = TimeSums(self._width, self._most)
        more.level = level
        more._read(document)
        self.merge(more)


class TopSums(ColumnSums):
    """Keys of most frames; others: what is not among them."""

    def __init__(self, width: int, most: int) -> None:
        super().__init__(width, most)
        self.others, self.short = Count(), 0

    def _fitted(self, cells: _Cells) -> _Cells:
        if cells.many <= self._most:
            return cells
        order = _by_frames(cells)
        rest = cells.chosen(order[self._most :])
        self.others = self.others.plus(int(rest.frames.sum()), int(rest.octets.sum()))
        self.short += int(rest.frames[0])
        return cells.chosen(order[: self._most])

    def merge(self, other: TopSums) -> None:
        """Add what another one counted."""
        self.others, self.short = self.others.plus(*other.others), self.short + other.short
        for part in other._parts:
            self._take(part)

    def to_json(self) -> dict[str, Any]:
        """All of it, for `read`."""
        found = self._to_json()
        return {**found, "others": list(self.others), "short": self.short}

    def read(self, document: dict[str, Any]) -> None:
        """Add what `to_json` wrote; raises KeyError, TypeError or ValueError for anything else."""
        frames, octets = document["others"]
        self.others = self.others.plus(whole(frames), whole(octets))
        self.short += whole(document["short"])
        self._read(document)


def _signed(column: npt.NDArray[Any]) -> Int64s:
    """A column as int64: uint64 keeps its bits."""
    if column.dtype == np.uint64:
        return column.view(np.int64)
    return column.astype(np.int64)


def _grouped(cells: _Cells) -> _Cells:
    """Each key once, with its sums, ordered by one number made of it; exact if that is not one."""
    if not cells.many:
        return cells
    mixed = np.zeros(cells.many, np.uint64)
    for column in cells.keys.view(np.uint64):
        mixed = (mixed ^ column) * _MIXER
        mixed ^= mixed >> np.uint64(29)
    order = np.argsort(mixed)
    ordered = mixed[order]
    starts = np.concatenate(([True], ordered[1:] != ordered[:-1]))
    edges = np.flatnonzero(starts)
    keys = cells.keys[:, order[edges]]
    which = np.empty(cells.many, np.intp)
    which[order] = np.cumsum(starts) - 1
    if any((key[which] != column).any() for key, column in zip(keys, cells.keys, strict=True)):
        order, edges = _exactly_grouped(cells.keys)  # two keys were mixed to one number
        keys = cells.keys[:, order[edges]]
    frames, octets = (np.add.reduceat(sums[order], edges) for sums in (cells.frames, cells.octets))
    return _Cells(keys, frames, octets)


def _exactly_grouped(keys: Int64s) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """An order in which equal keys are neighbours, and where each one begins in it."""
    order = np.lexsort(keys[::-1])
    keys = keys[:, order]
    differs = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
    return order, np.flatnonzero(np.concatenate(([True], differs)))


def _by_frames(cells: _Cells) -> npt.NDArray[np.intp]:
    """Most frames first, then as the keys go."""
    return np.lexsort((*cells.keys[::-1], np.uint64(2**64 - 1) - cells.frames))
