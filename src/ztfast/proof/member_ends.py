"""Two ends that are members of a network: what is known of them, as formulas.

Contract: `MemberEnds` holds a network and perhaps a sender and a receiver in it; `constraints` says
that the fields of a frame and of its ends are theirs: addresses, tags, capabilities, MACs, and
which addresses the sender owns.  `preferences` asks for frames between their own IP addresses.
Tested by tests/proof/test_member_ends.py, with `ztfast deliver` against every witness.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ztfast.model.policy import Policy
from ztfast.network.members import Member, Network
from ztfast.proof.formula import Formulas, Literal
from ztfast.proof.frame_model import ARP, MAX_LENGTH, FrameFormulas


@dataclass(frozen=True)
class MemberEnds:
    """Members at the ends of a frame; None: any member, or none."""

    network: Network
    sender: Member | None = None
    receiver: Member | None = None

    @property
    def names(self) -> dict[int, str]:
        """What the network's members are called, by address."""
        return {member.address: member.name for member in self.network.members if member.name}

    @property
    def text(self) -> str:
        """The ends in words: `from anna to files`, "" where neither is named."""
        ends = (("from", self.sender), ("to", self.receiver))
        return " ".join(f"{word} {_called(member)}" for word, member in ends if member is not None)

    def held(self, policy: Policy) -> frozenset[int] | None:
        """The capabilities that the sender holds, by id; None: nothing is known of it."""
        member = self.sender
        if member is None:
            return None
        given = {cap.id for cap in policy.capabilities if cap.default and member.takes_defaults}
        return member.capabilities | given

    def constraints(self, policies: Sequence[Policy], frame: FrameFormulas) -> list[Literal]:
        """What holds of every frame between these ends, for all of these policies.

        Call it when all matches are made.
        """
        found: list[Literal] = []
        if self.sender is not None:
            found += _member(frame.formulas, "from", "zt_source", self.sender)
            found += self._holds(policies, frame.formulas)
            found += [*self._owns(frame), *self._mac(frame, "mac_source", self.sender)]
        if self.receiver is not None:
            found += _member(frame.formulas, "to", "in.node", self.receiver)
            group = -frame.test("mac_dest", 0, 0, 1 << 40)
            macs = self._mac(frame, "mac_dest", self.receiver)
            found += [frame.formulas.either(group, literal) for literal in macs]
            mac = self.network.mac(self.receiver)
            if mac is not None:  # who has that MAC is known to whoever sends to it
                known = frame.formulas.test("receiver_known", 1)
                found.append(frame.formulas.implies(frame.test("mac_dest", mac), known))
        return found

    def _holds(self, policies: Sequence[Policy], formulas: Formulas) -> list[Literal]:
        """A field is looked at by the policies alone by which the sender does not hold it."""
        held = [self.held(policy) or frozenset() for policy in policies]
        numbers = {capability.id for policy in policies for capability in policy.capabilities}
        return [
            formulas.test(
                formulas.field(f"from.holds.{number}", 1), int(all(number in one for one in held))
            )
            for number in sorted(numbers)
        ]

    def _owns(self, frame: FrameFormulas) -> list[Literal]:
        """The address that `ipauth` looks at is the sender's exactly where it was given that."""
        assert self.sender is not None
        formulas, owned = frame.formulas, frame.test("owns_ip", 1)
        ips = self.network.ips(self.sender)
        arp = formulas.both(frame.test("ethertype", ARP), frame.test("length", 28, MAX_LENGTH))
        found = [frame.test("owns_mac", 0)]  # no controller certifies MACs
        for width, where in ((4, formulas.either(frame.ipv4, arp)), (16, frame.ipv6)):
            field = "source4" if width == 4 else "source6"
            numbers = (int.from_bytes(ip, "big") for ip in ips if len(ip) == width)
            own = formulas.any(frame.test(field, number) for number in numbers)
            found.append(formulas.implies(where, -formulas.differ(owned, own)))
        return found

    def _mac(self, frame: FrameFormulas, field: str, member: Member) -> list[Literal]:
        mac = self.network.mac(member)
        return [] if mac is None or member.bridge else [frame.test(field, mac)]

    def preferences(self, frame: FrameFormulas) -> list[Literal]:
        """What makes a witness one between these members."""
        found: list[Literal] = []
        for end, member in (("source", self.sender), ("dest", self.receiver)):
            for ip in () if member is None else sorted(self.network.ips(member), key=len):
                field = f"{end}{4 if len(ip) == 4 else 6}"
                found.append(frame.test(field, int.from_bytes(ip, "big")))
            mac = None if member is None else self.network.mac(member)
            if mac is not None:  # a bridge may send from others, and gets what is for them
                found.append(frame.test(f"mac_{end}", mac))
        return found


def _called(member: Member) -> str:
    return member.name or member.label


def _member(formulas: Formulas, end: str, address: str, member: Member) -> list[Literal]:
    """A member's address and tags: of those that the rules ask for it has no others."""
    start = f"{end}.has."
    named = {int(name[len(start) :]) for name in formulas.widths if name.startswith(start)}
    found = [formulas.test(address, member.address)]
    for tag in sorted(named):
        has = formulas.field(f"{start}{tag}", 1)
        found.append(formulas.test(has, int(tag in member.tags)))
        if tag in member.tags:
            value = formulas.field(f"{end}.tag.{tag}", 32)
            found.append(formulas.test(value, member.tags[tag]))
    return found
