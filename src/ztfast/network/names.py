"""Members by what people call them: a name, a ZeroTier address, an IP address.

Contract: `MemberNames(network).find(text)` gives the one member that a text names, or None;
`member` raises UsageError for none, with those that are near, and for two of one name.
Tested by tests/network/test_names.py.
"""

from __future__ import annotations

import difflib
from ipaddress import ip_address

from ztfast.errors import UsageError, usage
from ztfast.frames.hosts import Host
from ztfast.model.addresses import parse_address
from ztfast.network.members import Member, Network

_SHOWN = 8


class MemberNames:
    """The active members of a network, to be found by name (in any case), address or IP.

    everyone: also those that are not authorized, where no active member is meant.
    """

    def __init__(self, network: Network, everyone: bool = False) -> None:
        self._network = network
        self._members = network.active_members()
        active = {member.address for member in self._members}
        others = [member for member in network.members if member.address not in active]
        self._others = others if everyone else []
        self._by_name: dict[str, list[Member]] = {}
        self._by_ip: dict[bytes, list[Member]] = {}
        for member in self._members:
            if member.name:
                self._by_name.setdefault(member.name.lower(), []).append(member)
            for ip in network.assigned(member):
                self._by_ip.setdefault(ip, []).append(member)
        self._by_address = {member.address: member for member in self._members}

    def find(self, text: str) -> Member | None:
        """The member that a text names; raises UsageError where two have that name."""
        found = self._by_name.get(text.lower(), [])
        if not found:
            found = [one for one in self._others if one.name and one.name.lower() == text.lower()]
        exact = [member for member in found if member.name == text]
        found = exact or found
        if len(found) > 1:
            labels = ", ".join(member.label for member in found[:_SHOWN])
            raise usage(f"{len(found)} members have the name {text!r:.60}", f"use one of {labels}")
        if found:
            return found[0]
        address = parse_address(text)
        if address is not None:
            others = {member.address: member for member in self._others}
            return self._by_address.get(address) or others.get(address)
        owners = self._by_ip.get(_packed(text), [])
        return owners[0] if len(owners) == 1 else None

    def member(self, option: str, text: str) -> Member:
        """The member that an option names; raises UsageError where there is none."""
        found = self.find(text)
        if found is None:
            raise self._unknown(f"{option}: {text!r:.60} is no member of the network", text)
        return found

    def host(self, text: str) -> Host | None:
        """What `frames.notation.parse_frame` wants to know of a name."""
        member = self.find(text)
        if member is None:
            return None
        owned = self._network.ips(member)
        ips = (*(ip for ip in member.ips if ip in owned), *sorted(owned - {*member.ips}))
        return Host(member.address, ips)

    def near(self, text: str) -> str:
        """The names that a text is near to, or some of all, for an error's help."""
        names = [member.name or member.label for member in (*self._members, *self._others)]
        close = difflib.get_close_matches(text, names, 3)
        if close:
            return f"did you mean {' or '.join(close)}?"
        more = len(names) - _SHOWN
        rest = f" and {more} more" if more > 0 else ""
        return f"members are {', '.join(names[:_SHOWN])}{rest}" if names else "it has no members"

    def _unknown(self, message: str, text: str) -> UsageError:
        return usage(message, self.near(text))


def _packed(text: str) -> bytes:
    try:
        return ip_address(text).packed
    except ValueError:
        return b""
