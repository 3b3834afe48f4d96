"""Who sent each frame and who gets it: from MACs, or from IP addresses where there are none.

Contract: `resolve` makes the BatchContext of a batch with whole-column look-ups (a sorted
array and a binary search; nothing is done per frame or per pair in Python).  What cannot
be known is assumed, and marked so that every verdict that reads it says so:

- no network at all: nobody is known, addresses are 0 and assumed;
- only a network id: addresses follow from the MACs, members' facts are assumed;
- a MAC of the network's form that belongs to no member: its address is a fact, the tags
  and ownership of that node are assumed;
- a source MAC of another form: sent by the network's active bridge.  With several, or no members
  given, the address is 0 and assumed; with none, no node sends or takes such a frame
  (`strays`).  A frame between two such MACs was captured beyond a bridge or router: assumed too;
- an IP that nobody was assigned: the address is 0 and assumed;
- a destination MAC of another form: bridged; out, the destination is 0 and no remote
  tags are there, which is what a node does; in, the receiver is assumed.

Multicast and broadcast: out, destination 0 and no remote tags; in, a receiver of whom nothing is
known.  Where members are known, `engine.multicast` asks each of them instead.
Source: docs/spec/evaluation.md section 8.
Tested by tests/network/test_resolve.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.errors import Diagnostic, FrameError, usage
from ztfast.model.addresses import addresses_of
from ztfast.network.batch_context import UNKNOWN_MEMBER, BatchContext, GivenIps, MemberTable
from ztfast.network.members import Network

MEMBERSHIP_UNKNOWN = -1
NO_SENDER = -1  # of frames from foreign MACs, in a network without an active bridge

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_NO_MAC = np.uint64(0xFFFFFFFFFFFFFFFF)  # longer than any

Uint64s = npt.NDArray[np.uint64]
Int32s = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]


class IpColumn(NamedTuple):
    """n IP addresses: version uint8 (0 none, 4, 6); high and low uint64 halves.

    An IPv4 address is the low 32 bits of `low`, with `high` 0.
    """

    version: npt.NDArray[np.uint8]
    high: Uint64s
    low: Uint64s


@dataclass(frozen=True)
class Endpoints:
    """What a batch of n frames tells of its senders and receivers.

    mac_source, mac_dest: uint64[n].  mac_source_known, mac_dest_known: bool[n], False where
    the frame has no MAC or it was not captured (None: all known).  ip_source, ip_dest: read
    where the MAC is not known (None: no addresses either).
    """

    mac_source: Uint64s
    mac_dest: Uint64s
    mac_source_known: Bools | None = None
    mac_dest_known: Bools | None = None
    ip_source: IpColumn | None = None
    ip_dest: IpColumn | None = None

    def __len__(self) -> int:
        return len(self.mac_source)


class _Found(NamedTuple):
    """One end of each frame: member number (0 unknown), address, is the address a fact."""

    member: Int32s
    address: Uint64s
    known: Bools


class Stations:
    """Members by MAC: most stand in the place that a hash chooses, so one look finds them.

    macs: ascending; members: their numbers.
    """

    def __init__(self, macs: Uint64s, members: Int32s) -> None:
        bits = 3 + len(macs).bit_length()
        self._shift = np.uint64(64 - bits)
        self._macs = np.full(1 << bits, _NO_MAC, np.uint64)
        self._members = np.full(1 << bits, UNKNOWN_MEMBER, np.int32)
        places = self._places(macs)
        # backwards, since the last one stays: of two members with one MAC it is the first
        self._macs[places[::-1]], self._members[places[::-1]] = macs[::-1], members[::-1]
        shared = self._macs[places] != macs  # another stands in their place
        self._others, self._of_others = macs[shared], members[shared]

    def _places(self, macs: Uint64s) -> Uint64s:
        found: Uint64s = macs * _FACTOR >> self._shift
        return found

    def members(self, macs: Uint64s) -> Int32s:
        """The member of each MAC, UNKNOWN_MEMBER where it is nobody's."""
        places = self._places(macs)
        found: Int32s = np.where(self._macs[places] == macs, self._members[places], UNKNOWN_MEMBER)
        if len(self._others):
            rest = np.flatnonzero(found == UNKNOWN_MEMBER)
            found[rest] = _numbered(self._of_others, *_places(self._others, macs[rest]))
        return found


