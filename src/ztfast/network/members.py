"""Members and the network they form: frozen values, whatever document they came from.

Contract: a `Network` holds only consistent facts (`make_network` refuses two members with
one address or one MAC); unauthorised members are kept but are no members for
`active_members`.  Tested by tests/network/test_members.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ztfast.errors import Diagnostic, NetworkError
from ztfast.model.addresses import mac_of, rfc4193, six_plane
from ztfast.model.policy import Policy


@dataclass(frozen=True)
class Member:
    """One member as the controller knows it.

    address: 40-bit ZeroTier address.  mac: its MAC where one was given, else None.
    ips: the addresses it was assigned, packed (4 or 16 bytes).  tags: id to value.
    capabilities: ids.  name: for people only.  bridge: it may send and take frames of other MACs
    (`activeBridge`).
    """

    address: int
    ips: tuple[bytes, ...] = ()
    tags: Mapping[int, int] = field(default_factory=dict[int, int])
    capabilities: frozenset[int] = frozenset()
    authorized: bool = True
    mac: int | None = None
    name: str = ""
    bridge: bool = False

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
    recipients a multicast has; 0: there are no multicasts.
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

    def active_members(self) -> tuple[Member, ...]:
        """Those that belong to the network, in ascending order of address."""
        return tuple(m for m in self.members if m.authorized or not self.private)

    def member_name(self, address: int) -> str:
        """What people call the member of an address: its name, or the address."""
        return self._names.get(address) or f"{address:010x}"

    @cached_property
    def _names(self) -> dict[int, str]:
        return {member.address: member.name for member in self.members}

    def mac(self, member: Member) -> int | None:
        """A member's MAC: as given, else from its address, None where the id is not known."""
        if member.mac is not None or self.id is None:
            return member.mac
        return mac_of(member.address, self.id)

    def ips(self, member: Member) -> frozenset[bytes]:
        """All addresses that a member was given, packed."""
        own = set(member.ips)
        if self.id is not None and self.assigns_rfc4193:
            own.add(rfc4193(member.address, self.id))
        if self.id is not None and self.assigns_6plane:
            own.add(six_plane(member.address, self.id))
        return frozenset(own)


def make_network(
    members: Iterable[Member],
    id: int | None = None,
    policy: Policy | None = None,
    name: str = "",
    private: bool = True,
    assigns_rfc4193: bool = False,
    assigns_6plane: bool = False,
    path: str | None = None,
) -> Network:
    """A Network of members that are all different; `path` names the document in errors."""
    ordered = tuple(sorted(members, key=lambda member: member.address))
    network = Network(id, ordered, policy, name, private, assigns_rfc4193, assigns_6plane)
    _refuse_doubles((member.label for member in ordered), "ZeroTier address", path)
    macs = (network.mac(member) for member in ordered)
    _refuse_doubles((f"{mac:012x}" for mac in macs if mac is not None), "MAC", path)
    return network


def _refuse_doubles(values: Iterable[str], what: str, path: str | None) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            text = f"two members have the {what} {value}"
            raise NetworkError(Diagnostic("ZT554", text, path=path, help="remove one of them"))
        seen.add(value)
