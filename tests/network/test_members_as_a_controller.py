"""Members as a controller and its nodes have them: what is owned, held, and let out.

The documents are those of ZeroTier's controller; the answers were observed on it and its nodes.
"""

from __future__ import annotations

import json
import struct
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import ztfast
from ztfast.cli.explain import command
from ztfast.model.addresses import mac_of, rfc4193, six_plane
from ztfast.network.load import load_network
from ztfast.network.members import Network

ID = 0x8056C2E21C000001
A, B, C = 0x1111111111, 0x2222222222, 0x3333333333
IPAUTH = [
    {"type": "MATCH_CHARACTERISTICS", "mask": "1000000000000000", "not": True},
    {"type": "ACTION_DROP"},
    {"type": "ACTION_ACCEPT"},
]


def load(tmp_path: Path, members: list[dict[str, Any]], **settings: Any) -> Network:
    document = {"id": f"{ID:016x}", "private": True, "rules": IPAUTH, **settings}
    path = tmp_path / "network.json"
    path.write_text(json.dumps({**document, "members": members}))
    return load_network(path)


def member(address: int, *ips: str, **facts: Any) -> dict[str, Any]:
    return {"address": f"{address:010x}", "authorized": True, "ipAssignments": list(ips),
            "tags": [], "capabilities": [], **facts}  # fmt: skip


def frame(source: int, dest: int, source_ip: str | bytes) -> bytes:
    ip = source_ip if isinstance(source_ip, bytes) else ip_address(source_ip).packed
    head = mac_of(dest, ID).to_bytes(6, "big") + mac_of(source, ID).to_bytes(6, "big")
    if len(ip) == 4:
        return head + b"\x08\x00\x45" + bytes(8) + b"\x11" + bytes(2) + ip + bytes(20)
    return head + b"\x86\xdd\x60" + bytes(5) + b"\x11\x40" + ip + bytes(32)


def accepted(network: Network, *frames: bytes, side: str = "both", backend: str) -> list[bool]:
    engine = ztfast.Engine(network, side=side, backend=backend)
    found: list[bool] = engine.evaluate(ztfast.FrameBatch.from_frames(list(frames))).accepted
    return [bool(one) for one in found]


def test_a_certificate_holds_sixteen_addresses(tmp_path: Path, backend: str) -> None:
    ips = [f"172.16.2.{n}" for n in range(1, 21)]
    network = load(tmp_path, [member(A, *ips), member(B)], routes=[{"target": "172.16.0.0/12"}])
    frames = [frame(A, B, ip) for ip in ips]
    assert accepted(network, *frames, backend=backend) == [True] * 16 + [False] * 4
    assert network.not_owned(network.members[0]) == tuple(ip_address(ip).packed for ip in ips[16:])


def test_a_member_is_found_by_an_address_that_it_does_not_own(tmp_path: Path, backend: str) -> None:
    """A frame without MACs from the 17th, or from outside the routes: that member's, no ipauth."""
    ips = [f"172.16.2.{n}" for n in range(1, 19)]
    network = load(
        tmp_path,
        [member(A, *ips, "192.168.9.9"), member(B, "172.16.2.200")],
        routes=[{"target": "172.16.0.0/12"}],
    )
    sources = ["172.16.2.16", "172.16.2.17", "192.168.9.9", "172.16.2.99"]
    packets = [frame(A, B, ip)[14:-20] + ip_address("172.16.2.200").packed for ip in sources]
    raw = b"".join(struct.pack("<IIII", 0, 0, len(ip), len(ip)) + ip for ip in packets)
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    (tmp_path / "raw.pcap").write_bytes(head + raw)
    engine = ztfast.Engine(network, backend=backend)
    (batch,) = ztfast.read(tmp_path / "raw.pcap")
    verdicts = engine.evaluate(batch)
    assert verdicts.accepted.tolist() == [True, False, False, True]
    assert verdicts.assumed.tolist() == [False, False, False, True]  # of the last nobody knows


def test_explain_finds_the_member_of_an_address_that_it_does_not_own(tmp_path: Path) -> None:
    ips = [f"172.16.2.{n}" for n in range(1, 19)]
    load(tmp_path, [member(A, *ips), member(B, "172.16.2.200")])
    told = [
        CliRunner().invoke(
            command,
            ["--network", str(tmp_path / "network.json"), "--frame", f"udp {ip} > 172.16.2.200:53"],
        ).stdout
        for ip in ips[15:17]
    ]
    assert "accepted by both sides" in told[0]
    assert "dropped by the sender: entry 1, `drop`" in told[1]
    assert "sender (out) 1111111111" in told[1]


def test_the_schemes_addresses_come_first(tmp_path: Path) -> None:
    ips = [f"10.0.0.{n}" for n in range(1, 17)]
    network = load(tmp_path, [member(A, *ips)], v6AssignMode={"rfc4193": True, "6plane": True})
    owned = network.ips(network.members[0])
    assert owned >= {rfc4193(A, ID), six_plane(A, ID)}
    assert {ip_address(ip).packed for ip in ips[14:]}.isdisjoint(owned)
    assert len(owned) == 16


