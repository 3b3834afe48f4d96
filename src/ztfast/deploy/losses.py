"""Ways that a change closes: between which members, for which service, and which may be lost.

Contract: `losses` compares two matrices of the same cells; an `Allowed` is what somebody said
may be lost: `anna>files:445`, `*` for any member or service.
Tested by tests/deploy/test_losses.py.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from ztfast.errors import usage
from ztfast.model.policy import Policy
from ztfast.network.members import Member, Network, member_names
from ztfast.network.names import MemberNames
from ztfast.pipeline.reach import SERVICES, Reach, reach
from ztfast.pipeline.reach_frames import parse_service, services_of

_FORM = "write FROM>TO:SERVICE, as anna>files:ssh; * is anyone or anything"


class Loss(NamedTuple):
    """A way that is open and would not be: members' addresses, the service's name."""

    client: int
    server: int
    service: str


class Allowed(NamedTuple):
    """What may be lost; None: any."""

    client: int | None
    server: int | None
    service: str | None

    def covers(self, loss: Loss) -> bool:
        """Is this loss meant?"""
        pairs = zip(self, loss, strict=True)
        return all(mine is None or mine == its for mine, its in pairs)


def parse_allowed(text: str, network: Network) -> Allowed:
    """What an `--allow-loss` says; raises UsageError."""
    client, arrow, rest = text.partition(">")
    server, colon, service = rest.rpartition(":")
    if not arrow or not colon:
        raise usage(f"--allow-loss {text[:80]!r} is not a way", _FORM)
    names = MemberNames(network)
    return Allowed(
        None if client.strip() == "*" else names.member("--allow-loss", client.strip()).address,
        None if server.strip() == "*" else names.member("--allow-loss", server.strip()).address,
        None if service.strip() == "*" else parse_service(service.strip()).name,
    )


def matrices(
    old: Policy, new: Policy, network: Network, services: Sequence[str] | None, engine: str
) -> tuple[Reach, Reach]:
    """Who reaches whom by both; raises UsageError where the network has no members or id."""
    wanted = services or [*SERVICES, *services_of(old, new)]
    before, after = (reach(policy, network, wanted, engine=engine) for policy in (old, new))
    return before, after


def losses(old: Reach, new: Reach) -> list[Loss]:
    """The ways that close."""
    closed = np.flatnonzero(old.open & ~new.open).tolist()
    members = new.members
    return [
        Loss(
            members[int(new.client[cell])].address,
            members[int(new.server[cell])].address,
            new.services[int(new.service[cell])].name,
        )
        for cell in closed
    ]


def loss_texts(found: Iterable[Loss], network: Network) -> list[str]:
    """Each as `--allow-loss` takes it, by names."""
    names = member_names(network.members)
    return [f"{names[one.client]}>{names[one.server]}:{one.service}" for one in found]


# --- the way to the controller -----------------------------------------------------------------


def own_way(network: Network, host: str, port: int) -> tuple[Member, Member] | None:
    """(this machine, the controller) as members, where the way is through the network itself."""
    try:
        family, _, _, _, there = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(there)  # asks the routing table; nothing is sent
            here, far = probe.getsockname()[0], there[0]
    except OSError:
        return None
    by_ip = {ip: member for member in network.active_members() for ip in member.ips}
    mine, its = (by_ip.get(_packed(str(address))) for address in (here, far))
    return None if mine is None or its is None or mine is its else (mine, its)


def _packed(address: str) -> bytes:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.inet_pton(family, address.partition("%")[0])
