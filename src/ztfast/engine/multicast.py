"""Frames for more than one recipient: multicasts, and frames for a MAC behind a bridge.

Contract: as a real network does, and `pipeline.deliver` follows further: a sender judges such a
frame once with destination 0 and, if that lets it go, again for each recipient, with that one's
address and tags and without copies; then the recipient judges.  Recipients of a multicast are all
members but the sender; of a frame behind a bridge, all active bridges.  Recipients that rules
cannot tell apart (`network.recipients`) are judged once and counted as often; what their
judgements come to for the frame is `engine.recipient_verdicts`.  Frames that no node sends or
takes, whatever the rules say (`stopped`), stand among them and have no recipients.
Tested by tests/engine/test_multicast.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ztfast.engine.hops import Sender, drawn_anew, inbound, outbound, recipient_ways
from ztfast.engine.network_verdicts import Unasked
from ztfast.engine.recipient_verdicts import (
    JoinedVerdicts,
    Judged,
    Outcome,
    RecipientVerdicts,
    Rows,
    outcomes,
)
from ztfast.engine.side_verdicts import SideVerdicts
from ztfast.frames.batch import FrameBatch
from ztfast.model.view import View
from ztfast.network.batch_context import UNKNOWN_MEMBER, BatchContext, MemberTable
from ztfast.network.members import Network
from ztfast.network.recipients import Recipients, joined_ranges
from ztfast.network.resolve import (
    MEMBERSHIP_UNKNOWN,
    Endpoints,
    MemberIndex,
    multicast_frames,
    strays,
)

Bools = npt.NDArray[np.bool_]
Uint8s = npt.NDArray[np.uint8]
Uint64s = npt.NDArray[np.uint64]
Index = npt.NDArray[np.intp]

MAX_ROWS = 1 << 16  # judgements at once: more frames than give so many are judged one after another
_BROADCAST = np.uint64(0xFFFF_FFFF_FFFF)
_ARP = 0x0806


class Judging(Protocol):
    """One direction of an engine, as far as it is needed here."""

    view: View
    table: MemberTable
    index: MemberIndex | None
    random: bool  # does any rule draw?

    def evaluate(
        self, batch: FrameBatch, batch_context: BatchContext, threads: int = 1
    ) -> SideVerdicts:
        """This direction's verdicts."""
        ...


class Frames(NamedTuple):
    """The undirected frames of a batch with what is known of them before recipients judge.

    number: intp[u], their numbers in the batch.  part, ends, context: these frames, their
    addresses, and the sender's context.  verdicts: of the sender's first pass and of a receiver,
    by direction, on the whole batch; those that the engine judges.  first: number of the batch's
    first frame.
    """

    number: Index
    part: FrameBatch
    ends: Endpoints
    context: BatchContext
    verdicts: Mapping[str, SideVerdicts]
    first: int
    threads: int


