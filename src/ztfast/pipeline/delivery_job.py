"""Delivering captures: batch after batch, rows and captures written, to the end or what stops it.

Contract: as pipeline.job: a batch is written and counted as a whole or not at all; errors end
the reading, never what was done before.  Nothing is printed here.
Tested by tests/cli/test_deliver.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ztfast.capture.many import Captures
from ztfast.capture.packets import PacketBatch
from ztfast.engine.engine import Engine
from ztfast.errors import Diagnostic, OutputError, UsageError, ZtfastError, usage
from ztfast.frames.batch import FrameBatch
from ztfast.frames.links import is_known, unknown_linktype
from ztfast.network.members import Network
from ztfast.pipeline.deliver import Deliveries, deliver
from ztfast.pipeline.delivery_outputs import (
    DELIVERY_COLUMNS,
    delivery_rows,
    split_deliveries,
)
from ztfast.pipeline.delivery_tally import DeliveryTally
from ztfast.sinks.files import SplitSink
from ztfast.sinks.signals import shielded
from ztfast.sinks.tables import TableSink

Show = Callable[[dict[str, Any], Deliveries], None]


class DeliveryJob:
    """One run over captures.  `tally` counts, `problems` is what went wrong."""

    def __init__(
        self,
        engine: Engine,
        source: Captures,
        *,
        split: str | None = None,
        table: str | None = None,
    ) -> None:
        if engine.network is None:
            raise usage("delivery needs the network's members", "give --network FILE")
        self.network: Network = engine.network
        self.tally = DeliveryTally()
        self.problems: list[Diagnostic] = []
        self.interrupted = False
        self._engine, self._source = engine, source
        how: dict[str, Any] = {"unify": source.merge, "several": len(source.paths) > 1}
        # the folder first: it opens no file yet, so nothing is left behind where the table fails
        self._folder = None if split is None else SplitSink(split, **how)
        self._table = None if table is None else TableSink(table, DELIVERY_COLUMNS)

    def work(self, show: Show | None = None) -> None:
        """Deliver every frame; `show` is given each batch's rows and deliveries."""
        try:
            for packets in self._source:
                self._take(packets, show)
        except KeyboardInterrupt:
            self.interrupted = True
        except UsageError:
            raise
        except ZtfastError as error:
            self.problems.extend(error.diagnostics)
        self._close()

    def _take(self, packets: PacketBatch, show: Show | None) -> None:
        if not len(packets):
            return
        if not is_known(packets.linktype):
            problem = unknown_linktype(packets.linktype, packets.path, "")
            if problem not in self.problems:  # once a link type, however many batches
                self.problems.append(problem)
            return
        frames = FrameBatch.from_packets(packets)
        found = deliver(self._engine, frames, first=packets.first)
        with shielded():
            if show is not None or self._table is not None:
                rows = dict(delivery_rows(packets, found, self.network))
                if show is not None:
                    show(rows, found)
                if self._table is not None:
                    self._table.write(rows)
            if self._folder is not None:
                split_deliveries(self._folder, packets, frames, found)
            self.tally.add(len(packets), found)

    def _close(self) -> None:
        for sink in (self._table, self._folder):
            try:
                if sink is not None:
                    sink.close()
            except OutputError as error:
                self.problems.extend(error.diagnostics)

    def findings(self) -> list[Diagnostic]:
        """The reader's, then the others."""
        found = list(self._source.diagnostics)
        return found + [problem for problem in self.problems if problem not in found]

    @property
    def failed(self) -> bool:
        """Was anything damaged, unreadable, or not to be written?"""
        found = any(problem.severity == "error" for problem in self.findings())
        return found or bool(self._source.session.damages)
