"""`ztfast apply`: deploy a plan, read it back, and take it back where it is not what was meant.

Contract: exit 0 where the plan's rules are in force, 1 where they are not (the message says which
are), 2 for wrong usage.  Tested by tests/cli/test_plan.py.
"""

from __future__ import annotations

import json
import os
import re
import sys
from itertools import count
from typing import TYPE_CHECKING, Any

import click

from ztfast.cli.fetch import token_option

if TYPE_CHECKING:
    from ztfast.deploy.controllers import Deployed

_MOST_PLAN = 1 << 26
_SECONDS = re.compile(r"([0-9]{1,6})(s|m|min)?", re.ASCII)


@click.command()
@click.argument("plan", metavar="PLAN")
@click.option(
    "--confirm-within",
    "confirm",
    metavar="60s",
    help="Take it back unless you answer yes (on standard input) in time.",
)
@click.option("--keep", metavar="FILE", help="Where to keep the old rules (PLAN.before.json).")
@click.option("--json", "as_json", is_flag=True, help="Print what became of it as JSON.")
@token_option
@click.pass_context
def command(ctx: click.Context, /, plan: str, **options: Any) -> None:
    """Deploy the rules of PLAN, as `ztfast plan -o` wrote it.

    The rules in force are read first, and kept in a file: if somebody changed them since,
    nothing is done. What was deployed is read back, and taken back if it has another
    meaning.

    Exit status: 0 the plan's rules are in force; 1 they are not; 2 usage.

    \b
    Examples:
      ztfast apply office.plan
      ztfast apply office.plan --confirm-within 60s
    """
    from ztfast.deploy.apply import apply_plan
    from ztfast.deploy.controllers import Controller
    from ztfast.deploy.plan import read_plan
    from ztfast.deploy.target import read_token
    from ztfast.errors import usage
    from ztfast.lang.files import Unreadable, read_file
    from ztfast.sinks.signals import ended_gently
    from ztfast.sinks.text import write_text

    seconds = _seconds(options["confirm"])
    if plan == "-" and seconds is not None:
        what = "a plan from standard input leaves nothing to read your answer from"
        raise usage(what, "give --confirm-within a plan in a file")
    try:
        data = read_file(plan, _MOST_PLAN)
    except Unreadable as error:
        raise usage(f"{plan}: {error.message}", error.help) from None
    parsed = read_plan(data, plan)
    kept = _kept(plan, options["keep"])

    def keep(before: Deployed) -> None:
        write_text(kept, json.dumps(before.document, indent=2) + "\n", [plan])
        click.echo(f"the rules in force until now are kept in {kept}", err=True)

    controller = Controller(parsed.target, read_token(parsed.target, options["token_file"]))
    with ended_gently():  # a session that dies hangs up: that is no confirmation
        outcome = apply_plan(
            controller,
            parsed,
            keep=keep,
            confirm=None if seconds is None else lambda: _confirmed(seconds),
        )
    good = outcome.applied.good
    if options["as_json"]:
        found = {"version": 1, "result": outcome.applied.name.lower(), "in_force": good}
        click.echo(json.dumps({**found, "target": str(parsed.target), "why": outcome.why or None}))
    else:
        click.echo(f"{parsed.target}: {outcome}")
    ctx.exit(0 if good else 1)


def _kept(plan: str, named: str | None) -> str:
    """Where the old rules are kept: never in the place of another file."""
    if named is not None and os.path.exists(named):
        raise click.UsageError(f"--keep {named}: the file is there already; name another")
    stem = "before" if plan == "-" else f"{plan}.before"
    names = (f"{stem}{'' if n == 1 else f'-{n}'}.json" for n in count(1))
    return named or next(name for name in names if not os.path.exists(name))


def _seconds(text: str | None) -> int | None:
    if text is None:
        return None
    match = _SECONDS.fullmatch(text)
    if match is None or not int(match[1]):
        raise click.UsageError(f"--confirm-within {text[:20]!r} is not a time: write 60s or 5m")
    return int(match[1]) * (60 if (match[2] or "s").startswith("m") else 1)


def _confirmed(seconds: int) -> bool:
    """Does somebody type yes in time?  The end of input is no."""
    import select

    click.echo(f"applied. Type yes within {seconds} s to keep it: ", nl=False, err=True)
    try:
        ready = select.select([sys.stdin], [], [], seconds)[0]
    except (OSError, ValueError):  # standard input that cannot be waited for
        ready = [sys.stdin]
    return bool(ready) and sys.stdin.readline().strip().lower() == "yes"
