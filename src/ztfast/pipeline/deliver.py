"""Delivery: everything that reaches a member's tap, and what is refused on the way.

Contract: `deliver` follows each frame of a batch from its sender to the last copy of a copy, as
real nodes do (docs/exactness.md, "Delivery").  One judgement is the evaluator's; what is here is
only who judges next, with whose tags and address, on which bytes.  Frames are followed together,
round by round, so the cost is a few calls a round and none a copy.
Tested by tests/pipeline/test_deliver.py, against what four real nodes did and against a plain
model (tests/pipeline/delivery_model.py).

What happens to a frame:
- its sender judges it out.  A multicast, and a frame for a MAC behind a bridge, is judged with
  destination 0 first (its copies and redirects are sent), and again for each recipient, with that
  one's address and tags and without copies;
- what is sent is judged in by the node it was sent to, with the node that sent it as the source;
  copies by tee and watch as far as they were cut.  That node's copies and redirects go on;
- a node ignores a frame whose source MAC is its own, and one that it accepts in the ordinary way
  (not as the target of a copy) only arrives where the MACs are those of sender and receiver, or
  one that is foreign belongs to an active bridge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.engine.endpoints import endpoints
from ztfast.engine.engine import Engine
from ztfast.engine.hops import Sender, drawn_anew, inbound, outbound, recipient_ways, way_to
from ztfast.engine.multicast import active_bridges, lets_out, member_macs, portions
from ztfast.engine.side_verdicts import SideVerdicts
from ztfast.errors import usage
from ztfast.frames.batch import FrameBatch
from ztfast.network.batch_context import UNKNOWN_MEMBER, BatchContext
from ztfast.network.resolve import MEMBERSHIP_UNKNOWN, Endpoints, multicast_frames, resolve
from ztfast.pipeline.deliveries import Deliveries, Fate, Kind, no_deliveries
from ztfast.pipeline.second_pass import SecondPass

Int64s = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
Uint32s = npt.NDArray[np.uint32]
Uint64s = npt.NDArray[np.uint64]
Uint8s = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]

MAX_HOPS = 16  # rounds after which a frame whose copies never end is given up;
MAX_SENDINGS = 4096  # or where it was sent so often and eight times to each member
MAX_ROWS = 1 << 18  # judgements of a round: more frames than give so many are followed apart
_GROUP = np.uint64(1 << 40)


class _Sending(NamedTuple):
    """Frames on their way: n items.  to, sent_by: member numbers; address: of `to`."""

    frame: Int64s
    to: Int32s
    address: Uint64s
    sent_by: Int32s
    kind: Uint8s
    payload: Uint32s
    line: Int32s
    path: Uint64s  # a number for the way that it took, which keys random draws
    times: Int64s  # as in Deliveries

    def where(self, chosen: Bools | npt.NDArray[np.intp]) -> _Sending:
        return _Sending._make(column[chosen] for column in self)


_TYPES = (
    *(np.int64, np.int32, np.uint64, np.int32, np.uint8),
    *(np.uint32, np.int32, np.uint64, np.int64),
)


def deliver(
    engine: Engine,
    batch: FrameBatch,
    *,
    first: int = 0,
    only: Int64s | None = None,
    uncertain: Bools | None = None,
) -> Deliveries:
    """Everything that is sent and arrives for the frames of a batch, as `Delivery` finds it.

    Raises UsageError where the engine knows no members or judges only one side.
    """
    return Delivery(engine).deliver(batch, first=first, only=only, uncertain=uncertain)


def from_members(engine: Engine, batch: FrameBatch) -> Bools:
    """bool[n]: which frames of a batch come from a member of the engine's network."""
    ends = endpoints(batch, engine.backend == "native")
    found: Bools = resolve(engine.members(), "out", ends).sender != UNKNOWN_MEMBER
    return found


