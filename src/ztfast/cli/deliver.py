"""`ztfast deliver`: what reaches each member's tap, for every frame of a capture.

Contract: one row a delivery on standard output, in the order in which things happen; a summary
on standard error; exit 1 where the capture is damaged, an output could not be written, or a
frame's copies never end; 130 after Ctrl-C.  Tested by tests/cli/test_deliver.py.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ztfast.cli.options import Grouped, check_earlier, earlier_options, judging_options, option

if TYPE_CHECKING:
    from ztfast.network.members import Network
    from ztfast.pipeline.deliveries import Deliveries
    from ztfast.pipeline.delivery_job import DeliveryJob

_INTERRUPTED = 130


@click.command(cls=Grouped)
@click.argument("words", metavar="[RULES] CAPTURE...", nargs=-1, required=True)
@option("Reading", "--merge", is_flag=True, help="Sort the frames of all captures by time.")
@option("Reading", "--follow", is_flag=True, help="Wait for more at the end of a growing file.")
@option(
    "Reading", "--resync", is_flag=True, help="After damage, continue at the next valid record."
)
@option("Reading", "--limit", metavar="N", type=click.IntRange(0), help="Only the first N frames.")
@judging_options
@option("Writing", "--split", metavar="DIR", help="A capture for each member: what its tap sees.")
@earlier_options
@option("Writing", "--table", metavar="FILE", help="The rows: .parquet, .arrow, .csv or .npy.")
@option("Reporting", "--refused", is_flag=True, help="Also what was sent and did not arrive: why.")
@option("Reporting", "--count", is_flag=True, help="Only the summary.")
@option("Reporting", "--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.pass_context
def command(ctx: click.Context, /, words: tuple[str, ...], **options: Any) -> None:
    """Say what reaches each member for every frame of CAPTURE, as a real network delivers it.

    A frame is followed from its sender to the last copy of a copy: tees, watches, redirects and
    multicasts are judged again by each node that gets them. Needs the network's members. RULES may
    be left out if the network's file has or names them.

    \b
    Examples:
      ztfast deliver capture.pcap --network net.toml
      ztfast deliver rules.ztrules capture.pcap --network net.json --split taps --count
    """
    if not options["network"]:
        raise click.UsageError("--network is needed: who are the members?")
    rules, captures = _rules_and_captures(words)
    if rules == "-" and "-" in captures:
        raise click.UsageError("standard input can be the rules or a capture, not both")
    if options["table"] == "-" and not options["count"]:
        raise click.UsageError("--table - and the rows cannot share standard output: add --count")
    ctx.exit(_run(rules, captures, options))


def _rules_and_captures(words: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """The first word is RULES, unless it stands alone or is a capture, by content."""
    from ztfast.capture.open import starts_as_capture

    if len(words) == 1 or starts_as_capture(words[0]):
        return None, words
    return words[0], words[1:]


def _run(rules: str | None, captures: tuple[str, ...], options: dict[str, Any]) -> int:
    from ztfast.capture.many import open_captures
    from ztfast.cli.options import make_engine
    from ztfast.pipeline.delivery_job import DeliveryJob
    from ztfast.sinks.signals import ended_gently

    earlier = check_earlier(options)
    engine = make_engine(rules, options)
    given = {name: options[name] for name in ("merge", "follow", "resync", "limit")}
    with ended_gently(), open_captures(captures, **given) as source:
        written = {name: options[name] for name in ("split", "table")}
        read = [rules or "", options["network"]]
        job = DeliveryJob(engine, source, earlier=earlier, read=read, **written)
        show = None if options["count"] else _Printer(job.network, options)
        job.work(show)
        return _report(job)


class _Printer:
    """Rows on standard output, for people or as JSON."""

    def __init__(self, network: Network, options: dict[str, Any]) -> None:
        from ztfast.pipeline.delivery_outputs import name_width

        self._json, self._refused = options["as_json"], options["refused"]
        self._width = name_width(network)
        if not self._json:
            end = "  what became of it" if self._refused else ""
            w = self._width
            click.echo(f"{'number':>7}  {'to':{w}}  {'kind':9}  {'from':{w}}  bytes  line{end}")

    def __call__(self, rows: dict[str, Any], found: Deliveries) -> None:
        columns = {name: values.tolist() for name, values in rows.items() if name != "time"}
        lines: list[str] = []
        for row in zip(*columns.values(), strict=True):
            one = dict(zip(columns, row, strict=True))
            if self._refused or one["fate"] == "arrived":
                lines.append(json.dumps(_object(one)) if self._json else self._text(one))
        if lines:
            sys.stdout.write("\n".join(lines) + "\n")

    def _text(self, one: dict[str, Any]) -> str:
        w, line = self._width, one["line"] or "-"
        text = (
            f"{one['number']:7}  {one['to_name']:{w}}  {one['kind']:9}  "
            f"{one['sent_by_name']:{w}}  {one['length']:5}  {line:>4}"
        )
        if not self._refused:
            return text
        where = f" (line {one['fate_line']})" if one["fate_line"] else ""
        return f"{text}  {one['fate']}{where if one['fate'] != 'arrived' else ''}"


def _object(one: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON: lines that are not known are null."""
    lines = {name: one[name] or None for name in ("line", "fate_line")}
    return {**one, **lines, "arrived": one["fate"] == "arrived"}


def _strangers(job: DeliveryJob) -> Iterator[str]:
    """One line where frames come from nobody of the network, who are nobody's to send."""
    own, frames = job.from_members, job.tally.frames
    if own == frames:
        return
    network = f"network {job.network.id:016x}"
    if own:
        yield f"{own:,} of {frames:,} frames come from members of {network}; the rest go nowhere"
    else:
        yield (
            f"none of {frames:,} frames comes from a member of {network}: give --network the "
            "network that the capture is from"
        )


def _uncertain(job: DeliveryJob) -> Iterator[str]:
    """One line where rules looked at bytes that the capture does not have."""
    if job.uncertain:
        frames = "1 frame is" if job.uncertain == 1 else f"{job.uncertain:,} frames are"
        yield f"{frames} uncertain: rules look at bytes that were not captured"


def _report(job: DeliveryJob) -> int:
    """The summary on standard error, findings first; the exit status."""
    from ztfast.cli.filter_report import say_nothing_counted
    from ztfast.pipeline.deliveries import Fate
    from ztfast.pipeline.delivery_tally import summary

    findings = job.findings()
    if findings:
        from ztfast.diagnostics.render import print_diagnostics

        print_diagnostics(findings[:20])
    if say_nothing_counted(job.unwritten, job.tally.frames):
        return 1
    told = (*summary(job.tally, job.network.member_name), *_strangers(job), *_uncertain(job))
    for line in told:
        sys.stderr.write(f"ztfast: {line}\n")
    if job.interrupted:
        sys.stderr.write("ztfast: interrupted; what was read until then is delivered and written\n")
        return _INTERRUPTED
    return 1 if job.failed or job.tally.total(Fate.ENDLESS) else 0
