"""Reading a network, by content: every JSON of lang/shapes.py that holds one, or our TOML.

Contract: `load_network` gives a `Network` or raises `NetworkError` (RulesError for its
rules) with the file and the place; what is no network says what it is instead.  The forms are
described in docs/network.md.  Tested by tests/network/test_load.py and test_load_shapes.py.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ztfast.errors import RulesError
from ztfast.lang.files import Unreadable, network_file
from ztfast.lang.shapes import (
    TERRAFORM,
    TERRAFORM_CONFIG,
    UNKNOWN,
    is_member,
    is_network,
    name_networks,
    recognise,
)
from ztfast.lang.terraform import is_terraform
from ztfast.lang.tokens import is_blank
from ztfast.model.policy import Policy
from ztfast.network.collecting import uncollected
from ztfast.network.documents import Node, parse_json, read_document
from ztfast.network.members import Member, Network, make_network
from ztfast.network.plain import read_plain
from ztfast.network.terraform import terraform_network
from ztfast.network.toml import toml_network
from ztfast.network.values import (
    read_address,
    read_ids,
    read_ips,
    read_mac,
    read_network_id,
    read_route,
    read_tags,
)

if TYPE_CHECKING:
    from ztfast.model.entries import Json

# `[` also starts a TOML table, which a letter or another `[` follows.
_JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\{|\[(?!\s*[A-Za-z_\[]))")
_HTML = re.compile(rb"<(?:!doctype|html)\b", re.IGNORECASE)
_POLICY_KEYS = ("rules", "rulesSource", "flowRule", "capabilities", "tags")
_NAME_KEYS = ("capabilitiesByName", "tagsByName")
_INSTEAD = "give a controller's or Central's JSON of a network, or a TOML"


@uncollected
def load_network(path: str | os.PathLike[str]) -> Network:
    """The network that a file describes; "-" is standard input.

    JSON starts with `{`, or with `[` as a list of members; everything else is TOML.
    Beside a controller's own file `<id>.json` the members are read from
    `<id>/member/*.json`, as controllers keep them; the folder (`controller.d`) will do too.
    """
    name = os.fspath(path)
    try:
        name = network_file(name)
    except Unreadable as error:
        refuse_kind(error.path, error.message, error.help)
    data = read_document(name)
    if _JSON.match(data):
        return network_of_json(Node(parse_json(data, name), name))
    if is_terraform(name):
        refuse_kind(name, TERRAFORM_CONFIG.words, TERRAFORM_CONFIG.not_network or "")
    if (kind := _other_kind(data)) is not None:
        refuse_kind(name, kind, _INSTEAD)
    return toml_network(data, name)


def refuse_kind(name: str, what: str, help: str) -> NoReturn:
    """Raise a NetworkError about a document that is no network."""
    Node(None, name).refuse(f"{what}, not a network", help, "ZT555")


def _other_kind(data: bytes) -> str | None:
    """What a document without JSON is in words, where it is no TOML either."""
    text = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if _HTML.match(text):
        return "an HTML page"
    lines = (line.strip() for line in text.splitlines())
    return "an empty file" if all(line[:1] in (b"", b"#") for line in lines) else None


def network_of_json(document: Node) -> Network:
    """The network that a JSON document describes; raises NetworkError."""
    value: Json = document.value
    shape = recognise(value)
    if shape is UNKNOWN and isinstance(value, list):
        for item in document.items():
            item.table()
    if shape.not_network is not None:
        refuse_kind(document.name, shape.describe(value), shape.not_network)
    if shape is TERRAFORM:
        return terraform_network(document)
    places = shape.networks(value)
    if len(places) > 1:
        help = "give one of them alone, or with its members"
        document.refuse(name_networks(value, places), help, "ZT555")
    place = shape.members(value)
    if place is not None:
        return _of_parts(None, _member_nodes(document.at(place)))
    outer = document.at(places[0])
    members = document.get("members", "member") if isinstance(value, dict) else None
    members = members or outer.get("members", "member")
    nodes = _member_files(outer) if members is None else _member_nodes(members)
    if not nodes and not is_network({**outer.table()}):
        outer.refuse("no network and no members", "docs/network.md has the forms", "ZT555")
    return _of_parts(outer, nodes, document)


def _member_nodes(members: Node) -> list[Node]:
    """Members as a list, bare or under `data`, as an object of address and member, or one."""
    value: Json = members.value
    if isinstance(value, dict) and isinstance(value.get("data"), list):
        return list(members.child("data").items())
    if isinstance(value, list):
        return list(members.items())
    if is_member(value):
        return [members]
    return [_with_address(members.child(key), key) for key in members.table()]


def _with_address(member: Node, address: str) -> Node:
    if isinstance(member.value, int) and not isinstance(member.value, bool):
        member.refuse(
            "a list of addresses and revisions holds no members",
            "fetch each member (/controller/network/ID/member/ADDRESS) and put them together",
        )
    return Node({"address": address, **member.table()}, member.name, member.path)


def _member_files(network: Node) -> list[Node]:
    """What a controller stores beside its network's file, or nothing."""
    if network.name == "-" or not network.name.endswith(".json"):
        return []
    folder = Path(network.name[: -len(".json")]) / "member"
    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    return [Node(parse_json(read_document(file), str(file)), str(file)) for file in files]


