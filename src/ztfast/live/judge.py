"""Judging frames as they pass: what becomes of each, its copies, and the tally of all of them.

Contract: verdicts and copies are those of `Engine.evaluate`.  Where the compiled loops can judge
without more, they are called with memory that is used again, so that a batch of a few frames costs
a few microseconds; frames of which these results do not say enough (multicasts where the members
are known, redirected ones) are judged apart, by the engine.  Copies are those that nodes send;
what their targets' own rules make of them is not asked.  Tested by tests/live/test_judge.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.engine.engine import Engine
from ztfast.engine.native import NativeEvaluator
from ztfast.engine.native_tables import NativeSide, Results
from ztfast.frames.batch import ETHERNET_HEADER, FrameBatch
from ztfast.frames.buffer_pool import BufferPool
from ztfast.live import loops
from ztfast.live.frames import Frames, Judged
from ztfast.live.plain_loops import WHOLE
from ztfast.model.kinds import Kind
from ztfast.model.result import Result
from ztfast.pipeline.deliver import Delivery
from ztfast.pipeline.scan import Counted, SideCounts
from ztfast.pipeline.tally import Tally
from ztfast.program.opcodes import Missing

_SENDS = (Kind.ACTION_TEE, Kind.ACTION_WATCH, Kind.ACTION_REDIRECT)
_UNCERTAIN = int(0x1FFF | Missing.IP6_SOURCE | Missing.IP6_DEST)
_Rows = tuple[npt.NDArray[np.integer[Any]], npt.NDArray[np.int32], npt.NDArray[np.uint32]]
_COPIES = 4  # of one frame: two sides, base rules and a capability


class SideFacts(NamedTuple):
    """What is asked of one side's entries, and the sums over the frames that it decided.

    target: int32, the number of the target of each entry's copies (−1 last: none).  limit: uint32,
    bytes of a frame that a copy holds at most.  totals: uint64[2, keys], frames and bytes by
    (entry + 1) * 5 + Result.
    """

    target: npt.NDArray[np.int32]
    limit: npt.NDArray[np.uint32]
    totals: npt.NDArray[np.uint64]
    redirects: bool


class LiveJudge:
    """An engine ready to judge frames as they come, and what it has counted.

    addresses: uint64, ascending, the ZeroTier addresses that rules send copies to.  first: the
    number of the next frame.  joiner: judges all frames by the loops, and says of how many that
    was not enough; None: it never is.
    """

    joiner: loops.Joiner | None

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.addresses = _addresses(engine)
        self.first = 0
        self.joiner = None
        self._apart = Tally(engine.policy)  # of frames that were judged apart
        self._uncertain = 0  # of these
        self._evaluator = engine.scan_evaluator
        self._facts: list[SideFacts] = []
        if self._evaluator is not None:
            self._facts = [_facts(side, self.addresses) for side in self._evaluator.sides]
        self._room = 0
        self._joined_before = 0  # uncertain frames of a joiner with less room

    @cached_property
    def delivery(self) -> Delivery:
        """The network's nodes; made once, at the first block that asks."""
        return Delivery(self.engine)

    def judge(self, frames: Frames) -> Judged:
        """What becomes of these frames; the columns are used again by the next call."""
        self.make_room(frames.size)
        rows, apart = 0, frames.size
        if self.joiner is not None:
            rows, apart = self.joiner.judge(frames.raw(), self.first, frames.size)
        judged = self.rest(frames, rows) if apart else self.quick(rows)
        self.first += frames.size
        return judged

    def quick(self, rows: int) -> Judged:
        """What the joiner said, where no frame was set apart."""
        return self._judged._replace(rows=rows)

    def rest(self, frames: Frames, rows: int) -> Judged:
        """Judge what the joiner set apart, or everything where there is none; rows: its copies."""
        index = None
        if self.joiner is not None:
            index = np.flatnonzero(self._marks[: frames.size])
        return self._thoroughly(frames, index, rows)

    @property
    def uncertain(self) -> int:
        """Frames whose verdict read what is not known."""
        joined = 0 if self.joiner is None else self.joiner.uncertain
        return self._uncertain + self._joined_before + joined

    def tally(self) -> Tally:
        """Everything counted so far."""
        tally = Tally(self.engine.policy)
        tally.merge(self._apart)
        if self._evaluator is not None:
            sides = tuple(self._side_counts(self._evaluator))
            frames = int(sum(side.totals[0].sum() for side in sides))
            tally.add_counted(Counted(frames, sides, None, np.zeros(0, np.bool_)))
        return tally

    def _side_counts(self, evaluator: NativeEvaluator) -> Iterator[SideCounts]:
        asked = [(self.engine.side != "in", self.engine.side != "out")]
        if len(self._facts) == 2:
            asked = [(True, False), (False, True)]
        for facts, side, who in zip(self._facts, evaluator.sides, asked, strict=True):
            yield SideCounts(facts.totals, side.entries.starts, *who)

    def make_room(self, count: int) -> None:
        """Memory for so many frames, which every call uses again: there is another joiner then."""
        if count <= self._room:
            return
        self._room = count
        self._marks = np.zeros(count, np.uint8)
        rows = count * _COPIES
        self._judged = Judged(
            np.zeros(count, np.uint8),
            np.zeros(rows, np.int64),
            np.zeros(rows, np.int32),
            np.zeros(rows, np.uint32),
            0,
        )
        if self._evaluator is not None:
            self._prepare(self._evaluator, count)

    def _prepare(self, evaluator: NativeEvaluator, count: int) -> None:
        results = Results.of(evaluator.sides, count, BufferPool())
        if self.joiner is not None:
            self._joined_before += self.joiner.uncertain
        action, row_frame, row_target, row_limit, _ = self._judged
        self.joiner = loops.Joiner(
            evaluator.machine().run,
            results,
            results.outputs(evaluator.sides),
            self._facts,
            np.zeros(count, np.uint8) if evaluator.looks_up else None,
            self.engine.asks_recipients,
            _UNCERTAIN,
            action,
            self._marks,
            row_frame,
            row_target,
            row_limit,
        )

    def _thoroughly(self, frames: Frames, index: npt.NDArray[np.intp] | None, rows: int) -> Judged:
        """Judge some frames (None: all) by the engine; rows: copies of the others."""
        batch = frames.batch() if index is None else frames.batch().take(index)
        verdicts = self.engine.evaluate(batch, first=self.first)
        self._apart.add(verdicts, batch.lengths)
        if verdicts.noteworthy:
            self._uncertain += int(np.count_nonzero(verdicts.uncertain))
        if index is None:
            index = np.arange(frames.size)
        self._judged.action[index] = verdicts.action
        undirected = verdicts.undirected
        asked = undirected if undirected is not None and self.engine.can_deliver else None
        _, row_frame, row_target, row_limit, _ = self._judged
        parts: list[_Rows] = [(row_frame[:rows], row_target[:rows], row_limit[:rows])]
        for copy in verdicts.copy_columns():
            sent = np.flatnonzero(copy.sent if asked is None else copy.sent & ~asked)
            limit = copy.length[sent].astype(np.uint32) + np.uint32(ETHERNET_HEADER)
            parts.append((index[sent], self._numbers(copy.target[sent]), limit))
        if asked is not None and self.engine.forwards and asked.any():
            parts.append(self._of_recipients(batch, index, np.flatnonzero(asked)))
        return self._laid(parts)

    def _of_recipients(
        self, batch: FrameBatch, index: npt.NDArray[np.intp], only: npt.NDArray[np.intp]
    ) -> _Rows:
        """Copies of frames for several members, those of every recipient."""
        which = only.astype(np.int64)
        found = self.delivery.deliver(batch, first=self.first, only=which).copies
        return index[found.frame], self._numbers(found.to), found.length

    def _laid(self, parts: list[_Rows]) -> Judged:
        """Rows of several parts as one, by frame."""
        frame, target, limit = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.argsort(frame, kind="stable")
        return Judged(
            self._judged.action,
            frame[order].astype(np.int64),
            target[order].astype(np.int32),
            limit[order].astype(np.uint32),
            len(order),
        )

    def _numbers(self, addresses: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
        return np.searchsorted(self.addresses, addresses).astype(np.int32)


def _addresses(engine: Engine) -> npt.NDArray[np.uint64]:
    """The targets of copies and redirects that the rules name."""
    view = engine.view("in" if engine.side == "in" else "out")
    entries = [entry for part in (view.base, *view.capabilities) for entry in part]
    found = {entry.value[0] or 0 for entry in entries if entry.kind in _SENDS}
    return np.array(sorted(found), np.uint64)


def _facts(side: NativeSide, addresses: npt.NDArray[np.uint64]) -> SideFacts:
    entries = side.entries
    length = entries.length.astype(np.uint64)
    target = np.minimum(np.searchsorted(addresses, entries.address), max(0, len(addresses) - 1))
    limit = np.where(length == 0, np.uint64(WHOLE), length + np.uint64(ETHERNET_HEADER))
    return SideFacts(
        target.astype(np.int32),
        np.minimum(limit, np.uint64(WHOLE)).astype(np.uint32),
        np.zeros((2, len(entries.address) * len(Result)), np.uint64),
        entries.redirects,
    )
