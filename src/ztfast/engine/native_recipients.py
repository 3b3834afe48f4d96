"""Frames for several recipients judged by the compiled loops, in the columns of the whole batch.

Contract: as `engine.multicast` does it, which is the plain way, and the only one of other backends
and of rules that draw or look at integers of the payload.  The loops' results on the batch are
changed in place: what recipients say stands for the frame, as in `engine.recipient_verdicts`.
Tested by tests/engine/test_native_recipients.py.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.engine.endpoints import endpoints
from ztfast.engine.multicast import Multicast, lets_out
from ztfast.engine.native import NativeEvaluator
from ztfast.engine.native_columns import Destinations, Situation, side_verdicts
from ztfast.engine.native_tables import NativeSide, SideOutputs
from ztfast.engine.network_verdicts import Several, Unasked
from ztfast.engine.side_verdicts import SideVerdicts
from ztfast.frames.batch import FrameBatch
from ztfast.model.result import Result
from ztfast.network.members import Network
from ztfast.network.resolve import MemberIndex

Bools = npt.NDArray[np.bool_]
Index = npt.NDArray[np.intp]
Uint8s = npt.NDArray[np.uint8]
Uint64s = npt.NDArray[np.uint64]

# numbers, since an enum's members are slow to look up
_NOT_SO = int(Unasked.NOT_SO)
_NO_MATCH, _REDIRECT, _ACCEPT = int(Result.NO_MATCH), int(Result.REDIRECT), int(Result.ACCEPT)
_FROM_FOREIGN = 2  # of Senders.marks; `_core/recipients.pxi` says the same
_REACHED = 2  # of Answers.state, likewise


class Senders(NamedTuple):
    """Who sends each of u frames.

    member: int32[u].  address: uint64[u].  known: bool[u], are the frame's addresses facts?
    marks: uint8[u], 1: for many; 2: from a foreign MAC where no active bridge is.
    """

    member: npt.NDArray[np.int32]
    address: Uint64s
    known: Bools
    marks: Uint8s


class Answers(NamedTuple):
    """What recipients make of each of u frames.

    got: uint32[u], members that get it.  best: int32[u], the recipient that stands for all.  away:
    int32[u], the entry by which the sender sends it elsewhere instead of to another one, −1 none.
    state: uint8[u], 1: anybody was asked; 2: that recipient was reached.
    """

    got: npt.NDArray[np.uint32]
    best: npt.NDArray[np.int32]
    away: npt.NDArray[np.int32]
    state: Uint8s

    @classmethod
    def none(cls, count: int) -> Answers:
        """Nobody was asked yet."""
        nobody, nowhere = np.zeros(count, np.int32), np.full(count, -1, np.int32)
        return cls(np.zeros(count, np.uint32), nobody, nowhere, np.zeros(count, np.uint8))


class AskedSides(NamedTuple):
    """Each side's verdicts on a batch with recipients asked, and what became of those frames."""

    sides: list[SideVerdicts]
    several: Several


