"""The second pass of a sender: for which recipients a frame is judged again.

Contract: recipients of a multicast are all members but the sender, of a frame behind a bridge all
active bridges.  `alike` recipients, which neither rules nor the targets of their copies can tell
apart, are judged once and counted as often; the classes are those of `network.recipients`, made
once.  They do not hold where a recipient owns an address that the frame is sent from, since the
targets of its copies ask for that: then each recipient is asked.
Tested by tests/pipeline/test_deliver.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.frames.batch import FrameBatch
from ztfast.frames.columns import Column
from ztfast.model.view import View
from ztfast.network.batch_context import MemberTable
from ztfast.network.recipient_groups import RecipientRules
from ztfast.network.recipients import Recipients, joined_ranges

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Uint64s = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]

_FACTOR = np.uint64(0x9E3779B97F4A7C15)


class Recipient(NamedTuple):
    """Who is asked, n items: frame, its place; to, the member; times, for how many it stands."""

    frame: npt.NDArray[np.intp]
    to: Int32s
    times: Int64s

    def where(self, chosen: Bools) -> Recipient:
        """Some of them."""
        return Recipient._make(column[chosen] for column in self)


class SecondPass:
    """A network's members as recipients; alike: one may stand for several."""

    def __init__(self, view: View, table: MemberTable, bridges: Bools, alike: bool) -> None:
        rules = RecipientRules(view, table)
        self._bridges = bridges
        self._classes = (
            Recipients(view, table, bridges, relays=True) if alike and not rules.draws else None
        )
        self._owners = _Owners(table) if rules.asks_ownership else None

    @property
    def most(self) -> int:
        """At most so many recipients are asked about a frame whose addresses nobody else owns."""
        return len(self._bridges) if self._classes is None else self._classes.most

    def recipients(self, part: FrameBatch, sender: Int32s, many: Bools) -> Recipient:
        """Who is asked about each frame of `part`, by frame.

        sender: int32[n], member numbers.  many: bool[n], multicasts; others are for bridges.
        """
        if self._classes is None:
            return self._each(np.arange(len(part)), sender, many)
        apart = np.zeros(len(part), np.bool_)
        if self._owners is not None:
            apart = self._owners.others(part, sender)
        one = self._alike(self._classes, np.flatnonzero(~apart), sender, many)
        if not apart.any():
            return one
        each = self._each(np.flatnonzero(apart), sender, many)
        both = Recipient(
            np.concatenate((one.frame, each.frame)),
            np.concatenate((one.to, each.to)),
            np.concatenate((one.times, each.times)),
        )
        order = np.argsort(both.frame, kind="stable")
        return Recipient._make(column[order] for column in both)

    def _each(self, at: npt.NDArray[np.intp], sender: Int32s, many: Bools) -> Recipient:
        members = np.arange(1, len(self._bridges), dtype=np.int32)
        rows, to = np.repeat(at, len(members)), np.tile(members, len(at))
        wanted = (to != sender[rows]) & (many[rows] | self._bridges[to])
        rows = rows[wanted]
        return Recipient(rows, to[wanted], np.ones(len(rows), np.int64))

    def _alike(
        self, recipients: Recipients, at: npt.NDArray[np.intp], sender: Int32s, many: Bools
    ) -> Recipient:
        senders, which = np.unique(sender[at], return_inverse=True)
        classes = recipients.classes(senders.astype(np.int32))
        count = classes.counts[which]
        rows, place = np.repeat(at, count), joined_ranges(classes.start[which], count)
        found = Recipient(rows, classes.member[place], classes.size[place].astype(np.int64))
        return found.where(many[rows] | classes.bridge[place])


class _Owners:
    """Who owns an address, by a hash of it: two in 2⁶⁴ are taken for one, which costs time only."""

    def __init__(self, table: MemberTable) -> None:
        ips = table.given_ips
        macs = [(mac, number) for number, own in enumerate(table.macs) for mac in own]
        self._ips = _Sorted(_hash(ips.high, ips.low), ips.member)
        self._macs = _Sorted(
            np.array([mac for mac, _ in macs], np.uint64),
            np.array([number for _, number in macs], np.int32),
        )

    def others(self, part: FrameBatch, sender: Int32s) -> Bools:
        """Which frames are sent from an address that another than the sender owns, too."""
        columns = part.decoded((Column.AUTH_HIGH, Column.AUTH_LOW, Column.MAC_SOURCE))
        high, low, mac = columns.values()
        return self._ips.others(_hash(high, low), sender) | self._macs.others(mac, sender)


def _hash(high: Uint64s, low: Uint64s) -> Uint64s:
    found: Uint64s = high * _FACTOR ^ low
    return found


class _Sorted:
    """Keys in ascending order, and the member of each."""

    def __init__(self, keys: Uint64s, members: Int32s) -> None:
        order = np.argsort(keys, kind="stable")
        self._keys, self._members = keys[order], members[order]

    def others(self, keys: Uint64s, member: Int32s) -> Bools:
        """bool[n]: which keys belong to others than the member beside them."""
        low = np.searchsorted(self._keys, keys)
        count = np.searchsorted(self._keys, keys, side="right") - low
        found = np.repeat(np.arange(len(keys)), count)
        owner = self._members[joined_ranges(low, count)]
        others = np.zeros(len(keys), np.bool_)
        others[found[owner != member[found]]] = True
        return others
