"""`ztfast archive`: judge an archive of captures by many workers.

Contract: figures on standard output, talk on standard error; exit 1 where a file was damaged, could
not be read or its results not be written (the others are done), 130 after Ctrl-C or SIGTERM.
The work is in archive/.
Tested by tests/cli/test_archive.py.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import click

from ztfast.cli.options import Grouped, judging_options, option, progress_option
from ztfast.cli.report_page import check_page, report_option, write_archive_page

if TYPE_CHECKING:
    from ztfast.archive.job import Executor
    from ztfast.archive.result import ArchiveResult
    from ztfast.engine.engine import Engine

_DASK, _RAY = "dask://", "ray://"
_LOCAL = re.compile(r"local(?::([1-9]\d{0,3}))?")


@click.command(cls=Grouped)
@click.argument("rules", metavar="RULES")
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@option(
    "Reading", "--resync", is_flag=True, help="After damage, continue at the next valid record."
)
@option(
    "Reading",
    "--vlan",
    type=click.Choice(["tag", "decode"]),
    default="tag",
    help="VLAN tags as a node sees them (tag, default), or their id and inner ethertype.",
)
@option("Reading", "--since", metavar="TIME", help="Only frames from this time on (UTC), as")
@option("Reading", "--until", metavar="TIME", help="2026-10-01 or 2026-10-01T12:30, and before.")
@judging_options
@option("Judging", "--old", metavar="RULES", help="Compare with these rules, frame by frame.")
@option(
    "Writing",
    "--out",
    metavar="PLACE",
    required=True,
    help="A folder for the results, or a URL such as s3://bucket/results.",
)
@option(
    "Writing",
    "--only",
    metavar="KIND,...",
    help="Captures to write: tee, watch, redirect (copies as their targets get them), dropped, "
    "redirected, accepted.",
)
@option("Writing", "--flows", is_flag=True, help="Who sent what to whom by which rule, as Parquet.")
@option("Writing", "--rows", is_flag=True, help="One row per frame, as Parquet, for each segment.")
@option(
    "Working",
    "--on",
    metavar="WORKERS",
    default="local",
    help="local (default): one process per processor; local:N: N processes; "
    "dask://HOST:PORT, ray://HOST:PORT: a cluster's.",
)
@option("Working", "--resume", is_flag=True, help="Continue the job that was started in --out.")
@option("Reporting", "--json", "as_json", is_flag=True, help="The figures as one JSON object.")
@report_option
@progress_option
@click.pass_context
def command(ctx: click.Context, /, rules: str, sources: tuple[str, ...], **options: Any) -> None:
    """Judge all captures of each SOURCE by RULES, in segments, with many workers.

    A SOURCE is a capture, a folder of them, a pattern such as 'caps/*.pcap.gz', or a URL of these
    such as s3://bucket/caps. The figures printed are those of `ztfast filter` over the same files.
    Results are in --out: a segment's appear complete or not at all, and --resume does only
    what is missing.

    \b
    Example: ztfast archive rules.ztrules captures/ --out results --only dropped
    """
    ctx.exit(_run(rules, sources, options))


def _run(rules: str, sources: tuple[str, ...], options: dict[str, Any]) -> int:
    """Do what the options ask for; the exit status.  Raises ZtfastError before any work."""
    from ztfast.archive.job import OVERVIEW, plan
    from ztfast.cli.filter_report import watched
    from ztfast.cli.options import make_engine
    from ztfast.sinks.signals import ended_gently

    executor = _executor(options["on"])
    since, until = (_time(options, name) for name in ("since", "until"))
    outputs = [kind for kind in (options["only"] or "").split(",") if kind]
    outputs += [name for name in ("flows", "rows") if options[name]]
    outputs += [OVERVIEW] if options["page"] is not None else []
    if rules == options["old"] == "-":
        raise click.UsageError("standard input can be RULES or --old, not both")
    engine = make_engine(rules, options)
    old = None if options["old"] is None else make_engine(options["old"], options)
    how = {name: options[name] for name in ("out", "resync", "vlan")}
    job = plan(sources, engine, old=old, outputs=outputs, since=since, until=until, **how)
    if options["page"] is not None:
        read = [rules, options["old"] or "", options["network"] or ""]
        check_page(options["page"], [*(parts[0].path for parts in job.files), *read])
    with ended_gently(), watched(options["progress"], job.total_bytes) as progress:
        result = job.run(executor, progress, resume=options["resume"])
    result.problems[:0] = job.notes
    if options["page"] is not None:
        write_archive_page(options["page"], job, result)
    return _report(result, engine, options)


def _report(result: ArchiveResult, engine: Engine, options: dict[str, Any]) -> int:
    """Say what went wrong, print the figures; the exit status."""
    from ztfast.cli.filter_report import INTERRUPTED, say, say_assumptions, say_findings

    say_findings(result.problems)
    if options["as_json"]:
        import json

        sys.stdout.write(json.dumps(result.figures(), indent=2) + "\n")
    else:
        from ztfast.report.figures import print_figures

        network = engine.network
        name = network.member_name if network is not None else "{:010x}".format
        print_figures(result.tally, sys.stdout, (), name)
        if result.changes is not None:
            from ztfast.diagnostics.render import harmless_lines

            sys.stdout.write("\n" + harmless_lines(result.changes.lines()))
    sys.stdout.flush()
    say_assumptions(result.tally, options["assume"])
    if result.interrupted:
        say("interrupted; --resume goes on with what is missing")
        return INTERRUPTED
    if result.done < result.segments:
        say(f"{result.done:,} of {result.segments:,} segments are done; the others are not counted")
    return 1 if result.failed else 0


def _executor(where: str) -> Executor:
    from ztfast.archive.local import LocalWorkers

    if where.startswith(_DASK):
        from ztfast.archive.dask_workers import DaskWorkers

        return DaskWorkers(f"tcp://{where.removeprefix(_DASK)}")
    if where == "ray" or where.startswith(_RAY):
        from ztfast.archive.ray_workers import RayWorkers

        return RayWorkers(None if where == "ray" else where)
    found = _LOCAL.fullmatch(where)
    if found is None:
        known = "write local, local:N, dask://HOST:PORT, ray, or ray://HOST:PORT"
        raise click.UsageError(f"--on {where!r} names no workers: {known}")
    return LocalWorkers(int(found[1]) if found[1] else None)


def _time(options: dict[str, Any], name: str) -> int | None:
    """An option's time in ns since 1970; without an offset it is UTC."""
    from datetime import datetime, timezone

    text = options[name]
    if text is None:
        return None
    try:
        given = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text))
    except ValueError:
        help = "write as 2026-10-01 or 2026-10-01T12:30"
        raise click.UsageError(f"--{name} {text!r} is not a time: {help}") from None
    if given.tzinfo is None:
        given = given.replace(tzinfo=timezone.utc)
    since_1970 = given - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return (since_1970.days * 86_400 + since_1970.seconds) * 10**9 + since_1970.microseconds * 1000
