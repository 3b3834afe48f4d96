"""Terraform's state as a network: settings, members, and what is refused with its path."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ztfast.errors import NetworkError
from ztfast.network.load import load_network

ID = "8056c2e21c000001"
NETWORK: dict[str, Any] = {
    "id": ID, "name": "n", "private": False, "flow_rules": "accept;", "enable_broadcast": False,
    "multicast_limit": 5, "route": [{"target": "10.0.0.0/8"}], "assign_ipv6": [{"sixplane": True}],
}  # fmt: skip
MEMBER: dict[str, Any] = {
    "network_id": ID, "member_id": "1122334455", "tags": [[1, 2]], "capabilities": [7],
    "ip_assignments": ["10.0.0.1"], "allow_ethernet_bridging": True, "authorized": False,
}  # fmt: skip


def state(tmp_path: Path, *values: tuple[str, Any]) -> Path:
    resources = [{"type": f"zerotier_{kind}", "values": value} for kind, value in values]
    document = {"terraform_version": "1", "values": {"root_module": {"resources": resources}}}
    path = tmp_path / "state.json"
    path.write_text(json.dumps(document))
    return path


def test_settings_and_members(tmp_path: Path) -> None:
    network = load_network(state(tmp_path, ("network", NETWORK), ("member", MEMBER)))
    assert (network.id, network.private, network.broadcasts) == (int(ID, 16), False, False)
    assert (network.multicast_limit, network.routes) == (5, ((b"\n\0\0\0", 8),))
    assert (network.assigns_6plane, network.assigns_rfc4193) == (True, False)
    (member,) = network.members
    assert (member.tags, member.capabilities, member.bridge) == ({1: 2}, {7}, True)
    assert not member.authorized


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([], "without zerotier_network and zerotier_member"),
        ([("network", NETWORK), ("network", {**NETWORK, "id": "x"})], f"2 networks: {ID}, x"),
        ([("network", 7)], "resources[0].values: 7 is not an object"),
        ([("member", {**MEMBER, "member_id": None})], "without `member_id`"),
        ([("member", {**MEMBER, "tags": [[1]]})], "resources[0].values.tags[0]: [1] is not"),
        ([("network", NETWORK), ("member", {**MEMBER, "network_id": "f" * 16})], "differs from"),
        ([("network", {**NETWORK, "route": [{}]})], "a route without `target`"),
    ],
)
def test_refused_with_its_path(tmp_path: Path, values: list[Any], says: str) -> None:
    with pytest.raises(NetworkError) as caught:
        load_network(state(tmp_path, *values))
    assert says in str(caught.value)
