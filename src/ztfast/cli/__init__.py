"""The command line: `ztfast COMMAND`, one short file a command.

Contract: a command's module is imported only when it is called (start-up is numpy,
click and this file), its click object is named `command`.  Results go to standard
output and talk to standard error; exit 0 is success, 1 a finding or an error in the
input, 2 wrong usage.  No traceback reaches a user.
click because it is small, fast to import and its help is what people expect.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import sys

import click

from ztfast import __version__
from ztfast.cli.settings import Settings, current

# command -> (module, one line of help)
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("ztfast.cli.init", "Write rules to start from, and test cases for them."),
    "compile": ("ztfast.cli.compile", "Compile a rules text to the controller's JSON, or back."),
    "check": ("ztfast.cli.check", "Find errors, traps and dead rules."),
    "fmt": ("ztfast.cli.fmt", "Lay a rules text out canonically."),
    "serve": ("ztfast.cli.serve", "Serve a page to write, explain and test rules in."),
    "lsp": ("ztfast.cli.lsp", "Answer an editor: findings, meanings, fixes, completion."),
    "deliver": ("ztfast.cli.deliver", "Say what reaches each member for every frame."),
    "filter": ("ztfast.cli.filter", "Judge a capture; write, split and count its frames."),
    "tap": ("ztfast.cli.tap", "Judge an interface's frames as they pass; feed an IDS."),
    "archive": ("ztfast.cli.archive", "Judge many captures with many workers."),
    "reach": ("ztfast.cli.reach", "Say who reaches whom for which service, and why not."),
    "explain": ("ztfast.cli.explain", "Say why one frame gets its verdict."),
    "explain-code": ("ztfast.cli.explain_code", "Say what a finding's code means."),
    "test": ("ztfast.cli.test", "Run a file of named test cases against a policy."),
    "diff": ("ztfast.cli.diff", "Say which frames two policies judge differently."),
    "search": ("ztfast.cli.search", "Find a frame that gets a verdict, or prove there is none."),
    "fetch": ("ztfast.cli.fetch", "Write what a controller has deployed into files."),
    "plan": ("ztfast.cli.plan", "Say what deploying rules would change, and plan it."),
    "apply": ("ztfast.cli.apply", "Deploy a plan, and take it back if it goes wrong."),
    "eval": ("ztfast.cli.eval", "Evaluate JSON cases, one per line."),
    "bench": ("ztfast.cli.bench", "Measure your own rules on your own capture."),
}


def _be_quiet(ctx: click.Context, _: click.Parameter, quiet: bool) -> None:
    if quiet:
        current(ctx).quiet = True


_QUIET = click.Option(
    ["--quiet"],
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_be_quiet,
    help="Do not name the settings file that was used.",
)


VARIABLES = [  # all there are, with those that are not only ours
    ("ZTFAST_BACKEND", "The evaluator if --backend does not say: native, reference."),
    ("ZTFAST_CONFIG", "The settings file; empty: none is looked for."),
    ("ZTFAST_SIMD", "The loops' instruction level: baseline, avx2, avx512."),
    ("ZTFAST_TOKEN", "A controller's or Central's API token: fetch, plan, apply."),
    ("NO_COLOR", "Not empty: no colours on a terminal."),
    ("NOTIFY_SOCKET", "Set by systemd: where tap says that it is ready."),
]


class _LazyGroup(click.Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)
        if not any(parameter.name == "quiet" for parameter in command.params):
            command.params.append(_QUIET)
        if "_ZTFAST_COMPLETE" in os.environ:  # a shell asks what could stand here
            from ztfast.cli.completion import complete_files

            complete_files(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name in COMMANDS or name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        from difflib import get_close_matches

        near = get_close_matches(name, COMMANDS, 1)
        what = f"did you mean {near[0]!r}?" if near else "ztfast --help lists them."
        ctx.fail(f"No such command {name!r}: {what}")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])
        with formatter.section("Environment"):
            formatter.write_dl(VARIABLES)


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
)
@click.option("--version", is_flag=True, help="Show the version and exit.")
@click.option("--json", "as_json", is_flag=True, help="With --version: what it runs on, too.")
@click.pass_context
def cli(ctx: click.Context, version: bool, as_json: bool) -> None:
    """Check, test and run ZeroTier flow rules on captures and live traffic.

    \b
    Example: ztfast filter rules.ztrules capture.pcap -w accepted.pcap

    What a command line leaves out is taken from ztfast.toml (docs/settings.md).
    """
    name = ctx.invoked_subcommand
    if version:
        _print_version(as_json)
        ctx.exit(0)
    if as_json:
        ctx.fail("--json goes with --version, or stands behind a command")
    if name is None:  # nothing was asked for: help once, as wrong usage
        click.echo(ctx.get_help(), err=True)
        ctx.exit(2)
    ctx.obj = settings = Settings()
    ctx.default_map = {name: settings.defaults(name)}


def _print_version(as_json: bool) -> None:
    if not as_json:
        click.echo(f"ztfast, version {__version__}")
        return
    import json

    from ztfast.cli.about import about

    click.echo(json.dumps(about(), indent=2))


def _start_quickly() -> None:
    """Leave out what a short run only waits for: a sixth of `ztfast filter` on a small file."""
    gc.set_threshold(50_000)  # importing makes objects that stay
    atexit.register(gc.freeze)  # and when the process ends they need not be searched again
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's threads, for what nobody does here


def _colour_help() -> None:
    from ztfast.cli.terminal import ColouredHelp
    from ztfast.diagnostics.render import wants_colour

    click.Context.formatter_class = (
        ColouredHelp if wants_colour(sys.stdout) else click.HelpFormatter
    )


def _harmless(error: click.ClickException) -> click.ClickException:
    """The error with a text for a terminal: click shows surplus arguments as they are."""
    from ztfast.diagnostics.render import harmless

    text = harmless(error.format_message())
    if isinstance(error, click.UsageError):
        return click.UsageError(text, error.ctx)
    return click.ClickException(text)


def main() -> None:
    """Entry point of the `ztfast` script."""
    from ztfast.cli.streams import prepare_streams, settle_output
    from ztfast.errors import ZtfastError

    _start_quickly()
    prepare_streams()
    if {"-h", "--help"}.intersection(sys.argv):
        _colour_help()

    try:
        status = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("ztfast: interrupted", err=True)
        sys.exit(130)
    except click.ClickException as error:
        _harmless(error).show()
        sys.exit(2 if isinstance(error, click.UsageError) else 1)
    except ZtfastError as error:
        from ztfast.diagnostics.render import print_diagnostics

        print_diagnostics(error.diagnostics)
        from ztfast.errors import UsageError

        sys.exit(2 if isinstance(error, UsageError) else 1)
    except BrokenPipeError:
        settle_output()
        sys.exit(1)
    except OSError as error:
        settle_output()
        click.echo(f"ztfast: {error}", err=True)
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)