@dataclass(frozen=True)
class MemberIndex:
    """Look-ups from MAC and IP to member number; made once for a network and table."""

    network_id: int | None
    table: MemberTable
    macs: Uint64s = field(repr=False)
    mac_member: Int32s = field(repr=False)
    ipv4: Uint64s = field(repr=False)
    ipv4_member: Int32s = field(repr=False)
    ipv6: npt.NDArray[np.void] = field(repr=False)
    ipv6_keys: Uint64s = field(repr=False)
    ipv6_member: Int32s = field(repr=False)
    ipv6_factor: int = 1
    bridges: tuple[int, ...] = ()

    @property
    def foreign_sender(self) -> int:
        """Who sends frames from foreign MACs: a member, UNKNOWN_MEMBER, or NO_SENDER."""
        if self.network_id is None or len(self.table.address) == 1 or len(self.bridges) > 1:
            return UNKNOWN_MEMBER
        return self.bridges[0] if self.bridges else NO_SENDER

    @cached_property
    def stations(self) -> Stations:
        """The members by MAC, as columns look them up."""
        return Stations(self.macs, self.mac_member)

    @property
    def described(self) -> bool:
        """Is anything known of the network, be it only its id?"""
        return self.network_id is not None or len(self.table.address) > 1


# --- making the index ----------------------------------------------------------------------

_IPV6 = np.dtype([("high", np.uint64), ("low", np.uint64)])


def member_index(network: Network | None, table: MemberTable) -> MemberIndex:
    """The index of a network's members, numbered as in its table.

    An address that two members were assigned finds nobody.
    """
    members = () if network is None else network.active_members()
    macs = sorted([(mac, number) for number, own in enumerate(table.stations) for mac in own])
    ipv4, ipv4_member = _ipv4_columns(table.assigned_ips)
    wide, keys, ipv6_member, factor = _ipv6_columns(table.assigned_ips)
    return MemberIndex(
        network_id=network.id if network is not None else None,
        table=table,
        macs=np.array([mac for mac, _ in macs], dtype=np.uint64),
        mac_member=np.array([number for _, number in macs], dtype=np.int32),
        ipv4=ipv4,
        ipv4_member=ipv4_member,
        ipv6=wide,
        ipv6_keys=keys,
        ipv6_member=ipv6_member,
        ipv6_factor=factor,
        bridges=tuple(number for number, member in enumerate(members, 1) if member.bridge),
    )


def _ipv4_columns(ips: GivenIps) -> tuple[Uint64s, Int32s]:
    """(the IPv4 addresses that one member alone was assigned, ascending; who that is)."""
    narrow = ~ips.wide
    found, first, counts = np.unique(ips.low[narrow], return_index=True, return_counts=True)
    alone = counts == 1
    return found[alone], ips.member[narrow][first[alone]]


def _ipv6_columns(ips: GivenIps) -> tuple[npt.NDArray[np.void], Uint64s, Int32s, int]:
    """Likewise of 128 bits, sorted by a 64-bit key under whose factor no two are equal."""
    given = np.empty(int(ips.wide.sum()), dtype=_IPV6)
    given["high"], given["low"] = ips.high[ips.wide], ips.low[ips.wide]
    found, first, counts = np.unique(given, return_index=True, return_counts=True)
    wide, members = found[counts == 1], ips.member[ips.wide][first[counts == 1]]
    factor = int(_FACTOR)
    keys = _key(wide["high"], wide["low"], factor)
    while (np.diff(np.sort(keys)) == 0).any():  # two addresses collide once in 2^64
        factor = factor * 0xD1342543DE82EF95 + 2 & 0xFFFFFFFFFFFFFFFF | 1
        keys = _key(wide["high"], wide["low"], factor)
    order = np.argsort(keys)
    return wide[order], keys[order], members[order], factor


def _key(high: Uint64s, low: Uint64s, factor: int) -> Uint64s:
    mixed: Uint64s = high * np.uint64(factor) ^ low
    return mixed


# --- looking up ----------------------------------------------------------------------------


