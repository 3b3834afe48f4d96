"""Who reaches whom for which service: every pair of members, replies and resolution included.

Contract: `reach(policy, network, services)` gives a `Reach` of columns, one row a cell (client,
server, service), in that order.  A service works where all its frames arrive: the request, its
reply, what a TCP client sends next, and ARP or neighbour discovery (which a node answers itself for
addresses of the network's IPv6 schemes).  Each step is one batch for all pairs.  Members talk by
IPv4 where both have it.
Tested by tests/pipeline/test_reach.py: every cell as `ztfast deliver` and `explain` see it.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ztfast.engine.engine import Engine
from ztfast.errors import usage
from ztfast.frames.frame import Frame
from ztfast.frames.template import Bytes
from ztfast.model.addresses import rfc4193, six_plane
from ztfast.model.policy import Policy
from ztfast.network.members import Member, Network, member_names
from ztfast.network.names import MemberNames
from ztfast.pipeline.reach_frames import BACK, Pairs, Service, Step, frames, parse_service
from ztfast.pipeline.reach_judge import Int32s, Judged, PairJudge, Uint8s, Why, nothing_refused

SERVICES = ("ping", "ssh", "https", "smb", "rdp", "dns")
WORDS = {
    Why.OPEN: "open",
    Why.NO_ADDRESS: "no address",
    Why.DROPPED: "dropped",
    Why.TAG: "tag",
    Why.OWNERSHIP: "ownership",
    Why.CAPABILITY: "capability",
    Why.NO_RULE: "no rule",
    Why.REDIRECTED: "redirected",
    Why.NO_REPLY: "no reply",
    Why.NO_ARP: "no ARP",
}
_LATER = {
    Step.REPLY: Why.NO_REPLY,
    Step.ONWARD: Why.NO_REPLY,
    Step.ASK: Why.NO_ARP,
    Step.ANSWER: Why.NO_ARP,
}
_MAX_ROWS = 1 << 18  # pairs that are judged together


@dataclass(frozen=True)
class Reach:
    """The matrix as columns of n cells.

    members: the active members.  client, server: int32[n], indexes into members.
    service: uint8[n], index into services.  why: uint8[n], `Why`.
    step: uint8[n], the `Step` that failed (REQUEST where none did).
    at: int32[n], the member that refused it, -1 none.
    line: int32[n], of the rule that refused it, or by which the server took the request; 0 none.
    """

    members: tuple[Member, ...]
    services: tuple[Service, ...]
    client: Int32s
    server: Int32s
    service: Uint8s
    why: Uint8s
    step: Uint8s
    at: Int32s
    line: Int32s

    @property
    def open(self) -> npt.NDArray[np.bool_]:
        """Where the service works."""
        found: npt.NDArray[np.bool_] = self.why == Why.OPEN
        return found

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """The cells by names: from, to, service, open, why, step, at, line."""
        names = np.array([*member_names(self.members).values(), ""], object)
        words = np.array([WORDS[why] for why in Why], object)
        steps = np.array([step.name.lower() for step in Step], object)
        return {
            "from": names[self.client],
            "to": names[self.server],
            "service": np.array([service.name for service in self.services], object)[self.service],
            "open": self.open,
            "why": words[self.why],
            "step": np.where(self.open, "", steps[self.step]),
            "at": names[self.at],
            "line": self.line,
        }

    def to_dataframe(self) -> Any:
        """A pandas DataFrame of `columns`; raises UsageError where pandas is not installed."""
        try:
            pandas: Any = importlib.import_module("pandas")
        except ImportError:
            raise usage(
                "a DataFrame needs pandas", "pip install pandas, or use columns()"
            ) from None
        return pandas.DataFrame(self.columns())


def reach(
    policy: Policy,
    network: Network,
    services: Sequence[str] = SERVICES,
    *,
    clients: Sequence[str] | None = None,
    servers: Sequence[str] | None = None,
    engine: str = "1.14",
    backend: str = "auto",
    seed: int = 0,
) -> Reach:
    """Who reaches whom on a network by these rules.

    services: `ssh`, `ping`, `arp`, `445/tcp`, ….  clients, servers: names or addresses; None: all.
    seed: keys `random` matches.  Raises UsageError.
    """
    judge = Engine(policy, network=network, engine=engine, backend=backend, seed=seed)
    if not judge.can_deliver:
        raise usage(
            "reach needs the network's members and its id", "give a network file that has both"
        )
    wanted = tuple(dict.fromkeys(map(parse_service, services)))
    return _Matrix(judge, wanted).cells(
        _chosen(network, "from", clients), _chosen(network, "to", servers)
    )


def cell_frame(network: Network, client: str, server: str, service: str, step: Step) -> Frame:
    """The frame of one step of a service between two members, as `reach` judges it.

    Raises UsageError for a name that nobody has, and where the two have no addresses of a family.
    """
    ends = [_chosen(network, option, [name]) for option, name in (("from", client), ("to", server))]
    members = network.active_members()
    for width in (4, 16):
        ips, there = _addresses(network, members, width)
        if all(there[end].all() for end in ends):
            macs = [network.mac(members[int(end[0])]) or 0 for end in ends]
            rows = [np.frombuffer(mac.to_bytes(6, "big"), np.uint8)[None, :] for mac in macs]
            pairs = Pairs(rows[0], rows[1], ips[ends[0]], ips[ends[1]])
            return frames(parse_service(service), step, pairs).frame(0)
    raise usage(f"{client} and {server} have no addresses of one family", "give both an IP address")


def change_cells(old: Reach, new: Reach) -> list[dict[str, Any]]:
    """The cells of `new` that were open and are not, or the other way round; `was`: why before."""
    changed = old.open != new.open
    columns = {**new.columns(), "was": old.columns()["why"]}
    rows = zip(*(column[changed].tolist() for column in columns.values()), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _chosen(network: Network, option: str, names: Sequence[str] | None) -> Int32s:
    """Indexes of the members that were named, ascending; all where none were."""
    members = network.active_members()
    if names is None:
        return np.arange(len(members), dtype=np.int32)
    known = MemberNames(network)
    index = {member.address: number for number, member in enumerate(members)}
    found = {index[known.member(option, name).address] for name in names}
    return np.array(sorted(found), np.int32)


class _Matrix:
    """A network's members as columns, and the judge of what they send."""

    def __init__(self, engine: Engine, services: tuple[Service, ...]) -> None:
        network = engine.network
        assert network is not None
        self.members, self.services = network.active_members(), services
        self.judge = PairJudge(engine)
        macs = [(network.mac(member) or 0).to_bytes(6, "big") for member in self.members]
        self.macs = np.frombuffer(b"".join(macs), np.uint8).reshape(-1, 6)
        self.ips = {width: _addresses(network, self.members, width) for width in (4, 16)}
        self.emulated = _emulated(network, self.members, self.ips[16][0])

    def cells(self, clients: Int32s, servers: Int32s) -> Reach:
        """All cells of these clients and servers but a member's with itself."""
        parts: list[tuple[npt.NDArray[Any], ...]] = []
        at_once = max(1, _MAX_ROWS // max(1, len(servers)))
        for low in range(0, len(clients), at_once):
            some = clients[low : low + at_once]
            client, server = np.repeat(some, len(servers)), np.tile(servers, len(some))
            other = client != server
            parts.append(self._pairs(client[other], server[other], low * len(servers)))
        kinds = (np.int32, np.int32, np.uint8, np.uint8, np.uint8, np.int32, np.int32)
        empty = tuple(np.zeros(0, kind) for kind in kinds)
        columns = [np.concatenate(column) for column in zip(empty, *parts, strict=True)]
        return Reach(self.members, self.services, *columns)

    def _pairs(self, client: Int32s, server: Int32s, first: int) -> tuple[npt.NDArray[Any], ...]:
        """The cells of some pairs, service beside service."""
        count, many = len(client), len(self.services)
        why = np.full((count, many), Why.NO_ADDRESS, np.uint8)
        step = np.zeros((count, many), np.uint8)
        at = np.full((count, many), -1, np.int32)
        line = np.zeros((count, many), np.int32)
        for width, chosen in self._families(client, server):
            pairs = self._ends(client[chosen], server[chosen], width)
            for number, service in enumerate(self.services):
                found, failed = self._service(
                    service, pairs, client[chosen], server[chosen], first + chosen
                )
                cells = chosen, number
                why[cells], step[cells] = found.why, failed
                at[cells], line[cells] = found.at - 1, found.line
        numbers = np.tile(np.arange(many, dtype=np.uint8), count)
        ends = np.repeat(client, many), np.repeat(server, many)
        return (*ends, numbers, *(column.reshape(-1) for column in (why, step, at, line)))

    def _families(
        self, client: Int32s, server: Int32s
    ) -> Iterator[tuple[int, npt.NDArray[np.intp]]]:
        """(bytes of an address, pairs that talk by such): IPv4 where both have it."""
        four, six = (self.ips[width][1][client] & self.ips[width][1][server] for width in (4, 16))
        yield 4, np.flatnonzero(four)
        yield 16, np.flatnonzero(six & ~four)

    def _ends(self, client: Int32s, server: Int32s, width: int) -> Pairs:
        ips = self.ips[width][0]
        return Pairs(self.macs[client], self.macs[server], ips[client], ips[server])

    def _service(
        self,
        service: Service,
        pairs: Pairs,
        client: Int32s,
        server: Int32s,
        numbers: npt.NDArray[np.intp],
    ) -> tuple[Judged, Uint8s]:
        """(what became of each pair's cell, the step that failed), step after step."""
        count = len(client)
        found = nothing_refused(count)
        failed = np.zeros(count, np.uint8)
        left = np.arange(count)
        for step in service.steps:
            if step is Step.ASK and pairs.client_ip.shape[1] == 16:
                left = left[~self.emulated[server[left]]]
            judged = self._step(service, step, pairs, client, server, numbers, left)
            stopped = judged.why != Why.OPEN
            lost = left[stopped]
            later = _LATER.get(step)
            found.why[lost] = judged.why[stopped] if later is None else later
            found.at[lost], failed[lost] = judged.at[stopped], step
            found.line[lost] = judged.line[stopped]
            if step == service.steps[0]:
                found.line[left[~stopped]] = judged.line[~stopped]
            left = left[~stopped]
        return found, failed

    def _step(
        self,
        service: Service,
        step: Step,
        pairs: Pairs,
        client: Int32s,
        server: Int32s,
        numbers: npt.NDArray[np.intp],
        left: npt.NDArray[np.intp],
    ) -> Judged:
        some = Pairs(*(column[left] for column in pairs))
        sender, receiver = client[left] + np.int32(1), server[left] + np.int32(1)
        if step in BACK:
            sender, receiver = receiver, sender
        # a cell's number, then its step: each frame draws for itself
        first = 0 if not len(numbers) else int(numbers[0]) * len(Step) + step
        return self.judge.judge(
            frames(service, step, some), sender, receiver, first, step is Step.ASK
        )


def _addresses(
    network: Network, members: tuple[Member, ...], width: int
) -> tuple[Bytes, npt.NDArray[np.bool_]]:
    """(each member's first address of a family, has it any): uint8[m, width], bool[m]."""
    found = np.zeros((len(members), width), np.uint8)
    there = np.zeros(len(members), np.bool_)
    for number, member in enumerate(members):
        owned = network.ips(member)
        ordered = (*(ip for ip in member.ips if ip in owned), *sorted(owned - {*member.ips}))
        for ip in ordered:
            if len(ip) == width:
                found[number], there[number] = np.frombuffer(ip, np.uint8), True
                break
    return found, there


def _emulated(network: Network, members: tuple[Member, ...], ips: Bytes) -> npt.NDArray[np.bool_]:
    """Whose IPv6 address follows from its ZeroTier address: nobody needs to ask for that."""
    makers = ((network.assigns_rfc4193, rfc4193), (network.assigns_6plane, six_plane))
    made = [make for on, make in makers if on and network.id is not None]
    return np.array(
        [
            any(make(member.address, network.id or 0) == ip.tobytes() for make in made)
            for member, ip in zip(members, ips, strict=True)
        ],
        np.bool_,
    )
