"""Frames with several recipients as a plain model: one node, one judgement at a time.

It calls the reference evaluator case by case and knows members as dictionaries; it shares nothing
with ztfast.engine.multicast and ztfast.network.recipients but the key of random draws
(engine.hops, tested by itself).  docs/spec/evaluation.md section 8 says the same in words.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from ztfast.engine.context import FrameContext, Outcome, Sent
from ztfast.engine.hops import drawn_anew, recipient_ways
from ztfast.engine.prng import draw, receiver_seed
from ztfast.engine.reference import evaluate
from ztfast.frames.frame import Frame
from ztfast.model.addresses import mac_of
from ztfast.model.policy import Policy
from ztfast.model.reads import Reads
from ztfast.model.view import make_view
from ztfast.network.members import Network

GROUP = 1 << 40
BROADCAST = 0xFFFFFFFFFFFF
ARP = 0x0806


class Said(NamedTuple):
    """What a network says of one frame, as `Verdicts` has it."""

    action: int  # engine.network_verdicts.Action
    receivers: int
    side: int
    entry: int
    capability: int
    destination: int
    super_accepted: bool
    reads: int
    copies: list[Sent]


class Judged(NamedTuple):
    """One recipient: what the sender's second pass and its own judgement came to."""

    address: int
    again: Outcome | None
    own: Outcome | None

    @property
    def fate(self) -> int:
        """0 dropped, 1 redirected, 2 it gets the frame."""
        last = self.again if self.own is None else self.own
        assert last is not None
        return 0 if not last.accepted else 2 if last.accept else 1