def _of_parts(network: Node | None, members: list[Node], document: Node | None = None) -> Network:
    """A Network out of its own object (None where only members are given) and its members'.

    document: what both stand in; names of tags and capabilities may stand there too.
    """
    own = _config(network) if network is not None else None
    modes = own.get("v6AssignMode") if own is not None else None
    private = own.get("private") if own is not None else None
    name = (own and own.get("name")) or None
    return make_network(
        list(_members(members)),
        id=_network_id(network, members),
        policy=read_policy(network, document) if network is not None else None,
        name=name.text() if name is not None else "",
        private=private is None or private.truth(),
        assigns_rfc4193=_mode(modes, "rfc4193"),
        assigns_6plane=_mode(modes, "6plane"),
        path=network.name if network is not None else members[0].name if members else None,
        broadcasts=own is None or own.truth_of("enableBroadcast", True),
        multicast_limit=_limit(own),
        routes=_routes(own),
    )


def _limit(own: Node | None) -> int:
    limit = own.get("multicastLimit") if own is not None else None
    return 32 if limit is None else limit.integer(32)


def _routes(own: Node | None) -> tuple[tuple[bytes, int], ...] | None:
    """The network's routes; None where the document has none, and every address counts."""
    routes = own.get("routes") if own is not None else None
    if routes is None:
        return None
    targets = (route.get("target") for route in routes.items())
    return tuple(read_route(target) for target in targets if target is not None)


def _config(node: Node) -> Node:
    """Where the settings are: Central keeps them under `config`, a controller on top."""
    return node.get("config") or node


def _mode(modes: Node | None, name: str) -> bool:
    mode = modes.get(name) if modes is not None and isinstance(modes.value, dict) else None
    return mode is not None and mode.truth()


def _network_id(network: Node | None, members: list[Node]) -> int | None:
    """The network's id: its own, or else the one that its members name."""
    found: dict[int, Node] = {}
    for node in [network] if network is not None else members:
        for holder in (node, _config(node)):
            keys = ("nwid", "networkId", "id") if node is network else ("nwid", "networkId")
            for place in filter(None, (holder.get(key) for key in keys)):
                found.setdefault(read_network_id(place), place)
    if len(found) > 1:
        last = list(found.values())[-1]
        last.refuse(f"the network id {last.text()} differs from the one given before")
    return next(iter(found), None)


def read_policy(network: Node, document: Node | None = None) -> Policy | None:
    """The rules that a network's object holds, or None where it holds none."""
    holders = (_config(network), network, document or network)
    texts = (holder.get(key) for holder in holders[:2] for key in ("rulesSource", "flowRule"))
    written = any(not isinstance(t.value, str) or not is_blank(t.value) for t in texts if t)
    if not written and not any(holder.get("rules") for holder in holders[:2]):
        return None
    from ztfast.lang import load_json

    kept = {key: network.value[key] for key in (*_POLICY_KEYS, "config") if key in network.value}
    for key in _NAME_KEYS:
        found = (holder.get(key) for holder in holders if isinstance(holder.value, dict))
        kept[key] = next((names.value for names in found if names is not None), None)
    try:
        return load_json(json.dumps(kept), network.name)
    except RulesError as error:
        # Spans speak of the text made here; the messages have the path inside the document.
        raise RulesError(
            *(
                replace(found, span=None, source=None, path=network.name)
                for found in error.diagnostics
            )
        ) from None


# --- members -------------------------------------------------------------------------------


def _members(nodes: list[Node]) -> Iterator[Member]:
    """Each one that was not deleted."""
    for node in nodes:
        member = read_plain(node.value)
        if member is not None:
            yield member
        elif not _is_deleted(node):
            yield read_member(node)


def read_member(node: Node) -> Member:
    """A member, as a controller or Central gives it."""
    config = _config(node)
    name, mac = node.get("name"), config.get("mac")
    capabilities = config.get("capabilities")
    return Member(
        address=_member_address(node, config),
        ips=read_ips(config.get("ipAssignments", "ips")),
        tags=read_tags(config.get("tags")),
        capabilities=read_ids(capabilities),
        takes_defaults=capabilities is None,
        auto_ips=not config.truth_of("noAutoAssignIps", False),
        bridge=config.truth_of("activeBridge", False),
        authorized=config.truth_of("authorized", False),
        mac=None if mac is None else read_mac(mac),
        name="" if name is None else name.text(),
    )


def _is_deleted(node: Node) -> bool:
    """Was the member taken out of ztnet, whose database keeps its row?"""
    return node.truth_of("deleted", False) or node.truth_of("permanentlyDeleted", False)


def _member_address(node: Node, config: Node) -> int:
    """`nodeId`, `address` or `id`; Central's `id` has the network's id and a dash before it."""
    place = node.get("nodeId", "address") or config.get("address", "id") or node.get("id")
    if place is None:
        node.refuse("a member without `address`, `nodeId` or `id`")
    text = place.text()
    return read_address(place if "-" not in text else place.cut(text.rpartition("-")[2]))