def test_no_addresses_of_schemes_where_the_member_wants_none(tmp_path: Path) -> None:
    modes = {"rfc4193": True, "6plane": True}
    network = load(tmp_path, [member(A, noAutoAssignIps=True), member(B)], v6AssignMode=modes)
    assert [len(network.ips(one)) for one in network.members] == [0, 2]


@pytest.mark.parametrize(
    ("scheme", "address"), [("rfc4193", rfc4193), ("6plane", six_plane)]
)
def test_a_receiver_takes_every_address_of_its_scheme(
    scheme: str, address: Any, tmp_path: Path, backend: str
) -> None:
    """NDP emulation: B, which wants no such address, checks; A and C take C's and each other's."""
    members = [member(A), member(B, noAutoAssignIps=True), member(C)]
    network = load(tmp_path, members, v6AssignMode={scheme: True})
    spoofed = frame(A, C, address(B, ID))
    frames = [spoofed, frame(A, B, address(B, ID)), frame(B, A, address(B, ID))]
    assert accepted(network, *frames, side="in", backend=backend) == [True, False, True]
    assert accepted(network, *frames, side="out", backend=backend) == [False, False, False]
    assert [network.emulates(one) for one in network.members] == [
        (scheme == "rfc4193", scheme == "6plane"),
        (False, False),
        (scheme == "rfc4193", scheme == "6plane"),
    ]


def test_an_assigned_address_of_the_other_scheme_is_emulated_too(tmp_path: Path) -> None:
    own = str(ip_address(six_plane(A, ID)))
    modes: dict[str, Any] = {"v6AssignMode": {"rfc4193": True}}
    assert emulated(load(tmp_path, [member(A, own)], **modes)) == (True, True)
    assert emulated(load(tmp_path, [member(A, own)])) == (False, False)  # no scheme at all
    routes = [{"target": "10.0.0.0/8"}]  # it is outside of them
    assert emulated(load(tmp_path, [member(A, own)], routes=routes, **modes)) == (True, False)


def emulated(network: Network) -> tuple[bool, bool]:
    return network.emulates(network.members[0])


def test_assignments_outside_the_routes_are_nobodys(tmp_path: Path, backend: str) -> None:
    members = [member(A, "10.147.20.1", "192.168.9.9"), member(B)]
    network = load(tmp_path, members, routes=[{"target": "10.147.20.0/24", "via": None}])
    frames = [frame(A, B, ip) for ip in ("10.147.20.1", "192.168.9.9")]
    assert accepted(network, *frames, backend=backend) == [True, False]
    assert network.not_owned(network.members[0]) == (ip_address("192.168.9.9").packed,)
    assert not load(tmp_path, members).not_owned(network.members[0])  # no routes are known


def test_no_member_can_prove_a_mac(tmp_path: Path, backend: str) -> None:
    network = load(tmp_path, [member(A), member(B)])
    engine = ztfast.Engine(
        ztfast.compile("accept chr macauth;\n"), network=network, backend=backend
    )
    verdicts = engine.evaluate(ztfast.FrameBatch.from_frames([frame(A, B, "10.0.0.1")]))
    assert not verdicts.accepted[0]
    assert not verdicts.assumed[0]


CAPABILITY = {"id": 1, "default": True, "rules": [{"type": "ACTION_ACCEPT"}]}


@pytest.mark.parametrize(
    ("given", "held"), [([], False), ([1], True), (None, True), ("absent", True)]
)
def test_default_capabilities_go_to_members_without_a_list(
    given: Any, held: bool, tmp_path: Path, backend: str
) -> None:
    one = member(A, capabilities=given)
    if given == "absent":
        del one["capabilities"]
    settings = {"rules": [{"type": "ACTION_BREAK"}], "capabilities": [CAPABILITY]}
    network = load(tmp_path, [one, member(B)], **settings)
    assert accepted(network, frame(A, B, "10.0.0.1"), side="out", backend=backend) == [held]


def test_a_tags_value_may_be_a_boolean(tmp_path: Path) -> None:
    network = load(tmp_path, [member(A, tags=[[1000, False], [1001, True]])])
    assert network.members[0].tags == {1000: 0, 1001: 1}


def test_settings_that_decide_what_leaves(tmp_path: Path) -> None:
    network = load(
        tmp_path, [member(A, activeBridge=True), member(B)], enableBroadcast=False, multicastLimit=0
    )
    assert [one.bridge for one in network.members] == [True, False]
    assert (network.broadcasts, network.multicast_limit) == (False, 0)
    usual = load(tmp_path, [member(A)])
    assert (usual.broadcasts, usual.multicast_limit) == (True, 32)


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"routes": [{"target": "10.0.0.0/99"}]}, r"routes\[0\]\.target"),
        ({"routes": 3}, "routes"),
        ({"multicastLimit": "many"}, "multicastLimit"),
        ({"enableBroadcast": 1}, "enableBroadcast"),
    ],
)
def test_settings_that_are_wrong_name_their_place(
    settings: dict[str, Any], place: str, tmp_path: Path
) -> None:
    with pytest.raises(ztfast.NetworkError, match=place):
        load(tmp_path, [member(A)], **settings)
