"""`ztfast filter`: judge captures; write, split and count their frames.

Contract: figures on standard output (on standard error where a capture goes there), talk
on standard error; exit 1 where the input is damaged or an output could not be written, 130
after Ctrl-C or SIGTERM.  What was read before is handled, written and counted in any case.
The work is in pipeline/job.py, what is written in pipeline/outputs.py, what is said in
cli/filter_report.py.
Tested by tests/cli/test_filter.py and test_filter_hostile.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ztfast.cli.amounts import Seconds, Size
from ztfast.cli.options import (
    Grouped,
    check_earlier,
    earlier_options,
    engine_options,
    option,
    progress_option,
)
from ztfast.cli.report_page import check_page, report_option, write_job_page

_COUNT = click.IntRange(0)
_ENDS = (("from", "senders"), ("to", "receivers"))

if TYPE_CHECKING:
    from ztfast.capture.many import Captures
    from ztfast.cli.filter_list import Lister
    from ztfast.engine.engine import Engine
    from ztfast.pipeline.frame_ends import Strangers
    from ztfast.pipeline.job import Observer
    from ztfast.pipeline.outputs import OutputOptions
    from ztfast.pipeline.overview import Overview


@click.command(cls=Grouped)
@click.argument("rules", metavar="RULES")
@click.argument("captures", metavar="CAPTURE...", nargs=-1, required=True)
@option("Reading", "--merge", is_flag=True, help="Sort the frames of all captures by time.")
@option("Reading", "--follow", is_flag=True, help="Wait for more at the end of a growing file.")
@option(
    "Reading", "--resync", is_flag=True, help="After damage, continue at the next valid record."
)
@option("Reading", "--limit", metavar="N", type=_COUNT, help="Only the first N frames.")
@option(
    "Reading",
    "--vlan",
    type=click.Choice(["tag", "decode"]),
    default="tag",
    help="VLAN tags as a node sees them (tag, default), or their id and inner ethertype.",
)
@engine_options
@option(
    "Writing",
    "-w",
    "--write",
    "output",
    metavar="OUT",
    help="The accepted frames: pcap or pcapng, .gz, .zst or .lz4 by suffix; - is standard output.",
)
@option(
    "Writing",
    "--format",
    "form",
    type=click.Choice(["pcap", "pcapng"]),
    help="The format, whatever the suffix (default: as the input's; --split: pcapng).",
)
@option("Writing", "--split", metavar="DIR", help="A file for each verdict and each copy's target.")
@option(
    "Writing",
    "--split-by",
    type=click.Choice(["verdict", "rule", "member"]),
    help="What --split sorts frames by (default: verdict); copies have their own files always.",
)
@earlier_options
@option("Writing", "--rotate-size", metavar="N", type=Size(), help="New file after N[kMG] bytes,")
@option("Writing", "--rotate-frames", metavar="N", type=click.IntRange(1), help="or N frames,")
@option("Writing", "--rotate-seconds", metavar="S", type=Seconds(), help="or S seconds of frames.")
@option("Writing", "--comment", is_flag=True, help="Verdict and rule as a comment of each frame.")
@option(
    "Writing", "--table", metavar="FILE", help="One row per frame: .parquet, .arrow, .csv or .npy."
)
@option(
    "Writing",
    "--table-types",
    type=click.Choice(["text", "numbers"]),
    help="Addresses in the table as text (default) or numbers, verdicts as a dictionary then.",
)
@option(
    "Listing",
    "--list",
    "listed",
    is_flag=True,
    help="One line per frame: who, what, verdict, rule.",
)
@option("Listing", "--jsonl", is_flag=True, help="The same as one JSON object per frame.")
@option(
    "Listing",
    "--verdict",
    "verdicts",
    type=click.Choice(["accept", "drop", "redirect"]),
    multiple=True,
    help="Only frames with that verdict.",
)
@option(
    "Listing",
    "--line",
    "lines",
    type=click.IntRange(1),
    metavar="N",
    multiple=True,
    help="Only frames that the rule of that line decided.",
)
@option("Listing", "--from", "senders", metavar="WHO", multiple=True, help="Only from that member,")
@option("Listing", "--to", "receivers", metavar="WHO", multiple=True, help="or to it (or an IP).")
@option("Reporting", "--count", is_flag=True, help="Only the figures; write nothing.")
@option("Reporting", "--json", "as_json", is_flag=True, help="The figures as one JSON object.")
@report_option
@progress_option
@click.pass_context
def command(ctx: click.Context, /, rules: str, captures: tuple[str, ...], **options: Any) -> None:
    """Show what RULES do with each frame of CAPTURE; write, split and count the frames.

    A CAPTURE is a pcap or pcapng file, plain or in gzip, zstd or lz4, a folder of them, or -
    for standard input.  Frames and bytes are printed by verdict, and by the rule that decided.

    \b
    Examples:
      ztfast filter rules.ztrules capture.pcap -w accepted.pcap
      ztfast filter rules.ztrules day.pcapng.zst --network net.toml --split out
      ztfast filter rules.ztrules capture.pcap --network net.toml --list --verdict drop
      ztfast filter rules.ztrules day.pcap --network net.toml --report page.html
      tcpdump -i zt0 -U -w - | ztfast filter rules.ztrules - -w - | suricata -r /dev/stdin
    """
    _check(rules, captures, options)
    ctx.exit(_run(rules, captures, options))


def _check(rules: str, captures: tuple[str, ...], options: dict[str, Any]) -> None:
    """Options that make no sense together are wrong usage, before anything is opened."""
    written = [name for name in ("output", "split", "table") if options[name] is not None]
    rotated = any(options[f"rotate_{what}"] for what in ("size", "frames", "seconds"))
    if options["count"] and written:
        shown = {"output": "-w", "split": "--split", "table": "--table"}[written[0]]
        raise click.UsageError(f"--count writes nothing: leave out {shown}")
    if options["split_by"] and not options["split"]:
        raise click.UsageError("--split-by needs --split DIR")
    if options["table_types"] and not options["table"]:
        raise click.UsageError("--table-types needs --table FILE")
    if options["split_by"] == "member" and not options["network"]:
        raise click.UsageError("--split-by member needs --network: who are the members?")
    if (rotated or options["form"]) and "output" not in written and "split" not in written:
        raise click.UsageError("nothing is written that --format or --rotate could mean: add -w")
    if rotated and options["output"] == "-":
        raise click.UsageError("standard output cannot be rotated: name a file with -w")
    if options["output"] == "-" and options["table"] == "-":
        raise click.UsageError("-w - and --table - cannot share standard output")
    _check_listing(options)
    _check_comments(options)
    if rules == "-" and "-" in captures:
        raise click.UsageError("standard input can be the rules or a capture, not both")


def _check_comments(options: dict[str, Any]) -> None:
    """Comments have a place in pcapng alone, which is written where nothing says otherwise."""
    if not options["comment"]:
        return
    if options["output"] is None and options["split"] is None:
        raise click.UsageError("--comment is written into captures: add -w or --split")
    from ztfast.sinks.files import format_of

    if options["form"] is None and options["output"] is not None:
        options["form"] = format_of(options["output"]) or "pcapng"
    if options["form"] == "pcap":
        raise click.UsageError(
            "a classic pcap has no place for comments: name the file .pcapng, or --format pcapng"
        )


def _check_listing(options: dict[str, Any]) -> None:
    listing = options["listed"] or options["jsonl"]
    chosen = [name for name in ("verdict", "line") if options[f"{name}s"]]
    chosen += [name for name, key in _ENDS if options[key]]
    if chosen and not listing:
        raise click.UsageError(f"--{chosen[0]} chooses what is listed: add --list or --jsonl")
    if listing and "-" in (options["output"], options["table"]):
        raise click.UsageError("the list and what is written cannot share standard output")
    if listing and (options["count"] or options["as_json"]):
        shown = "--count" if options["count"] else "--json"
        raise click.UsageError(f"{shown} prints figures, --list and --jsonl frames: choose one")


def _run(rules: str, captures: tuple[str, ...], options: dict[str, Any]) -> int:
    """Do what the options ask for; the exit status.  Raises ZtfastError before any work."""
    from ztfast.capture.many import open_captures
    from ztfast.cli.filter_report import report, report_listed, say, watched
    from ztfast.cli.options import make_engine
    from ztfast.pipeline.job import Job
    from ztfast.sinks.signals import ended_gently

    engine = make_engine(rules, options)
    lister = _lister(engine, options)
    given = {name: options[name] for name in ("merge", "follow", "resync", "limit")}
    outputs = _outputs(options)
    with ended_gently(), open_captures(captures, **given) as source:
        how: dict[str, Any] = {name: options[name] for name in ("vlan", "threads")}
        read = [rules, options["network"] or ""]
        overview = _overview(engine, source, read, options)
        observers: list[Observer] = [one for one in (lister, overview) if one is not None]
        strangers = _strangers(engine, bool(observers) or outputs.every_frame)
        observers += [strangers] if strangers is not None else []
        job = Job(engine, source, outputs, **how, read=read, observers=observers)
        with watched(options["progress"], source.total_bytes) as progress:
            job.work(progress)
        if overview is not None and (job.tally.total.frames or not job.unwritten):
            write_job_page(options["page"], job, overview)
        line = strangers.line() if strangers is not None else _unauthorized(engine)
        if line:
            say(line)
        if lister is not None:
            return report_listed(job, lister.listed, assumption=options["assume"])
        taken = "-" in (outputs.accepted, outputs.table)
        return report(
            job, as_json=options["as_json"], to_stderr=taken, assumption=options["assume"]
        )


def _overview(
    engine: Engine, source: Captures, read: Sequence[str], options: dict[str, Any]
) -> Overview | None:
    """What gathers the page's figures, where a page is asked for."""
    if options["page"] is None:
        return None
    from ztfast.pipeline.overview import Overview

    check_page(options["page"], [*source.paths, *read], (options["output"], options["table"]))
    return Overview(engine)


