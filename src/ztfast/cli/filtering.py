"""The work of `ztfast filter`: read, judge, count and write, batch by batch, and report.

Contract: a batch is counted and written as a whole or not at all, also where Ctrl-C comes
in between; errors end the reading, never what was done before.
Tested by tests/cli/test_filter.py.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, TextIO

from ztfast.capture.outputs import ended_gently, shielded
from ztfast.capture.packets import Counted
from ztfast.cli.options import make_engine
from ztfast.errors import Diagnostic, UsageError, ZtfastError
from ztfast.pipeline.judge import Judgement, add_counted, judgements
from ztfast.pipeline.tally import Tally

if TYPE_CHECKING:
    from ztfast.capture.many import Captures
    from ztfast.engine.engine import Engine
    from ztfast.pipeline.outputs import Outputs
    from ztfast.report.progress import Progress

INTERRUPTED = 130
_MAX_SHOWN = 20  # diagnostics; a capture of nothing but damage must not fill the terminal


def run(rules: str, captures: tuple[str, ...], options: dict[str, Any]) -> int:
    """Do what the options ask for; the exit status.  Raises ZtfastError before any work."""
    from ztfast.capture.many import open_captures

    engine = make_engine(rules, options)
    names = ("merge", "follow", "resync", "limit")
    given = {name: options[name] for name in names}
    with ended_gently(), open_captures(captures, **given) as source:
        job = Job(engine, source, options)
        job.work()
        return job.report()


class Job:
    """One run: what was counted so far, what went wrong, and where frames are written."""

    def __init__(self, engine: Engine, source: Captures, options: dict[str, Any]) -> None:
        self.tally = Tally()
        self.problems: list[Diagnostic] = []
        self.interrupted = False
        self._engine = engine
        self._source = source
        self._options = options
        self._outputs: Outputs | None = None
        self._writes = any(options[name] is not None for name in ("output", "split", "table"))

    def work(self) -> None:
        """Read to the end, the first error, or Ctrl-C (SIGTERM); then finish what is written."""
        with self._watched() as progress:
            try:
                self._judge_all(progress)
            except KeyboardInterrupt:
                self.interrupted = True
            except UsageError:
                raise
            except ZtfastError as error:
                self.problems.extend(error.diagnostics)
        if self._outputs is not None:
            self.problems.extend(self._outputs.close())

    def _judge_all(self, progress: Progress | None) -> None:
        options = self._options
        needs_all = options["split"] is not None or options["table"] is not None
        counts = not needs_all and options["limit"] is None
        how = options["vlan"], options["threads"], counts, self._writes
        for item in judgements(self._source, self._engine, *how):
            with shielded():
                self._take(item)
            if progress is not None:
                progress.update(item.packets.scanned, self._source.done_bytes)
        if progress is not None:
            progress.update(0, self._source.done_bytes)  # the last window is through

    def _take(self, item: Judgement) -> None:
        """Write and count one batch."""
        if self._writes:
            # opened late: a capture that cannot be read at all leaves older files as they are
            if self._outputs is None:
                from ztfast.pipeline.outputs import Outputs

                self._outputs = Outputs(self._engine, self._source, self._options)
            self._outputs.write(item)
        if isinstance(item.packets.judged, Counted):
            add_counted(self.tally, self._engine, item.packets.judged)
        elif item.verdicts is None:
            self.tally.skip(item.packets)
        else:
            self.tally.add(item.verdicts, item.packets.lengths)

    @contextlib.contextmanager
    def _watched(self) -> Generator[Progress | None, None, None]:
        """Progress, where anybody looks at it."""
        mode = self._options["progress"]
        if mode == "none" or (mode == "auto" and not sys.stderr.isatty()):
            yield None
            return
        from ztfast.report.progress import Progress

        with Progress(mode, self._source.total_bytes) as progress:
            yield progress

    # --- the report --------------------------------------------------------------------------

    def report(self) -> int:
        """Say what went wrong, print the figures; the exit status."""
        problems = self._all_problems()
        if problems:
            from ztfast.diagnostics.render import print_diagnostics

            print_diagnostics(problems[:_MAX_SHOWN])
            if len(problems) > _MAX_SHOWN:
                _say(f"{len(problems) - _MAX_SHOWN:,} more findings like these")
        if self._source.skipped_bytes:
            _say(f"{self._source.skipped_bytes:,} bytes of damage were skipped")
        self._print_figures()
        self._say_assumptions()
        if self.interrupted:
            _say("interrupted; what was done until then is counted and written")
            return INTERRUPTED
        failed = any(problem.severity == "error" for problem in problems)
        return 1 if failed or self._source.session.damages else 0

    def _all_problems(self) -> list[Diagnostic]:
        """Findings of the reader first; the one that ended the reading is among them."""
        found = list(self._source.diagnostics)
        found += [problem for problem in self.problems if problem not in found]
        if self.tally.unjudged:
            from ztfast.pipeline.outputs import unjudged_diagnostics

            found += unjudged_diagnostics(self.tally)
        return found

    def _print_figures(self) -> None:
        taken = "-" in (self._options["output"], self._options["table"])
        stream: TextIO = sys.stderr if taken else sys.stdout
        files = self._outputs.files if self._outputs is not None else []
        policy = self._engine.policy
        if self._options["as_json"]:
            import json

            figures = self.tally.to_json(policy)
            figures["files"] = [file._asdict() for file in files]
            figures["skipped_bytes"] = self._source.skipped_bytes
            figures["complete"] = not self.interrupted and not self.problems
            stream.write(json.dumps(figures, indent=2) + "\n")
        else:
            from ztfast.report.figures import print_figures

            print_figures(self.tally, policy, stream, files if len(files) > 1 else [])
        stream.flush()

    def _say_assumptions(self) -> None:
        """One line on standard error: what was assumed, and how many verdicts read it."""
        tally = self.tally
        how = {
            "ownership": self._options["assume"],
            "tags": "tags unknown",
            "addresses": "addresses unknown",
        }
        read = {name: count for name, count in tally.assumed.items() if count}
        if read:
            counts = ", ".join(f"{name} in {count:,} frames" for name, count in read.items())
            _say(f"assumed: {', '.join(how[name] for name in read)} (read: {counts})")
        if tally.uncertain:
            what = ", ".join(f"{name} in {count:,}" for name, count in tally.missing.items())
            _say(f"{tally.uncertain:,} verdicts are uncertain: bytes not captured ({what})")


def _say(text: str) -> None:
    sys.stderr.write(f"ztfast: {text}\n")
