"""What several commands are given: rules, the network, members' tags and capabilities by name.

Contract: `read_network` takes `--network FILE|ID` and says on standard error what members seem to
have and do not, `read_rules` also RULES that may be left out; `read_text` takes rules that may be
broken, and `project_rules` names those of the project.  `note_engine` says what an old version
misreads; `read_ends` takes two members, `--from` and `--to`; `read_tags` and `read_capabilities`
take the repeated options `NAME=VALUE` and `NAME|ID`, with the names of the rules.  All raise
UsageError for an option that makes no sense, NetworkError for a refused file.
Tested by tests/cli/test_inputs.py and test_inputs_revisions.py.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ztfast.cli.settings import current

if TYPE_CHECKING:
    from ztfast.errors import Source
    from ztfast.model.policy import Policy
    from ztfast.network.members import Network
    from ztfast.proof.member_ends import MemberEnds

_LIKE_AN_ID = re.compile(r"[0-9a-fA-F]{10,20}")


def read_network(given: str | None, policy: Policy | None = None) -> Network | None:
    """The network that a file describes, or one of which only the id (16 hex digits) is known.

    policy: the rules, where they are not the network's own.
    """
    network = _network(given)
    _note_network(network, policy, given)
    return network


def _network(given: str | None) -> Network | None:
    if given is None:
        return None
    from ztfast.model.addresses import parse_network_id
    from ztfast.network.load import load_network
    from ztfast.network.members import Network

    network_id = parse_network_id(given)
    if network_id is not None:
        return Network(id=network_id)
    _refuse_other_id(given)
    return load_network(given)


def _refuse_other_id(given: str) -> None:
    """Raise UsageError where an id has a digit too many or too few, and no file has that name."""
    if not _LIKE_AN_ID.fullmatch(given) or os.path.exists(given):
        return
    from ztfast.errors import usage

    what = f"--network {given} is not a file, and an id has 16 hex digits, not {len(given)}"
    raise usage(what, "give the id as the controller shows it, or the network's file")


def _note_network(
    network: Network | None, policy: Policy | None, given: str | None, needs_id: bool = True
) -> None:
    """Say what members seem to have and do not; of an id alone there is nothing to say."""
    from ztfast.model.addresses import parse_network_id

    if network is None or given is None or parse_network_id(given) is not None:
        return
    from ztfast.diagnostics.render import print_diagnostics
    from ztfast.network.notes import network_notes

    print_diagnostics(network_notes(network, policy, given, needs_id))


def note_engine(policy: Policy, *engines: str) -> None:
    """Say on standard error what a controller of a version asked for reads otherwise."""
    if "1.12" not in engines:
        return
    from ztfast.diagnostics.render import print_diagnostics
    from ztfast.lang.lint_entries import old_controllers_misread

    note = old_controllers_misread(policy)
    print_diagnostics([note] if note is not None else [])


def read_policy(name: str) -> Policy:
    """The rules of a file, of standard input (`-`), or of `git:REVISION:PATH`."""
    from ztfast.lang.controller import load_source

    return load_source(read_text(name))


def read_text(name: str) -> Source:
    """The text of such rules, which need not compile."""
    from ztfast.lang.revisions import is_revision, revised_source
    from ztfast.lang.sources import read_source

    return revised_source(name) if is_revision(name) else read_source(name)


def read_rules(
    rules: str | None, network: str | None, needs_id: bool = True
) -> tuple[Policy, Network | None]:
    """The rules that are named, else those of the network; and the network.

    needs_id: False: a network without an id gets one that is made up.
    """
    from ztfast.errors import usage

    if rules is not None:
        policy = read_policy(rules)
        known = _network(network)
        _note_network(known, policy, network, needs_id)
        return policy, known
    known = _network(network)
    rules = current().rules_for(known is not None and known.policy is not None)
    chosen = None if rules is None else read_policy(rules)
    _note_network(known, chosen, network, needs_id)
    if chosen is not None:
        return chosen, known
    if known is None or known.policy is None:
        what = "no rules are named" if known is None else f"{network} names no rules"
        raise usage(what, "give RULES, or a --network whose file has or names rules")
    return known.policy, known


def project_rules(network: str | None) -> str | None:
    """The name of the project's rules where those count, before they are read; else None."""
    settings = current()
    if settings.project is None or settings.project.rules is None:
        return None
    known = _network(network)
    return settings.rules_for(known is not None and known.policy is not None)


def read_ends(network: Network, sender: str | None, receiver: str | None) -> MemberEnds:
    """The members that `--from` and `--to` name; None: any."""
    from ztfast.errors import usage
    from ztfast.network.names import MemberNames
    from ztfast.proof.member_ends import MemberEnds

    names = MemberNames(network)
    first, second = (
        None if name is None else names.member(option, name)
        for option, name in (("--from", sender), ("--to", receiver))
    )
    if first is not None and first is second:
        raise usage(
            f"--from and --to are both {first.name or first.label}",
            "name two members: none sends to itself",
        )
    return MemberEnds(network, first, second)


def read_tags(policy: Policy, option: str, given: Sequence[str]) -> dict[int, int]:
    """Tags by id, of `NAME=VALUE` each: a tag's name or id, its value's name or number."""
    from ztfast.errors import NetworkError, UsageError
    from ztfast.network.documents import Node
    from ztfast.network.toml import RuleNames

    try:
        return RuleNames(policy).tags(Node(_pairs(option, given), option))
    except NetworkError as error:
        raise UsageError(*error.diagnostics) from None


def _pairs(option: str, given: Sequence[str]) -> dict[str, int | str]:
    """name -> value; a value of digits alone as a number."""
    from ztfast.errors import usage

    values: dict[str, int | str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name or not value:
            raise usage(f"{option} {text[:60]!r} is not NAME=VALUE", f"as: {option} team=sales")
        if name in values:
            raise usage(f"{option} gives {name[:60]!r} twice", "leave one of them out")
        values[name] = _number_or_name(value)
    return values


def read_capabilities(policy: Policy, option: str, given: Sequence[str]) -> frozenset[int]:
    """Capabilities by id, of `NAME|ID` each."""
    from ztfast.errors import NetworkError, UsageError
    from ztfast.network.documents import Node
    from ztfast.network.toml import RuleNames

    values = [_number_or_name(text) for text in given]
    try:
        return frozenset(RuleNames(policy).capabilities(Node(values, option)))
    except NetworkError as error:
        raise UsageError(*error.diagnostics) from None


def _number_or_name(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() else text
