"""Members and the network they form: frozen values, whatever document they came from.

Contract: a `Network` holds only consistent facts (`make_network` refuses two members with
one address or one MAC); unauthorised members are kept but are no members for
`active_members`.  Tested by tests/network/test_members.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ztfast.errors import Diagnostic, NetworkError
from ztfast.model.addresses import mac_of, rfc4193, six_plane
from ztfast.model.policy import Policy

MAX_OWNED = 16  # things that a certificate of ownership holds; a member gets one certificate


@dataclass(frozen=True)
class Member:
    """One member as the controller knows it.

    address: 40-bit ZeroTier address.  mac: its MAC where one was given, else None.
    ips: the addresses it was assigned, packed (4 or 16 bytes), in the controller's order.
    tags: id to value.  capabilities: ids.  name: for people only.
    takes_defaults: it also holds the capabilities marked default, as one does that nobody gave a
    list.  auto_ips: it has the addresses of the network's IPv6 schemes (not `noAutoAssignIps`).
    bridge: it may send and take frames of other MACs (`activeBridge`).
    """

    address: int
    ips: tuple[bytes, ...] = ()
    tags: Mapping[int, int] = field(default_factory=dict[int, int])
    capabilities: frozenset[int] = frozenset()
    authorized: bool = True
    mac: int | None = None
    name: str = ""
    bridge: bool = False
    takes_defaults: bool = True
    auto_ips: bool = True

    @property
    def label(self) -> str:
        """The address as people write it, 10 hex digits."""
        return f"{self.address:010x}"


@dataclass(frozen=True)
class Network:
    """A network: its id (None where not known), members in ascending order of address, policy.

    private: only authorised members belong; else everyone listed does.
    assigns_rfc4193, assigns_6plane: members also own the address of that IPv6 scheme.
    broadcasts: may broadcasts other than ARP leave (`enableBroadcast`)?  multicast_limit: how many
    recipients a multicast has; 0: there are no multicasts.  routes: (packed address, prefix
    length) of the network's routes; None: not known.
    """

    id: int | None = None
    members: tuple[Member, ...] = ()
    policy: Policy | None = None
    name: str = ""
    private: bool = True
    assigns_rfc4193: bool = False
    assigns_6plane: bool = False
    broadcasts: bool = True
    multicast_limit: int = 32
    routes: tuple[tuple[bytes, int], ...] | None = None

    def active_members(self) -> tuple[Member, ...]:
        """Those that belong to the network, in ascending order of address."""
        return self._active

    @cached_property
    def _active(self) -> tuple[Member, ...]:
        return tuple([m for m in self.members if m.authorized or not self.private])

    def member_name(self, address: int) -> str:
        """What people call the member of an address: its name, or the address."""
        return self._names.get(address) or f"{address:010x}"

    @cached_property
    def _names(self) -> dict[int, str]:
        return member_names(self.members)

    def mac(self, member: Member) -> int | None:
        """A member's MAC: as given, else from its address, None where the id is not known."""
        if member.mac is not None or self.id is None:
            return member.mac
        return mac_of(member.address, self.id)

    def ips(self, member: Member) -> frozenset[bytes]:
        """The addresses that a member owns, packed: what `ipauth` is true for."""
        return frozenset(self._certified(member)[:MAX_OWNED])

    def assigned(self, member: Member, owned: frozenset[bytes] | None = None) -> frozenset[bytes]:
        """Those, and what it was assigned and does not own: it may well send from there.

        owned: its `ips`, where the caller has them.
        """
        owned = self.ips(member) if owned is None else owned
        return owned if owned.issuperset(member.ips) else owned.union(member.ips)

    def not_owned(self, member: Member) -> tuple[bytes, ...]:
        """Assigned addresses that it does not own: outside the routes, or more than fit."""
        owned = self.ips(member)
        return tuple(ip for ip in dict.fromkeys(member.ips) if ip not in owned)

    def _certified(self, member: Member) -> list[bytes]:
        """What a node puts into a certificate of ownership, in its order."""
        own: list[bytes] = []
        if self.id is not None and member.auto_ips:
            if self.assigns_rfc4193:
                own.append(rfc4193(member.address, self.id))
            if self.assigns_6plane:
                own.append(six_plane(member.address, self.id))
        if self.routes is None:
            own.extend(member.ips)
        else:
            own.extend([ip for ip in member.ips if self.is_routed(ip)])
        return own if len(own) <= MAX_OWNED else list(dict.fromkeys(own))

    def emulates(self, member: Member) -> tuple[bool, bool]:
        """Does it answer for the network's RFC 4193 and 6PLANE addresses (NDP emulation)?

        A node does so in a network that has either scheme, for each of which it has its address.
        """
        if not self.has_scheme or self.id is None or not member.auto_ips:
            return False, False
        return (
            self.assigns_rfc4193 or self._was_given(member, rfc4193(member.address, self.id)),
            self.assigns_6plane or self._was_given(member, six_plane(member.address, self.id)),
        )

    @property
    def has_scheme(self) -> bool:
        """Does any IPv6 scheme give its members addresses?"""
        return self.assigns_rfc4193 or self.assigns_6plane

    def _was_given(self, member: Member, ip: bytes) -> bool:
        return ip in member.ips and self.is_routed(ip)

    def is_routed(self, ip: bytes) -> bool:
        """Is an address inside one of the network's routes?  Others are never given out."""
        if self.routes is None:
            return True
        number, size = int.from_bytes(ip, "big"), len(ip)
        for own, rest, net in self._nets:  # noqa: SIM110  (a generator takes twice as long)
            if size == own and number >> rest == net:
                return True
        return False

    @cached_property
    def _nets(self) -> list[tuple[int, int, int]]:
        """(bytes of an address, bits behind the prefix, the prefix) of each route."""
        return [
            (len(ip), rest, int.from_bytes(ip, "big") >> rest)
            for ip, bits in self.routes or ()
            for rest in [len(ip) * 8 - bits]
        ]


