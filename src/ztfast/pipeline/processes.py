"""Counting in several processes: parts of a capture on the disk, each by a copy of this one.

Contract: `SharedCount.open` opens a capture of which the front was counted already, as far as that
is proved: each part begins exactly where the one before ended, and none was damaged.  What is given
goes on behind it.  So damage, what a process died of and what cannot be cut are read, and told, as
if there were no processes, and the figures are the same.  No process outlives the call.
Tested by tests/pipeline/test_processes.py.

Threads do not do for this: what copies and multicasts come to is counted by many short steps of
Python, which take turns, while a copy of the process has everything that was prepared at once.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import signal
import sys
import warnings
from collections.abc import Callable, Generator, Iterator
from functools import partial
from typing import IO, Any, NamedTuple, NoReturn

from ztfast.capture.many import Captures
from ztfast.capture.open import Capture, open_capture
from ztfast.capture.part_starts import likely_starts
from ztfast.capture.pcap_part import Part, Place, open_part
from ztfast.capture.ranges import DiskFile
from ztfast.capture.session import UNREADABLE, ReadSession
from ztfast.capture.zstd_part import is_zstd
from ztfast.engine.engine import Engine
from ztfast.errors import CaptureError, Diagnostic
from ztfast.pipeline.tally import Tally
from ztfast.sinks.signals import shielded

# Bytes of a part, about, a tenth of a second: each judges its multicasts together (with parts of
# 48 MiB two processes were slower than one), and an interrupted one is lost.
PART = 256 << 20
LEAST = 256 << 20  # bytes for each process: it begins with some 17 ms, and each part costs 4 more
CAN_FORK = sys.platform == "linux"  # elsewhere a copy of the process is slow, or not to be trusted

Progress = Callable[[int, int], None]


class PartCount(NamedTuple):
    """A part that was counted.

    frames: how many it has.  end: where the record behind it begins.  figures: of its tally.
    """

    frames: int
    end: Place
    figures: dict[str, Any]


Answers = Generator["PartCount | None", None, None]


class SharedCount:
    """Opens captures of which so many processes have counted the front.

    count: what counts a part; None where something was wrong with it.  tally: what is proved is
    merged into it.  progress: is called behind each part, with its frames and the byte reached.
    """

    def __init__(
        self,
        engine: Engine,
        processes: int,
        count: Callable[[Captures], Tally | None],
        tally: Tally,
        progress: Progress,
    ) -> None:
        self._engine, self._processes, self._count = engine, processes, count
        self._tally, self._progress = tally, progress

    def open(self, path: str, *, follow: bool, session: ReadSession) -> Capture:
        """As `open_capture`; raises what that does."""
        starts = [] if follow else _starts(path, self._processes)
        if len(starts) < 2:
            return open_capture(path, follow=follow, session=session)
        end = self._counted(path, starts, session)
        if end == starts[0]:
            return open_capture(path, session=session)
        try:
            file = DiskFile(path)
        except OSError as error:
            message = f"cannot be opened: {error.strerror}"
            raise CaptureError(Diagnostic(UNREADABLE, message, path=path)) from error
        return open_part(file, end, file.size, session)

    def _counted(self, path: str, starts: list[Place], session: ReadSession) -> Place:
        """Count a file's parts; where what is not proved begins."""
        end = starts[0]
        stops = [*(start.byte for start in starts[1:]), 1 << 63]
        parts = list(zip(starts, stops, strict=True))
        # where no process can be begun, the rest is read as ever
        with contextlib.suppress(OSError), contextlib.closing(self._found(path, parts)) as found:
            for (start, _), part in zip(parts, found, strict=False):
                if part is None or start != end or part.end <= start:
                    break
                with shielded():
                    self._tally.merge(Tally.from_json(part.figures, self._engine.policy))
                    session.number(part.frames)
                    end = part.end
                self._progress(part.frames, end.byte)
        return end

    def _found(self, path: str, parts: list[tuple[Place, int]]) -> Answers:
        """Each part's count, in their order; None: it is not sound, or its process died."""
        team: list[_Process] = []
        try:
            for number in range(self._processes):
                mine = parts[number :: self._processes]
                team.append(_Process(partial(self._serve, path, mine)))
            for number in range(len(parts)):
                yield team[number % self._processes].answer()
        finally:
            for process in team:
                process.end()

    def _serve(self, path: str, parts: list[tuple[Place, int]]) -> Iterator[PartCount | None]:
        """In a process of its own: what its parts come to."""
        for start, stop in parts:
            yield self._part(path, start, stop)

    def _part(self, path: str, start: Place, stop: int) -> PartCount | None:
        opened_parts: list[Part] = []

        def opened(path: str, *, follow: bool, session: ReadSession) -> Capture:
            del follow
            opened_parts.append(open_part(DiskFile(path), start, stop, session))
            return opened_parts[0]

        with Captures([path], ReadSession(), opened=opened) as source:
            tally = self._count(source)
            end = opened_parts[0].end
            if tally is None or end is None or source.diagnostics:
                return None
            return PartCount(source.session.frames, end, tally.to_json())


def _starts(path: str, processes: int) -> list[Place]:
    """Where parts may begin, as many for each process; none where a file is not cut."""
    if not CAN_FORK or path == "-" or not os.path.isfile(path):
        return []
    try:
        with contextlib.closing(DiskFile(path)) as file:
            share = file.size // processes
            # the place of damage in what is compressed is that in the whole
            if share < LEAST or is_zstd(file):
                return []
            return likely_starts(file, share // max(1, share // PART))
    except OSError:
        return []


class _Process:
    """A copy of this process, and the answers that it writes into a pipe."""

    def __init__(self, serve: Callable[[], Iterator[PartCount | None]]) -> None:
        reading, writing = os.pipe()
        parent = os.getpid()
        with warnings.catch_warnings():
            # Python 3.12 warns of other threads: those of numpy, which the copy never asks
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process = os.fork()
        if not self._process:
            _work(serve, writing, parent)
        os.close(writing)
        self._answers: IO[bytes] = os.fdopen(reading, "rb")

    def answer(self) -> PartCount | None:
        """The next; None where the process died."""
        try:
            found: PartCount | None = pickle.load(self._answers)
        except (EOFError, pickle.UnpicklingError):
            return None
        return found

    def end(self) -> None:
        """End it, whatever it does."""
        self._answers.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)


def _work(serve: Callable[[], Iterator[PartCount | None]], writing: int, parent: int) -> NoReturn:
    """Answer to the end; what goes wrong is found again, and told, by who asked."""
    try:
        gc.freeze()  # what is shared stays so: looking for garbage would copy every page
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        with os.fdopen(writing, "wb") as answers:
            for answer in serve():
                pickle.dump(answer, answers)
                answers.flush()
                if os.getppid() != parent:
                    break
    finally:
        os._exit(0)  # nothing of the copy's is flushed, closed or printed twice
