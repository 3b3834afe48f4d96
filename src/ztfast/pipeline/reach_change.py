"""Who reaches whom by two rule sets, for the usual services and those that the rules name.

Contract: `ways_between` gives both matrices over the same cells.  The usual services are always
asked about; of the rules' own those come first that edited rules name, as many as a network of that
size allows; `left_out` are the others.  None where no members are known.
Tested by tests/pipeline/test_reach_change.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ztfast.model.policy import Policy
from ztfast.network.members import Network
from ztfast.pipeline.reach import SERVICES, Reach, reach
from ztfast.pipeline.reach_frames import parse_service, services_of

MOST_CELLS = 300_000  # of each matrix, where it has more than the usual services: about a second
FEWEST = 4  # services of the rules that are asked about in any network


class Ways(NamedTuple):
    """Who reaches whom before and after; left_out: services of the rules, not asked about."""

    old: Reach
    new: Reach
    left_out: tuple[str, ...] = ()

    @property
    def notes(self) -> list[str]:
        """What to say of services that were left out, as lines."""
        if not self.left_out:
            return []
        count = len(self.left_out)
        services = f"{count:,} more services of the rules" if count > 1 else self.left_out[0]
        return ["", f"not asked about: {services} (ztfast reach --against OLD --service …)"]


def ways_between(
    policies: tuple[Policy, Policy],
    network: Network | None,
    engines: tuple[str, str] = ("1.14", "1.14"),
    clients: Sequence[str] | None = None,
    servers: Sequence[str] | None = None,
) -> Ways | None:
    """The ways between members (clients, servers: by name or address; None: all)."""
    if network is None or network.id is None or not network.active_members():
        return None
    members = len(network.active_members())
    pairs = (members if clients is None else len(clients)) * (
        members if servers is None else len(servers)
    )
    asked, left_out = _services(policies, pairs)
    old, new = (
        reach(policy, network, asked, clients=clients, servers=servers, engine=engine)
        for policy, engine in zip(policies, engines, strict=True)
    )
    return Ways(old, new, left_out)


def _services(
    policies: tuple[Policy, Policy], pairs: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(services to ask about between so many pairs, those that are left out)."""
    usual = {parse_service(name) for name in SERVICES}
    more = [name for name in services_of(*policies) if parse_service(name) not in usual]
    room = max(FEWEST, MOST_CELLS // max(1, pairs) - len(SERVICES))
    return (*SERVICES, *more[:room]), tuple(more[room:])
