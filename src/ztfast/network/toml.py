"""Our own small TOML for people who have neither a controller's nor Central's JSON.

Contract: `toml_network` gives a `Network` or raises `NetworkError` with the file and the
place; names of tags, their values and capabilities are those of the rules that the file
names.  The form is in docs/network.md.  Tested by tests/network/test_toml.py.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from ztfast.errors import Diagnostic, NetworkError, Source, Span
from ztfast.model.policy import Policy, Tag
from ztfast.network.documents import Node, beside, decode
from ztfast.network.members import Member, Network, make_network
from ztfast.network.values import read_address, read_ips, read_mac, read_network_id

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MAX_TOML = 1 << 26
_NETWORK_KEYS = frozenset(("id", "name", "rules", "private", "rfc4193", "6plane", "member"))
_MEMBER_KEYS = frozenset(
    ("address", "name", "mac", "ips", "tags", "capabilities", "authorized", "bridge")
)
_PLACE = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)")


def toml_network(data: bytes, name: str) -> Network:
    """The network that a TOML document describes."""
    document = Node(parse_toml(data, name), name)
    _refuse_others(document, _NETWORK_KEYS)
    policy = _policy(document)
    names = RuleNames(policy)
    members = document.get("member")
    network_id = document.get("id")
    title = document.get("name")
    return make_network(
        [read_toml_member(member, names) for member in (members.items() if members else ())],
        id=None if network_id is None else read_network_id(network_id),
        policy=policy,
        name="" if title is None else title.text(),
        private=document.truth_of("private", True),
        assigns_rfc4193=document.truth_of("rfc4193", False),
        assigns_6plane=document.truth_of("6plane", False),
        path=name,
    )


def parse_toml(data: bytes, name: str) -> dict[str, Any]:
    """The tables of a TOML document; raises NetworkError with line and column."""
    if len(data) > MAX_TOML:
        raise NetworkError(Diagnostic("ZT551", f"is larger than {MAX_TOML} bytes", path=name))
    text = decode(data, name)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NetworkError(_toml_diagnostic(str(error), text, name)) from None
    except RecursionError:
        raise NetworkError(Diagnostic("ZT552", "TOML nested too deep", path=name)) from None
    except ValueError as error:  # an integer of too many digits, a date that is none
        what = f"is neither JSON nor TOML: {error!s:.100}"
        raise NetworkError(Diagnostic("ZT552", what, path=name)) from None


def _toml_diagnostic(message: str, text: str, name: str) -> Diagnostic:
    what = f"is neither JSON nor TOML: {_PLACE.sub('', message).strip():.100}"
    found = _PLACE.search(message)
    if found is not None and found.group(1):
        line, column = int(found.group(1)), int(found.group(2)) - 1
    else:  # the end of the document
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n") - 1
    # Only the place's line and column are shown, so offsets into the text are not needed.
    help = "wanted is a network's JSON or TOML (docs/network.md), not its rules"
    span = Span(0, 1, line, column)
    return Diagnostic("ZT552", what, span=span, source=Source(name, text), help=help)


def _refuse_others(node: Node, known: frozenset[str]) -> None:
    for key in node.table():
        if key not in known:
            node.child(key).refuse("an unknown key", f"known are {', '.join(sorted(known))}")


def _policy(document: Node) -> Policy | None:
    rules = document.get("rules")
    if rules is None:
        return None
    from ztfast.lang import load

    return load(beside(document.name, rules.text()))


def read_toml_member(node: Node, names: RuleNames) -> Member:
    """One `[[member]]` table; tags, their values and capabilities by the rules' names."""
    _refuse_others(node, _MEMBER_KEYS)
    address, mac, title = node.get("address"), node.get("mac"), node.get("name")
    if address is None:
        node.refuse("a member without `address`")
    return Member(
        address=read_address(address),
        ips=read_ips(node.get("ips")),
        tags=names.tags(node.get("tags")),
        capabilities=frozenset(names.capabilities(node.get("capabilities"))),
        authorized=node.truth_of("authorized", True),
        mac=None if mac is None else read_mac(mac),
        name="" if title is None else title.text(),
        bridge=node.truth_of("bridge", False),
    )


class RuleNames:
    """Tags, their values and capabilities by number or by the rules' names."""

    def __init__(self, policy: Policy | None) -> None:
        self.ruled = policy is not None
        tags = policy.tags if policy is not None else ()
        caps = policy.capabilities if policy is not None else ()
        self.tag_by_name = {tag.name: tag for tag in tags if tag.name is not None}
        self.tag_by_id = {tag.id: tag for tag in tags}
        self.capability_by_name = {cap.name: cap.id for cap in caps if cap.name is not None}

    def tags(self, node: Node | None) -> dict[int, int]:
        """A table of tags (number or name) and values (number, enum or flag name)."""
        found: dict[int, int] = {}
        for key in node.table() if node is not None else ():
            assert node is not None
            value = node.child(key)
            number, tag = self._tag(key, value)
            if number in found:
                value.refuse(f"the tag {number} is given twice", code="ZT554")
            found[number] = self._value(value, tag)
        return found

    def _tag(self, key: str, place: Node) -> tuple[int, Tag | None]:
        if key in self.tag_by_name:
            tag = self.tag_by_name[key]
            return tag.id, tag
        if re.fullmatch(r"[0-9]{1,10}", key):
            number = Node(int(key), place.name, place.path).integer(32)
            return number, self.tag_by_id.get(number)
        place.refuse("no tag of this name", _known(self.tag_by_name, self.ruled))

    def _value(self, place: Node, tag: Tag | None) -> int:
        if not isinstance(place.value, str):
            return place.integer(32)
        # A match looks among the flags first, so do we (docs/spec/rules-language.md section 3).
        known = {**tag.enums, **tag.flags} if tag is not None else {}
        if place.value not in known:
            place.refuse(
                f"{place.value!r:.60} is not a value of this tag", _known(known, self.ruled)
            )
        return known[place.value] & 0xFFFFFFFF

    def capabilities(self, node: Node | None) -> Iterator[int]:
        """A list of capabilities, each a number or a name."""
        for item in node.items() if node is not None else ():
            if isinstance(item.value, str):
                if item.value not in self.capability_by_name:
                    known = _known(self.capability_by_name, self.ruled)
                    item.refuse("no capability of this name", known)
                yield self.capability_by_name[item.value]
            else:
                yield item.integer(32)


def _known(names: Iterable[str], ruled: bool) -> str:
    listed = ", ".join(sorted(names)[:10])
    if listed:
        return f"known are {listed}"
    return "the rules have no names for these: use numbers" if ruled else _NO_RULES


_NO_RULES = 'name the rules with `rules = "FILE"`'
