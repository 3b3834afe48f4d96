"""One hop of a frame from member to member: who is who there, and which draws are its own.

Contract: columns of n items, one a hop.  Each pass over the rules and each recipient draws anew:
a hop's draws are keyed by its frame's number and the way that the frame took (`way_to`), never by
the batch.  Tested by tests/engine/test_hops.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.network.batch_context import BatchContext, MemberTable

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Uint64s = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]

_STEP = np.uint64(0x9E3779B97F4A7C15)


class Sender(NamedTuple):
    """Who sends, n items: member numbers, addresses, and whether these are facts."""

    member: Int32s
    address: Uint64s
    known: Bools

    def where(self, index: npt.NDArray[np.intp]) -> Sender:
        """Some of them."""
        return Sender._make(column[index] for column in self)


def outbound(members: MemberTable, sender: Sender, to: Int32s, numbers: Int64s) -> BatchContext:
    """The sender's second pass: a multicast is judged again for a recipient, without copies."""
    return BatchContext(
        direction="out",
        members=members,
        local=sender.member,
        remote=to,
        sender=sender.member,
        node=sender.address,
        zt_source=sender.address,
        zt_dest=members.address[to],
        addresses_known=sender.known,
        no_tee=np.broadcast_to(np.True_, len(to)),
        number=numbers,
    )


def inbound(members: MemberTable, sender: Sender, to: Int32s, numbers: Int64s) -> BatchContext:
    """What is sent to a member is judged by it."""
    address = members.address[to]
    return BatchContext(
        direction="in",
        members=members,
        local=to,
        remote=sender.member,
        sender=sender.member,
        node=address,
        zt_source=sender.address,
        zt_dest=address,
        addresses_known=sender.known,
        no_tee=np.broadcast_to(np.False_, len(to)),
        number=numbers,
    )


def way_to(way: Uint64s, to: Uint64s, how: str) -> Uint64s:
    """A number for a way that goes on to an address: other ways have other ones, but for 2⁻⁶⁴."""
    mixed = (way + _STEP) * np.uint64(0xBF58476D1CE4E5B9) ^ to
    mixed ^= np.uint64(int.from_bytes(how.encode(), "big"))
    mixed ^= mixed >> np.uint64(29)
    found: Uint64s = mixed * np.uint64(0x94D049BB133111EB)
    return found


def drawn_anew(numbers: Int64s, way: Uint64s) -> Int64s:
    """Numbers that key random draws: those of each frame and way are its own."""
    mixed = numbers.astype(np.uint64) * _STEP ^ way
    found: Int64s = (mixed >> np.uint64(1)).astype(np.int64)
    return found


def recipient_ways(to: Uint64s) -> tuple[Uint64s, Uint64s]:
    """The ways of a multicast to its recipients: the sender's second pass, the recipient's own."""
    again = way_to(np.zeros(len(to), np.uint64), to, "out")
    return again, way_to(again, to, "in")
