"""`ztfast search`: a frame that gets a verdict, or proof that there is none.

Contract: exit 0 where a frame was found, 1 where there is none or no proof in time, 2 for wrong
usage.  Tested by tests/proof/test_search.py.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ztfast.cli.options import version_option

if TYPE_CHECKING:
    from ztfast.network.members import Network


@click.command()
@click.argument("rules", metavar="[RULES]", required=False)
@click.option(
    "--verdict",
    required=True,
    metavar="VERDICT",
    help="accept, drop, redirect[:ADDRESS], tee[:ADDRESS] or watch[:ADDRESS].",
)
@click.option("--where", default="", metavar="MATCHES", help="Matches of the rules language.")
@click.option(
    "--side",
    type=click.Choice(["both", "out", "in"]),
    default="both",
    show_default=True,
    help="Whose verdict: the sender's (out), the receiver's (in), or both.",
)
@click.option("--network", metavar="FILE", help="The members, for --from and --to.")
@click.option("--from", "sender", metavar="NAME", help="The sender: a member of the network.")
@click.option("--to", "receiver", metavar="NAME", help="The receiver: a member of the network.")
@click.option("--from-tag", multiple=True, metavar="NAME=VALUE", help="A tag of the sender.")
@click.option("--to-tag", multiple=True, metavar="NAME=VALUE", help="A tag of the receiver.")
@version_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--time-limit", type=click.FloatRange(0.1), default=30.0, show_default=True, metavar="SECONDS"
)
@click.option("-o", "--output", metavar="FILE", help="Write there instead of standard output.")
@click.pass_context
def command(ctx: click.Context, /, rules: str | None, **options: Any) -> None:
    """Find a frame that gets a verdict by RULES (`-`: standard input), or prove there is none.

    RULES may be left out if the network's file has or names them.

    Exit status: 0 a frame was found, 1 there is none (or no time for the proof), 2 usage.

    \b
    Examples:
      ztfast search rules.ztrules --verdict accept --from-tag role=guest \\
          --where 'ipprotocol tcp and dport 22 and ipdest 10.1.1.7/32'
      ztfast search --network net.toml --verdict accept --from visitor --to files
    """
    from ztfast.cli.inputs import note_engine, read_ends, read_rules
    from ztfast.cli.interrupts import ended_at_once
    from ztfast.cli.terminal import for_terminal
    from ztfast.diagnostics.render import harmless_lines
    from ztfast.network.members import member_names
    from ztfast.proof.render import search_json, search_lines
    from ztfast.proof.search import SearchQuery, search
    from ztfast.sinks.text import write_text

    _check(options)
    policy, network = read_rules(rules, options["network"])
    query = SearchQuery(
        options["verdict"] if network is None else _verdict(network, options["verdict"]),
        options["where"],
        options["side"],
        options["engine"],
        options["from_tag"],
        options["to_tag"],
        None if network is None else read_ends(network, options["sender"], options["receiver"]),
    )
    note_engine(policy, query.engine)
    with ended_at_once():
        result = search(policy, query, options["time_limit"])
    if options["as_json"]:
        found = json.dumps(search_json(result), indent=2) + "\n"
    else:
        names = {} if network is None else member_names(network.members)
        lines = search_lines(result, query.verdict, names)
        found = for_terminal(harmless_lines(lines), options["output"])
    write_text(options["output"], found, [rules, options["network"]])
    ctx.exit(0 if result is not None else 1)


def _check(options: dict[str, Any]) -> None:
    for end, tags in (("sender", "from"), ("receiver", "to")):
        if options[end] and not options["network"]:
            raise click.UsageError(f"--{tags} needs --network: whose member is it?")
        if options[end] and options[f"{tags}_tag"]:
            raise click.UsageError(f"--network says what --{tags} is: leave out --{tags}-tag")


def _verdict(network: Network, text: str) -> str:
    """The verdict with the address of the member that it names, as in `tee:sensor`."""
    from ztfast.network.names import MemberNames

    kind, colon, target = text.partition(":")
    member = MemberNames(network).find(target) if target else None
    return text if member is None else f"{kind}{colon}{member.address:010x}"
