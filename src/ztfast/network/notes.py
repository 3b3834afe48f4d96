"""What a network gives its members otherwise than its description seems to say.

Contract: `network_notes` gives notes, one line each, that name members and never stop anything:
no members at all, no id of the network, assigned addresses that a member does not own, default
capabilities that it does not hold, more tags or capabilities than a member gets.
Tested by tests/network/test_notes.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_address

from ztfast.errors import Diagnostic, Severity
from ztfast.model.policy import MAX_CAPABILITIES, MAX_TAGS, Policy
from ztfast.network.members import MAX_OWNED, Member, Network

MAX_NAMED = 4  # members, and of each as many addresses or capabilities


def network_notes(
    network: Network,
    policy: Policy | None = None,
    path: str | None = None,
    needs_id: bool = True,
) -> list[Diagnostic]:
    """The notes about a network's members under a policy (the network's own where None).

    path: the name of the network's document.  needs_id: False: where it has no id, one is made up.
    """
    members = network.active_members()
    rules = policy if policy is not None else network.policy
    found = [
        _no_members(network),
        _no_id(network, members) if needs_id else None,
        _not_owned(network, members),
        _not_held(network, members, rules) if rules is not None else None,
        _not_given(network, members, rules),
    ]
    return [_note(*note, path) for note in found if note is not None]


def _note(code: str, message: str, help: str, path: str | None) -> Diagnostic:
    return Diagnostic(code, message, Severity.NOTE, path=path, help=help)


def _no_members(network: Network) -> tuple[str, str, str] | None:
    if network.active_members():
        return None
    listed = len(network.members)
    found = "no members in it" if not listed else f"none of its {listed} members is authorised"
    return (
        "ZT559",
        f"{found}: all that rules ask of members is assumed",
        'put them beside the network as {"network": …, "members": […]}, or give controller.d'
        if not listed
        else "set `authorized` of those that belong",
    )


def _no_id(network: Network, members: Sequence[Member]) -> tuple[str, str, str] | None:
    """Members' MACs are made of it; without them no frame of a capture is anybody's."""
    unknown = sum(member.mac is None for member in members)
    if network.id is not None or not unknown:
        return None
    whose = "1 member" if unknown == 1 else f"{unknown} members"
    return (
        "ZT562",
        f"the network's id is missing: without it the MACs of {whose} are not known, and "
        "frames count as nobody's",
        'give it, 16 hex digits: id = "8056c2e21c000001" in a TOML, "id" in JSON',
    )


def _not_owned(network: Network, members: Sequence[Member]) -> tuple[str, str, str] | None:
    named = [
        f"{network.member_name(member.address)}: {_cut(missing)}"
        for member in members
        if (missing := list(_missing(network, member)))
    ]
    if not named:
        return None
    return (
        "ZT557",
        f"addresses that members do not own, so that `ipauth` refuses them: {_cut(named, '; ')}",
        f"a certificate holds {MAX_OWNED} addresses, all of them inside the network's routes",
    )


def _missing(network: Network, member: Member) -> Iterator[str]:
    """The addresses that a member seems to have and does not own, each with the reason."""
    if not member.auto_ips and (network.assigns_rfc4193 or network.assigns_6plane):
        yield "that of RFC 4193 or 6PLANE (noAutoAssignIps)"
    for ip in network.not_owned(member):
        outside = not network.is_routed(ip)
        reason = "outside the routes" if outside else f"more than {MAX_OWNED}"
        yield f"{ip_address(ip)} ({reason})"


def _not_held(
    network: Network, members: Sequence[Member], policy: Policy
) -> tuple[str, str, str] | None:
    """In a private network a controller grants defaults once, when it first sees a member."""
    defaults = [cap for cap in policy.capabilities if cap.default]
    if not network.private:
        return None
    named: list[str] = []
    for member in members:
        lacks = [cap.name or str(cap.id) for cap in defaults if cap.id not in member.capabilities]
        if lacks and not member.takes_defaults:
            named.append(f"{network.member_name(member.address)} ({_cut(lacks)})")
    if not named:
        return None
    return (
        "ZT558",
        f"default capabilities that members' lists lack, so that they do not hold them: "
        f"{_cut(named)}",
        "a controller grants defaults when it first sees a member: add them to these members",
    )


def _not_given(
    network: Network, members: Sequence[Member], policy: Policy | None
) -> tuple[str, str, str] | None:
    """What a controller has no place for in what it sends to a member."""
    tags = {tag.id for tag in policy.tags if tag.default is not None} if policy else set[int]()
    named: list[str] = []
    for member in members:
        counts = (
            (len({*member.tags, *tags}), MAX_TAGS, "tags"),
            (len(member.capabilities), MAX_CAPABILITIES, "capabilities"),
        )
        named += [
            f"{network.member_name(member.address)} ({count} {what})"
            for count, most, what in counts
            if count > most
        ]
    if not named:
        return None
    return (
        "ZT561",
        f"members with more tags or capabilities than a controller gives them: {_cut(named)}",
        f"a member gets {MAX_TAGS} tags and {MAX_CAPABILITIES} capabilities, the rest is left out",
    )


def _cut(items: Sequence[str], joint: str = ", ") -> str:
    """The first few items, and how many more there are."""
    more = len(items) - MAX_NAMED
    return joint.join((*items[:MAX_NAMED], *([f"and {more} more"] if more > 0 else [])))
