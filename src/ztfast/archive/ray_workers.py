"""Workers of a Ray cluster: each segment a task, its outcome a few kilobytes.

Contract: as `archive.dask_workers`.  Ray runs a task again whose worker died, three times; after
that the segment is a failure by name.  Where nothing moves for `patience` seconds and the cluster
has no processors, or cannot be asked, the job ends and says so.  Tasks are pickles: a cluster is
for a private network only.
Tested by tests/archive/test_ray_workers.py.
"""

from __future__ import annotations

import contextlib
import importlib
import time
from collections.abc import Iterator, Sequence
from typing import Any

from ztfast.archive.segments import Segment
from ztfast.archive.shared import lost, refuse_relative
from ztfast.archive.work import Outcome, Work, attempted
from ztfast.errors import usage

PATIENCE = 60.0
_RETRIES = 3
_LOOK = 1.0


class RayWorkers:
    """Whoever works for a cluster.

    address: `ray://HOST:PORT` of one, or what else `ray.init` takes; None: that of RAY_ADDRESS, or
    one of this machine, begun here.  Raises UsageError without Ray, BackendError where nobody
    answers.
    """

    def __init__(self, address: str | None = None, *, patience: float = PATIENCE) -> None:
        self._patience = patience
        try:
            self._ray: Any = importlib.import_module("ray")
        except ImportError:
            raise usage("Ray is not installed", "pip install 'ztfast[ray]'") from None
        try:
            self._ray.init(
                address, ignore_reinit_error=True, log_to_driver=False, logging_level="ERROR"
            )
        except Exception as error:  # ConnectionError, TimeoutError, gRPC's own
            where = "here" if address is None else f"at {address}"
            raise lost(f"no Ray cluster answers {where}: {error!r:.200}") from None

    def outcomes(self, work: Work, segments: Sequence[Segment]) -> Iterator[Outcome]:
        """Each segment's outcome, as they come.

        Raises BackendError where the cluster is gone.
        """
        refuse_relative(work.out, segments)
        ray = self._ray
        waiting: dict[Any, Segment] = {}
        try:
            task = ray.remote(num_cpus=1, max_retries=_RETRIES)(attempted)
            waiting.update((task.remote(work, segment), segment) for segment in segments)
            moved = time.monotonic()
            while waiting:
                done, _ = ray.wait(list(waiting), num_returns=1, timeout=_LOOK)
                for reference in done:
                    moved = time.monotonic()
                    yield self._outcome(reference, waiting.pop(reference))
                if time.monotonic() - moved >= self._patience:
                    self._look()
                    moved = time.monotonic()
        except (ConnectionError, ray.exceptions.RaySystemError) as error:
            raise lost(f"the Ray cluster is gone: {error!r:.200}") from None
        finally:
            with contextlib.suppress(Exception):
                for reference in waiting:
                    ray.cancel(reference, force=True)

    def _outcome(self, reference: Any, segment: Segment) -> Outcome:
        try:
            outcome = self._ray.get(reference)
        except self._ray.exceptions.RaySystemError:
            raise
        except self._ray.exceptions.RayError as error:  # the workers died, each time
            text = " ".join(str(error).split())
            return Outcome(
                segment, failure=f"submitted {_RETRIES + 1} times, last error: {text:.200}"
            )
        assert isinstance(outcome, Outcome)
        return outcome

    def _look(self) -> None:
        """Is there anybody to work?"""
        if not self._ray.cluster_resources().get("CPU"):
            raise lost(f"the Ray cluster has had no processors for {self._patience:.0f} seconds")

    def close(self) -> None:
        """Let go of the cluster; one that was begun here ends."""
        self._ray.shutdown()