class Delivery:
    """The nodes of an engine's network, ready to judge batch after batch.

    engine: with the members of a network and its id, judging both sides.  alike: recipients of a
    multicast that behave alike may be followed together (`Deliveries.times`).
    Raises UsageError where that is not so.
    """

    def __init__(self, engine: Engine, *, alike: bool = False) -> None:
        network = engine.network
        if network is None or network.id is None or not network.active_members():
            raise usage(
                "delivery needs the network's members and its id",
                "give --network with a controller's JSON, Central's JSON, or a TOML",
            )
        if engine.side != "both":
            raise usage("delivery needs both sides", "leave out --side")
        self.engine, self.network, self.index = engine, network, engine.members("out")
        self.macs = member_macs(network)
        self.bridges = active_bridges(network)
        self.multicasts = network.multicast_limit > 0
        self.addresses, self.inbound = self.index.table.address, engine.members("in").table
        self.most_sendings = MAX_SENDINGS + 8 * len(self.macs)
        self.by_address = np.argsort(self.addresses, kind="stable").astype(np.int32)
        alike &= engine.backend == "native"  # whose columns tell from which address a frame is sent
        self.second_pass = SecondPass(engine.view("out"), self.index.table, self.bridges, alike)

    def deliver(
        self,
        batch: FrameBatch,
        *,
        first: int = 0,
        only: Int64s | None = None,
        uncertain: Bools | None = None,
    ) -> Deliveries:
        """Everything that is sent and arrives for the frames of a batch.

        first: the number of the batch's first frame in the whole input, which keys `random`.
        only: the numbers in the batch of the frames to follow, ascending; None: all.  uncertain:
        bool[n], set where a judgement read bytes that were not captured; None: not wanted.
        Frames whose sender is no member are nobody's to send: they have no items.
        """
        index = np.arange(len(batch), dtype=np.int64) if only is None else only
        parts = list(_Followed(self, batch, index, first, uncertain).deliveries())
        joined = Deliveries._make(_concatenated([no_deliveries(), *parts]))
        order = np.argsort(joined.frame, kind="stable")
        ordered = Deliveries._make(column[order] for column in joined)
        return ordered._replace(frame=index[ordered.frame])

    def numbers(self, addresses: Uint64s) -> Int32s:
        """The member of each address, `UNKNOWN_MEMBER` where there is none."""
        ordered = self.addresses[self.by_address]
        places = np.minimum(np.searchsorted(ordered, addresses), len(ordered) - 1)
        found = self.by_address[places]
        return np.where(ordered[places] == addresses, found, UNKNOWN_MEMBER).astype(np.int32)

    def sender(self, member: Int32s) -> Sender:
        """Members as those who send."""
        return Sender(member, self.addresses[member], np.ones(len(member), np.bool_))


