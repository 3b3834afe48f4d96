"""What every job over captures does alike: it reads to the end or to what stops it, then finishes.

Contract: whatever ends the reading (damage, an output that fails, Ctrl-C) is noted, what was done
before stays done, and what is written is finished.  A job opens its outputs with its first batch:
a capture that cannot be read at all leaves older files as they are.
Tested by tests/pipeline/test_job.py and test_delivery_job.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace

from ztfast.capture.many import Captures
from ztfast.engine.engine import Engine
from ztfast.errors import Diagnostic, OutputError, UsageError, ZtfastError
from ztfast.pipeline.count import Count, Interface


class CaptureJob(ABC):
    """One run over captures, which the caller closes.

    problems: what went wrong.  interrupted: by Ctrl-C or SIGTERM.  unwritten: an output that failed
    ended the reading.
    """

    def __init__(self, engine: Engine, source: Captures) -> None:
        self.engine, self.source = engine, source
        self.problems: list[Diagnostic] = []
        self.interrupted = self.unwritten = False

    def _work(self, read: Callable[[], None]) -> None:
        """Read to the end, the first error, or Ctrl-C; then finish what is written.

        Raises UsageError where an output cannot be meant.
        """
        try:
            read()
        except KeyboardInterrupt:
            self.interrupted = True
        except UsageError:
            raise
        except ZtfastError as error:
            self.unwritten = isinstance(error, OutputError)
            self.problems.extend(error.diagnostics)
        self.problems.extend(self._close())

    @abstractmethod
    def _close(self) -> list[Diagnostic]:
        """Finish what is written; the errors of what could not be."""

    @property
    def complete(self) -> bool:
        """Was everything read and written?"""
        return not self.interrupted and not self.problems

    @property
    def failed(self) -> bool:
        """Was anything damaged, unreadable, or not to be written?"""
        found = any(problem.severity == "error" for problem in self.findings())
        return found or bool(self.source.session.damages)

    def findings(self) -> list[Diagnostic]:
        """The reader's first, the one that ended the reading among them; then the others."""
        found = list(self.source.diagnostics)
        return found + [problem for problem in self.problems if problem not in found]


def unjudged(counts: Mapping[Interface, Count]) -> list[Diagnostic]:
    """One error for each interface whose link type is not known, with its frames."""
    if not counts:
        return []
    from ztfast.frames.links import unknown_linktype  # start-up stays short

    found: list[Diagnostic] = []
    for (path, name, linktype), count in counts.items():
        plain = unknown_linktype(linktype, path, name)
        frames = "1 frame" if count.frames == 1 else f"{count.frames:,} frames"
        found.append(replace(plain, message=f"{plain.message}: {frames}"))
    return found
