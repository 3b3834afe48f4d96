"""Delivering captures: batch after batch, rows and captures written, to the end or what stops it.

Contract: as pipeline.job: a batch is written and counted as a whole or not at all; errors end
the reading, never what was done before.  Nothing is printed here.
Tested by tests/pipeline/test_delivery_job.py and tests/cli/test_deliver.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ztfast.capture.many import Captures
from ztfast.capture.packets import PacketBatch
from ztfast.engine.engine import Engine
from ztfast.errors import Diagnostic
from ztfast.frames.batch import FrameBatch
from ztfast.frames.links import is_known
from ztfast.network.members import Network
from ztfast.pipeline.capture_job import CaptureJob, unjudged
from ztfast.pipeline.count import Count, Interface, count_unjudged
from ztfast.pipeline.deliver import Delivery, from_members
from ztfast.pipeline.deliveries import Deliveries
from ztfast.pipeline.delivery_outputs import DeliveryOutputs, delivery_rows
from ztfast.pipeline.delivery_tally import DeliveryTally
from ztfast.pipeline.outputs import OutputOptions
from ztfast.sinks.earlier import REFUSE
from ztfast.sinks.signals import shielded

Show = Callable[[dict[str, Any], Deliveries], None]


class DeliveryJob(CaptureJob):
    """One run over captures: what was sent and arrived so far, and what went wrong.

    from_members: how many of the frames a member sent; the others are nobody's to send.  uncertain:
    of how many frames bytes were read that were not captured.  unjudged: frames of link types that
    are not known, by interface.
    source: opened captures, which the caller closes.  split: a folder for a capture of each
    member's tap.  table: a file for the rows.  earlier, read: as `OutputOptions` and `Job`.
    Raises UsageError where the engine knows no members or judges only one side, or an output would
    take the place of what is read or of an earlier run's.
    """

    def __init__(
        self,
        engine: Engine,
        source: Captures,
        *,
        split: str | None = None,
        table: str | None = None,
        earlier: str = REFUSE,
        read: Iterable[str] = (),
    ) -> None:
        super().__init__(engine, source)
        self._delivery = Delivery(engine)  # raises before anything is opened
        assert engine.network is not None
        self.network: Network = engine.network
        self.tally = DeliveryTally()
        self.from_members = self.uncertain = 0
        self.unjudged: dict[Interface, Count] = {}
        self._outputs: DeliveryOutputs | None = None
        self._options = OutputOptions(split=split, table=table, earlier=earlier)
        self._options.check([*source.paths, *read])

    def work(self, show: Show | None = None) -> None:
        """Deliver to the end, the first error, or Ctrl-C (SIGTERM); then finish what is written.

        show is given each batch's rows and deliveries.  Raises UsageError where an output cannot
        be meant.
        """
        self._work(lambda: self._deliver_all(show))

    def _deliver_all(self, show: Show | None) -> None:
        for packets in self.source:
            if self._outputs is None:
                self._outputs = DeliveryOutputs(self.source, self._options)
            frames = self._frames(packets)
            if len(frames):
                uncertain = np.zeros(len(frames), np.bool_)
                found = self._delivery.deliver(frames, first=packets.first, uncertain=uncertain)
                with shielded():
                    self._take(self._outputs, packets, frames, found, show)
                    self.uncertain += int(uncertain.sum())

    def _frames(self, packets: PacketBatch) -> FrameBatch:
        """The frames of a batch; none of a link type that is not known, which are counted."""
        if is_known(packets.linktype):
            return FrameBatch.from_packets(packets)
        if len(packets):
            count_unjudged(self.unjudged, packets)
        return FrameBatch.from_frames([])

    def _take(
        self,
        outputs: DeliveryOutputs,
        packets: PacketBatch,
        frames: FrameBatch,
        found: Deliveries,
        show: Show | None,
    ) -> None:
        """Show, write and count one batch."""
        if show is not None or outputs.table is not None:
            rows = dict(delivery_rows(packets, found, self.network))
            if show is not None:
                show(rows, found)
            if outputs.table is not None:
                outputs.table.write(rows)
        outputs.write(packets, frames, found)
        self.tally.add(len(packets), found)
        self.from_members += int(from_members(self.engine, frames).sum())

    def findings(self) -> list[Diagnostic]:
        """The reader's first, then the others; last the interfaces that were not judged."""
        return super().findings() + unjudged(self.unjudged)

    def _close(self) -> list[Diagnostic]:
        return self._outputs.close() if self._outputs is not None else []
