"""Judgements of recipients, a row each, and the one verdict that they are for each frame.

Contract: rows come in slices of whole frames.  One recipient stands for a frame: the lowest that
gets it; else the lowest for which it is redirected; else the lowest.  Columns are of both sides'
verdicts for that one, but for `reads` (those of all judgements) and the sender's copies (only its
first pass sends any).  No Python object is made for a frame or row.
Tested by tests/engine/test_multicast.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.engine.network_verdicts import Several, Unasked
from ztfast.engine.side_verdicts import SIDE_COLUMNS, Patch, SideVerdicts, nothing_decided

Bools = npt.NDArray[np.bool_]
Index = npt.NDArray[np.intp]
Uint8s = npt.NDArray[np.uint8]
Uint16s = npt.NDArray[np.uint16]

_COPIES = tuple(name for name in SIDE_COLUMNS if "copy_" in name)
_JUDGED = tuple(name for name in SIDE_COLUMNS if name not in _COPIES)
_VERDICT = tuple(name for name in _JUDGED if name != "reads")


class Outcome(IntEnum):
    """What becomes of a frame at one recipient, the best last."""

    DROPPED = 0
    REDIRECTED = 1
    ARRIVED = 2


class JoinedVerdicts(NamedTuple):
    """Both sides' verdicts with recipients judged (None: that side is not judged).

    Of what the second pass redirects, the first recipient counts for which it does so, unless that
    is the sender's verdict already.
    """

    sender: SideVerdicts | None
    receiver: SideVerdicts | None
    several: Several


class Rows(NamedTuple):
    """Judgements of one slice: a row for each frame and class of recipients, frames together.

    place: which of the undirected frames.  member, size: of the class.
    """

    place: Index
    member: npt.NDArray[np.int32]
    size: npt.NDArray[np.int32]


class Judged(NamedTuple):
    """Rows with what was said of them.

    again: the sender's second pass; received: of the rows that it lets go, `at` being each row's
    place there, −1 none.  outcome: uint8 `Outcome`.
    """

    rows: Rows
    again: SideVerdicts | None
    received: SideVerdicts | None
    at: Index
    outcome: npt.NDArray[np.uint8]


def outcomes(verdicts: SideVerdicts) -> npt.NDArray[np.uint8]:
    """The `Outcome` that each row's last judgement is."""
    arrived = verdicts.accept > 0
    found = np.where(arrived, np.uint8(Outcome.ARRIVED), np.uint8(Outcome.DROPPED))
    if verdicts.redirects:
        found[verdicts.accepted & ~arrived] = Outcome.REDIRECTED
    return found


