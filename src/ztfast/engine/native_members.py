"""Members as the compiled loops look them up: hash tables of a network, facts by member.

Contract: `side_members` makes, once for a table and the side whose rules ask, what
`_core/members.pxi` reads; with an index also the MACs and addresses by which frames find their
members.  Nothing here depends on a batch.  Tested by tests/engine/test_native_members.py,
tests/network/test_resolve_model.py and the differential tests.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast import dispatch
from ztfast.engine.native_tables import ADDRESS_COLUMNS, NativeSide
from ztfast.model.addresses import first_octet, rfc4193_prefix, scramble, six_plane_prefix
from ztfast.network.batch_context import UNKNOWN_MEMBER, MemberTable
from ztfast.network.resolve import MemberIndex
from ztfast.program.opcodes import FIRST_OWN_COLUMN, Column, Owned
from ztfast.program.program import FRAME_FACTS, Fact

_MAC_SLOT = np.dtype([("mac", "u8"), ("member", "i4"), ("pad", "u4")])
_ADDRESS_SLOT = np.dtype([("high", "u8"), ("low", "u8"), ("who", "i4"), ("member", "i4")])
_V4, _V6, _MAC = range(3)  # kinds of address, as _core/members.pxi numbers them
_FACTS = (Fact.LOCAL_TAG, Fact.REMOTE_TAG, Fact.TAG_PRESENCE, Fact.HOLDS)  # likewise
_FACTOR = 0x9E3779B97F4A7C15
_MOST_STEPS = 64  # slots from where an address belongs: more, and the table is made anew

Table = tuple[npt.NDArray[np.void], int]  # slots, and the factor that chooses one


class MemberTables(NamedTuple):
    """Members as one side's loops take them; arrays of numbers by member have one item each.

    macs, owned, places: hash tables, (slots, factor).  address: uint64[m].  unknown: uint8[m + 1],
    from member −1 on.  first4: uint32[m], an IPv4 address that the member owns, 0 none.
    identity: (first octet, scramble) of the network's MACs, None without an id.  foreign: who sends
    frames from other MACs (`MemberIndex.foreign_sender`).  emulates:
    (uint8[m], each member's schemes as in network.batch_context; the network's prefixes of RFC
    4193, in halves of 64 and 24 bits, and of 6PLANE), None where nobody emulates.  asks: does the
    table ask for (ZeroTier addresses, ownership)?  assumed: `Owned` bits of a sender that is not
    known.  owns_macs: was anybody given a MAC?  facts: (what, column, values by member + 1).
    """

    macs: Table
    owned: Table
    places: Table
    address: npt.NDArray[np.uint64]
    unknown: npt.NDArray[np.uint8]
    first4: npt.NDArray[np.uint32]
    identity: tuple[int, int] | None
    foreign: int
    emulates: tuple[npt.NDArray[np.uint8], tuple[int, int], int] | None
    asks: tuple[bool, bool]
    assumed: int
    owns_macs: bool
    facts: list[tuple[int, int, npt.NDArray[Any]]]


def side_members(side: NativeSide, table: MemberTable, index: MemberIndex | None = None) -> Any:
    """The `SideMembers` of one side; index: where frames are to be looked up in."""
    return dispatch.require().SideMembers(member_tables(side, table, index))


def member_tables(side: NativeSide, table: MemberTable, index: MemberIndex | None) -> MemberTables:
    """What one side's loops are told of members."""
    owned, first4 = _owned(table)
    network_id = None if index is None else index.network_id
    assumed = (Owned.IP if table.assumed_ipauth else 0) | (
        Owned.MAC if table.assumed_macauth else 0
    )
    return MemberTables(
        macs=_macs(index),
        owned=owned,
        places=_places(index),
        address=np.ascontiguousarray(table.address),
        unknown=np.concatenate(([False], ~table.known)).astype(np.uint8),
        first4=first4,
        identity=None if network_id is None else (first_octet(network_id), scramble(network_id)),
        foreign=UNKNOWN_MEMBER if index is None else index.foreign_sender,
        emulates=_emulates(table),
        asks=(not side.columns.isdisjoint(ADDRESS_COLUMNS), Column.OWNERSHIP in side.columns),
        assumed=int(assumed),
        owns_macs=any(table.macs),
        facts=list(_facts(side, table)),
    )


def _emulates(table: MemberTable) -> tuple[npt.NDArray[np.uint8], tuple[int, int], int] | None:
    if table.network_id is None or not table.emulates.any():
        return None
    wide = int.from_bytes(rfc4193_prefix(table.network_id), "big")  # 88 bits
    return (
        np.ascontiguousarray(table.emulates),
        (wide >> 24, wide & 0xFFFFFF),
        int.from_bytes(six_plane_prefix(table.network_id), "big"),
    )


