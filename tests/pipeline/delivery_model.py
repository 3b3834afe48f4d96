"""Delivery as a plain model: one frame, one node, one judgement at a time, in dictionaries.

It calls the reference evaluator case by case and shares nothing with ztfast.pipeline.deliver;
docs/exactness.md, "Delivery", says the same in words.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from ztfast.engine.context import FrameContext, Outcome
from ztfast.engine.reference import evaluate
from ztfast.frames.frame import Frame
from ztfast.model.addresses import mac_of
from ztfast.model.policy import Policy
from ztfast.model.view import make_view
from ztfast.network.members import Network

REDIRECTS = (0x04, 0x0A)
WATCHES = (0x16, 0x1C)
HEADER = 14
GROUP = 1 << 40


def _draw(_: int) -> int:
    """Neither of the two probabilities that the cases have, never and always, meets this one."""
    return 1


class Sent(NamedTuple):
    """One sending: to whom, why, by whom, how many bytes with the Ethernet header, its fate."""

    to: int
    kind: str
    sent_by: int
    length: int
    fate: str


class Model:
    """A network's nodes."""

    def __init__(self, network: Network, policy: Policy, engine: str = "1.14") -> None:
        assert network.id is not None
        self.network = network
        self.members = {member.address: member for member in network.active_members()}
        self.macs = {address: mac_of(address, network.id) for address in self.members}
        self.views = {side: make_view(policy, side, engine) for side in ("out", "in")}
        self.defaults = {tag.id: tag.default & 0xFFFFFFFF for tag in policy.tags
                         if tag.default is not None}  # fmt: skip
        self.default_capabilities = {cap.id for cap in policy.capabilities if cap.default}

    def send(self, frame: Frame, hops: int = 16) -> list[Sent]:
        """Everything that is sent for a frame, whoever it reaches."""
        sender = next((a for a, mac in self.macs.items() if mac == frame.mac_source), None)
        if sender is None:
            return []
        done: list[Sent] = []
        waiting = deque((*sending, 0) for sending in self._sent_out(sender, frame))
        while waiting:
            to, kind, sent_by, sent, hop = waiting.popleft()
            if hop == hops:
                fate = "ENDLESS"
            else:
                fate, onward = self._received(to, sent_by, sent)
                waiting.extend((*sending, hop + 1) for sending in onward)
            done.append(Sent(to, kind, sent_by, sent.length + HEADER, fate))
        return done

    def _sent_out(self, sender: int, frame: Frame) -> list[tuple[int, str, int, Frame]]:
        group = bool(frame.mac_dest & GROUP)
        dest = next((a for a, mac in self.macs.items() if mac == frame.mac_dest), None)
        if dest == sender:
            return []
        if group and not self._may_multicast(frame):
            return []
        if dest is not None and not group:
            first = self._judge("out", sender, sender, dest, frame)
            whole = [(dest, "FRAME", sender, frame)] if first.accept else []
            return [*self._copies(first, sender, frame), *whole]
        if not group and self._is_ours(frame.mac_dest):  # a node that is no member
            return self._to_stranger(sender, frame)
        first = self._judge("out", sender, sender, 0, frame)
        found = self._copies(first, sender, frame)
        if not first.accept:
            return found
        for receiver, member in self.members.items():
            if receiver == sender or not (group or member.bridge):
                continue
            again = self._judge("out", sender, sender, receiver, frame, no_tee=True)
            found += self._copies(again, sender, frame)
            if again.accept:
                found.append((receiver, "MULTICAST" if group else "FRAME", sender, frame))
        return found

    def _to_stranger(self, sender: int, frame: Frame) -> list[tuple[int, str, int, Frame]]:
        """The destination MAC is of the network's form and nobody's: judged, sent, lost."""
        assert self.network.id is not None
        address = next(a for a in self._strangers(frame.mac_dest))
        first = self._judge("out", sender, sender, address, frame, remote_known=False)
        whole = [(address, "FRAME", sender, frame)] if first.accept else []
        return [*self._copies(first, sender, frame), *whole]

    def _strangers(self, mac: int) -> list[int]:
        assert self.network.id is not None
        zero = mac_of(0, self.network.id)
        return [(mac ^ zero) & 0xFFFFFFFFFF]

    def _is_ours(self, mac: int) -> bool:
        assert self.network.id is not None
        return mac >> 40 == mac_of(0, self.network.id) >> 40

    def _may_multicast(self, frame: Frame) -> bool:
        if not self.network.multicast_limit:
            return False
        broadcast = frame.mac_dest == 0xFFFFFFFFFFFF
        return self.network.broadcasts or not broadcast or frame.ethertype == 0x0806

    def _received(
        self, node: int, sent_by: int, frame: Frame
    ) -> tuple[str, list[tuple[int, str, int, Frame]]]:
        if node not in self.members:
            return "NO_MEMBER", []
        if frame.mac_source == self.macs[node]:
            return "OWN_FRAME", []
        outcome = self._judge("in", node, sent_by, node, frame)
        return self._fate(outcome, node, sent_by, frame), self._copies(outcome, node, frame)

    def _fate(self, outcome: Outcome, node: int, sent_by: int, frame: Frame) -> str:
        if not outcome.accept:
            return "RULES"
        if outcome.accept == 2:
            return "ARRIVED"
        if frame.mac_source != self.macs[sent_by] and not self.members[sent_by].bridge:
            return "FOREIGN_SOURCE"
        group = frame.mac_dest & GROUP
        if not group and frame.mac_dest != self.macs[node] and not self.members[node].bridge:
            return "FOREIGN_DEST"
        if group and not self.network.multicast_limit:
            return "MULTICAST_OFF"
        return "ARRIVED"

    def _copies(
        self, outcome: Outcome, node: int, frame: Frame
    ) -> list[tuple[int, str, int, Frame]]:
        found = []
        for copy in outcome.copies:
            if copy.flags in REDIRECTS:
                found.append((copy.to, "REDIRECT", node, frame))
                continue
            cut = frame._replace(payload=frame.payload[: copy.length], length=copy.length)
            kind = "WATCH" if copy.flags in WATCHES else "TEE"
            found.append((copy.to, kind, node, cut))
        return found

    def _judge(
        self,
        side: str,
        node: int,
        source: int,
        dest: int,
        frame: Frame,
        no_tee: bool = False,
        remote_known: bool = True,
    ) -> Outcome:
        """One judgement: dest 0 is a multicast or a bridge, of which no tags are known."""
        other = source if side == "in" else dest
        known = other in self.members and remote_known
        remote = self._tags(other) if known else ({} if other else None)
        context = FrameContext(
            node=node,
            zt_source=source,
            zt_dest=dest,
            local_tags=self._tags(node),
            remote_tags=remote,
            owned_ips=self.network.ips(self.members[source]),
            owned_macs=frozenset(),
            emulates=sum(
                bit
                for bit, has in zip((1, 2), self.network.emulates(self.members[node]), strict=True)
                if has
            ),
            network_id=self.network.id,
            held=self._held(source, side),
            no_tee=no_tee,
            draw=_draw,
        )
        return evaluate(self.views[side], frame, context)

    def _tags(self, address: int) -> dict[int, int]:
        return {**self.defaults, **self.members[address].tags}

    def _held(self, address: int, side: str) -> tuple[int, ...]:
        has = self.members[address].capabilities | self.default_capabilities
        return tuple(i for i, n in enumerate(self.views[side].capability_ids) if n in has)
