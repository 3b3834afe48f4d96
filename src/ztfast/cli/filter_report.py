"""What `ztfast filter` says of a job: progress, findings, figures, and what was assumed.

Contract: figures on standard output (on standard error where a capture goes there), talk on
standard error.  Tested by tests/cli/test_filter.py.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, TextIO

from ztfast.errors import counted
from ztfast.pipeline.job import Job, Progress

if TYPE_CHECKING:
    from ztfast.errors import Diagnostic
    from ztfast.pipeline.tally import Tally

INTERRUPTED = 130
_MAX_SHOWN = 20  # diagnostics; a capture of nothing but damage must not fill the terminal


@contextlib.contextmanager
def watched(mode: str, total: int | None) -> Generator[Progress | None, None, None]:
    """Progress of `total` bytes, where anybody looks at it."""
    if mode == "none" or (mode == "auto" and not sys.stderr.isatty()):
        yield None
        return
    from ztfast.report.progress import Progress as Shown

    with Shown(mode, total) as shown:
        yield shown.update


def report(job: Job, *, as_json: bool, to_stderr: bool, assumption: str) -> int:
    """Say what went wrong, print the figures; the exit status.

    assumption: what `--assume` said of ownership.
    """
    _say_job_findings(job)
    if (
        not say_nothing_counted(job.unwritten, job.tally.total.frames) or as_json
    ):  # JSON says that it is not complete
        _print_figures(job, as_json, sys.stderr if to_stderr else sys.stdout)
    return _end(job, assumption)


def report_listed(job: Job, listed: int, *, assumption: str) -> int:
    """The same of a job whose frames were listed: how many of how many, no figures."""
    _say_job_findings(job)
    if not say_nothing_counted(job.unwritten, job.tally.total.frames):
        say(f"{listed:,} of {job.tally.total.frames:,} frames listed")
    return _end(job, assumption)


def _say_job_findings(job: Job) -> None:
    say_findings(job.findings())
    if job.source.skipped_bytes:
        skipped = job.source.skipped_bytes
        verb = "was" if skipped == 1 else "were"
        say(f"{counted(skipped, 'byte')} of damage {verb} skipped")


def say_nothing_counted(unwritten: bool, frames: int) -> bool:
    """Did an output fail before any frame counted?  Figures of zero would be about no capture."""
    nothing = unwritten and not frames
    if nothing:
        say("no frame was counted: an output failed before")
    return nothing


def _end(job: Job, assumption: str) -> int:
    say_assumptions(job.tally, assumption)
    if job.interrupted:
        say("interrupted; what was done until then is counted and written")
        return INTERRUPTED
    return 1 if job.failed else 0


def say_findings(found: Sequence[Diagnostic]) -> None:
    """The first findings of many, on standard error."""
    if not found:
        return
    from ztfast.diagnostics.render import print_diagnostics

    print_diagnostics(found[:_MAX_SHOWN])
    if len(found) > _MAX_SHOWN:
        say(f"{len(found) - _MAX_SHOWN:,} more findings like these")


def _print_figures(job: Job, as_json: bool, stream: TextIO) -> None:
    if as_json:
        import json

        figures = job.tally.to_json()
        figures["files"] = [file._asdict() for file in job.files]
        figures["skipped_bytes"] = job.source.skipped_bytes
        figures["complete"] = job.complete
        stream.write(json.dumps(figures, indent=2) + "\n")
    else:
        from ztfast.cli.terminal import width
        from ztfast.report.figures import print_figures

        network = job.engine.network
        name = network.member_name if network is not None else "{:010x}".format
        files = job.files if len(job.files) > 1 else []
        print_figures(job.tally, stream, files, name, width() if stream is sys.stdout else None)
    stream.flush()


def say_assumptions(tally: Tally, ownership: str) -> None:
    """On standard error: what was assumed, how many verdicts read it, and which lack bytes."""
    if not tally.uncertain and not any(tally.assumed.values()):
        return
    from ztfast.report.certainty import certainty_lines

    for line in certainty_lines(tally, ownership):
        say(line)


def say(text: str) -> None:
    """A line on standard error."""
    sys.stderr.write(f"ztfast: {text}\n")