class NativeMulticast:
    """A network's members as recipients, asked by an engine's compiled loops.

    plain: whose portions and classes of recipients are used.
    """

    def __init__(
        self,
        network: Network,
        evaluator: NativeEvaluator,
        index: MemberIndex,
        plain: Multicast,
    ) -> None:
        self._network, self._evaluator, self._index = network, evaluator, index
        self._plain = plain
        self._sides = evaluator.sides
        self._sends = self._sides[0].program.view.direction == "out"

    def judge(self, batch: FrameBatch, outputs: list[SideOutputs], index: Index) -> AskedSides:
        """The verdicts on a batch.

        outputs: each side's first results, changed.  index: its undirected frames, ascending.
        """
        senders = self._senders(batch, index)
        kept = self._kept(batch, index, senders)
        goes = kept == _NOT_SO
        if self._sends:
            goes &= _leaves(self._sides[0], outputs[0], index)
        room = self._with_reads(outputs, len(batch))
        self._silence(room, index, kept, goes)
        answers, seen = Answers.none(len(index)), 0
        for chosen in self._plain.by_senders(senders.member, np.flatnonzero(goes)):
            classes = self._plain.recipients.columns(senders.member[chosen])
            seen |= self._evaluator.machine().ask_recipients(
                batch.raw(), index, chosen, senders, classes, room, answers
            )
        kept[goes & (answers.state == 0)] = Unasked.NOBODY
        several = Several(index, answers.got, self._redirected(answers), kept)
        noted = [
            made.noted(bool(seen) or first.reads is not None)
            for made, first in zip(room, outputs, strict=True)
        ]
        return AskedSides(self._verdicts(batch, noted, index, answers), several)

    def _senders(self, batch: FrameBatch, index: Index) -> Senders:
        count = len(index)
        senders = Senders(
            np.empty(count, np.int32),
            np.empty(count, np.uint64),
            np.empty(count, np.bool_),
            np.empty(count, np.uint8),
        )
        self._evaluator.machine().find_senders(batch.raw(), index, senders)
        return senders

    def _kept(self, batch: FrameBatch, index: Index, senders: Senders) -> Uint8s:
        """`Unasked` of frames that no node sends, or (not sending) takes; NOT_SO: of all others."""
        found = np.full(len(index), _NOT_SO, np.uint8)
        network = self._network
        if self._sends and (network.multicast_limit <= 0 or not network.broadcasts):
            part = batch.take(index)
            found[~lets_out(network, part, endpoints(part, True))] = Unasked.KEPT_IN
        found[(senders.marks & _FROM_FOREIGN) != 0] = Unasked.FOREIGN
        return found

    def _with_reads(self, outputs: list[SideOutputs], count: int) -> list[SideOutputs]:
        """The results with room for what recipients read, where any side looks at it."""
        if not any(side.has_reads for side in self._sides):
            return outputs
        return [
            made if made.reads is not None else made._replace(reads=np.zeros(count, np.uint32))
            for made in outputs
        ]

    def _silence(self, outputs: list[SideOutputs], index: Index, kept: Uint8s, goes: Bools) -> None:
        """What stands where nobody is asked: no receiver's word, of kept frames no sender's."""
        stopped = index[kept != _NOT_SO]
        if self._sends and len(stopped):
            _decide_nothing(outputs[0], stopped)
        if self._sends and len(outputs) == 1:  # what goes to nobody does not leave
            outputs[0].entry[index[goes]] = -1
            outputs[0].code[index[goes]] = _NO_MATCH
        else:
            _decide_nothing(outputs[-1], index)

    def _redirected(self, answers: Answers) -> Uint64s:
        """Where the sender sends each frame in the place of one recipient, 0 nowhere."""
        return self._sides[0].entries.address[answers.away]

    def _verdicts(
        self, batch: FrameBatch, outputs: list[SideOutputs], index: Index, answers: Answers
    ) -> list[SideVerdicts]:
        where = _AskedDestinations(batch, self._index, index, answers)
        return [
            side_verdicts(
                side, batch, Situation.looked_up(side.program.view.direction, where), made
            )
            for side, made in zip(self._sides, outputs, strict=True)
        ]


class _AskedDestinations(Destinations):
    """Where the frames of a batch go, those with several recipients to the one that stands for all.

    A frame that no receiver was asked about is nobody's there.
    """

    def __init__(
        self, batch: FrameBatch, members: MemberIndex, index: Index, answers: Answers
    ) -> None:
        super().__init__(batch, members)
        self._asked, self._answers = index, answers

    @cached_property
    def found(self) -> dict[str, Uint64s]:
        """ZeroTier addresses, uint64[n], by direction; 0 where a frame goes to nobody."""
        found, best = self._looked_up(), self._index.table.address[self._answers.best]
        found["out"][self._asked] = best
        found["in"][self._asked] = np.where(self._answers.state & _REACHED, best, np.uint64(0))
        return found


def _leaves(side: NativeSide, first: SideOutputs, index: Index) -> Bools:
    """Does the sender's first pass, with nobody as its recipient, let these frames go?"""
    code = first.code[index]
    found: Bools = code >= _ACCEPT
    if side.entries.redirects:
        nowhere = side.entries.address[first.entry[index]] == 0
        found |= (code == _REDIRECT) & nowhere
    return found


def _decide_nothing(outputs: SideOutputs, index: Index) -> None:
    """No rule was asked about these frames on this side: not accepted, by nobody, no copies."""
    outputs.entry[index] = -1
    outputs.code[index] = _NO_MATCH
    for column in (outputs.copy, outputs.capability_copy):
        if column is not None:
            column[index] = -1
    if outputs.reads is not None:
        outputs.reads[index] = 0
