"""`ztfast reach`: who reaches whom for which service, and why not.

Contract: exit 0; with --against 0 where nothing changes and 1 where something does; 1 for rules or
networks that are refused, 2 for wrong usage.  Tested by tests/cli/test_reach.py.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ztfast.cli.options import version_option

if TYPE_CHECKING:
    from ztfast.network.members import Network
    from ztfast.pipeline.reach import Reach


@click.command()
@click.argument("rules", metavar="[RULES]", required=False)
@click.option("--network", metavar="FILE", required=True, help="The members (docs/network.md).")
@click.option(
    "--service",
    "services",
    metavar="NAME,…",
    multiple=True,
    help="ssh, https, ping, arp, 445/tcp, … (default: ping, ssh, https, smb, rdp, dns).",
)
@click.option("--from", "clients", metavar="NAME,…", multiple=True, help="Only from these members.")
@click.option("--to", "servers", metavar="NAME,…", multiple=True, help="Only to these members.")
@click.option("--against", metavar="OLD", help="Show only what changes from these rules.")
@version_option
@click.option("--json", "as_json", is_flag=True, help="Print every cell, as one JSON object.")
@click.option("--csv", "as_csv", is_flag=True, help="Print every cell, one per line.")
@click.option("-o", "--output", metavar="FILE", help="Write there instead of standard output.")
@click.pass_context
def command(ctx: click.Context, /, rules: str | None, **options: Any) -> None:
    """Say who reaches whom for which service: the request, its reply and address resolution.

    RULES (`-`: standard input) may be left out if the network's file has or names them. Members
    with the same results share a row. What is closed comes with the reason and the line of the
    rules.

    Exit status: 0; with --against 1 if something changes; 2 usage.

    \b
    Examples:
      ztfast reach --network net.toml
      ztfast reach rules.ztrules --network net.json --service ssh,445/tcp --to files
      ztfast reach new.ztrules --network net.toml --against git:HEAD:rules.ztrules
    """
    from ztfast.cli.inputs import read_policy, read_rules
    from ztfast.sinks.text import write_text

    if options["as_json"] and options["as_csv"]:
        raise click.UsageError("--json or --csv, not both")
    policy, network = read_rules(rules, options["network"])
    assert network is not None
    old = None if options["against"] is None else read_policy(options["against"])
    found = _matrix(policy, network, options)
    before = None if old is None else _matrix(old, network, options)
    read = [rules, options["network"], options["against"]]
    write_text(options["output"], _written(found, before, options), read)
    changes = before is not None and bool((before.open != found.open).any())
    ctx.exit(1 if changes else 0)


def _matrix(policy: Any, network: Network, options: dict[str, Any]) -> Reach:
    from ztfast.pipeline.reach import SERVICES, reach

    return reach(
        policy,
        network,
        split_names(options["services"]) or SERVICES,
        clients=split_names(options["clients"], network),
        servers=split_names(options["servers"], network),
        engine=options["engine"],
    )


def split_names(given: tuple[str, ...], network: Network | None = None) -> list[str] | None:
    """The names of a repeated option, each perhaps several between commas.

    network: whose members they are; a name that has a comma is taken whole, or stands in quotes.
    """
    import csv

    from ztfast.network.names import MemberNames

    known = None if network is None else MemberNames(network)
    found: list[str] = []
    for text in given:
        if known is not None and "," in text and known.find(text) is not None:
            found.append(text)
        else:
            found += [
                name.strip() for row in csv.reader([text], skipinitialspace=True) for name in row
            ]
    return found or None


def _written(found: Reach, before: Reach | None, options: dict[str, Any]) -> str:
    import shutil
    import sys

    from ztfast.diagnostics.render import harmless_lines
    from ztfast.report.reach_grid import change_lines, grid_lines

    if options["as_json"]:
        return json.dumps(_object(found, before), indent=2) + "\n"
    if options["as_csv"]:
        return _csv(found, before)
    if before is not None:
        return harmless_lines(change_lines(before, found))
    terminal = options["output"] is None and sys.stdout.isatty()
    width = {"width": shutil.get_terminal_size().columns} if terminal else {}
    return harmless_lines(grid_lines(found, **width))


def _cells(found: Reach, before: Reach | None) -> tuple[list[str], list[dict[str, Any]]]:
    """(names of columns, cells); with `before` only what changes, and how it was."""
    from ztfast.pipeline.reach import change_cells

    columns = found.columns()
    if before is not None:
        return [*columns, "was"], change_cells(before, found)
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return list(columns), [dict(zip(columns, row, strict=True)) for row in rows]


def _object(found: Reach, before: Reach | None) -> dict[str, Any]:
    return {
        "version": 1,
        "members": [{"address": member.label, "name": member.name} for member in found.members],
        "services": [service.name for service in found.services],
        "ways": len(found.why),
        "open": int(found.open.sum()),
        "cells": _cells(found, before)[1],
    }


def _csv(found: Reach, before: Reach | None) -> str:
    import csv
    import io

    names, cells = _cells(found, before)
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(cells)
    return text.getvalue()
