"""`ztfast diff`: which frames two policies, or two engine versions, judge differently.

Contract: exit 0 where it is proved that nothing differs, 1 where something does or the proof did
not end, 2 for wrong usage.  Tested by tests/proof/test_diff.py.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ztfast.model.policy import Policy
    from ztfast.network.members import Network
    from ztfast.pipeline.changes import ChangeCounts
    from ztfast.pipeline.reach import Reach
    from ztfast.proof.diff import Difference


@click.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="[NEW]", required=False)
@click.option(
    "--engines",
    nargs=2,
    type=click.Choice(["1.14", "1.12"]),
    metavar="FIRST SECOND",
    help="Compare what two ZeroTier versions make of the rules (1.12 means 1.12 and before).",
)
@click.option(
    "--side",
    type=click.Choice(["both", "out", "in"]),
    default="both",
    show_default=True,
    help="Whose verdict: the sender's (out), the receiver's (in), or both.",
)
@click.option("--capture", metavar="FILE", help="Count the change on the frames of a capture.")
@click.option(
    "--network",
    metavar="FILE|ID",
    help="Members: say also which of them the change lets talk, or keeps from it.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="Show at most so many classes.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--time-limit", type=click.FloatRange(0.1), default=8.0, show_default=True, metavar="SECONDS"
)
@click.option("-o", "--output", metavar="FILE", help="Write there instead of standard output.")
@click.pass_context
def command(ctx: click.Context, /, old: str, new: str | None, **options: Any) -> None:
    """Say which frames OLD and NEW judge differently, as classes with a witness each.

    OLD and NEW are rules files, texts or JSON, `-` for standard input, or
    `git:REVISION:PATH`. With --engines, NEW may be left out.

    Exit status: 0 proved that nothing differs, 1 something does (or the time limit ended the
    proof), 2 usage.

    \b
    Example: ztfast diff git:HEAD:rules.ztrules rules.ztrules
    """
    from ztfast.cli.inputs import note_engine, read_network, read_policy
    from ztfast.cli.interrupts import ended_at_once
    from ztfast.proof.diff import compare
    from ztfast.sinks.text import write_text

    if new is None and not options["engines"]:
        raise click.UsageError("NEW is missing: give two policies, or --engines and one")
    if old == new == "-":
        raise click.UsageError("standard input can be OLD or NEW, not both")
    engines = options["engines"] or ("1.14", "1.14")
    first = read_policy(old)
    second = first if new is None else read_policy(new)
    note_engine(second, *engines)
    with ended_at_once():
        found = compare(
            first,
            second,
            engines=engines,
            side=options["side"],
            time_limit=options["time_limit"],
            max_classes=options["limit"],
        )
    network = read_network(options["network"], second)
    counted = None
    if options["capture"]:
        counted = _count(first, second, engines, options, network)
    ways = _ways(first, second, engines, options, network)
    text = _json(found, counted, ways) if options["as_json"] else _text(found, counted, ways)
    read = [old, new, options["network"], options["capture"]]
    write_text(options["output"], text, read)
    if not found.complete:
        click.echo(f"ztfast diff: not everything is shown or proved: {found.incomplete}", err=True)
    ctx.exit(0 if found.complete and not found.changes else 1)


def _count(
    first: Policy,
    second: Policy,
    engines: tuple[str, str],
    options: dict[str, Any],
    network: Network | None,
) -> ChangeCounts:
    from ztfast.capture import open_capture
    from ztfast.engine.engine import Engine
    from ztfast.pipeline.changes import count_changes

    old, new = (
        Engine(policy, network=network, side=options["side"], engine=engine)
        for policy, engine in zip((first, second), engines, strict=True)
    )
    with open_capture(options["capture"]) as packets:
        return count_changes(old, new, packets)


def _ways(
    first: Policy,
    second: Policy,
    engines: tuple[str, str],
    options: dict[str, Any],
    network: Network | None,
) -> tuple[Reach, Reach] | None:
    """Who reaches whom before and after, for the usual services and those of the rules."""
    from ztfast.pipeline.reach import SERVICES, reach
    from ztfast.pipeline.reach_frames import services_of

    if network is None or network.id is None or not network.active_members():
        return None
    if options["side"] != "both":
        return None
    services = (*SERVICES, *services_of(first, second))
    old, new = (
        reach(policy, network, services, engine=engine)
        for policy, engine in zip((first, second), engines, strict=True)
    )
    return old, new


def _text(found: Difference, counted: ChangeCounts | None, ways: tuple[Reach, Reach] | None) -> str:
    from ztfast.diagnostics.render import harmless_lines
    from ztfast.proof.render import diff_lines
    from ztfast.report.reach_grid import change_lines

    lines = diff_lines(found)
    if ways is not None:
        lines = [*change_lines(*ways), "", *lines]
    return harmless_lines(lines if counted is None else [*lines, *counted.lines()])


def _json(found: Difference, counted: ChangeCounts | None, ways: tuple[Reach, Reach] | None) -> str:
    from ztfast.pipeline.reach import change_cells
    from ztfast.proof.render import diff_json

    document = diff_json(found)
    if counted is not None:
        document["capture"] = counted.as_json()
    if ways is not None:
        document["members"] = change_cells(*ways)
    return json.dumps(document, indent=2) + "\n"