def _facts(side: NativeSide, table: MemberTable) -> Iterable[tuple[int, int, npt.NDArray[Any]]]:
    """The program's own columns of facts about members; nothing holds for member −1."""
    count = len(table.address)
    for column, asked in enumerate(side.program.own, FIRST_OWN_COLUMN):
        if column not in side.columns or asked.fact in FRAME_FACTS:
            continue
        if asked.fact is Fact.HOLDS:
            values = table.capabilities[asked.number]
        elif asked.number not in table.tag_ids:
            values = np.zeros(count, np.uint32)
        else:
            row = table.tag_ids.index(asked.number)
            presence = asked.fact is Fact.TAG_PRESENCE
            values = (table.tag_present if presence else table.tag_value)[row]
        width = np.uint32 if asked.fact in (Fact.LOCAL_TAG, Fact.REMOTE_TAG) else np.uint8
        yield _FACTS.index(asked.fact), column, np.concatenate(([0], values)).astype(width)


# --- hash tables -------------------------------------------------------------------------------


def _owned(table: MemberTable) -> tuple[Table, npt.NDArray[np.uint32]]:
    """(the addresses that members were given, one IPv4 address of each); kept with the table."""
    made = table.cache.get("owned")
    if made is None:
        made = table.cache["owned"] = _owned_anew(table)
    found: tuple[Table, npt.NDArray[np.uint32]] = made  # type: ignore[assignment]
    return found


def _owned_anew(table: MemberTable) -> tuple[Table, npt.NDArray[np.uint32]]:
    ips = table.given_ips
    first4 = np.zeros(len(table.address), np.uint32)
    narrow = ~ips.wide
    first4[ips.member[narrow]] = ips.low[narrow]
    macs = [(mac, member << 2 | _MAC) for member, own in enumerate(table.macs) for mac in own]
    low = np.concatenate((ips.low, np.array([mac for mac, _ in macs], np.uint64)))
    high = np.concatenate((ips.high, np.zeros(len(macs), np.uint64)))
    kinds = np.where(ips.wide, np.int32(_V6), np.int32(_V4))
    who = np.concatenate((ips.member << 2 | kinds, np.array([who for _, who in macs], np.int32)))
    return _address_table(high, low, who, np.ones(len(low), np.int32)), first4


def _macs(index: MemberIndex | None) -> Table:
    """Which member is found by a MAC."""
    return _mac_table(*(_nothing("Qi") if index is None else (index.macs, index.mac_member)))


def _mac_table(macs: npt.NDArray[Any], members: npt.NDArray[Any]) -> Table:
    fill = dispatch.require().fill_macs

    def filled(size: int, factor: int) -> npt.NDArray[np.void] | None:
        slots = np.zeros(size, _MAC_SLOT)
        slots["mac"] = 0xFFFFFFFFFFFFFFFF
        return slots if fill(slots, macs, members, factor, _MOST_STEPS) else None

    return _made(filled, len(macs))


def _places(index: MemberIndex | None) -> Table:
    """Which member alone was assigned an address, by it and its kind."""
    if index is None:
        return _address_table(*_nothing("QQii"))
    high = np.concatenate((np.zeros(len(index.ipv4), np.uint64), index.ipv6["high"]))
    low = np.concatenate((index.ipv4, index.ipv6["low"]))
    kinds = np.repeat(np.array([_V4, _V6], np.int32), (len(index.ipv4), len(index.ipv6)))
    return _address_table(high, low, kinds, np.concatenate((index.ipv4_member, index.ipv6_member)))


def _address_table(
    high: npt.NDArray[Any],
    low: npt.NDArray[Any],
    who: npt.NDArray[Any],
    members: npt.NDArray[Any],
) -> Table:
    fill = dispatch.require().fill_addresses

    def filled(size: int, factor: int) -> npt.NDArray[np.void] | None:
        slots = np.zeros(size, _ADDRESS_SLOT)
        return slots if fill(slots, high, low, who, members, factor, _MOST_STEPS) else None

    return _made(filled, len(high))


def _made(filled: Any, count: int) -> Table:
    """A table under half full whose items all stand near their places.

    Addresses that were chosen to share a place would make every look-up slow, and the table
    quadratic to fill: then another factor is drawn, which nobody can have chosen them for.
    """
    size, factor = max(4, 1 << (2 * count).bit_length()), _FACTOR
    while True:
        slots = filled(size, factor)
        if slots is not None:
            return slots, factor
        size, factor = size * 2, secrets.randbits(64) | 1


def _nothing(codes: str) -> list[npt.NDArray[Any]]:
    """Empty columns of these types."""
    return [np.zeros(0, code) for code in codes]
