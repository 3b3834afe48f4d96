"""What a report shows beside the tally: drops and copies by time, pairs, who sends to whom.

Contract: an observer of a `pipeline.job.Job`, gathering whole columns a batch, in bounded memory
(`pipeline.column_sums`).  Overviews of one policy's parts merge into that of the whole, and go
through JSON without a difference.  An end of a pair is a member where one is known, else an IP
address, else a MAC.
Tested by tests/pipeline/test_overview.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.engine.engine import Engine
from ztfast.engine.network_verdicts import Action, Verdicts
from ztfast.engine.side_verdicts import SideVerdicts
from ztfast.errors import usage
from ztfast.frames.batch import FrameBatch
from ztfast.frames.columns import IP_COLUMNS, MAC_COLUMNS, Column, FrameKind, Missing
from ztfast.model.reads import Reads
from ztfast.network.members import member_names
from ztfast.pipeline.column_sums import Key, TimeSums, TopSums
from ztfast.pipeline.deliveries import Deliveries, Fate, Kind
from ztfast.pipeline.frame_ends import FrameEnds
from ztfast.pipeline.judge import Judgement
from ztfast.pipeline.rows import decoded
from ztfast.pipeline.tally import VERDICTS, Decider

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_CELLS = 20_000  # a day of minutes, or a month of hours by 27 rules; more make spans longer
MOST_PAIRS = 20_000
_MEMBER, _MAC, _UNKNOWN = 1, 2, 0  # kinds of ends, beside IP versions 4 and 6
_BROADCAST = 2**48 - 1
Columns = list[npt.NDArray[Any]]


class End(NamedTuple):
    """One end of a pair: a member's, or an IP or MAC address as a number."""

    kind: int
    high: int
    low: int

    def name(self, members: Mapping[int, str]) -> str:
        """What people call it; members: names by ZeroTier address."""
        high, low = (half & 2**64 - 1 for half in (self.high, self.low))
        if self.kind == _MEMBER:
            return members.get(low, f"{low:010x}")
        if self.kind == 4:
            return str(IPv4Address(low & 2**32 - 1))
        if self.kind == 6:
            return str(IPv6Address(high << 64 | low))
        if self.kind == _UNKNOWN:
            return "unknown"
        octets = low.to_bytes(8, "big")[2:]
        return "broadcast" if low == _BROADCAST else ":".join(f"{octet:02x}" for octet in octets)


class Overview:
    """The sums over all batches that it was shown, judged by one engine.

    drops: (time, decider) of dropped frames.  copies: (time, kind, target) of copies and redirects
    that arrived, or were sent where members are not known.  refused: (source, dest, decider) of
    dropped frames.  talks: (source, dest) of all.  first, last: times of frames (ns), None: none.
    sent: (capability, entry) of the tees and watches that sent anything, capability −1 the base
    rules'; sent_lines: the lines of rules that did, as far as they have lines.
    """

    def __init__(self, engine: Engine) -> None:
        network = engine.network
        self.members = member_names(network.members) if network is not None else {}
        self.drops = TimeSums(5, MOST_CELLS)
        self.copies = TimeSums(3, MOST_CELLS)
        self.refused = TopSums(10, MOST_PAIRS)
        self.talks = TopSums(6, MOST_PAIRS)
        self.first: int | None = None
        self.last: int | None = None
        self.sent = set[tuple[int, int]]()
        self.sent_lines = set[int]()
        self._ends = FrameEnds(engine)
        self._known = np.array(sorted(self.members), np.uint64)

    def __call__(self, item: Judgement, found: Deliveries | None) -> None:
        """Take a batch, and what was delivered of it."""
        packets, frames, verdicts = item[:3]
        if frames is None or verdicts is None or not len(packets):
            return
        times, lengths = packets.timestamps, packets.lengths
        self._span(int(times.min()), int(times.max()))
        ends = self._pairs(frames)
        self.talks.add(ends, lengths)
        dropped = np.flatnonzero(verdicts.action == Action.DROP)
        decided = [column[dropped] for column in _deciders(verdicts)]
        self.drops.add([times[dropped], *decided], lengths[dropped])
        self.refused.add([*(column[dropped] for column in ends), *decided], lengths[dropped])
        self._note_senders(verdicts)
        if found is None:
            self._add_sent(times, verdicts)
        else:
            self._add_delivered(times, found)

    def _span(self, first: int, last: int) -> None:
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)

    def _pairs(self, frames: FrameBatch) -> Columns:
        """Both ends of each frame: kind, high and low of each."""
        fields = decoded(frames, sorted({*IP_COLUMNS, *MAC_COLUMNS}))
        found: Columns = []
        for which, address in zip(("SOURCE", "DEST"), self._ends(frames), strict=True):
            found += _end_columns(fields, which, address, np.isin(address, self._known))
        return found

    def _note_senders(self, verdicts: Verdicts) -> None:
        """Which tees and watches sent anything."""
        for side in (verdicts.sender, verdicts.receiver):
            if side is None or not side.sends:
                continue
            reached = None if side is verdicts.sender else verdicts.delivered_to_receiver
            for entry, capability in _copying(side):
                sends = entry >= 0 if reached is None else (entry >= 0) & reached
                pairs = (capability[sends].astype(np.int64) + 1) << 32 | entry[sends]
                self.sent.update(
                    ((pair >> 32) - 1, pair & 2**32 - 1) for pair in np.unique(pairs).tolist()
                )

    def _add_sent(self, times: npt.NDArray[np.int64], verdicts: Verdicts) -> None:
        """Copies as rules send them: nobody knows whether they arrive."""
        for copy in verdicts.copy_columns():
            index = np.flatnonzero(copy.sent)
            kind = np.full(len(index), Kind[copy.kind.upper()], np.int64)
            self.copies.add([times[index], kind, copy.target[index]], copy.length[index])

    def _add_delivered(self, times: npt.NDArray[np.int64], found: Deliveries) -> None:
        self.sent_lines.update(np.unique(found.line[found.line > 0]).tolist())
        here = found.where(found.fate == Fate.ARRIVED)
        keys: Columns = [times[here.frame], here.kind, here.to]
        self.copies.add(keys, here.length * here.times, here.times)

    def merge(self, other: Overview) -> None:
        """Add what another overview of the same policy gathered."""
        self.drops.merge(other.drops)
        self.copies.merge(other.copies)
        self.refused.merge(other.refused)
        self.talks.merge(other.talks)
        if other.first is not None and other.last is not None:
            self._span(other.first, other.last)
        self.sent |= other.sent
        self.sent_lines |= other.sent_lines

    def to_json(self) -> dict[str, Any]:
        """All of it as one JSON-ready object, which `read` reads back."""
        return {
            **{name: getattr(self, name).to_json() for name in _SUMS},
            "first": self.first,
            "last": self.last,
            "sent": sorted(self.sent),
            "sent_lines": sorted(self.sent_lines),
        }

    def read(self, document: Any) -> None:
        """Add what `to_json` wrote; raises UsageError for anything else."""
        try:
            for name in _SUMS:
                getattr(self, name).read(document[name])
            if document["first"] is not None:
                self._span(int(document["first"]), int(document["last"]))
            self.sent.update((int(own), int(at)) for own, at in document["sent"])
            self.sent_lines.update(map(int, document["sent_lines"]))
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            what = f"this is not an overview: {type(error).__name__} at {error}"
            raise usage(what, "give what Overview.to_json wrote") from None