class _Followed:
    """Frames of one batch on their way through the network, numbered from 0 here.

    number: int64[n], their numbers in the whole input.
    """

    def __init__(
        self,
        nodes: Delivery,
        batch: FrameBatch,
        index: Int64s,
        first: int,
        uncertain: Bools | None,
    ) -> None:
        self.nodes, self.index, self.uncertain = nodes, index, uncertain
        self.batch = batch if len(index) == len(batch) else batch.take(index)
        self.number = first + index
        ends = endpoints(self.batch, nodes.engine.backend == "native")
        self.context = resolve(nodes.index, "out", ends)
        self.context.number[:] = self.number
        self.many = multicast_frames(ends)
        self.leaves = self.context.sender != UNKNOWN_MEMBER
        self.leaves &= self.context.remote != self.context.sender
        self.leaves &= lets_out(nodes.network, self.batch, ends)
        self.source, self.dest = self._stations(ends)

    def _stations(self, ends: Endpoints) -> tuple[Uint64s, Uint64s]:
        """Each frame's MACs; raw IP gets those with which its members send it."""
        if ends.mac_source_known is None or ends.mac_dest_known is None:
            return ends.mac_source, ends.mac_dest
        macs = self.nodes.macs
        to = macs[np.maximum(self.context.remote, UNKNOWN_MEMBER)]
        return (
            np.where(ends.mac_source_known, ends.mac_source, macs[self.context.sender]),
            np.where(ends.mac_dest_known, ends.mac_dest, np.where(self.many, _GROUP, to)),
        )

    def deliveries(self) -> Iterator[Deliveries]:
        """What is sent for the frames, in parts that fit into memory."""
        receivers = np.where(
            self.context.remote == MEMBERSHIP_UNKNOWN, self.nodes.second_pass.most, 1
        )
        for part in portions(receivers, MAX_ROWS):
            yield from self._rounds(np.arange(part.start, part.stop, dtype=np.int64))

    def _rounds(self, index: Int64s) -> Iterator[Deliveries]:
        """Send, judge what was sent, send on; in halves where a round grows too large."""
        sending = self._sent_out(index[self.leaves[index]])
        done: list[Deliveries] = []
        sent = np.zeros(len(self.batch), np.float64)
        for hop in range(MAX_HOPS + 1):
            if not len(sending.frame):
                break
            if len(sending.frame) > MAX_ROWS and len(index) > 1:
                middle = len(index) // 2
                yield from self._rounds(index[:middle])
                yield from self._rounds(index[middle:])
                return
            sent += np.bincount(sending.frame, sending.times, len(self.batch))
            endless = (sent[sending.frame] > self.nodes.most_sendings) | np.bool_(hop == MAX_HOPS)
            if endless.any():
                done.append(self._given_up(sending.where(endless)))
                sending = sending.where(~endless)
            found, sending = self._received(sending)
            done.append(found)
        yield from done

    def _given_up(self, sending: _Sending) -> Deliveries:
        fate = np.full(len(sending.frame), Fate.ENDLESS, np.uint8)
        return self._deliveries(sending, fate, np.zeros_like(sending.line))

    # --- the sender --------------------------------------------------------------------------

    def _sent_out(self, index: Int64s) -> _Sending:
        """What the senders let out, in the order of sending: copies, then the frame."""
        part, context = self.batch.take(index), _of(self.context, index)
        verdicts = self._judged("out", part, context, index)
        none, one = np.zeros(len(part), np.uint64), np.ones(len(part), np.int64)
        copies = self._sent_on(verdicts, part, index, context, none, one)
        passed = verdicts.accept > 0
        direct = passed & (context.remote != MEMBERSHIP_UNKNOWN) & (context.zt_dest != 0)
        frames = _Sending(
            index[direct],
            context.remote[direct],
            context.zt_dest[direct],
            context.sender[direct],
            np.full(int(direct.sum()), Kind.FRAME, np.uint8),
            part.payload_lengths()[direct],
            np.zeros(int(direct.sum()), np.int32),
            none[direct],
            one[direct],
        )
        spread = passed & (context.remote == MEMBERSHIP_UNKNOWN)
        return _joined([copies, frames, self._spread(part, index, context, spread)])

    def _spread(
        self,
        part: FrameBatch,
        index: Int64s,
        context: BatchContext,
        chosen: Bools,
    ) -> _Sending:
        """The second pass: multicasts to every member, other MACs to every active bridge."""
        at, nodes, many = np.flatnonzero(chosen), self.nodes, self.many[index]
        asked = nodes.second_pass.recipients(part.take(at), context.sender[at], many[at])
        rows, to, times = at[asked.frame], asked.to, asked.times
        sender = context.sender[rows]
        path, _ = recipient_ways(nodes.addresses[to])
        numbers = drawn_anew(self.number[index[rows]], path)
        second = outbound(nodes.index.table, nodes.sender(sender), to, numbers)
        again = part.take(rows)
        verdicts = self._judged("out", again, second, index[rows])
        sent = self._sent_on(verdicts, again, index[rows], second, path, times)
        goes = np.flatnonzero(verdicts.accept > 0)
        kind = np.where(many[rows[goes]], Kind.MULTICAST, Kind.FRAME).astype(np.uint8)
        frames = _Sending(
            index[rows[goes]],
            to[goes],
            nodes.addresses[to[goes]],
            sender[goes],
            kind,
            again.payload_lengths()[goes],
            np.zeros(len(goes), np.int32),
            path[goes],
            times[goes],
        )
        return _joined([sent, frames])

    # --- the receiver ------------------------------------------------------------------------

    def _received(self, sending: _Sending) -> tuple[Deliveries, _Sending]:
        """(what became of a round's sendings, what their receivers send on)."""
        nodes = self.nodes
        fate = np.full(len(sending.frame), Fate.RULES, np.uint8)
        fate[sending.to == UNKNOWN_MEMBER] = Fate.NO_MEMBER
        own = (sending.to != UNKNOWN_MEMBER) & (
            self.source[sending.frame] == nodes.macs[sending.to]
        )
        fate[own] = Fate.OWN_FRAME
        mine = np.flatnonzero(fate == Fate.RULES)
        judged = sending.where(mine)
        part = self.batch.cut(judged.frame, judged.payload)
        path = way_to(judged.path, judged.address, "in")
        direct = (judged.kind == Kind.FRAME) & (judged.path == 0)  # as `Engine.evaluate` draws
        numbers = self.number[judged.frame]
        numbers = np.where(direct, numbers, drawn_anew(numbers, path))
        context = inbound(nodes.inbound, nodes.sender(judged.sent_by), judged.to, numbers)
        verdicts = self._judged("in", part, context, judged.frame)
        fate[mine] = self._fates(verdicts, judged)
        lines = np.zeros(len(sending.frame), np.int32)
        lines[mine] = nodes.engine.deciding_lines(verdicts)
        onward = self._sent_on(verdicts, part, judged.frame, context, path, judged.times)
        return self._deliveries(sending, fate, lines), onward

    def _fates(self, verdicts: SideVerdicts, sending: _Sending) -> Uint8s:
        mac_source, mac_dest = self.source[sending.frame], self.dest[sending.frame]
        macs, bridges = self.nodes.macs, self.nodes.bridges
        group = (mac_dest & _GROUP) != 0
        foreign_source = (mac_source != macs[sending.sent_by]) & ~bridges[sending.sent_by]
        foreign_dest = ~group & (mac_dest != macs[sending.to]) & ~bridges[sending.to]
        reasons = np.select(
            [foreign_source, foreign_dest, group & np.bool_(not self.nodes.multicasts)],
            [Fate.FOREIGN_SOURCE, Fate.FOREIGN_DEST, Fate.MULTICAST_OFF],
            Fate.ARRIVED,
        )
        # a copy's target takes what is sent to it whatever its MACs say
        ordinary = np.where(verdicts.accept == 2, Fate.ARRIVED, reasons)
        return np.where(verdicts.accept == 0, Fate.RULES, ordinary).astype(np.uint8)

    # --- both --------------------------------------------------------------------------------

    def _judged(
        self, direction: str, part: FrameBatch, context: BatchContext, frame: Int64s
    ) -> SideVerdicts:
        """One side's verdicts; frame: which frames of the batch they are about."""
        verdicts = self.nodes.engine.evaluate_side(direction, part, context)
        if self.uncertain is not None and verdicts.noteworthy:
            self.uncertain[self.index[frame[verdicts.uncertain]]] = True
        return verdicts

    def _sent_on(
        self,
        verdicts: SideVerdicts,
        part: FrameBatch,
        index: Int64s,
        context: BatchContext,
        path: Uint64s,
        times: Int64s,
    ) -> _Sending:
        """Copies and redirects of one judgement each, in sending order."""
        found: list[_Sending] = []
        for copy in self.nodes.engine.side_copies(verdicts, part):
            at = np.flatnonzero(copy.sent)
            target = copy.target[at].astype(np.uint64)
            to = self.nodes.numbers(target)
            kind = np.full(len(at), Kind[copy.kind.upper()], np.uint8)
            sender = context.local[at]
            found.append(
                _Sending(
                    index[at],
                    to,
                    target,
                    sender,
                    kind,
                    copy.length[at].astype(np.uint32),
                    copy.line[at],
                    way_to(path[at], target, copy.kind),
                    times[at],
                )
            )
        return _joined(found)

    def _deliveries(self, sending: _Sending, fate: Uint8s, lines: Int32s) -> Deliveries:
        return Deliveries(
            sending.frame,
            sending.address,
            sending.kind,
            self.nodes.addresses[sending.sent_by],
            sending.payload + np.uint32(14),
            sending.line,
            fate,
            lines,
            sending.times,
        )


def _of(context: BatchContext, index: npt.NDArray[np.intp]) -> BatchContext:
    """The contexts of some frames."""
    return BatchContext(
        context.direction,
        context.members,
        context.local[index],
        context.remote[index],
        context.sender[index],
        context.node[index],
        context.zt_source[index],
        context.zt_dest[index],
        context.addresses_known[index],
        context.no_tee[index],
        context.number[index].copy(),
    )


def _concatenated(parts: Sequence[tuple[npt.NDArray[Any], ...]]) -> Iterator[npt.NDArray[Any]]:
    """Each column of several records of columns, one part behind the other."""
    return (np.concatenate(columns) for columns in zip(*parts, strict=True))


def _joined(parts: list[_Sending]) -> _Sending:
    if not parts:
        return _Sending._make(np.zeros(0, kind) for kind in _TYPES)
    return _Sending._make(_concatenated(parts))
