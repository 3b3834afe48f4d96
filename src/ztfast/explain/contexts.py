"""Who is who for one frame: the circumstances of its sender and of each kind of receiver.

Contract: a `ContextResolver` holds a policy and what is known of members; `contexts` gives the
FrameContext of the sender and of the receivers as `ztfast filter` would find them
(network.resolve), `described_contexts` for two ends that the caller describes.
Tested by tests/explain/test_contexts.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from ztfast.engine.context import FrameContext
from ztfast.engine.endpoints import endpoints
from ztfast.engine.multicast import receiver_classes
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
from ztfast.network.resolve import MemberIndex, member_index, multicast_frames, resolve

# Draws at the receiver are not those at the sender (engine.engine keeps the same constant).
INBOUND_SEED = 0x5851F42D4C957F2D
_MEMBERSHIP_UNKNOWN = -1
_Scalar = TypeVar("_Scalar", bound=np.generic)


class Receiver(NamedTuple):
    """One receiver, and how many members judge as it does."""

    context: FrameContext
    members: int = 1


@dataclass(frozen=True)
class FrameContexts:
    """One frame with the circumstances of its sender and of each kind of receiver."""

    frame: Frame
    sender: FrameContext
    receivers: tuple[Receiver, ...]


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

    def _table(self, network: Network | None, view: View) -> MemberTable:
        return member_table(network, view, self.policy, self.assume_ipauth, self.assume_ipauth)

    def contexts(self, frame: Frame, number: int = 0) -> FrameContexts:
        """The circumstances of a frame whose ends are found by MAC or IP."""
        ends = endpoints(FrameBatch.from_frame(frame), compiled=False)
        sender = resolve(self._index["out"], "out", ends, number)
        inbound = self._index["in"]
        if not multicast_frames(ends)[0] or len(inbound.table.address) == 1:
            receivers = [(resolve(inbound, "in", ends, number), 1)]
        else:
            classes = receiver_classes(self.views["in"], inbound.table)
            own = int(sender.sender[0])
            others = [[int(member) for member in members if member != own] for members in classes]
            receivers = [
                (resolve(inbound, "in", ends, number, members[0]), len(members))
                for members in others
                if members
            ]
            # With no other member it is judged as `ztfast filter` does: by nobody known.
            receivers = receivers or [(resolve(inbound, "in", ends, number), 1)]
        return self._frame_contexts(frame, sender, receivers)

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
                    (_MEMBERSHIP_UNKNOWN if many else receiver) if out else sender, np.int32
                ),
                sender=_one(sender, np.int32),
                node=_one(given[0] if out else given[1], np.uint64),
                zt_source=_one(given[0], np.uint64),
                zt_dest=_one(0 if out and many else given[1], np.uint64),
                addresses_known=_one(known, np.bool_),
                no_tee=_one(False, np.bool_),
                number=_one(number, np.int64),
            )

        return self._frame_contexts(frame, side("out"), [(side("in"), 1)])

    def _frame_contexts(
        self, frame: Frame, sender: BatchContext, receivers: list[tuple[BatchContext, int]]
    ) -> FrameContexts:
        return FrameContexts(
            frame,
            context_of(sender, 0, 1, self.seed),
            tuple(
                Receiver(context_of(batch_context, 0, 1, self.seed ^ INBOUND_SEED), count)
                for batch_context, count in receivers
            ),
        )


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
    owners = [member for member in members if ip is not None and ip in network.ips(member)]
    return network.mac(owners[0]) if len(owners) == 1 else None
