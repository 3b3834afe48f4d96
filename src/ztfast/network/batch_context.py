"""Who is who in a batch: the members by number, and for each frame the numbers that apply.

Contract: `MemberTable` holds facts about m members in columns, `BatchContext` says for
each of n frames which member is local, remote and sender, in one direction.  Member 0
is always *nobody known*: no tags, no addresses, no capabilities unless assumed.
Both evaluators take a BatchContext; neither changes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

UNKNOWN_MEMBER = 0
EMULATES_RFC4193, EMULATES_6PLANE = 1, 2


class GivenIps(NamedTuple):
    """IP addresses of members, one item each.

    member: int32.  wide: bool, is it IPv6?  high, low: uint64 halves; an IPv4 address is the low
    32 bits of `low`.
    """

    member: npt.NDArray[np.int32]
    wide: npt.NDArray[np.bool_]
    high: npt.NDArray[np.uint64]
    low: npt.NDArray[np.uint64]


@dataclass(frozen=True)
class MemberTable:
    """Facts about members, by number.

    address: uint64[m], ZeroTier addresses (0 for member 0).
    tag_ids: the tag ids that any member carries, ascending.
    tag_present: bool[t, m]; tag_value: uint32[t, m].
    capabilities: bool[c, m]: does the member hold the c-th capability of the View.
    ips: for each member the addresses it owns, packed (4 or 16 bytes each).
    assigned: for each member the addresses by which it is found; None: `ips`.
    macs: for each member the MACs that it can prove to own, as 48-bit integers.
    stations: for each member the MACs by which it is found, which nobody certifies.
    emulates: uint8[m], EMULATES_RFC4193 and EMULATES_6PLANE: the schemes of whose addresses the
    member, judging in, takes every one as the sender's.  network_id: of these, None: not known.
    known: bool[m]: False where tags and ownership are only assumed.
    assumed_ipauth, assumed_macauth: what `ipauth` and `macauth` say of a sender that is not known.
    """

    address: npt.NDArray[np.uint64]
    tag_ids: tuple[int, ...]
    tag_present: npt.NDArray[np.bool_]
    tag_value: npt.NDArray[np.uint32]
    capabilities: npt.NDArray[np.bool_]
    ips: tuple[frozenset[bytes], ...]
    macs: tuple[frozenset[int], ...]
    known: npt.NDArray[np.bool_]
    emulates: npt.NDArray[np.uint8]
    network_id: int | None = None
    assumed_ipauth: bool = True
    assumed_macauth: bool = True
    stations: tuple[frozenset[int], ...] = ()
    assigned: tuple[frozenset[bytes], ...] | None = None
    cache: dict[str, object] = field(default_factory=dict[str, object], compare=False, repr=False)

    @cached_property
    def given_ips(self) -> GivenIps:
        """What `ips` holds, as columns."""
        return _columns(self.ips)

    @cached_property
    def assigned_ips(self) -> GivenIps:
        """What `assigned` holds, as columns."""
        same = self.assigned is None or self.assigned == self.ips
        return self.given_ips if same else _columns(self.assigned or ())


def _columns(ips: tuple[frozenset[bytes], ...]) -> GivenIps:
    counts = [len(own) for own in ips]
    flat = [ip for own in ips for ip in own]
    halves = np.frombuffer(b"".join([ip.rjust(16, b"\0") for ip in flat]), ">u8")
    high, low = halves.astype(np.uint64).reshape(-1, 2).T
    return GivenIps(
        np.repeat(np.arange(len(counts), dtype=np.int32), counts),
        np.array([len(ip) == 16 for ip in flat], np.bool_),
        np.ascontiguousarray(high),
        np.ascontiguousarray(low),
    )


@dataclass(frozen=True)
class BatchContext:
    """For each of n frames, who is who; every column has n items (or is broadcast to n).

    direction: "out" or "in".
    local: int32[n], the member whose rules are evaluated; remote: the other side
    (-1: membership not known, so every remote tag is missing and that is a fact, not an
    assumption); sender: the member that sent the frame, whose addresses ipauth and
    macauth look at and whose capabilities are tried.
    node, zt_source, zt_dest: uint64[n] ZeroTier addresses; zt_dest 0 where unknown.
    addresses_known: bool[n]; False where zt_source, zt_dest and node are only assumed.
    no_tee: bool[n]; True in the sender's second pass, for one recipient of several, which sends
    no copies (docs/spec/evaluation.md section 8).
    number: int64[n], the frame's number in the whole input, which keys random draws.
    """

    direction: str
    members: MemberTable
    local: npt.NDArray[np.int32]
    remote: npt.NDArray[np.int32]
    sender: npt.NDArray[np.int32]
    node: npt.NDArray[np.uint64]
    zt_source: npt.NDArray[np.uint64]
    zt_dest: npt.NDArray[np.uint64]
    addresses_known: npt.NDArray[np.bool_]
    no_tee: npt.NDArray[np.bool_]
    number: npt.NDArray[np.int64]
    cache: dict[str, object] = field(default_factory=dict[str, object], compare=False, repr=False)


def nobody(
    capabilities: int,
    held: npt.NDArray[np.bool_] | None = None,
    ipauth: bool = True,
    macauth: bool = True,
) -> MemberTable:
    """The table where no network is given: member 0 alone.

    `held` (bool[capabilities]) are the capabilities that every member is taken to hold.
    """
    holds = np.zeros((capabilities, 1), dtype=np.bool_)
    if held is not None:
        holds[:, 0] = held
    return MemberTable(
        address=np.zeros(1, dtype=np.uint64),
        tag_ids=(),
        tag_present=np.zeros((0, 1), dtype=np.bool_),
        tag_value=np.zeros((0, 1), dtype=np.uint32),
        capabilities=holds,
        ips=(frozenset(),),
        macs=(frozenset(),),
        known=np.zeros(1, dtype=np.bool_),
        emulates=np.zeros(1, dtype=np.uint8),
        assumed_ipauth=ipauth,
        assumed_macauth=macauth,
    )
