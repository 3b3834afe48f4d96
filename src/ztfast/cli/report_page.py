"""`--report page.html` of `ztfast filter` and `ztfast archive`: the option, and the page written.

Contract: what cannot be written is refused before any work where that can be seen.  The page takes
the place of no file that is read, and appears whole or not at all.
Tested by tests/cli/test_report_page.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ztfast.cli.options import option

if TYPE_CHECKING:
    from ztfast.archive.job import ArchiveJob
    from ztfast.archive.result import ArchiveResult
    from ztfast.capture.many import Captures
    from ztfast.errors import Diagnostic
    from ztfast.pipeline.job import Job
    from ztfast.pipeline.overview import Overview
    from ztfast.report.page import PageFacts

report_option = option(
    "Reporting",
    "--report",
    "page",
    metavar="PAGE.html",
    help="A page that shows what the rules did: drops by time and rule, pairs, copies.",
)


def check_page(page: str, read: Iterable[str], written: Iterable[str | None] = ()) -> None:
    """Raise UsageError where the page could not be what is meant.

    read: files that it may not replace; written: other outputs.
    """
    from ztfast.errors import usage
    from ztfast.sinks.originals import refuse_originals, refuse_twice

    if page == "-":
        raise usage("--report writes a page beside the figures", "name a file, such as page.html")
    folder = os.path.dirname(page) or "."
    if os.path.isdir(page) or not os.path.isdir(folder):
        raise usage(
            f"--report {page} is not a name for a file", "name one in a folder that is there"
        )
    if not os.access(folder, os.W_OK):
        raise usage(f"--report {page}: nothing can be written in {folder}", "name another folder")
    refuse_originals([page], read)
    refuse_twice([page, *(name for name in written if name is not None)])


def write_job_page(page: str, job: Job, overview: Overview) -> None:
    """The page of a filter's run; where it cannot be written, that is a problem of the job."""
    from ztfast.report.page import PageFacts

    facts = PageFacts(
        job.engine,
        job.tally,
        overview,
        job.source.begun,
        job.findings(),
        job.interrupted,
        unread=_unread(job.source),
    )
    job.problems += _written(page, facts, job.source.paths)


def _unread(source: Captures) -> Sequence[str]:
    """The files that are missing; a limit leaves out what nobody asked for."""
    return () if source.limit is not None else source.paths[len(source.begun) :]


def write_archive_page(page: str, job: ArchiveJob, result: ArchiveResult) -> None:
    """The page of an archive's job; where it cannot be written, that is a problem of it."""
    from ztfast.report.page import PageFacts

    assert result.overview is not None
    paths = [parts[0].path for parts in job.files]
    facts = PageFacts(
        job.engine,
        result.tally,
        result.overview,
        paths,
        result.problems,
        result.interrupted,
        None if result.changes is None else result.changes.to_json(),
        None if job.old is None else job.old.policy.digest,
        result.segments - result.done,
    )
    result.problems += _written(page, facts, paths)


def _written(page: str, facts: PageFacts, read: Iterable[str]) -> Iterable[Diagnostic]:
    """Write it; what went wrong."""
    from ztfast.errors import OutputError
    from ztfast.report.page import report_page
    from ztfast.sinks.text import write_text

    try:
        write_text(page, report_page(facts), read)
    except OutputError as error:
        return error.diagnostics
    return ()
