"""Members by what people call them: a name, a ZeroTier address, an IP address.

Contract: `MemberNames(network).find(text)` gives the one member that a text names, or None;
`member` raises UsageError for none, with those that are near, and for two of one name.
Tested by tests/network/test_names.py.
"""

from __future__ import annotations

import difflib
import re
from ipaddress import ip_address

from ztfast.errors import UsageError, usage
from ztfast.frames.hosts import Host
from ztfast.model.addresses import parse_address
from ztfast.network.members import Member, Network, member_names

_SHOWN = 8
_NEAR = 3


class MemberNames:
    """The active members of a network, to be found by name (in any case), address or IP.

    A name that two members have is found as it is shown: with the address behind it.

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
        self._shown = member_names((*self._members, *self._others))
        for member in self._members:
            if member.name != self._shown[member.address]:
                self._by_name.setdefault(self._shown[member.address].lower(), []).append(member)

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
            raise self._unknown(f"{option}: {text!r:.60} is not a member of the network", text)
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
        names = list(self._shown.values())
        plain = [(one.name or one.label).lower() for one in (*self._members, *self._others)]
        begun = [name for name in plain if text and name.startswith(text.lower())]
        wanted = dict.fromkeys([*begun, *difflib.get_close_matches(text.lower(), plain, _NEAR)])
        near = [
            shown for one in wanted for shown, name in zip(names, plain, strict=True) if name == one
        ]
        if near:
            return f"did you mean {' or '.join(map(_quoted, near[:_NEAR]))}?"
        more = len(names) - _SHOWN
        rest = f" and {more} more" if more > 0 else ""
        shown = ", ".join(map(_quoted, names[:_SHOWN]))
        return f"members are {shown}{rest}" if names else "it has no members"

    def _unknown(self, message: str, text: str) -> UsageError:
        return usage(message, self.near(text))


def _quoted(name: str) -> str:
    """A name as a frame's text and a list of names take it: in quotes where it is no one word."""
    return f'"{name}"' if re.search(r"[\s>,:?]", name) else name


def _packed(text: str) -> bytes:
    try:
        return ip_address(text).packed
    except ValueError:
        return b""
