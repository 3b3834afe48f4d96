"""Options that commands share: grouped help, and the engine that judges.

Contract: `Grouped` is a click command whose `--help` shows options under headings;
`judging_options` adds those that `make_engine` reads, `engine_options` also `--threads`.
Tested by tests/cli/test_filter.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ztfast.engine.engine import Engine

ASSUMPTIONS = {"ipauth=yes": True, "ipauth=no": False}
MAX_SEED = 2**64 - 1


class Option(click.Option):
    """An option that stands under a heading of the help."""

    def __init__(self, *names: Any, heading: str = "Options", **rest: Any) -> None:
        self.heading = heading
        super().__init__(*names, **rest)


class Grouped(click.Command):
    """A command whose help shows its options under their headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, heading by heading, in the order in which they were declared."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = None
            if isinstance(parameter, click.Option):
                record = parameter.get_help_record(ctx)
            if record is not None:
                groups.setdefault(getattr(parameter, "heading", "Help"), []).append(record)
        for heading, records in groups.items():
            with formatter.section(heading):
                formatter.write_dl(records)


def option(heading: str, *names: str, **rest: Any) -> Callable[[Any], Any]:
    """`click.option` under a heading."""
    return click.option(*names, cls=Option, heading=heading, **rest)


_JUDGING = (
    option(
        "Judging",
        "--side",
        type=click.Choice(["both", "out", "in"]),
        default="both",
        help="Whose verdict counts: the sender's (out), the receiver's (in), or both (default).",
    ),
    option(
        "Judging",
        "--network",
        metavar="FILE|ID",
        help="Members from a controller's or Central's JSON or a TOML; or only a network id of "
        "16 digits, for ZeroTier addresses from MACs.",
    ),
    option(
        "Judging",
        "--assume",
        type=click.Choice(list(ASSUMPTIONS)),
        metavar="ipauth=yes|no",
        default="ipauth=yes",
        help="What ipauth and macauth are for unknown senders (default: yes).",
    ),
    option(
        "Judging",
        "--engine",
        type=click.Choice(["1.14", "1.12"]),
        default="1.14",
        help="The ZeroTier version to behave like (default: 1.14).",
    ),
    option(
        "Judging",
        "--seed",
        type=click.IntRange(0, MAX_SEED),
        metavar="N",
        default=0,
        help="Fixes `random` matches: the same seed, the same draws (default: 0).",
    ),
    option(
        "Judging",
        "--backend",
        metavar="NAME",
        default="auto",
        help="The evaluator: auto, native, reference, or what a package adds (default: auto).",
    ),
)


seed_option = click.option(  # for commands that judge a few frames
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Fixes `random` matches: the same seed, the same draws.",
)

version_option = click.option(  # for commands that take none of the others
    "--engine",
    type=click.Choice(["1.14", "1.12"]),
    default="1.14",
    show_default=True,
    help="The ZeroTier version to behave like.",
)
progress_option = option(
    "Reporting",
    "--progress",
    type=click.Choice(["auto", "json", "none"]),
    default="auto",
    help="On standard error: a bar on a terminal (auto, default), JSON lines, or none.",
)
_EARLIER = (
    option(
        "Writing",
        "--force",
        "earlier",
        flag_value="force",
        help="If there are files of an earlier run: replace those of the same name,",
    ),
    option(
        "Writing",
        "--clean",
        "earlier",
        flag_value="clean",
        help="or remove them all once the new ones are complete.",
    ),
)


def earlier_options(command: Any) -> Any:
    """Add `--force` and `--clean`: `earlier` is None, "force" or "clean"."""
    return _with(command, _EARLIER)


def check_earlier(options: dict[str, Any]) -> str:
    """What `OutputOptions.earlier` is to be; raises click.UsageError where it has no meaning."""
    rotation = [name for name in options if name.startswith("rotate_")]
    if options["earlier"] and not any(options[name] for name in ("split", *rotation)):
        wanted = "--split DIR or --rotate" if rotation else "--split DIR"
        raise click.UsageError(f"--{options['earlier']} needs {wanted}")
    return options["earlier"] or "refuse"


_THREADS = option(
    "Judging",
    "--threads",
    type=click.IntRange(1, 256),
    metavar="N",
    default=1,
    help="Processes that count the frames of a pcap (default: 1).",
)


def judging_options(command: Any) -> Any:
    """Add the options that `make_engine` reads."""
    return _with(command, _JUDGING)


def engine_options(command: Any) -> Any:
    """Add these, and how many threads judge."""
    return judging_options(_THREADS(command))


def _with(command: Any, options: Sequence[Callable[[Any], Any]]) -> Any:
    for add in reversed(options):
        command = add(command)
    return command


def make_engine(rules: str | None, options: dict[str, Any]) -> Engine:
    """The engine that the options ask for; raises ZtfastError.  rules: None: the network's."""
    from ztfast.cli.inputs import note_engine, read_rules
    from ztfast.engine.engine import Engine

    policy, network = read_rules(rules, options["network"])
    note_engine(policy, options["engine"])
    return Engine(
        policy,
        network=network,
        side=options["side"],
        engine=options["engine"],
        backend=options["backend"],
        seed=options["seed"],
        assume_ipauth=ASSUMPTIONS[options["assume"]],
    )
