"""What `ztfast deliver` writes: rows of a table, and a capture for each member.

Contract: everything is columns; nothing is done per copy in Python.
Tested by tests/cli/test_deliver.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ztfast.capture.packets import PacketBatch
from ztfast.errors import Diagnostic
from ztfast.frames.batch import FrameBatch
from ztfast.network.members import Network
from ztfast.pipeline.deliveries import WHY, Deliveries, Fate, Kind
from ztfast.pipeline.outputs import OutputOptions, Sink, close_all
from ztfast.pipeline.split import grouped, header_lengths
from ztfast.sinks.columns import TIME, Column
from ztfast.sinks.earlier import CLEAN
from ztfast.sinks.files import SplitSink
from ztfast.sinks.tables import TableSink
from ztfast.sinks.text_columns import coded, each_once

if TYPE_CHECKING:
    from ztfast.capture.many import Captures

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
_KINDS = [kind.name.lower() for kind in Kind]
_FATES = [WHY[fate] for fate in Fate]


def name_width(network: Network) -> int:
    """Characters that the longest of the members' names takes, and an address."""
    return max([10, *(len(network.member_name(member.address)) for member in network.members)])


def delivery_rows(packets: PacketBatch, found: Deliveries, network: Network) -> Mapping[str, Any]:
    """The columns of `DELIVERY_COLUMNS`; frames are numbered from 1 over the whole input."""
    return {
        "number": packets.first + found.frame + 1,
        "time": packets.timestamps[found.frame],
        "to": each_once(found.to, "{:010x}".format),
        "to_name": each_once(found.to, network.member_name),
        "kind": coded(_KINDS, found.kind),
        "sent_by": each_once(found.sent_by, "{:010x}".format),
        "sent_by_name": each_once(found.sent_by, network.member_name),
        "length": found.length,
        "line": found.line,
        "fate": coded(_FATES, found.fate),
        "fate_line": found.fate_line,
    }


class DeliveryOutputs:
    """The files of one run: a folder with a capture a member, a table.

    Raises OutputError or UsageError where one cannot be opened; nothing is left behind then.
    """

    def __init__(self, source: Captures, options: OutputOptions) -> None:
        # The folder first: it opens no file yet, so there is nothing to discard.
        self._folder: SplitSink | None = None
        if options.split is not None:
            self._folder = SplitSink(
                options.split,
                unify=source.merge,
                several=len(source.paths) > 1,
                clean=options.earlier == CLEAN,
            )
        table = options.table
        self.table = TableSink(table, DELIVERY_COLUMNS) if table is not None else None

    def write(self, packets: PacketBatch, frames: FrameBatch, found: Deliveries) -> None:
        """Write what each member's tap sees of a batch; raises OutputError."""
        if self._folder is not None:
            split_deliveries(self._folder, packets, frames, found)

    def close(self) -> list[Diagnostic]:
        """Finish every file; the errors of those that could not be."""
        opened: list[Sink | None] = [self.table, self._folder]
        return close_all(sink for sink in opened if sink is not None)


def split_deliveries(
    sink: SplitSink, packets: PacketBatch, frames: FrameBatch, found: Deliveries
) -> None:
    """Write what each member's tap sees, to `member-ADDRESS`, in order, with original lengths."""
    arrived = found.arrived
    header = header_lengths(packets, frames)
    for address, where in grouped(arrived.to):
        index = arrived.frame[where]
        payload = arrived.length[where].astype(np.int64) - 14
        sink.cut(f"member-{address:010x}", packets, index, payload, header[index])
