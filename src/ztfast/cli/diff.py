"""`ztfast diff`: what edits of rules do to frames, or in which frames two engine versions differ.

Contract: exit 0 where it is proved that nothing differs, 1 where something does or the proof did
not end, 2 for wrong usage.  What is said is in cli/diff_texts.py.
Tested by tests/cli/test_diff.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from ztfast.cli.diff_texts import ByClass, ByEdit
    from ztfast.model.policy import Policy
    from ztfast.network.members import Network
    from ztfast.pipeline.changes import ChangeCounts
    from ztfast.pipeline.reach_change import Ways
    from ztfast.proof.member_ends import MemberEnds


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
    help="Members: also say who can talk after the change, and who no longer can.",
)
@click.option("--from", "sender", metavar="NAME", help="Only what this member sends.")
@click.option("--to", "receiver", metavar="NAME", help="Only what this member gets.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="Show at most so many edits (with --engines: classes).",
)
@click.option("-v", "--verbose", is_flag=True, help="Show a frame for each kind of change, too.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "html", "json"]),
    default="text",
    show_default=True,
    help="The output's form; markdown and html suit a pull request.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--time-limit",
    type=click.FloatRange(0.1),
    default=4.0,
    show_default=True,
    metavar="SECONDS",
    help="Stop proving after this time, and say what is left.",
)
@click.option("-o", "--output", metavar="FILE", help="Write there instead of standard output.")
@click.pass_context
def command(ctx: click.Context, /, old: str, new: str | None, **options: Any) -> None:
    """Say what each edit between OLD and NEW does to frames, and prove that it is all.

    OLD and NEW are rules files, texts or JSON, `-` for standard input, or
    `git:REVISION:PATH`. With --engines, NEW may be left out: what two ZeroTier versions make of
    the same rules differs in classes of frames, each with a witness.

    Exit status: 0 proved that nothing differs, 1 something does (or the time limit ended the
    proof), 2 usage.

    \b
    Examples:
      ztfast diff git:HEAD:rules.ztrules rules.ztrules
      ztfast diff old.ztrules new.ztrules --network net.toml --format markdown
      ztfast diff old.ztrules new.ztrules --network net.toml --from visitor --to files
    """
    from ztfast.cli.inputs import note_engine, read_ends, read_network, read_policy
    from ztfast.cli.terminal import change_colours, for_terminal
    from ztfast.sinks.text import write_text

    if new is None and not options["engines"]:
        raise click.UsageError("NEW is missing: give two policies, or --engines and one")
    if old == new == "-":
        raise click.UsageError("standard input can be OLD or NEW, not both")
    for name in ("sender", "receiver"):
        if options[name] is not None and options["network"] is None:
            option = "--from" if name == "sender" else "--to"
            raise click.UsageError(f"{option} needs --network: whose member is it?")
    engines = options["engines"] or ("1.14", "1.14")
    first = read_policy(old)
    second = first if new is None else read_policy(new)
    note_engine(second, *engines)
    network = read_network(options["network"], second)
    ends = None
    if network is not None and (options["sender"], options["receiver"]) != (None, None):
        ends = read_ends(network, options["sender"], options["receiver"])
    asked = _Asked(first, second, engines, options["side"], network, ends)
    make = _by_class if engines[0] != engines[1] else _by_edit
    made = make(asked, options)
    counted = _count(asked, options["capture"]) if options["capture"] else None
    ways = _ways(asked)
    text = made.write(_form(options), counted, ways, network)
    if _form(options) == "text":
        text = for_terminal(text, options["output"], change_colours)
    write_text(options["output"], text, [old, new, options["network"], options["capture"]])
    if made.incomplete:
        click.echo(f"ztfast diff: not everything is shown or proved: {made.incomplete}", err=True)
    ctx.exit(0 if made.same else 1)


def _form(options: dict[str, Any]) -> str:
    form: str = options["form"]
    if options["as_json"] and form not in ("text", "json"):
        raise click.UsageError(f"--json and --format {form}: choose one")
    return "json" if options["as_json"] else form


class _Asked(NamedTuple):
    """Two policies on two engines, on one side or both, of a network; ends: between these."""

    old: Policy
    new: Policy
    engines: tuple[str, str]
    side: str
    network: Network | None
    ends: MemberEnds | None

    @property
    def policies(self) -> Iterator[tuple[Policy, str]]:
        """Each policy with its engine."""
        return zip((self.old, self.new), self.engines, strict=True)

    def how(self, options: dict[str, Any]) -> dict[str, Any]:
        """What both kinds of proof take."""
        return {
            "engines": self.engines,
            "side": self.side,
            "time_limit": options["time_limit"],
            "ends": self.ends,
        }


def _by_edit(asked: _Asked, options: dict[str, Any]) -> ByEdit:
    """What each edit does."""
    from ztfast.cli.diff_texts import ByEdit
    from ztfast.cli.interrupts import ended_at_once
    from ztfast.proof.edit_effects import compare_edits

    with ended_at_once():
        shown = options["verbose"] or _form(options) == "json"
        report = compare_edits(asked.old, asked.new, usual=shown, **asked.how(options))
    return ByEdit(asked.old, asked.new, report, options["limit"], options["verbose"], asked.ends)


def _by_class(asked: _Asked, options: dict[str, Any]) -> ByClass:
    """In which classes of frames two engine versions differ."""
    from ztfast.cli.diff_texts import ByClass
    from ztfast.cli.interrupts import ended_at_once
    from ztfast.proof.diff import compare

    with ended_at_once():
        found = compare(asked.old, asked.new, max_classes=options["limit"], **asked.how(options))
    return ByClass(found, asked.ends)


def _count(asked: _Asked, capture: str) -> ChangeCounts:
    """How many captured frames change, of those between the ends."""
    from ztfast.capture import open_capture
    from ztfast.engine.engine import Engine
    from ztfast.pipeline.changes import count_changes
    from ztfast.pipeline.frame_ends import Choice, End

    old, new = (
        Engine(policy, network=asked.network, side=asked.side, engine=engine)
        for policy, engine in asked.policies
    )
    choice = None
    if asked.ends is not None:
        senders, receivers = (
            frozenset(() if member is None else (End(member.address),))
            for member in (asked.ends.sender, asked.ends.receiver)
        )
        choice = Choice(senders=senders, receivers=receivers)
    with open_capture(capture) as packets:
        return count_changes(old, new, packets, choice)


def _ways(asked: _Asked) -> Ways | None:
    """Who reaches whom before and after; of one side alone that says nothing."""
    from ztfast.pipeline.reach_change import ways_between

    if asked.side != "both":
        return None
    ends = asked.ends
    sender, receiver = (None, None) if ends is None else (ends.sender, ends.receiver)
    return ways_between(
        (asked.old, asked.new),
        asked.network,
        asked.engines,
        None if sender is None else [sender.label],
        None if receiver is None else [receiver.label],
    )
