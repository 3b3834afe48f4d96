"""A network out of Terraform's state: `terraform show -json`, or a `.tfstate`.

Contract: the one zerotier_network of the state with its `flow_rules` as policy, and every
zerotier_member of it; a NetworkError says where a value is wrong, and names the networks where
there are several.  Tested by tests/network/test_terraform.py.
"""

from __future__ import annotations

from ztfast.errors import Source
from ztfast.lang.terraform import resources
from ztfast.lang.tokens import is_blank
from ztfast.model.policy import Policy
from ztfast.network.documents import Node
from ztfast.network.members import Member, Network, make_network
from ztfast.network.values import (
    read_address,
    read_ids,
    read_ips,
    read_network_id,
    read_route,
    read_tags,
)


def terraform_network(document: Node) -> Network:
    """The network of a state."""
    networks = _values(document, "zerotier_network")
    members = _values(document, "zerotier_member")
    if len(networks) > 1:
        ids = (network.get("id") for network in networks[:10])
        shown = ", ".join("?" if id is None else id.text()[:40] for id in ids)
        help = "give a state of one network"
        document.refuse(f"Terraform's state has {len(networks)} networks: {shown}", help, "ZT555")
    if not networks and not members:
        what = "Terraform's state without zerotier_network and zerotier_member, not a network"
        document.refuse(what, "give the state of the module that has them", "ZT555")
    return _network(networks[0] if networks else Node({}, document.name), members)


def _values(document: Node, kind: str) -> list[Node]:
    """The values of every resource of a type that has some."""
    found = resources(document.table(), kind)
    return [document.at(path) for path, values in found if values is not None]


def _network(own: Node, members: list[Node]) -> Network:
    modes = own.get("assign_ipv6")
    modes = next(modes.items(), None) if modes is not None else None
    name, routes, limit = own.get("name"), own.get("route"), own.get("multicast_limit")
    return make_network(
        [_member(member) for member in members],
        id=_network_id(own, members),
        policy=_policy(own),
        name="" if name is None else name.text(),
        private=own.truth_of("private", True),
        assigns_rfc4193=modes is not None and modes.truth_of("rfc4193", False),
        assigns_6plane=modes is not None and modes.truth_of("sixplane", False),
        path=own.name,
        broadcasts=own.truth_of("enable_broadcast", True),
        multicast_limit=32 if limit is None else limit.integer(32),
        routes=None if routes is None else tuple(map(_route, routes.items())),
    )


def _member(node: Node) -> Member:
    address, name = node.get("member_id", "id"), node.get("name")
    if address is None:
        node.refuse("a zerotier_member without `member_id`")
    return Member(
        address=read_address(Node(address.text().rpartition("-")[2], node.name, address.path)),
        ips=read_ips(node.get("ip_assignments")),
        tags=read_tags(node.get("tags")),
        capabilities=read_ids(node.get("capabilities")),
        takes_defaults=node.get("capabilities") is None,
        auto_ips=not node.truth_of("no_auto_assign_ips", False),
        bridge=node.truth_of("allow_ethernet_bridging", False),
        authorized=node.truth_of("authorized", True),
        name="" if name is None else name.text(),
    )


def _network_id(own: Node, members: list[Node]) -> int | None:
    """The network's id; every member must be of it."""
    found: int | None = None
    for place in (own.get("id"), *(member.get("network_id") for member in members)):
        if place is None:
            continue
        id = read_network_id(place)
        if found not in (None, id):
            place.refuse(f"the network id {place.text()} differs from the one given before")
        found = id
    return found


def _route(node: Node) -> tuple[bytes, int]:
    target = node.get("target")
    if target is None:
        node.refuse("a route without `target`")
    return read_route(target)


def _policy(own: Node) -> Policy | None:
    rules = own.get("flow_rules")
    if rules is None or is_blank(rules.text()):
        return None
    from ztfast.lang.compiler import compile_source

    return compile_source(Source(f"{own.name}:flow_rules", rules.text()))
