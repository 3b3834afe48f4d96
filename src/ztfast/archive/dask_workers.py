"""Workers of a Dask cluster: each segment a task, its outcome a few kilobytes.

Contract: the engine travels pickled in each task, never scattered: what is scattered is lost with
the workers that hold it.  A segment whose workers died as often as Dask allows is handed in again,
three times, and is then a failure by name.  Where nothing moves for `patience` seconds, what waits
is handed in again; where there are no workers, or no scheduler, the job ends and says what is
missing.  Tasks are pickles: a cluster is for TLS or a private network only.
Tested by tests/archive/test_dask_workers.py.
"""

from __future__ import annotations

import importlib
import time
import uuid
from collections.abc import Iterator, Sequence
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

from ztfast.archive.segments import Segment
from ztfast.archive.shared import lost, refuse_relative
from ztfast.archive.work import Outcome, Work, attempted
from ztfast.errors import usage

PATIENCE = 60.0
_MOST_TIMES = 4  # that a segment is handed in
_LOOK = 1.0


class DaskWorkers:
    """Whoever works for a scheduler.

    address: as `tcp://HOST:PORT`.  client: one that is open, instead (with TLS, say).
    Raises UsageError without Dask, BackendError where nobody answers.
    """

    def __init__(
        self, address: str | None = None, *, client: Any = None, patience: float = PATIENCE
    ) -> None:
        self._patience = patience
        self._client = client
        if client is None:
            try:
                distributed: Any = importlib.import_module("distributed")
            except ImportError:
                raise usage("Dask is not installed", "pip install 'ztfast[dask]'") from None
            try:
                self._client = distributed.Client(address, timeout=10, set_as_default=False)
            except OSError as error:
                raise lost(f"no Dask scheduler answers at {address}: {error}") from None

    def outcomes(self, work: Work, segments: Sequence[Segment]) -> Iterator[Outcome]:
        """Each segment's outcome, as they come.

        Raises BackendError where the workers or the scheduler are gone.
        """
        refuse_relative(work.out, segments)
        run = _Run(self._client, work, self._patience)
        try:
            yield from run.outcomes(segments)
        finally:
            run.end()

    def close(self) -> None:
        """Let go of the cluster."""
        self._client.close()


class _Run:
    """Segments that were handed in, until each has its outcome."""

    def __init__(self, client: Any, work: Work, patience: float) -> None:
        self._client, self._work, self._patience = client, work, patience
        self._done: SimpleQueue[tuple[Segment, Any]] = SimpleQueue()
        self._waiting: dict[Segment, Any] = {}
        self._times: dict[Segment, int] = {}
        self._moved = time.monotonic()

    def outcomes(self, segments: Sequence[Segment]) -> Iterator[Outcome]:
        for segment in segments:
            self._hand_in(segment)
        while self._waiting:
            try:
                segment, future = self._done.get(timeout=_LOOK)
            except Empty:
                self._look()
                continue
            if self._waiting.get(segment) is not future:
                continue  # it was handed in again meanwhile
            self._moved = time.monotonic()
            outcome = self._outcome(segment, future)
            if outcome is not None:
                self._waiting.pop(segment).release()
                yield outcome

    def _hand_in(self, segment: Segment) -> None:
        self._times[segment] = self._times.get(segment, 0) + 1
        key = f"ztfast-{segment.id}-{uuid.uuid4().hex[:8]}"
        future = self._client.submit(attempted, self._work, segment, key=key, pure=False)
        self._waiting[segment] = future
        future.add_done_callback(partial(_put, self._done, segment))

    def _outcome(self, segment: Segment, future: Any) -> Outcome | None:
        """What a future gave; None where it was handed in again."""
        if future.status == "finished":
            outcome = future.result()
            assert isinstance(outcome, Outcome)
            return outcome
        if future.status == "cancelled":
            raise lost("Dask's scheduler is gone")
        error = future.exception()
        if self._times[segment] < _MOST_TIMES:
            self._hand_in(segment)
            return None
        return Outcome(
            segment, failure=f"submitted {_MOST_TIMES} times, last error: {error!r:.200}"
        )

    def _look(self) -> None:
        """Does anything still move?"""
        if self._client.status not in ("running", "connecting"):
            raise lost("Dask's scheduler is gone")
        if time.monotonic() - self._moved < self._patience:
            return
        if not self._client.nthreads():
            raise lost(f"the Dask cluster has had no workers for {self._patience:.0f} seconds")
        self._moved = time.monotonic()
        if any(self._client.processing().values()):
            return  # a long segment
        for segment in [*self._waiting]:
            if self._times[segment] >= _MOST_TIMES:
                raise lost("the Dask cluster has workers, but runs none of the segments")
            self._waiting[segment].cancel()
            self._hand_in(segment)

    def end(self) -> None:
        """Give up what is still waiting."""
        if self._waiting and self._client.status == "running":
            self._client.cancel([*self._waiting.values()], force=True)


def _put(done: SimpleQueue[tuple[Segment, Any]], segment: Segment, future: Any) -> None:
    """What Dask calls, in a thread of its own, when a future is done."""
    done.put((segment, future))