class Model:
    """A network with members, and its rules."""

    def __init__(
        self,
        network: Network,
        policy: Policy,
        side: str = "both",
        engine: str = "1.14",
        seed: int = 0,
    ) -> None:
        assert network.id is not None
        self.network, self.side = network, side
        self.members = {member.address: member for member in network.active_members()}
        self.macs = {mac_of(address, network.id): address for address in self.members}
        self.views = {each: make_view(policy, each, engine) for each in ("out", "in")}
        self.seeds = {"out": seed, "in": receiver_seed(seed)}
        self.defaults = {tag.id: tag.default & 0xFFFFFFFF for tag in policy.tags
                         if tag.default is not None}  # fmt: skip
        self.default_capabilities = {cap.id for cap in policy.capabilities if cap.default}

    def is_for_several(self, frame: Frame) -> bool:
        """Multicasts, what a member sends to a MAC behind a bridge, and what no node takes."""
        bridged = not self.is_ours(frame.mac_dest) and frame.mac_source in self.macs
        return bool(frame.mac_dest & GROUP) or bridged or self.is_stray(frame)

    def is_ours(self, mac: int) -> bool:
        assert self.network.id is not None
        return mac >> 40 == mac_of(0, self.network.id) >> 40

    def is_from_foreign(self, frame: Frame) -> bool:
        """From a MAC beyond a bridge to a node, or to several."""
        inward = bool(frame.mac_dest & GROUP) or self.is_ours(frame.mac_dest)
        return not self.is_ours(frame.mac_source) and inward

    def is_stray(self, frame: Frame) -> bool:
        """From beyond a bridge, where there is none."""
        return self.is_from_foreign(frame) and not self.bridges()

    def bridges(self) -> list[int]:
        return [address for address, member in self.members.items() if member.bridge]

    def sender_of(self, frame: Frame) -> int | None:
        if self.is_from_foreign(frame) and len(self.bridges()) == 1:
            return self.bridges()[0]
        return self.macs.get(frame.mac_source)

    def say(self, frame: Frame, number: int) -> Said:
        """The verdict on one such frame."""
        sender = self.sender_of(frame)
        if self.is_stray(frame):
            return Said(0, 0, 1 if self.side == "in" else 0, -1, -1, 0, False, 0, [])
        first = None
        if self.side != "in":
            if not self.leaves(frame):
                return Said(0, 0, 0, -1, -1, 0, False, 0, [])
            first = self.judge("out", sender, None, frame, number)
            if not first.accept:
                action = 2 if first.accepted else 0
                return self.of(action, 0, 0, first, int(first.reads), list(first.copies))
        judged = [self.ask(sender, address, frame, number) for address in self.recipients(frame)]
        return self.joined(first, judged)

    def leaves(self, frame: Frame) -> bool:
        if not frame.mac_dest & GROUP:
            return True
        if not self.network.multicast_limit:
            return False
        return self.network.broadcasts or frame.mac_dest != BROADCAST or frame.ethertype == ARP

    def recipients(self, frame: Frame) -> list[int]:
        sender = self.sender_of(frame)
        group = frame.mac_dest & GROUP
        return sorted(
            address
            for address, member in self.members.items()
            if address != sender and (group or member.bridge)
        )

    def ask(self, sender: int | None, address: int, frame: Frame, number: int) -> Judged:
        again = own = None
        if self.side != "in":
            again = self.judge("out", sender, address, frame, number)
        if self.side != "out" and (again is None or again.accept):
            own = self.judge("in", sender, address, frame, number)
        return Judged(address, again, own)

    def joined(self, first: Outcome | None, judged: list[Judged]) -> Said:
        """The frame's verdict is that of the lowest recipient with the best fate."""
        reads = Reads(0) if first is None else first.reads
        for one in judged:
            for outcome in (one.again, one.own):
                reads |= Reads(0) if outcome is None else outcome.reads
        copies = [] if first is None else list(first.copies)
        if not judged:
            side = 0 if self.side == "out" else 1
            return Said(0, 0, side, -1, -1, 0, False, int(reads), copies)
        chosen = max(judged, key=lambda one: (one.fate, -one.address))
        sent = [one.again.copies for one in judged if one.again is not None and one.again.copies]
        if chosen.again is not None and chosen.again.copies:
            copies += chosen.again.copies
        elif sent:
            copies += sent[0]
        if chosen.own is not None:
            copies += chosen.own.copies
        last = chosen.again if chosen.own is None else chosen.own
        assert last is not None
        getting = 0 if self.side == "out" else sum(one.fate == 2 for one in judged)
        action = (0, 2, 1)[chosen.fate]
        return self.of(action, getting, int(chosen.own is not None), last, int(reads), copies)

    def of(
        self, action: int, getting: int, side: int, last: Outcome, reads: int, copies: list[Sent]
    ) -> Said:
        capability = -1 if last.capability is None else last.capability
        return Said(
            action,
            getting,
            side,
            last.entry,
            capability,
            last.destination,
            last.accept == 2,
            reads,
            copies,
        )

    def judge(
        self, side: str, sender: int | None, recipient: int | None, frame: Frame, number: int
    ) -> Outcome:
        """One judgement; recipient None is the sender's first pass, with destination 0."""
        source = self.stranger(frame) if sender is None else sender
        ends = self.tags(sender), self.tags(recipient)
        local, remote = ends if side == "out" else ends[::-1]
        known = sender is not None
        context = FrameContext(
            node=source or 0 if side == "out" else recipient or 0,
            zt_source=source or 0,
            zt_dest=recipient or 0,
            local_tags=local,
            remote_tags=None if recipient is None else remote,
            owned_ips=self.network.ips(self.members[sender]) if sender is not None else frozenset(),
            held=self.held(sender, side),
            no_tee=side == "out" and recipient is not None,
            draw=self.draws(side, recipient, number),
            assumed_ipauth=None if known else True,
            assumed_macauth=None if known else True,
            local_tags_known=known or side == "in",
            remote_tags_known=known or side == "out",
            addresses_known=source is not None,
        )
        return evaluate(self.views[side], frame, context)

    def draws(self, side: str, recipient: int | None, number: int) -> Callable[[int], int]:
        if recipient is not None:
            ways = recipient_ways(np.array([recipient], np.uint64))
            way = ways[0 if side == "out" else 1]
            number = int(drawn_anew(np.array([number], np.int64), way)[0])
        return partial(draw, self.seeds[side], number)

    def stranger(self, frame: Frame) -> int | None:
        """The address of a node that is no member, where its MAC tells it."""
        assert self.network.id is not None
        zero = mac_of(0, self.network.id)
        return (frame.mac_source ^ zero) if frame.mac_source >> 40 == zero >> 40 else None

    def tags(self, address: int | None) -> dict[int, int]:
        return {} if address is None else {**self.defaults, **self.members[address].tags}

    def held(self, address: int | None, side: str) -> tuple[int, ...]:
        own = frozenset() if address is None else self.members[address].capabilities
        has = own | self.default_capabilities
        return tuple(i for i, n in enumerate(self.views[side].capability_ids) if n in has)
