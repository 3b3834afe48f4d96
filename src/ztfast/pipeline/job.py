"""A job: captures judged, counted and written, batch by batch, to the end or to what stops it.

Contract: a batch is counted and written as a whole or not at all, also where Ctrl-C comes
in between; errors end the reading, never what was done before.  Nothing is printed here.
Tested by tests/pipeline/test_job.py, test_job_merged.py and tests/cli/test_filter.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ztfast.capture.many import Captures
from ztfast.engine.engine import Engine
from ztfast.engine.network_verdicts import Verdicts
from ztfast.errors import Diagnostic
from ztfast.frames.batch import FrameBatch
from ztfast.pipeline.apart import ApartFrames
from ztfast.pipeline.capture_job import CaptureJob, unjudged
from ztfast.pipeline.judge import Judgement, judgements
from ztfast.pipeline.outputs import OutputOptions
from ztfast.pipeline.tally import Tally
from ztfast.sinks.signals import shielded

if TYPE_CHECKING:
    from ztfast.pipeline.deliver import Delivery
    from ztfast.pipeline.deliveries import Deliveries
    from ztfast.pipeline.outputs import Outputs
    from ztfast.sinks.files import Written

Progress = Callable[[int, int], None]  # frames more, bytes of the input done altogether
# is shown every batch with its verdicts, and where members are known what was delivered of it
Observer = Callable[[Judgement, "Deliveries | None"], None]


class Job(CaptureJob):
    """One run over captures: what was counted so far, what went wrong, and what was written.

    source: opened captures, which the caller closes.  outputs: what to write.  vlan, threads:
    as for `pipeline.judge`.  read: files besides the captures that no output may replace.
    observers: who is shown each batch, judged, before it is counted.  Raises UsageError where an
    output would take the place of what is read or of an earlier run's.
    """

    def __init__(
        self,
        engine: Engine,
        source: Captures,
        outputs: OutputOptions | None = None,
        *,
        vlan: str = "tag",
        threads: int = 1,
        read: Iterable[str] = (),
        observers: Iterable[Observer] = (),
    ) -> None:
        super().__init__(engine, source)
        self._observers = tuple(observers)
        self.tally = Tally(engine.policy)
        self._outputs: Outputs | None = None
        self._options = outputs if outputs is not None else OutputOptions()
        self._options.check([*source.paths, *read])
        self._vlan, self._threads = vlan, threads
        # who gets copies and redirects is known where the members are
        self._delivers = engine.can_deliver and engine.forwards
        self._apart = ApartFrames()

    def work(self, progress: Progress | None = None) -> None:
        """Read to the end, the first error, or Ctrl-C (SIGTERM); then finish what is written.

        progress is called behind each batch.  Raises UsageError where an output cannot be meant.
        """
        self._work(lambda: self._judge_all(progress))

    def _judge_all(self, progress: Progress | None) -> None:
        counts = not self._options.every_frame and not self._observers
        if counts and self._counted_unmerged(progress):
            return
        if counts and self._threads > 1:
            self._share(progress)
        for item in judgements(
            self.engine,
            self.source,
            vlan=self._vlan,
            threads=self._threads,
            counts=counts,
            keeps=self._options.anything,
            follows=self._delivers,
            defers=not self._options.anything,
        ):
            with shielded():
                self._take(item)
            if progress is not None:
                progress(item.packets.scanned, self.source.done_bytes)
        if progress is not None:
            progress(0, self.source.done_bytes)  # the last window is through

    @property
    def _ordered(self) -> bool:
        """Does anything that is written or counted depend on the order in which frames are read?"""
        some = self._options.anything or self.source.limit is not None
        return some or self.source.session.resync or self.engine.draws

    def _counted_unmerged(self, progress: Progress | None) -> bool:
        """Count captures that are to be merged one after the other, where no figure has an order.

        Frames are judged while they are found then.  False where that does not do: nothing is
        counted.  How much of a merge is read before damage, and what captures without a known link
        type are called, depends on the order: what such a reading found is forgotten.
        """
        source = self.source
        if not source.merge or not source.regular or self._ordered:
            return False
        with source.unmerged() as plain:
            job = Job(self.engine, plain, vlan=self._vlan, threads=self._threads)
            job.tally = self.tally  # what was counted before Ctrl-C stays so
            job.work(progress)
            if not job.interrupted and (job.findings() or not plain.session.frames):
                self.tally = Tally(self.engine.policy)
                if progress is not None:
                    progress(-plain.session.frames, 0)
                return False
            source.read_by(plain)
            self.interrupted = job.interrupted
        return True

    def _share(self, progress: Progress | None) -> None:
        """Let processes count, where nothing depends on a frame's number or has its order."""
        source = self.source
        if source.merge or self._ordered:
            return
        from ztfast.pipeline.processes import SharedCount  # start-up stays short

        def count(part: Captures) -> Tally | None:
            job = Job(self.engine, part, vlan=self._vlan)
            job.work()
            return job.tally if job.complete else None

        def done(frames: int, upto: int) -> None:
            if progress is not None:
                progress(frames, source.done_bytes + upto)

        shared = SharedCount(self.engine, self._threads, count, self.tally, done)
        source.open_by(shared.open)

    def _take(self, item: Judgement) -> None:
        """Write and count one batch."""
        found = self._delivered(item) if self._delivers else None
        if self._options.anything:
            # opened late: a capture that cannot be read at all leaves older files as they are
            if self._outputs is None:
                from ztfast.pipeline.outputs import Outputs

                self._outputs = Outputs(self.engine, self.source, self._options)
            self._outputs.write(item, found)
        for observer in self._observers:
            observer(item, found)
        self.tally.count(item, found)
        if item.later is not None:
            self._apart.add(item.later)
            if self._apart.full:
                self._count_apart()

    def _count_apart(self) -> None:
        """Judge and count the frames that were left over so far."""
        if not len(self._apart):
            return
        frames, lengths = self._apart.take()
        verdicts = self.engine.evaluate(frames)
        self.tally.add(verdicts, lengths)
        if self._delivers:
            self.tally.add_deliveries(0, self._followed(frames, verdicts, 0))

    def _delivered(self, item: Judgement) -> Deliveries | None:
        """A batch's copies and redirects; frames that were counted have none."""
        from ztfast.pipeline.deliveries import no_deliveries  # start-up stays short

        judged = item if item.counted is None else item.apart
        if judged is None:
            return no_deliveries()
        if judged.frames is None or judged.verdicts is None:
            return None
        return self._followed(judged.frames, judged.verdicts, judged.packets.first)

    def _followed(self, frames: FrameBatch, verdicts: Verdicts, first: int) -> Deliveries:
        from ztfast.pipeline.deliveries import no_deliveries  # start-up stays short

        only = np.flatnonzero(verdicts.may_send)
        if not len(only):
            return no_deliveries()
        return self._delivery.deliver(frames, first=first, only=only).copies

    @cached_property
    def _delivery(self) -> Delivery:
        """Made at the first frames that are followed; what is counted needs no recipient's name."""
        from ztfast.pipeline.deliver import Delivery

        return Delivery(self.engine, alike=True)

    def _close(self) -> list[Diagnostic]:
        with shielded():
            self._count_apart()  # of batches that were counted
        return self._outputs.close() if self._outputs is not None else []

    @property
    def files(self) -> list[Written]:
        """The captures that were finished."""
        return self._outputs.files if self._outputs is not None else []

    def findings(self) -> list[Diagnostic]:
        """The reader's first, then the others; last the interfaces that were not judged."""
        return super().findings() + unjudged(self.tally.unjudged)
