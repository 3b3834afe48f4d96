"""`ztfast serve`: a page in the browser to write, explain and test rules in.

Contract: prints the page's link and serves until Ctrl-C (exit 0, within a second); 1 where rules,
members or cases are refused or the port cannot be had, 2 for wrong usage.
Tested by tests/cli/test_serve.py.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from ztfast.cli.amounts import Size
from ztfast.cli.fetch import read_live, token_option

if TYPE_CHECKING:
    from ztfast.errors import Source
    from ztfast.model.policy import Policy
    from ztfast.network.members import Network
    from ztfast.serve.settings import Settings

_NEEDED = ("starlette", "uvicorn", "websockets", "pygls")
_EXTRA = "pip install 'ztfast[serve]'"
_EVERYWHERE = ("0.0.0.0", "::", "*", "")


@click.command()
@click.argument("rules", metavar="[RULES]", required=False)
@click.option("--network", metavar="FILE", help="The members (docs/network.md).")
@click.option(
    "--against",
    metavar="OLD",
    help=(
        "The deployed rules to compare with: a file, git:REVISION:PATH, or controller:NETWORK@URL "
        "(default: RULES as they were when this started)."
    ),
)
@token_option
@click.option("--tests", metavar="FILE", multiple=True, help="Cases to run (docs/test.md).")
@click.option("--write", is_flag=True, help="Let the page save RULES.")
@click.option("--open", "opens", is_flag=True, help="Open the page in the browser.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="N",
    help="The port (default: a free one).",
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="The address to be reached at."
)
@click.option("--allow-remote", is_flag=True, help="Let --host be one that others reach.")
@click.option(
    "--max-upload",
    type=Size(),
    metavar="SIZE",
    help="Refuse larger captures (default: 512Mi).",
)
def command(rules: str | None, **options: Any) -> None:
    """Serve a page to write RULES in: findings as you type, who reaches whom, what a change does.

    Only this machine's browser gets in, by the link that is printed; the link works once. RULES may
    be left out if the network's file has or names them. Needs the extra `serve`; docs/serve.md.

    \b
    Examples:
      ztfast serve rules.ztrules --network net.toml --open
      ztfast serve rules.ztrules --network net.toml --against git:HEAD:rules.ztrules --write
      ztfast serve rules.ztrules --network net.toml --against controller:8056c2e21c000001
    """
    from ztfast.cli.inputs import project_rules

    if rules is None:
        rules = project_rules(options["network"])
    _check(rules, options)
    _need_libraries()
    settings = read_settings(rules, options)

    from ztfast.serve.server import bind, serve

    listening = bind(options["host"], options["port"])
    serve(settings, options["host"], listening, _Announcer(options["opens"]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # an answer that is still worked on holds nothing up; nothing is half written


def _check(rules: str | None, options: dict[str, Any]) -> None:
    host = options["host"]
    if host in _EVERYWHERE:
        raise click.UsageError("--host: name the one address by which the browser comes")
    if not _is_loopback(host) and not options["allow_remote"]:
        raise click.UsageError(
            f"--host {host} is reached by others, and the page is plain HTTP: whoever is on the "
            "way reads the rules and the link. Forward a port by ssh instead, or --allow-remote"
        )
    if options["write"] and (rules is None or not _is_file(rules)):
        raise click.UsageError("--write saves the file of RULES: name one")


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_file(rules: str) -> bool:
    from ztfast.lang.revisions import is_revision

    return rules != "-" and not is_revision(rules)


def _need_libraries() -> None:
    from importlib.util import find_spec

    from ztfast.errors import usage

    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        what = f"`ztfast serve` needs what is not installed: {', '.join(missing)}"
        raise usage(what, _EXTRA)


def read_settings(rules: str | None, options: dict[str, Any]) -> Settings:
    """Everything that is read before the page is served; raises ZtfastError."""
    from ztfast.errors import usage
    from ztfast.serve.settings import DEFAULT_UPLOAD, MOST_RULES, Settings

    source, network = _rules_and_network(rules, options["network"])
    if len(source.text) > MOST_RULES:
        what = f"{source.name} has more than {MOST_RULES:,} characters, too many for a page"
        raise usage(what, "a thousand entries are 20,000; is it the right file?")
    against = options["against"]
    for name in options["tests"]:
        if not os.path.isfile(name):
            raise click.UsageError(f"--tests {name}: no such file")
    return Settings(
        source,
        path=source.name if rules is not None and _is_file(rules) else "",
        writable=options["write"],
        network=network,
        network_name=options["network"] or "",
        deployed=None if against is None else _deployed(against, source, options["token_file"]),
        deployed_name=against or "",
        tests=options["tests"],
        most_upload=options["max_upload"] or DEFAULT_UPLOAD,
    )


def _deployed(against: str, like: Source, token_file: str | None) -> Policy:
    """The rules to compare with, those of a controller with the names of the page's rules."""
    from ztfast.cli.inputs import read_policy
    from ztfast.deploy.plan import readable
    from ztfast.deploy.target import is_target
    from ztfast.errors import RulesError
    from ztfast.lang.controller import load_source

    asked = is_target(against)
    old = read_live(against, token_file).read_policy() if asked else read_policy(against)
    try:
        return readable(old, load_source(like))
    except RulesError:  # the page is there to mend them
        return readable(old, old)


def _rules_and_network(rules: str | None, network: str | None) -> tuple[Source, Network | None]:
    """The text of the rules, which may be broken, and the members."""
    from ztfast.cli.inputs import read_network, read_rules
    from ztfast.errors import Source
    from ztfast.lang.lint import check
    from ztfast.lang.printer import print_policy

    if rules is None:
        policy, known = read_rules(None, network)
        source = policy.source
        text = print_policy(policy) if source is None else source.text
        return Source(network or "", text), known
    source = _source(rules)
    return source, read_network(network, check(source)[0])


def _source(rules: str) -> Source:
    from ztfast.cli.inputs import read_text
    from ztfast.errors import usage
    from ztfast.lang.terraform import is_terraform

    if is_terraform(rules):
        help = 'keep the rules in a file of their own: flow_rules = file("office.ztrules")'
        raise usage(f"{rules} is a Terraform file, which has other things", help)
    return read_text(rules)


class _Announcer:
    """Says the link, and opens it where that is asked for."""

    def __init__(self, opens: bool) -> None:
        self._opens = opens

    def __call__(self, link: str) -> None:
        click.echo(f"{link}\nThe link works once. Ctrl-C ends.")
        sys.stdout.flush()
        if self._opens:
            import threading
            import webbrowser

            threading.Thread(target=webbrowser.open, args=(link,), daemon=True).start()