def _places(sorted_keys: Uint64s, keys: Uint64s) -> tuple[npt.NDArray[np.intp], Bools]:
    """(place, was it found) of each key in a sorted array."""
    if len(sorted_keys) == 0:
        return np.zeros(len(keys), dtype=np.intp), np.zeros(len(keys), dtype=np.bool_)
    places = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
    return places, sorted_keys[places] == keys


def _numbered(members: Int32s, places: npt.NDArray[np.intp], found: Bools) -> Int32s:
    numbers = np.zeros(len(places), dtype=np.int32)
    numbers[found] = members[places[found]]
    return numbers


def _by_mac(index: MemberIndex, macs: Uint64s) -> _Found:
    member = index.stations.members(macs)
    found = known = member != UNKNOWN_MEMBER
    address = index.table.address[member]
    if index.network_id is not None:
        derived, ours = addresses_of(macs, index.network_id)
        address = np.where(found, address, derived)
        known = found | ours
    return _Found(member, address, known)


def _by_ip(index: MemberIndex, ips: IpColumn) -> _Found:
    places, found = _places(index.ipv4, ips.low)
    found &= ips.version == 4
    member = _numbered(index.ipv4_member, places, found)
    places, same = _places(index.ipv6_keys, _key(ips.high, ips.low, index.ipv6_factor))
    same &= ips.version == 6
    if same.any():
        at = index.ipv6[places]
        same &= (at["high"] == ips.high) & (at["low"] == ips.low)
    member = np.where(same, _numbered(index.ipv6_member, places, same), member)
    return _Found(member, index.table.address[member], member != UNKNOWN_MEMBER)


def _nobody_found(count: int) -> _Found:
    return _Found(
        np.zeros(count, dtype=np.int32),
        np.zeros(count, dtype=np.uint64),
        np.zeros(count, dtype=np.bool_),
    )


def _chosen(first: Bools, one: _Found, other: _Found) -> _Found:
    return _Found(
        np.where(first, one.member, other.member),
        np.where(first, one.address, other.address),
        np.where(first, one.known, other.known),
    )


def _end(
    index: MemberIndex, macs: Uint64s, macs_known: Bools | None, ips: IpColumn | None
) -> _Found:
    by_mac = _by_mac(index, macs)
    if macs_known is None or macs_known.all():
        return by_mac
    by_ip = _nobody_found(len(macs)) if ips is None else _by_ip(index, ips)
    return _chosen(macs_known, by_mac, by_ip)


def _both_ends(index: MemberIndex, ends: Endpoints) -> tuple[_Found, _Found]:
    """(source, dest) of each frame; frames from foreign MACs are their only bridge's."""
    source = _end(index, ends.mac_source, ends.mac_source_known, ends.ip_source)
    dest = _end(index, ends.mac_dest, ends.mac_dest_known, ends.ip_dest)
    bridge = index.foreign_sender
    if bridge > UNKNOWN_MEMBER:
        foreign = _from_foreign(ends, source, dest)
        own = np.full(len(ends), bridge, np.int32)
        source = _chosen(foreign, _Found(own, index.table.address[own], foreign), source)
    return source, dest


def _from_foreign(ends: Endpoints, source: _Found, dest: _Found) -> Bools:
    """Frames from a MAC of another form to a node of the network, or to several."""
    has_mac = True if ends.mac_source_known is None else ends.mac_source_known
    found: Bools = ~source.known & has_mac & (dest.known | multicast_frames(ends))
    return found


def strays(index: MemberIndex, ends: Endpoints) -> Bools:
    """Frames from a foreign MAC where no active bridge is: no node sends or takes them; bool[n]."""
    if index.foreign_sender != NO_SENDER:
        return np.zeros(len(ends), np.bool_)
    source = _end(index, ends.mac_source, ends.mac_source_known, ends.ip_source)
    if source.known.all():  # as nearly always
        return ~source.known
    dest = _end(index, ends.mac_dest, ends.mac_dest_known, ends.ip_dest)
    return _from_foreign(ends, source, dest)


def multicast_frames(ends: Endpoints) -> Bools:
    """Which frames go to a multicast or broadcast address, by MAC, or by IP where there is none."""
    by_mac: Bools = (ends.mac_dest >> np.uint64(40) & np.uint64(1)).astype(np.bool_)
    if ends.mac_dest_known is None or ends.mac_dest_known.all():
        return by_mac
    return np.where(ends.mac_dest_known, by_mac, _multicast_ips(ends.ip_dest, len(ends)))