class Multicast:
    """A network's members as recipients, and the directions that judge."""

    def __init__(self, network: Network, sides: Mapping[str, Judging]) -> None:
        self._network, self._sides = network, sides
        self._one = next(iter(sides.values()))

    @cached_property
    def recipients(self) -> Recipients:
        """The members in classes; made at the first frame that has several."""
        return Recipients(self._one.view, self._one.table, active_bridges(self._network))

    def judge(self, frames: Frames) -> JoinedVerdicts:
        """The verdicts on the batch with every recipient asked."""
        assert self._one.index is not None
        first_pass = frames.verdicts.get("out")
        kept = stopped(
            self._network, self._one.index, frames.part, frames.ends, first_pass is not None
        )
        goes = kept == Unasked.NOT_SO
        if first_pass is not None:
            goes &= first_pass.accept[frames.number] > 0
        found = RecipientVerdicts(frames.verdicts, frames.number, kept, goes)
        many, sender = multicast_frames(frames.ends), frames.context.sender
        for rows in self._slices(sender, many, np.flatnonzero(goes)):
            found.add(self._judged(frames, rows))
        return found.joined()

    def _slices(self, sender: npt.NDArray[np.int32], many: Bools, places: Index) -> Iterator[Rows]:
        """Rows for the frames of `places`, by sender, as many at once as fit into memory."""
        for some in self.by_senders(sender, places):
            mine = some[np.argsort(sender[some], kind="stable")]
            senders, counts = np.unique(sender[mine], return_counts=True)
            classes = self.recipients.classes(senders)
            of = np.repeat(np.arange(len(senders)), counts)
            start, count = classes.start[of], classes.counts[of]
            for part in portions(count, MAX_ROWS):
                row = joined_ranges(start[part], count[part])
                place = np.repeat(mine[part], count[part])
                wanted = np.flatnonzero(many[place] | classes.bridge[row])
                if len(wanted):
                    row, place = row[wanted], place[wanted]
                    yield Rows(place, classes.member[row], classes.size[row])

    def by_senders(self, sender: npt.NDArray[np.int32], places: Index) -> Iterator[Index]:
        """Some frames, `places` of those that `sender` is of, as many as fit into memory together.

        The classes of their senders are made for each portion.
        """
        counts = np.bincount(sender[places])
        different = np.flatnonzero(counts)
        if not len(different):
            return
        portion = self.recipients.portion
        if len(different) <= portion:
            yield places
            return
        places = places[np.argsort(sender[places], kind="stable")]
        ends = np.cumsum(counts[different])
        for low in range(0, len(different), portion):
            first = ends[low] - counts[different[low]]
            yield places[first : ends[low : low + portion][-1]]

    def _judged(self, frames: Frames, rows: Rows) -> Judged:
        """The sender's second pass over some rows, then the recipients' own."""
        place, context = rows.place, frames.context
        sender = Sender(
            context.sender[place], context.zt_source[place], context.addresses_known[place]
        )
        again_numbers, own_numbers = self._numbers(
            frames.first + frames.number[place].astype(np.int64), rows.member
        )
        again = received = None
        outcome = np.full(len(place), Outcome.ARRIVED, np.uint8)
        out, into = self._sides.get("out"), self._sides.get("in")
        if out is not None:
            second = outbound(out.table, sender, rows.member, again_numbers)
            again = out.evaluate(frames.part.take(place), second, frames.threads)
            outcome = outcomes(again)
        goes = np.flatnonzero(outcome == Outcome.ARRIVED)
        at = np.full(len(place), -1, np.intp)
        if into is not None:
            at[goes] = np.arange(len(goes))
            to = rows.member[goes]
            own = inbound(into.table, sender.where(goes), to, own_numbers[goes])
            received = into.evaluate(frames.part.take(place[goes]), own, frames.threads)
            outcome[goes] = outcomes(received)
        return Judged(rows, again, received, at, outcome)

    def _numbers(
        self, numbers: npt.NDArray[np.int64], member: npt.NDArray[np.int32]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """What keys the draws of the sender's second pass, and of the recipient."""
        if not self._one.random:
            return numbers, numbers
        again, own = recipient_ways(self._one.table.address[member])
        return drawn_anew(numbers, again), drawn_anew(numbers, own)


def portions(count: npt.NDArray[np.int64], most: int) -> Iterator[slice]:
    """Slices of frames with at most so many rows together, or of one frame.

    count: each frame's rows.
    """
    total = np.cumsum(count)
    low, before = 0, 0
    while low < len(count):
        high = max(low + 1, int(np.searchsorted(total, before + most, side="right")))
        yield slice(low, high)
        low, before = high, int(total[high - 1])


# --- which frames --------------------------------------------------------------------------


def undirected_frames(
    index: MemberIndex, ends: Endpoints, context: BatchContext
) -> tuple[Bools, Bools]:
    """(multicasts, frames judged again for each recipient or taken by no node), of a sender.

    A frame between two foreign MACs was captured beyond a bridge or router: who gets it is assumed.
    """
    many = multicast_frames(ends)
    from_member = context.sender != UNKNOWN_MEMBER
    several = (context.remote == MEMBERSHIP_UNKNOWN) & (many | from_member)
    return many, several | strays(index, ends)


def active_bridges(network: Network) -> Bools:
    """Which members are active bridges, by number; nobody known is none."""
    return np.array([False, *(member.bridge for member in network.active_members())])


def member_macs(network: Network) -> Uint64s:
    """The MAC of each member, by number; 0 for nobody."""
    members = (None, *network.active_members())
    return np.array([0 if m is None else network.mac(m) or 0 for m in members], dtype=np.uint64)


def stopped(
    network: Network, index: MemberIndex, batch: FrameBatch, ends: Endpoints, sending: bool
) -> Uint8s:
    """`Unasked` of frames that no node sends, or (not sending) takes; NOT_SO: of all others."""
    found = np.full(len(batch), Unasked.NOT_SO, np.uint8)
    if sending:
        found[~lets_out(network, batch, ends)] = Unasked.KEPT_IN
    found[strays(index, ends)] = Unasked.FOREIGN
    return found


def lets_out(network: Network, batch: FrameBatch, ends: Endpoints) -> Bools:
    """Does the network let these frames leave, as far as they are multicasts?"""
    many = multicast_frames(ends)
    if network.multicast_limit <= 0:
        return ~many
    if network.broadcasts:
        return np.ones(len(batch), np.bool_)
    found: Bools = (ends.mac_dest != _BROADCAST) | (_ethertypes(batch) == _ARP)
    return found


def _ethertypes(batch: FrameBatch) -> npt.NDArray[np.uint16]:
    """The ethertype of each frame, 0 where it was not captured."""
    if batch.fields is not None:
        given: npt.NDArray[np.uint16] = batch.fields["ethertype"]
        return given
    there = batch.captured >= 14
    found = np.zeros(len(batch), np.uint16)
    at = batch.offsets[there]
    found[there] = batch.buffer[at + 12].astype(np.uint16) << 8 | batch.buffer[at + 13]
    return found
