"""`ztfast tap`: judge the frames of an interface as they pass; send copies, or others, on.

Contract: works until SIGTERM, SIGINT or `--seconds`; figures at the end on standard output (on
standard error where frames go there), talk on standard error; exit 1 where something could not be
opened or finished.  The work is in live/session.py, what is said at the end in live/summary.py.
Linux only.  Tested by tests/cli/test_tap.py and tests/live/test_tap_network.py.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from ztfast.cli.amounts import Seconds, Size
from ztfast.cli.options import Grouped, judging_options, option

if TYPE_CHECKING:
    from ztfast.live.plan import Plan

_DEDUP = 500


@click.command(cls=Grouped)
@click.argument("rules", metavar="[RULES]", required=False)
@option(
    "Reading",
    "-i",
    "--interface",
    "inputs",
    metavar="IFACE",
    multiple=True,
    required=True,
    help="Take the frames that this interface receives (more than one: repeat it).",
)
@option("Reading", "--bpf", metavar="EXPR", help="Only frames of this expression, as tcpdump's.")
@option(
    "Reading",
    "--snaplen",
    metavar="N",
    type=click.IntRange(64, 262_144),
    default=262_144,
    help="Take at most N bytes of a frame.",
)
@option("Reading", "--promiscuous", is_flag=True, help="Also frames for other machines' MACs.")
@option(
    "Reading",
    "--fanout",
    metavar="N",
    type=click.IntRange(0, 65_535),
    help="Share the frames, by flow, with the other taps of group N.",
)
@option(
    "Reading",
    "--ring",
    metavar="SIZE",
    type=Size(),
    default="64Mi",
    help="Memory in which frames wait (default: 64Mi),",
)
@option(
    "Reading",
    "--block-size",
    metavar="SIZE",
    type=Size(),
    default="128Ki",
    help="in blocks of this size (default: 128Ki).",
)
@option(
    "Reading",
    "--retire-ms",
    metavar="MS",
    type=click.IntRange(1, 10_000),
    default=1,
    help="Hand a block over after this time, full or not (default: 1).",
)
@judging_options
@option(
    "Sending",
    "--to",
    "targets",
    metavar="[MEMBER=]PLACE",
    multiple=True,
    help="packet:IFACE, vxlan:HOST[:PORT]/VNI, fifo:PATH, pcap:DIR or - for standard output; "
    "with MEMBER only the copies for that member.",
)
@option(
    "Sending",
    "--send",
    type=click.Choice(["copies", "accepted", "dropped", "all"]),
    default="copies",
    help="What is sent: copies by tee, watch and redirect (default), or frames by their verdict.",
)
@option(
    "Sending",
    "--dedup",
    metavar="MS",
    type=click.IntRange(1, 60_000),
    is_flag=False,
    flag_value=_DEDUP,
    help=f"For an interface that gets the copies of both sides: send each frame once, and look for "
    f"doubles for so long (without a number: {_DEDUP}).",
)
@option("Sending", "--block", is_flag=True, help="Wait for slow readers; do not drop and count.")
@option(
    "Sending",
    "--format",
    "form",
    type=click.Choice(["pcap", "pcapng"]),
    default="pcap",
    help="Of streams and files (default: pcap, nanoseconds).",
)
@option("Sending", "--rotate-size", metavar="N", type=Size(), help="New file after N[kMG] bytes,")
@option("Sending", "--rotate-frames", metavar="N", type=click.IntRange(1), help="or N frames,")
@option("Sending", "--rotate-seconds", metavar="S", type=Seconds(), help="or S seconds of frames.")
@option("Running", "--seconds", metavar="S", type=Seconds(), help="End after S seconds.")
@option(
    "Running", "--user", metavar="NAME[:GROUP]", help="Become this user once everything is open."
)
@option(
    "Running",
    "--ready-fd",
    metavar="N",
    type=click.IntRange(0),
    help="Report there when it is ready.",
)
@option("Reporting", "--stats", metavar="S", type=Seconds(), help="A line every S seconds.")
@option(
    "Reporting",
    "--metrics",
    metavar="[HOST]:PORT|FILE",
    help="Figures for Prometheus, served or written to a file.",
)
@option("Reporting", "--json", "as_json", is_flag=True, help="Figures as JSON objects.")
@click.pass_context
def command(ctx: click.Context, /, rules: str | None, **options: Any) -> None:
    """Judge the frames that interfaces receive by RULES, as they pass, and send them on.

    RULES may be left out if --network names some. Linux only; CAP_NET_RAW is needed.
    SIGHUP reads rules and network again, SIGUSR1 prints figures, SIGTERM ends.

    \b
    Examples:
      ztfast tap rules.ztrules -i zt0 --network net.toml --to sensor=packet:veth1
      ztfast tap rules.ztrules -i zt0 --network net.toml --dedup 500 --to fifo:/run/feed
      ztfast tap rules.ztrules -i zt0 --send dropped --to - | tcpdump -n -r -
    """
    _check(options)
    if not sys.platform.startswith("linux"):
        from ztfast.errors import BackendError, Diagnostic

        help = "write a capture with tcpdump, and judge it: ztfast filter RULES CAPTURE"
        raise BackendError(Diagnostic("ZT644", "ztfast tap needs Linux", help=help))
    ctx.exit(_run(rules, options))


def _check(options: dict[str, Any]) -> None:
    """Options that make no sense together are wrong usage, before anything is opened."""
    if len(set(options["inputs"])) < len(options["inputs"]):
        raise click.UsageError("-i names an interface twice")
    named = [text for text in options["targets"] if "=" in text.partition(":")[0]]
    if named and options["send"] != "copies":
        what = f"--send {options['send']} is by verdict: write --to without {named[0]!r:.40}"
        raise click.UsageError(f"{what}'s member")
    rotated = any(options[f"rotate_{what}"] for what in ("size", "frames", "seconds"))
    if rotated and not any("pcap:" in text for text in options["targets"]):
        raise click.UsageError("nothing is written that --rotate could mean: add --to pcap:DIR")


def _run(rules: str | None, options: dict[str, Any]) -> int:
    from ztfast.cli.options import make_engine
    from ztfast.live.judge import LiveJudge
    from ztfast.live.session import Session

    def made() -> LiveJudge:
        return LiveJudge(make_engine(rules, options))

    return Session(_plan(options), made).run()


def _plan(options: dict[str, Any]) -> Plan:
    from ztfast.live.file_output import FileOptions
    from ztfast.live.plan import Plan
    from ztfast.live.ring import RingOptions
    from ztfast.live.targets import read_targets
    from ztfast.sinks.files import Rotation

    names = ("bpf", "snaplen", "promiscuous", "fanout", "retire_ms")
    ring = RingOptions(
        size=options["ring"],
        block=options["block_size"],
        **{name: options[name] for name in names},
    )
    ring.check()
    rotation = Rotation(*(options[f"rotate_{what}"] for what in ("size", "frames", "seconds")))
    same = ("inputs", "send", "dedup", "block", "seconds", "user", "ready_fd", "stats", "metrics")
    return Plan(
        ring=ring,
        targets=read_targets(options["targets"]),
        files=FileOptions(options["form"], rotation),
        as_json=options["as_json"],
        **{name: options[name] for name in same},
    )