class _Slice:
    """Judged rows, by frame.

    place: of each frame among those with several recipients.  best: the row that stands for it.
    """

    def __init__(self, judged: Judged) -> None:
        rows = judged.rows
        self._starts = np.flatnonzero(np.diff(rows.place, prepend=-1))
        self._counts = np.diff(self._starts, append=len(rows.place))
        self.place, self._member = rows.place[self._starts], rows.member
        score = judged.outcome.astype(np.int64) << np.int64(32)
        score -= rows.member  # the lowest member of the best outcome
        best = np.maximum.reduceat(score, self._starts)
        self.best: Index = np.flatnonzero(score == np.repeat(best, self._counts))

    def sums(self, column: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """The sum of each frame's rows."""
        found: npt.NDArray[np.int32] = np.add.reduceat(column, self._starts)
        return found

    def bits(self, column: Uint16s) -> Uint16s:
        """The bits that any of a frame's rows has."""
        found: Uint16s = np.bitwise_or.reduceat(column, self._starts)
        return found

    def lowest(self, chosen: Bools) -> tuple[Index, Index]:
        """(frames of the slice that have a chosen row, their chosen rows of the lowest members)."""
        row = np.flatnonzero(chosen)
        row = row[np.argsort(self._member[row], kind="stable")]
        frame = np.repeat(np.arange(len(self._starts)), self._counts)[row]
        different, at = np.unique(frame, return_index=True)
        return different, row[at]


class RecipientVerdicts:
    """What recipients said so far.

    verdicts: of the batch's first judgements, by direction.  index: its frames with several
    recipients; kept: uint8, `Unasked` where no node sends them; goes: bool, does the sender's first
    pass let them go?
    """

    def __init__(
        self,
        verdicts: Mapping[str, SideVerdicts],
        index: Index,
        kept: Uint8s,
        goes: Bools,
    ) -> None:
        self._verdicts, self._index = verdicts, index
        self._kept, self._goes = kept, goes
        self._asked = np.zeros(len(index), np.bool_)
        self._getting = np.zeros(len(index), np.uint32)
        self._redirected = np.zeros(len(index), np.uint64)
        self._columns = {name: nothing_decided(name, len(index)) for name in verdicts}

    def add(self, judged: Judged) -> None:
        """A slice: whole frames, each of them once."""
        part = _Slice(judged)
        self._asked[part.place] = True
        arrived = judged.outcome == Outcome.ARRIVED
        self._getting[part.place] = part.sums(np.where(arrived, judged.rows.size, np.int32(0)))
        if judged.again is not None:
            self._keep("out", _VERDICT, judged.again, part.place, part.best)
            self._keep_redirects(judged.again, part)
        if judged.received is not None:
            at = judged.at[part.best]
            reached = np.flatnonzero(at >= 0)
            names = (*_VERDICT, *_COPIES) if judged.received.sends else _VERDICT
            self._keep("in", names, judged.received, part.place[reached], at[reached])
        self._keep_reads(judged, part)

    def _keep(
        self,
        direction: str,
        names: tuple[str, ...],
        verdicts: SideVerdicts,
        place: Index,
        at: Index,
    ) -> None:
        columns = self._columns[direction]
        for name in names:
            columns[name][place] = getattr(verdicts, name)[at]

    def _keep_redirects(self, again: SideVerdicts, part: _Slice) -> None:
        """Where the second pass sends a frame that goes on to others all the same."""
        if not again.redirects:
            return
        away = again.accepted & (again.accept == 0)
        frame, row = part.lowest(away)
        elsewhere = ~away[part.best[frame]]
        place = part.place[frame[elsewhere]]
        self._redirected[place] = again.destination[row[elsewhere]]

    def _keep_reads(self, judged: Judged, part: _Slice) -> None:
        """What any judgement read; a receiver's columns count only where it was reached."""
        if judged.again is not None and judged.again.noteworthy:
            self._columns["out"]["reads"][part.place] = part.bits(judged.again.reads)
        if judged.received is None or not judged.received.noteworthy:
            return
        reads = np.zeros(len(judged.at), np.uint16)
        reads[judged.at >= 0] = judged.received.reads
        found = part.bits(reads)
        self._columns["in"]["reads"][part.place] = found
        if judged.again is not None:
            unreached = judged.at[part.best] < 0
            self._columns["out"]["reads"][part.place[unreached]] |= found[unreached]

    def joined(self) -> JoinedVerdicts:
        """Both sides' columns, with what recipients said in the place of what was there."""
        sender = receiver = None
        if "out" in self._verdicts:
            sender = self._sender(self._verdicts["out"], self._columns["out"])
        if "in" in self._verdicts:
            first, columns = self._verdicts["in"], self._columns["in"]
            noteworthy = first.noteworthy or bool(columns["reads"].any())
            receiver = first.patched([(self._index, columns)], noteworthy)
        unasked = self._kept.copy()
        unasked[self._goes & ~self._asked] = Unasked.NOBODY
        several = Several(self._index, self._getting, self._redirected, unasked)
        return JoinedVerdicts(sender, receiver, several)

    def _sender(self, first: SideVerdicts, columns: dict[str, npt.NDArray[Any]]) -> SideVerdicts:
        """The second pass in the place of the first, and silence where nothing leaves."""
        stopped, again = self._kept != Unasked.NOT_SO, self._asked
        if "in" not in self._verdicts:  # what goes to nobody does not leave
            again = self._goes
        silent = {name: column[stopped] for name, column in columns.items()}
        columns["reads"] |= np.where(stopped, np.uint16(0), first.reads[self._index])
        noteworthy = first.noteworthy or bool(columns["reads"].any())
        judged = {name: columns[name][again] for name in _JUDGED}
        patches: list[Patch] = [(self._index[again], judged), (self._index[stopped], silent)]
        return first.patched(patches, noteworthy)
