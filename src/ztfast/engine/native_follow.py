"""Frames' copies and redirects followed in the counting loop: what it is told, what it counted.

Contract: `follow_tables` makes, once for an engine, what `_core/follow.pxi` reads; `Followed` is
what one call fills, which pipeline/followed.py puts into the words of a tally.
Tested by tests/pipeline/test_followed.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.engine.multicast import active_bridges, member_macs
from ztfast.engine.native_tables import EntryFacts
from ztfast.network.batch_context import MemberTable
from ztfast.network.members import Network

FATES = 8  # room for each decision of pipeline.deliveries.Fate; the loop finds the first six
_MOST_KEYS = 1 << 18

Int32s = npt.NDArray[np.int32]
Uint64s = npt.NDArray[np.uint64]


class FollowTables(NamedTuple):
    """slot: int32[entries + 1], by entry over all rule sets, which of those that send; −1 none.

    address, member, length: by slot, uint64 target, int32 its member (0 none), uint32 payload bytes
    that are sent (0 all).  macs, bridges, home: by member, uint64 MAC, uint8, uint64 address.
    """

    slot: Int32s
    address: Uint64s
    member: Int32s
    length: npt.NDArray[np.uint32]
    macs: Uint64s
    bridges: npt.NDArray[np.uint8]
    home: Uint64s

    @property
    def keys(self) -> int:
        """Places for what is counted: sent by a side and slot, then by slot, decider and fate."""
        return len(self.address) * (2 + len(self.slot) * FATES)


class Followed(NamedTuple):
    """What one call counts: frames, octets, uint64[FollowTables.keys]; octets of what was sent."""

    tables: FollowTables
    frames: Uint64s
    octets: Uint64s


def follow_tables(network: Network, table: MemberTable, facts: EntryFacts) -> FollowTables | None:
    """What the loop is told of a network, and of what rules send; None where that is too much."""
    sends = np.flatnonzero(facts.sends)
    slot = np.full(len(facts.sends), -1, np.int32)
    slot[sends] = np.arange(len(sends))
    numbers = {address: number for number, address in enumerate(table.address.tolist())}
    address = facts.address[sends]
    found = FollowTables(
        slot=slot,
        address=address,
        member=np.array(
            [numbers.get(target, 0) if target else 0 for target in address.tolist()], np.int32
        ),
        length=facts.length[sends],
        macs=member_macs(network),
        bridges=active_bridges(network).astype(np.uint8),
        home=np.ascontiguousarray(table.address),
    )
    return found if found.keys <= _MOST_KEYS else None