def _multicast_ips(ips: IpColumn | None, count: int) -> Bools:
    if ips is None:
        return np.zeros(count, dtype=np.bool_)
    is4: Bools = ips.version == 4
    group4: Bools = ips.low >> np.uint64(28) == np.uint64(0xE)
    everyone: Bools = ips.low == np.uint64(0xFFFFFFFF)
    group6: Bools = (ips.version == 6) & (ips.high >> np.uint64(56) == np.uint64(0xFF))
    return np.where(is4, group4 | everyone, group6)


# --- batch contexts ----------------------------------------------------------------------------


def resolve(
    index: MemberIndex,
    direction: str,
    ends: Endpoints,
    first_number: int = 0,
) -> BatchContext:
    """Who is who in a batch, seen from one direction.

    first_number: the number of the batch's first frame in the whole input.
    Raises UsageError for an unknown direction, FrameError where columns differ in length.
    """
    if direction not in ("out", "in"):
        raise usage(f"unknown direction {direction!r}", "use 'out' or 'in'")
    _check_lengths(ends)
    source, dest = _both_ends(index, ends)
    numbers = np.arange(first_number, first_number + len(ends), dtype=np.int64)
    if direction == "out":
        return _outbound(index, ends, source, dest, numbers)
    return _inbound(index, source, dest, numbers)


def destinations(index: MemberIndex, ends: Endpoints) -> dict[str, Uint64s]:
    """`zt_dest` of the batch context of each direction, alone."""
    dest = _end(index, ends.mac_dest, ends.mac_dest_known, ends.ip_dest)
    out = np.where(_nowhere(index, ends, dest), np.uint64(0), dest.address)
    return {"out": out, "in": dest.address}


def _check_lengths(ends: Endpoints) -> None:
    columns: list[npt.NDArray[Any] | None] = [ends.mac_source, ends.mac_dest]
    columns += [ends.mac_source_known, ends.mac_dest_known]
    for ips in (ends.ip_source, ends.ip_dest):
        if ips is not None:
            columns += [ips.version, ips.high, ips.low]
    lengths = {len(column) for column in columns if column is not None}
    if len(lengths) > 1:
        raise FrameError(
            Diagnostic("ZT560", f"columns of one batch have different lengths: {sorted(lengths)}")
        )


def _outbound(
    index: MemberIndex,
    ends: Endpoints,
    source: _Found,
    dest: _Found,
    numbers: npt.NDArray[np.int64],
) -> BatchContext:
    nowhere = _nowhere(index, ends, dest)
    return BatchContext(
        direction="out",
        members=index.table,
        local=source.member,
        remote=np.where(nowhere, np.int32(MEMBERSHIP_UNKNOWN), dest.member),
        sender=source.member,
        node=source.address,
        zt_source=source.address,
        zt_dest=np.where(nowhere, np.uint64(0), dest.address),
        addresses_known=source.known & (nowhere | dest.known),
        no_tee=np.zeros(len(numbers), dtype=np.bool_),
        number=numbers,
    )


def _nowhere(index: MemberIndex, ends: Endpoints, dest: _Found) -> Bools:
    """Which frames have destination 0 for their sender: multicasts, and those for bridges."""
    many = multicast_frames(ends)
    has_mac = True if ends.mac_dest_known is None else ends.mac_dest_known
    # A unicast MAC of another form goes to a bridge; without an id, no form can be told.
    bridged: Bools = ~many & has_mac & ~dest.known & (index.network_id is not None)
    return many | bridged


def _inbound(
    index: MemberIndex,
    source: _Found,
    dest: _Found,
    numbers: npt.NDArray[np.int64],
) -> BatchContext:
    return BatchContext(
        direction="in",
        members=index.table,
        local=dest.member,
        remote=source.member,
        sender=source.member,
        node=dest.address,
        zt_source=source.address,
        zt_dest=dest.address,
        addresses_known=source.known & dest.known,
        no_tee=np.zeros(len(numbers), dtype=np.bool_),
        number=numbers,
    )
