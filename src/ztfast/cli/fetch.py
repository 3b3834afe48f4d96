"""`ztfast fetch`: what is deployed on a controller, as files.

Contract: exit 0; 1 where the controller or its answer is refused, 2 for wrong usage.
Tested by tests/cli/test_plan.py.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ztfast.deploy.controllers import Controller, Deployed

token_option = click.option(
    "--token-file",
    metavar="FILE",
    help="A file with the API's token (else: ZTFAST_TOKEN in the environment).",
)


@click.command()
@click.argument("target", metavar="TARGET")
@click.option("--out", "folder", metavar="DIR", default=".", help="Where to write (default: here).")
@click.option("--force", is_flag=True, help="Replace existing files.")
@token_option
@click.pass_context
def command(
    ctx: click.Context, /, target: str, folder: str, force: bool, token_file: str | None
) -> None:
    """Write the network with all members and the rules into files, as they are deployed.

    TARGET is `controller:NETWORK` for this machine's controller, `controller:NETWORK@URL` for
    another one, or `central:NETWORK`. A controller keeps no source text: its rules are written with
    the names that are known.

    \b
    Examples:
      sudo ztfast fetch controller:8056c2e21c000001 --out office
      ZTFAST_TOKEN=… ztfast fetch central:8056c2e21c000001 --out office
    """
    from ztfast.lang import print_policy
    from ztfast.sinks.text import write_text

    live = read_live(target, token_file)
    policy, network = live.read_policy(), live.read_network()
    source = policy.source.text if policy.source is not None else ""
    text = source if live.network.get("rulesSource") == source else print_policy(policy)
    files = {
        "network.json": json.dumps(live.document, indent=2) + "\n",
        "rules.ztrules": text,
    }
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise click.UsageError(f"{folder}: {error.strerror}") from None
    paths = {name: os.path.join(folder, name) for name in files}
    there = [path for path in paths.values() if os.path.lexists(path)]
    if there and not force:
        raise click.UsageError(f"{', '.join(there)}: there already; --force replaces what is there")
    for name, path in paths.items():
        write_text(path, files[name])
    members = len(network.members)
    click.echo(f"{paths['network.json']}: {members} members")
    click.echo(f"{paths['rules.ztrules']}: {len(policy.rules)} rules")
    ctx.exit(0)


def read_live(target: str, token_file: str | None) -> Deployed:
    """What a target has deployed; raises UsageError and DeployError."""
    return controller(target, token_file).read()


def controller(target: str, token_file: str | None) -> Controller:
    """The Controller of a target."""
    from ztfast.deploy import controllers
    from ztfast.deploy.target import parse_target, read_token

    parsed = parse_target(target)
    return controllers.Controller(parsed, read_token(parsed, token_file))
