"""What `ztfast deliver` counts and writes: a tally of fates, rows of a table, a capture a member.

Contract: everything is columns; nothing is done per copy in Python but the texts of rows that
are asked for.  Tested by tests/cli/test_deliver.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ztfast.capture.packets import PacketBatch
from ztfast.frames.batch import FrameBatch
from ztfast.network.members import Network
from ztfast.pipeline.deliver import Deliveries, Fate, Kind
from ztfast.pipeline.split import header_lengths
from ztfast.pipeline.tally import Count
from ztfast.sinks.files import SplitSink
from ztfast.sinks.tables import TIME, Column

DELIVERY_COLUMNS = (
    Column("number", "int64"),
    Column("time", TIME),
    Column("to", "text", 10),
    Column("to_name", "text", 64),
    Column("kind", "text", 9),
    Column("sent_by", "text", 10),
    Column("sent_by_name", "text", 64),
    Column("length", "uint32"),
    Column("line", "int32"),
    Column("fate", "text", 24),
    Column("fate_line", "int32"),
)
WHY = {
    Fate.ARRIVED: "arrived",
    Fate.RULES: "dropped by its rules",
    Fate.NO_MEMBER: "no such member",
    Fate.OWN_FRAME: "its own frame",
    Fate.FOREIGN_SOURCE: "source MAC not sender's",
    Fate.FOREIGN_DEST: "not its MAC, no bridge",
    Fate.MULTICAST_OFF: "multicast is off",
    Fate.ENDLESS: "never ends, given up",
}
_KINDS = np.array([kind.name.lower() for kind in Kind], object)
_FATES = np.array([WHY[fate] for fate in Fate], object)


class Names:
    """Members by address: their names, or the address as ten hex digits."""

    def __init__(self, network: Network) -> None:
        self._names = {member.address: member.name for member in network.members if member.name}

    def __call__(self, address: int) -> str:
        """The name of one."""
        return self._names.get(address) or f"{address:010x}"

    def texts(self, addresses: npt.NDArray[np.uint64]) -> npt.NDArray[np.object_]:
        """The name of each address."""
        return _texts(addresses, self)

    def width(self) -> int:
        """Characters that the longest takes."""
        return max([10, *map(len, self._names.values())])


def _texts(addresses: npt.NDArray[np.uint64], text: Any) -> npt.NDArray[np.object_]:
    different, which = np.unique(addresses, return_inverse=True)
    found = np.array([text(address) for address in different.tolist()], object)
    return found[which] if len(found) else np.zeros(0, object)


def delivery_rows(
    packets: PacketBatch, found: Deliveries, names: Names
) -> Mapping[str, npt.NDArray[Any]]:
    """The columns of `DELIVERY_COLUMNS`; frames are numbered from 1 over the whole input."""
    return {
        "number": packets.first + found.frame + 1,
        "time": packets.timestamps[found.frame],
        "to": _texts(found.to, "{:010x}".format),
        "to_name": names.texts(found.to),
        "kind": _KINDS[found.kind],
        "sent_by": _texts(found.sent_by, "{:010x}".format),
        "sent_by_name": names.texts(found.sent_by),
        "length": found.length,
        "line": found.line,
        "fate": _FATES[found.fate],
        "fate_line": found.fate_line,
    }


def split_deliveries(
    sink: SplitSink, packets: PacketBatch, frames: FrameBatch, found: Deliveries
) -> None:
    """Write what each member's tap sees, to `member-ADDRESS`, in order, with original lengths."""
    arrived = found.arrived
    header = header_lengths(packets, frames)
    for address, where in _grouped(arrived.to):
        index = arrived.frame[where]
        payload = arrived.length[where].astype(np.int64) - 14
        sink.cut(f"member-{address:010x}", packets, index, payload, header[index])


def _grouped(values: npt.NDArray[np.uint64]) -> Iterator[tuple[int, npt.NDArray[np.intp]]]:
    for value in np.unique(values).tolist():
        yield value, np.flatnonzero(values == value)


class DeliveryTally:
    """Frames of the capture, and what was sent for them by kind, target, fate and its line."""

    def __init__(self) -> None:
        self.frames = 0
        self.sent: dict[tuple[Kind, int, Fate, int], Count] = {}

    def add(self, frames: int, found: Deliveries) -> None:
        """Count a batch's deliveries: by kind, target, fate and the line that decided."""
        self.frames += frames
        key = np.stack(
            [found.kind.astype(np.uint64), found.to, found.fate.astype(np.uint64),
             found.fate_line.astype(np.uint64)], 1
        )  # fmt: skip
        different, which = np.unique(key, axis=0, return_inverse=True)
        counts = np.bincount(which.reshape(-1), minlength=len(different))
        sums = np.bincount(which.reshape(-1), weights=found.length, minlength=len(different))
        rows = zip(different.tolist(), counts.tolist(), sums.tolist(), strict=True)
        for (kind, to, fate, line), count, sum_ in rows:
            place = Kind(kind), to, Fate(fate), line
            self.sent[place] = self.sent.get(place, Count()).plus(count, int(sum_))

    def total(self, *fates: Fate) -> int:
        """Sendings with one of these fates; none named: all."""
        wanted = fates or tuple(Fate)
        return sum(count.frames for (_, _, fate, _), count in self.sent.items() if fate in wanted)


def summary(tally: DeliveryTally, names: Names) -> Iterator[str]:
    """What a person wants to know first: how much arrived, and what did not, most first."""
    sent, arrived = tally.total(), tally.total(Fate.ARRIVED)
    yield f"{tally.frames:,} frames, {sent:,} sendings, {arrived:,} arrived"
    lost = [(key, count) for key, count in tally.sent.items() if key[2] != Fate.ARRIVED]
    lost.sort(key=lambda item: (-item[1].frames, item[0]))
    for (kind, to, fate, line), count in lost[:_MAX_LOST]:
        where = f", line {line}" if line and fate == Fate.RULES else ""
        yield f"{count.frames:,} by {kind.name.lower()} to {names(to)}: {WHY[fate]}{where}"
    if len(lost) > _MAX_LOST:
        rest = sum(count.frames for _, count in lost[_MAX_LOST:])
        yield f"{rest:,} more did not arrive (--refused shows each)"


_MAX_LOST = 12
