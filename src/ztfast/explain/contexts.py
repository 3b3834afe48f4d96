"""Who is who for one frame: the circumstances of its sender and of each kind of receiver.

Contract: a `ContextResolver` holds a policy and what is known of members; `contexts` gives the
FrameContext of the sender and of the receivers as `ztfast filter` would find them
(network.resolve, engine.multicast), `described_contexts` for two ends that the caller describes.
Tested by tests/explain/test_contexts.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from ztfast.engine.context import FrameContext
from ztfast.engine.endpoints import endpoints
from ztfast.engine.hops import Sender, drawn_anew, inbound, outbound, recipient_ways
from ztfast.engine.multicast import active_bridges, stopped, undirected_frames
from ztfast.engine.network_verdicts import Unasked
from ztfast.engine.prng import receiver_seed
from ztfast.engine.reference import context_of
from ztfast.frames.batch import FrameBatch
from ztfast.frames.frame import Frame
from ztfast.frames.headers import ip_ends
from ztfast.frames.notation import FrameSpec
from ztfast.model.policy import Policy
from ztfast.model.reads import Reads
from ztfast.model.view import View, make_view
from ztfast.network.batch_context import BatchContext, MemberTable
from ztfast.network.member_table import member_table
from ztfast.network.members import Member, Network
from ztfast.network.recipients import Recipients, joined_ranges
from ztfast.network.resolve import MEMBERSHIP_UNKNOWN, MemberIndex, member_index, resolve

_Scalar = TypeVar("_Scalar", bound=np.generic)


class Receiver(NamedTuple):
    """One receiver, and how many members judge as it does.

    again: the sender's second pass for it, where the frame has several recipients.
    """

    context: FrameContext
    members: int = 1
    again: FrameContext | None = None


@dataclass(frozen=True)
class FrameContexts:
    """One frame with the circumstances of its sender and of each kind of receiver.

    several: it goes to each of some recipients (which may be nobody), not to one destination.
    stopped: why no node sends it, whatever the rules say; "" where one may.  refused: nor does any
    node take it.
    """

    frame: Frame
    sender: FrameContext
    receivers: tuple[Receiver, ...]
    several: bool = False
    stopped: str = ""
    refused: bool = False


class Ends(NamedTuple):
    """Two ends that somebody described; None: nothing is known of it.

    A member with address 0 has an address that nobody gave.
    """

    sender: Member | None
    receiver: Member | None


class ContextResolver:
    """A policy with its two views, and the members that are known."""

    def __init__(
        self,
        policy: Policy,
        network: Network | None = None,
        engine: str = "1.14",
        assume_ipauth: bool = True,
        seed: int = 0,
    ) -> None:
        self.policy, self.network, self.seed = policy, network, seed
        self.assume_ipauth = assume_ipauth
        self.views: dict[str, View] = {
            direction: make_view(policy, direction, engine) for direction in ("out", "in")
        }
        self._index: dict[str, MemberIndex] = {
            direction: member_index(network, self._table(network, view))
            for direction, view in self.views.items()
        }
        self._recipients: Recipients | None = None
        if network is not None and network.active_members():
            table = self._index["out"].table
            self._recipients = Recipients(self.views["out"], table, active_bridges(network))

    def _table(self, network: Network | None, view: View) -> MemberTable:
        return member_table(network, view, self.policy, self.assume_ipauth, self.assume_ipauth)

    def contexts(self, frame: Frame, number: int = 0) -> FrameContexts:
        """The circumstances of a frame whose ends are found by MAC or IP."""
        batch = FrameBatch.from_frame(frame)
        ends = endpoints(batch, compiled=False)
        sender = resolve(self._index["out"], "out", ends, number)
        many, undirected = undirected_frames(self._index["out"], ends, sender)
        if self._recipients is None or self.network is None or not undirected[0]:
            receiver = resolve(self._index["in"], "in", ends, number)
            return FrameContexts(frame, self._sender(sender), (self._receiver(receiver),))
        receivers = self._each_recipient(self._recipients, sender, bool(many[0]))
        why = stopped(self.network, self._index["out"], batch, ends, sending=True)[0]
        text = _stopped_text(self.network, why)
        refused = why == Unasked.FOREIGN
        return FrameContexts(frame, self._sender(sender), receivers, True, text, refused)

    def _each_recipient(
        self, recipients: Recipients, context: BatchContext, many: bool
    ) -> tuple[Receiver, ...]:
        """The recipients of one frame, in ascending order of those that stand for others."""
        classes = recipients.classes(context.sender)
        chosen = joined_ranges(classes.start, classes.counts)
        chosen = chosen[classes.bridge[chosen] | many]
        chosen = chosen[np.argsort(classes.member[chosen])]
        to, count = classes.member[chosen], len(chosen)
        sender = Sender(context.sender, context.zt_source, context.addresses_known)
        sender = sender.where(np.zeros(count, np.intp))
        ways = recipient_ways(self._index["out"].table.address[to])
        numbers = np.repeat(context.number, count)
        second, own = (drawn_anew(numbers, way) for way in ways)
        again = outbound(self._index["out"].table, sender, to, second)
        receiving = inbound(self._index["in"].table, sender, to, own)
        return tuple(
            self._receiver(receiving, size, again, at)
            for at, size in enumerate(classes.size[chosen].tolist())
        )

    def described_contexts(self, spec: FrameSpec, ends: Ends, number: int = 0) -> FrameContexts:
        """The circumstances of a frame between two ends that were described."""
        frame = spec.frame
        members = tuple(end for end in ends if end is not None)
        made = Network(members=members, private=False)
        sender = 1 if ends.sender is not None else 0
        receiver = 0 if ends.receiver is None else sender + 1
        many = bool(frame.mac_dest >> 40 & 1)
        given = (spec.zt_source or 0, spec.zt_dest or 0)
        known = bool(given[0]) and (bool(given[1]) or many)

        def side(direction: str) -> BatchContext:
            out = direction == "out"
            return BatchContext(
                direction=direction,
                members=self._table(made, self.views[direction]),
                local=_one(sender if out else receiver, np.int32),
                remote=_one(
                    (MEMBERSHIP_UNKNOWN if many else receiver) if out else sender, np.int32
                ),
                sender=_one(sender, np.int32),
                node=_one(given[0] if out else given[1], np.uint64),
                zt_source=_one(given[0], np.uint64),
                zt_dest=_one(0 if out and many else given[1], np.uint64),
                addresses_known=_one(known, np.bool_),
                no_tee=_one(False, np.bool_),
                number=_one(number, np.int64),
            )

        again = None
        if many and ends.receiver is not None:
            again = replace(
                side("out"),
                remote=_one(receiver, np.int32),
                zt_dest=_one(given[1], np.uint64),
                addresses_known=_one(bool(given[0]) and bool(given[1]), np.bool_),
                no_tee=_one(True, np.bool_),
            )
        receivers = (self._receiver(side("in"), again=again),)
        return FrameContexts(frame, self._sender(side("out")), receivers, again is not None)

    def _sender(self, context: BatchContext) -> FrameContext:
        return context_of(context, 0, 1, self.seed)

    def _receiver(
        self,
        context: BatchContext,
        members: int = 1,
        again: BatchContext | None = None,
        at: int = 0,
    ) -> Receiver:
        """One of the hops that the contexts describe."""
        count = len(context.local)
        second = None if again is None else context_of(again, at, count, self.seed)
        return Receiver(context_of(context, at, count, receiver_seed(self.seed)), members, second)


def _stopped_text(network: Network, why: int) -> str:
    """Why no node sends a frame; "" where one may."""
    if why == Unasked.NOT_SO:
        return ""
    if why == Unasked.FOREIGN:
        return "its source MAC is no member's, and no member is an active bridge"
    if network.multicast_limit <= 0:
        return "the network's multicast limit is 0"
    return "the network lets no broadcasts out but ARP"


def _one(value: int | bool, dtype: type[_Scalar]) -> npt.NDArray[_Scalar]:
    return np.array([value], dtype=dtype)


def described_member(
    spec: FrameSpec,
    sends: bool,
    tags: dict[int, int],
    capabilities: frozenset[int] = frozenset(),
    owns_address: bool = True,
) -> Member:
    """A member at one end of a frame, who was given the frame's addresses (or was not)."""
    frame = spec.frame
    # A neighbour advertisement has ipauth check the target address at byte 48.
    found = (*ip_ends(frame), frame.payload[48:64]) if owns_address and sends else ()
    ips = tuple({ip for ip in found[:1] + found[2:] if ip is not None and len(ip) in (4, 16)})
    return Member(
        address=(spec.zt_source if sends else spec.zt_dest) or 0,
        ips=ips,
        tags=tags,
        capabilities=capabilities,
        mac=frame.mac_source if sends else frame.mac_dest,
    )


def with_member_macs(spec: FrameSpec, network: Network) -> Frame:
    """The frame with the MACs of the members that its text names by `zt` or IP address."""
    frame = spec.frame
    members = network.active_members()
    if frame.unknown & Reads.MAC_SOURCE:
        mac = _mac(network, members, spec.zt_source, spec.source)
        if mac is not None:
            frame = frame._replace(mac_source=mac, unknown=frame.unknown & ~Reads.MAC_SOURCE)
    if frame.unknown & Reads.MAC_DEST:
        mac = _mac(network, members, spec.zt_dest, spec.dest)
        if mac is not None:
            frame = frame._replace(mac_dest=mac, unknown=frame.unknown & ~Reads.MAC_DEST)
    return frame


def _mac(
    network: Network, members: tuple[Member, ...], address: int | None, ip: bytes | None
) -> int | None:
    if address is not None:
        for member in members:
            if member.address == address:
                return network.mac(member)
        return network.mac(Member(address=address))
    owners = [member for member in members if ip is not None and ip in network.assigned(member)]
    return network.mac(owners[0]) if len(owners) == 1 else None