def member_names(members: Iterable[Member]) -> dict[int, str]:
    """What people call each member, by address: with its address where two have one name."""
    members = tuple(members)
    counts = Counter(member.name for member in members)
    return {
        member.address: f"{member.name} ({member.address:010x})"
        if member.name and counts[member.name] > 1
        else member.name or f"{member.address:010x}"
        for member in members
    }


def plain_member(
    address: int,
    ips: tuple[bytes, ...],
    tags: Mapping[int, int],
    capabilities: frozenset[int],
    authorized: bool,
    name: str,
    bridge: bool,
    takes_defaults: bool,
    auto_ips: bool,
) -> Member:
    """As `Member` without a MAC, in a fifth of the time: there are thousands of them.

    A frozen dataclass sets its fields one by one, each by a call.
    """
    made = object.__new__(Member)
    made.__dict__.update(
        address=address,
        ips=ips,
        tags=tags,
        capabilities=capabilities,
        authorized=authorized,
        mac=None,
        name=name,
        bridge=bridge,
        takes_defaults=takes_defaults,
        auto_ips=auto_ips,
    )
    return made


def make_network(
    members: Iterable[Member],
    id: int | None = None,
    policy: Policy | None = None,
    name: str = "",
    private: bool = True,
    assigns_rfc4193: bool = False,
    assigns_6plane: bool = False,
    path: str | None = None,
    **settings: Any,
) -> Network:
    """A Network of members that are all different; `path` names the document in errors.

    settings: further fields of a Network (broadcasts, multicast_limit, routes).
    """
    ordered = tuple(sorted(members, key=lambda member: member.address))
    modes = assigns_rfc4193, assigns_6plane
    network = Network(id, ordered, policy, name, private, *modes, **settings)
    _refuse_doubles([member.address for member in ordered], 10, "ZeroTier address", path)
    macs = [network.mac(member) for member in ordered]
    _refuse_doubles([mac for mac in macs if mac is not None], 12, "MAC", path)
    return network


def _refuse_doubles(values: list[int], digits: int, what: str, path: str | None) -> None:
    if len(set(values)) == len(values):
        return
    for value, count in Counter(values).items():
        if count > 1:
            text = f"two members have the {what} {value:0{digits}x}"
            raise NetworkError(Diagnostic("ZT554", text, path=path, help="remove one of them"))