_SUMS = ("drops", "copies", "refused", "talks")


def decider_of(key: Sequence[int]) -> Decider:
    """A decider out of the last numbers of a key."""
    action, side, capability, entry = key[-4:]
    return Decider(VERDICTS[Action(action)], ("sender", "receiver")[side], capability, entry)


def ends_of(key: Key) -> tuple[End, End]:
    """Source and dest out of the first numbers of a key."""
    return End(*key[:3]), End(*key[3:6])


def _deciders(verdicts: Verdicts) -> Columns:
    entry = verdicts.entry.astype(np.int64)
    if verdicts.unasked is not None:
        entry -= verdicts.unasked
    return [verdicts.action, verdicts.side, verdicts.capability, entry]


def _copying(side: SideVerdicts) -> list[tuple[npt.NDArray[np.int32], npt.NDArray[Any]]]:
    """(entries that copy, their capabilities) of the base rules and of the accepting capability."""
    base: npt.NDArray[np.int32] = side.copy_entry
    own: npt.NDArray[np.int32] = side.capability_copy_entry
    return [(base, np.full(len(base), -1, np.int64)), (own, side.capability)]


def _end_columns(
    fields: Mapping[int, npt.NDArray[Any]],
    which: str,
    address: npt.NDArray[np.uint64],
    is_member: npt.NDArray[np.bool_],
) -> Columns:
    """Kind, high and low of one end of each frame."""
    kinds, missing = fields[Column.KIND], fields[Column.MISSING]
    ip = (missing & np.uint32(Reads[f"IP_{which}"] | Missing[f"IP6_{which}"])) == 0
    is4, is6 = (ip & ((kinds & bit) != 0) for bit in (FrameKind.IPV4, FrameKind.IPV6))
    has_mac = (missing & np.uint32(Reads[f"MAC_{which}"])) == 0
    chosen = [is_member, is4, is6, has_mac]
    low = [
        address,
        fields[Column[f"IP4_{which}"]].astype(np.uint64),
        fields[Column[f"IP6_{which}_LOW"]],
        fields[Column[f"MAC_{which}"]],
    ]
    wide = is6 & ~is_member & ~is4
    return [
        np.select(chosen, [np.int64(kind) for kind in (_MEMBER, 4, 6, _MAC)], _UNKNOWN),
        np.where(wide, fields[Column[f"IP6_{which}_HIGH"]], np.uint64(0)),
        np.select(chosen, low, np.uint64(0)),
    ]
