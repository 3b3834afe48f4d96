"""Workers on this machine: processes of their own, so that one that dies takes nothing with it.

Contract: each worker has one segment at a time.  Where it dies (kill -9, out of memory) the segment
is given to another; one that three workers died of is a failure, by name, and the others go on.
Workers end with this process, however it ends.
Tested by tests/archive/test_local.py.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from ztfast.archive.segments import Segment
from ztfast.archive.work import Outcome, Work

MOST_DEATHS = 3
_HOME = str(Path(__file__).parents[2])


class _Task(NamedTuple):
    segment: Segment
    deaths: int = 0


class LocalWorkers:
    """So many processes; None: one for each processor that this one may use."""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or _processors()

    def outcomes(self, work: Work, segments: Sequence[Segment]) -> Iterator[Outcome]:
        """Each segment's outcome, as they come."""
        tasks: SimpleQueue[_Task | None] = SimpleQueue()
        found: SimpleQueue[Outcome] = SimpleQueue()
        for segment in segments:
            tasks.put(_Task(segment))
        team = [_Worker(work) for _ in range(min(self.workers, len(segments)))]
        threads = [
            threading.Thread(target=_keep_busy, args=(worker, tasks, found), daemon=True)
            for worker in team
        ]
        for thread in threads:
            thread.start()
        try:
            for _ in segments:
                yield found.get()
        finally:
            for _ in team:
                tasks.put(None)
            for worker, thread in zip(team, threads, strict=True):
                worker.end()
                thread.join()


def _keep_busy(
    worker: _Worker, tasks: SimpleQueue[_Task | None], found: SimpleQueue[Outcome]
) -> None:
    """Give a worker task after task, and a task whose worker died to the next that is free."""
    while (task := tasks.get()) is not None and not worker.ended:
        outcome = worker.ask(task.segment)
        if outcome is None and task.deaths + 1 < MOST_DEATHS:
            tasks.put(_Task(task.segment, task.deaths + 1))
        elif outcome is None:
            failure = f"{MOST_DEATHS} workers died of it, the last by {worker.death}"
            found.put(Outcome(task.segment, failure=failure))
        else:
            found.put(outcome)


class _Worker:
    """A process that takes pickled segments and gives pickled outcomes, begun when it is asked."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._process: subprocess.Popen[bytes] | None = None
        self.death = ""
        self.ended = False

    def ask(self, segment: Segment) -> Outcome | None:
        """What became of a segment; None where the process died, or could not be begun."""
        try:
            process = self._process = self._process or self._begun()
        except OSError as error:
            self.death = str(error)
            return None
        if self.ended:
            process.kill()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            pickle.dump(segment, process.stdin)
            process.stdin.flush()
            outcome = pickle.load(process.stdout)
        except (OSError, EOFError, ValueError, pickle.UnpicklingError):
            self._bury(process)
            return None
        assert isinstance(outcome, Outcome)
        return outcome

    def _begun(self) -> subprocess.Popen[bytes]:
        path = os.pathsep.join(filter(None, (_HOME, os.environ.get("PYTHONPATH"))))
        process = subprocess.Popen(
            [sys.executable, "-m", "ztfast.archive.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
        )
        assert process.stdin is not None
        with contextlib.suppress(OSError):  # what died at once is found when it is asked
            pickle.dump(self._work, process.stdin)
            process.stdin.flush()
        return process

    def _bury(self, process: subprocess.Popen[bytes]) -> None:
        self._process = None
        process.kill()
        status = process.wait()
        with contextlib.suppress(ValueError):
            self.death = signal.Signals(-status).name
        self.death = self.death or f"exit status {status}"
        _close(process)

    def end(self) -> None:
        """End the process, whatever it does."""
        self.ended = True
        process = self._process
        if process is not None:
            process.terminate()
            process.wait()
            _close(process)


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError, ValueError):
                pipe.close()


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
