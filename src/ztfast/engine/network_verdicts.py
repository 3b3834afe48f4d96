"""Verdicts of a whole network: the sender's and the receiver's side joined, frame by frame.

Contract: every column has one item a frame.  A frame that the sender dropped or
redirected never reaches the receiver, whose columns then count for nothing.  Of a frame with
several recipients (a multicast, or a MAC behind a bridge), the columns tell what becomes of it for
one of them, which engine.multicast chooses: the lowest address that gets it, if any does.
Where it goes to nobody, or no node sends such a frame, no entry decided.
`Verdicts` is public: `Engine.evaluate` gives it.  Tested by tests/engine/test_engine.py.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.engine.side_copies import Lines, side_copies
from ztfast.engine.side_verdicts import SideVerdicts
from ztfast.engine.verdict_tables import to_arrow, to_pandas, to_polars
from ztfast.frames.batch import FrameBatch
from ztfast.model.reads import Reads


class Unasked(IntEnum):
    """Why no rule was the last word on a frame."""

    NOT_SO = 0  # rules were
    NOBODY = 1  # the sender lets it go, and there is no recipient
    KEPT_IN = 2  # the network lets no such frame leave
    FOREIGN = 3  # from a MAC that is no member's, and no member is an active bridge


class Action(IntEnum):
    """What becomes of a frame."""

    DROP = 0
    ACCEPT = 1
    REDIRECT = 2


class Copy(NamedTuple):
    """One copy of one frame: who sends it ("sender" or "receiver"), to whom, how, how much.

    kind: "tee", "watch" or "redirect"; flags as on the wire (docs/spec/evaluation.md section 7);
    length: payload bytes behind the ethertype.
    """

    side: str
    kind: str
    target: int
    flags: int
    length: int


class CopyColumns(NamedTuple):
    """One kind of copy from one side: `sent` bool[n], `target` uint64[n], `length` uint32[n].

    kind: "tee", "watch" or "redirect"; length: payload bytes behind the ethertype;
    entry: int32[n] in the base rules, or in the accepting capability where `from_capability`.
    """

    side: str
    kind: str
    from_capability: bool
    sent: npt.NDArray[np.bool_]
    target: npt.NDArray[np.uint64]
    length: npt.NDArray[np.uint32]


class Several(NamedTuple):
    """What became of a batch's u frames with several recipients, or that no node sends or takes.

    number: int64[u], which of the batch they are, ascending.  receivers: uint32[u], members that
    got the frame.  redirected: uint64[u], where else the sender sent it in the place of one
    recipient, 0 nowhere.  unasked: uint8[u], `Unasked`: why no rule decided.
    """

    number: npt.NDArray[np.intp]
    receivers: npt.NDArray[np.uint32]
    redirected: npt.NDArray[np.uint64]
    unasked: npt.NDArray[np.uint8]


_FLAGS = {
    ("out", "tee"): 0x02,
    ("out", "watch"): 0x16,
    ("out", "redirect"): 0x04,
    ("in", "tee"): 0x08,
    ("in", "watch"): 0x1C,
    ("in", "redirect"): 0x0A,
}


Sides = tuple[SideVerdicts | None, SideVerdicts | None]  # the sender's, the receiver's


class Verdicts:
    """What the network does with each frame of a batch.

    sides: gives `sender` and `receiver`, when they are first asked for.  several: what became of
    frames with several recipients; None: there are none.  accepted: that column, where it is made
    already.
    """

    def __init__(
        self,
        sides: Callable[[], Sides],
        lines: Lines,
        batch: FrameBatch,
        several: Several | None = None,
        accepted: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        self._ask, self._lines, self._batch = sides, lines, batch
        self._several = several
        if accepted is not None:
            self.accepted = accepted

    def __len__(self) -> int:
        return len(self._batch)

    @cached_property
    def _both(self) -> Sides:
        return self._ask()

    @cached_property
    def undirected(self) -> npt.NDArray[np.bool_] | None:
        """Frames that each of several recipients was to judge, or no node takes: bool[n].

        None: there are none.
        """
        if self._several is None:
            return None
        found = np.zeros(len(self), np.bool_)
        found[self._several.number] = True
        return found

    @cached_property
    def unasked(self) -> npt.NDArray[np.uint8] | None:
        """`Unasked` of each frame, uint8[n]: why no rule decided; None: rules decided on all."""
        return None if self._several is None else self._spread(self._several.unasked)

    @cached_property
    def _elsewhere(self) -> npt.NDArray[np.uint64] | None:
        """Where else the sender sent each frame, uint64[n], 0 nowhere; None: none of them."""
        if self._several is None or not self._several.redirected.any():
            return None
        return self._spread(self._several.redirected)

    def _spread(self, column: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A column of the frames with several recipients, 0 for all others."""
        assert self._several is not None
        found = np.zeros(len(self), column.dtype)
        found[self._several.number] = column
        return found

    @property
    def sender(self) -> SideVerdicts | None:
        """The sender's own columns (engine.side_verdicts.SIDE_COLUMNS), None: not evaluated."""
        return self._both[0]

    @property
    def receiver(self) -> SideVerdicts | None:
        """The receiver's own columns, None: not evaluated."""
        return self._both[1]

    def to_arrow(self) -> Any:
        """A pyarrow.RecordBatch: accepted, action, side, line, …; one row a frame."""
        return to_arrow(self)

    def to_pandas(self) -> Any:
        """The same columns as a pandas.DataFrame; BackendError where pandas is missing."""
        return to_pandas(self)

    def to_polars(self) -> Any:
        """The same columns as a polars.DataFrame; BackendError where polars is missing."""
        return to_polars(self)

    @cached_property
    def delivered_to_receiver(self) -> npt.NDArray[np.bool_]:
        """The receiver's side was asked: bool[n]."""
        if self.receiver is None:
            return np.zeros(len(self), dtype=np.bool_)
        if self.sender is None:
            return np.ones(len(self), dtype=np.bool_)
        if not self.sender.redirects:
            passed: npt.NDArray[np.bool_] = self.sender.accepted
            return passed
        return self.sender.accept > 0

    def _pick(self, name: str) -> npt.NDArray[Any]:
        """A column of the side that decided."""
        if self.sender is None or self.receiver is None or self._mirrored:
            only = self.sender if self.sender is not None else self.receiver
            assert only is not None
            column: npt.NDArray[Any] = getattr(only, name)
            return column
        reached = self.delivered_to_receiver
        receiver: npt.NDArray[Any] = getattr(self.receiver, name)
        sender: npt.NDArray[Any] = getattr(self.sender, name)
        return np.where(reached, receiver, sender)

    @cached_property
    def action(self) -> npt.NDArray[np.uint8]:
        """`Action` of each frame, uint8[n]."""
        if not any(side.redirects for side in self._sides()):
            return self.accepted.astype(np.uint8)  # Action.DROP is 0, Action.ACCEPT 1
        passed = self._pick("accepted")
        code = np.where(
            self.accepted, Action.ACCEPT, np.where(passed, Action.REDIRECT, Action.DROP)
        )
        return code.astype(np.uint8)

    @cached_property
    def accepted(self) -> npt.NDArray[np.bool_]:
        """Accepted by every side that was asked, and not redirected: bool[n]."""
        sides = self._sides()
        for side in sides:
            if side.redirects:
                kept: npt.NDArray[np.bool_] = self._pick("accept") > 0
                return kept
        passed: npt.NDArray[np.bool_] = sides[0].accepted
        return passed if len(sides) == 1 else passed & sides[1].accepted

    @cached_property
    def super_accepted(self) -> npt.NDArray[np.bool_]:
        """Accepted by a receiver because it is the target of a copy: bool[n]."""
        found: npt.NDArray[np.bool_] = self._pick("accept") == 2
        return found

    @cached_property
    def side(self) -> npt.NDArray[np.uint8]:
        """Which side decided: 0 the sender, 1 the receiver, uint8[n]."""
        if self.sender is None:
            return np.ones(len(self), dtype=np.uint8)
        return self.delivered_to_receiver.astype(np.uint8)

    @cached_property
    def entry(self) -> npt.NDArray[np.int32]:
        """The deciding entry, within the base rules or (capability >= 0) that capability.

        −1 where no entry decided (the end of the rules); int32[n].
        """
        return self._pick("entry")

    @cached_property
    def capability(self) -> npt.NDArray[np.int16]:
        """Index of the accepting capability in ascending order of id, −1 none; int16[n]."""
        return self._pick("capability")

    @cached_property
    def line(self) -> npt.NDArray[np.int32]:
        """Source line of the deciding entry, 0 where there is none; int32[n]."""
        return self._lines.of(self.entry, self.capability)

    @cached_property
    def destination(self) -> npt.NDArray[np.uint64]:
        """ZeroTier address that the frame goes to, after redirects; uint64[n]."""
        return self._pick("destination")

    @cached_property
    def qos(self) -> npt.NDArray[np.uint8]:
        """QoS bucket that the sender gives the frame (a receiver's where only it was asked)."""
        side = self.sender if self.sender is not None else self.receiver
        assert side is not None
        return side.qos

    def _first_copy(self, what: str, none: int) -> npt.NDArray[Any]:
        """The first copy of each frame in sending order: sender before receiver."""
        found: npt.NDArray[Any] | None = None
        taken = np.zeros(len(self), dtype=np.bool_)
        for side in self._sides():
            reached = self.delivered_to_receiver if side is not self.sender else None
            for prefix in ("capability_copy_", "copy_"):
                has = side_column(side, prefix + "entry") >= 0
                if reached is not None:
                    has = has & reached
                column = side_column(side, prefix + what)
                if found is None:
                    found = np.full(len(self), none, dtype=column.dtype)
                found = np.where(has & ~taken, column, found)
                taken |= has
        assert found is not None
        return found

    def _sides(self) -> list[SideVerdicts]:
        if self.sender is None or self.receiver is None:
            return [side for side in (self.sender, self.receiver) if side is not None]
        return [self.sender] if self._mirrored else [self.sender, self.receiver]

    @property
    def _mirrored(self) -> bool:
        """Is the receiver's verdict the sender's own?"""
        return self.receiver is not None and self.receiver.mirrors is not None

    @cached_property
    def copy_target(self) -> npt.NDArray[np.uint64]:
        """Address of the first copy sent, 0 none; uint64[n].  `copies` lists all of them."""
        return self._first_copy("target", 0)

    @cached_property
    def copy_length(self) -> npt.NDArray[np.uint32]:
        """Payload bytes of the first copy sent, 0 none; uint32[n]."""
        return self._first_copy("length", 0)

    @cached_property
    def watch(self) -> npt.NDArray[np.bool_]:
        """Is the first copy sent a watch; bool[n]."""
        return self._first_copy("watch", 0)

    @cached_property
    def reads(self) -> npt.NDArray[np.uint16]:
        """`model.reads.Reads` bits: what the verdict read without its being known; uint16[n]."""
        bits = np.zeros(len(self), dtype=np.uint16)
        if self.sender is not None:
            bits |= self.sender.reads
        if self.receiver is not None:
            bits |= np.where(self.delivered_to_receiver, self.receiver.reads, np.uint16(0))
        return bits

    @cached_property
    def uncertain(self) -> npt.NDArray[np.bool_]:
        """The verdict read a byte that existed but was not captured: bool[n]."""
        found: npt.NDArray[np.bool_] = (self.reads & np.uint16(0x1FFF)) != 0
        return found

    @cached_property
    def assumed(self) -> npt.NDArray[np.bool_]:
        """The verdict read a fact about members that nobody gave: bool[n]."""
        found: npt.NDArray[np.bool_] = (self.reads & np.uint16(0xE000)) != 0
        return found

    @cached_property
    def receivers(self) -> npt.NDArray[np.uint32]:
        """Members that got the frame; uint32[n], 0 where no receiver was asked."""
        if self.receiver is None:
            return np.zeros(len(self), np.uint32)
        found = self.accepted.astype(np.uint32)
        if self._several is not None:
            found[self._several.number] *= self._several.receivers
        return found

    @cached_property
    def may_send(self) -> npt.NDArray[np.bool_]:
        """Frames of which a copy or a redirect may be sent, by either side: bool[n]."""
        found = np.zeros(len(self), np.bool_)
        if self._several is not None:
            found[self._several.number] = True  # every recipient has copies of its own
        for copies in self.copy_columns():
            found |= copies.sent
        return found

    def reasons(self, index: int) -> Reads:
        """What frame `index`'s verdict read without its being known."""
        return Reads(int(self.reads[index]))

    @property
    def asked_sides(self) -> list[SideVerdicts]:
        """The sides that tell verdicts: one alone where there is no other, or both agree."""
        return self._sides()

    @property
    def noteworthy(self) -> bool:
        """May `reads` have any bit at all?  (False spares looking at it.)"""
        return any(side.noteworthy for side in self._sides())

    def copy_columns(self) -> list[CopyColumns]:
        """Every kind of copy that any frame of the batch sends, in sending order.

        Of several recipients, one sends: `pipeline.deliver` has the copies of all of them.
        """
        found: list[CopyColumns] = []
        for side in self._sides():
            reached = None if side is self.sender else self.delivered_to_receiver
            name = "sender" if side.direction == "out" else "receiver"
            for copy in side_copies(side, self._batch, self._lines):
                sent = copy.sent if reached is None else copy.sent & reached
                if sent.any():
                    kind, target, length = copy.kind, copy.target, copy.length
                    found.append(
                        CopyColumns(name, kind, copy.from_capability, sent, target, length)
                    )
            if side is self.sender and self._elsewhere is not None:
                target, length = self._elsewhere, self._batch.payload_lengths()
                found.append(CopyColumns("sender", "redirect", False, target != 0, target, length))
        return found

    def copies(self, index: int) -> list[Copy]:
        """Every copy of frame `index`, as `copy_columns` has them, with its flags."""
        found: list[Copy] = []
        for side in self._sides_of(index):
            for prefix in ("capability_copy_", "copy_"):
                if side_column(side, prefix + "entry")[index] >= 0:
                    kind = "watch" if side_column(side, prefix + "watch")[index] else "tee"
                    target = int(side_column(side, prefix + "target")[index])
                    length = int(side_column(side, prefix + "length")[index])
                    found.append(self._copy(side, kind, target, length))
            away = self._away(side, index)
            if away is not None:
                length = int(self._batch.payload_lengths()[index])
                found.append(self._copy(side, "redirect", away, length))
        return found

    def _away(self, side: SideVerdicts, index: int) -> int | None:
        """Where one side redirects frame `index`, for its own or for another recipient."""
        if side.accepted[index] and not side.accept[index]:
            return int(side.destination[index])
        if side is self.sender and self._elsewhere is not None and self._elsewhere[index]:
            return int(self._elsewhere[index])
        return None

    def _sides_of(self, index: int) -> list[SideVerdicts]:
        reached = bool(self.delivered_to_receiver[index])
        sides = [self.sender] if self.sender is not None else []
        return [*sides, self.receiver] if reached and self.receiver is not None else sides

    def _copy(self, side: SideVerdicts, kind: str, target: int, length: int) -> Copy:
        name = "sender" if side.direction == "out" else "receiver"
        return Copy(name, kind, target, _FLAGS[side.direction, kind], length)


def side_column(side: SideVerdicts, name: str) -> npt.NDArray[Any]:
    """A side's column by name."""
    column: npt.NDArray[Any] = getattr(side, name)
    return column
