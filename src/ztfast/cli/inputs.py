"""What several commands are given: the network, and members' tags and capabilities by name.

Contract: `read_network` takes `--network FILE|ID`; `read_tags` and `read_capabilities` take the
repeated options `NAME=VALUE` and `NAME|ID`, with the names of the rules.  All raise UsageError for
an option that makes no sense, NetworkError for a file that is refused.
Tested by tests/cli/test_inputs.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ztfast.model.policy import Policy
    from ztfast.network.members import Network


def read_network(given: str | None) -> Network | None:
    """The network that a file describes, or one of which only the id (16 hex digits) is known."""
    if given is None:
        return None
    from ztfast.model.addresses import parse_network_id
    from ztfast.network.load import load_network
    from ztfast.network.members import Network

    network_id = parse_network_id(given)
    return load_network(given) if network_id is None else Network(id=network_id)


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