def _strangers(engine: Engine, sees_all: bool) -> Strangers | None:
    """What counts frames of and for nobody of the network, where there are members.

    A run that only counts is not made to look at each frame.
    """
    if engine.network is None or not engine.network.members or not sees_all:
        return None
    from ztfast.pipeline.frame_ends import Strangers

    return Strangers(engine)


def _unauthorized(engine: Engine) -> str:
    """What a run that only counts says of members that are not authorized; "" of none."""
    if engine.network is None:
        return ""
    active = {member.address for member in engine.network.active_members()}
    others = [one.address for one in engine.network.members if one.address not in active]
    if not others:
        return ""
    from ztfast.pipeline.frame_ends import shown_names

    names = shown_names([engine.network.member_name(address) for address in others])
    return f"not authorized: {names}; nodes deliver nothing from or to them (see --list)"


def _lister(engine: Engine, options: dict[str, Any]) -> Lister | None:
    """What prints the frames, where they are asked for."""
    if not (options["listed"] or options["jsonl"]):
        return None
    from ztfast.cli.filter_list import Lister

    return Lister(engine, options)


def _outputs(options: dict[str, Any]) -> OutputOptions:
    from ztfast.pipeline.outputs import OutputOptions
    from ztfast.sinks.files import Rotation

    rotation = Rotation(*(options[f"rotate_{what}"] for what in ("size", "frames", "seconds")))
    return OutputOptions(
        accepted=options["output"],
        split=options["split"],
        split_by=options["split_by"] or "verdict",
        table=options["table"],
        table_types=options["table_types"] or "text",
        form=options["form"],
        rotation=rotation,
        earlier=check_earlier(options),
        comments=options["comment"],
    )
