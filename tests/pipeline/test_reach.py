"""Who reaches whom: each cell as `deliver` and `explain` see its frames, and why not."""

from __future__ import annotations

import random
from ipaddress import ip_address
from pathlib import Path

import numpy as np
import pytest

import ztfast
from tests import seeds
from tests.needs import BACKENDS
from tests.proof.drawing import TAGS, drawn_policy
from ztfast.engine.engine import Engine
from ztfast.errors import UsageError
from ztfast.explain.contexts import ContextResolver
from ztfast.explain.explain import explain
from ztfast.frames.batch import FrameBatch
from ztfast.model.policy import Policy
from ztfast.network.members import Member, Network, make_network
from ztfast.pipeline.deliver import deliver
from ztfast.pipeline.deliveries import Fate, Kind
from ztfast.pipeline.reach import WORDS, Reach, _Matrix, cell_frame, reach
from ztfast.pipeline.reach_frames import BACK, Step, frames, parse_service
from ztfast.pipeline.reach_judge import Why

NETWORK_ID = 0x8056C2E21C000001
EXAMPLES = Path(__file__).parents[2] / "examples"
SEED = seeds.seed(0)
ROUNDS = seeds.rounds(25)
SERVICES = ("ssh", "dns", "ping", "arp", "80/tcp", "443/udp")


def cells(found: Reach) -> dict[tuple[str, str, str], tuple[str, int]]:
    """(from, to, service) -> (why, line)."""
    columns = found.columns()
    keys = zip(columns["from"], columns["to"], columns["service"], strict=True)
    return dict(zip(keys, zip(columns["why"], columns["line"].tolist(), strict=True), strict=True))


# --- a known office


def office(services: list[str], **options: object) -> dict[tuple[str, str, str], tuple[str, int]]:
    network = ztfast.load_network(EXAMPLES / "office.toml")
    assert network.policy is not None
    return cells(reach(network.policy, network, services, **options))  # type: ignore[arg-type]


def test_a_cells_frame_is_the_one_that_was_judged() -> None:
    network = ztfast.load_network(EXAMPLES / "office.toml")
    assert network.policy is not None
    found = reach(network.policy, network, ["ssh", "ping"])
    resolver = ContextResolver(network.policy, network)
    columns = found.columns()
    for cell in np.flatnonzero(~found.open).tolist():
        names = [columns[name][cell] for name in ("from", "to", "service")]
        frame = cell_frame(network, *names, Step(int(found.step[cell])))
        judged = explain(resolver, resolver.contexts(frame))
        lines = [one.by.span.line for one in judged.sides if one.by is not None and one.by.span]
        assert (judged.verdict, lines[-1]) == ("drop", columns["line"][cell])


def test_a_cells_frame_needs_addresses_of_one_family() -> None:
    members = (Member(1, ips=(bytes(4),), name="four"), Member(2, ips=(bytes(16),), name="six"))
    with pytest.raises(UsageError, match="four and six have no addresses of one family"):
        cell_frame(make_network(members, id=NETWORK_ID), "four", "six", "ssh", Step.REQUEST)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_office(backend: str) -> None:
    found = office(["ssh", "smb", "ping", "arp"], backend=backend)
    assert len(found) == 8 * 7 * 4
    assert found["carla", "anna", "ssh"] == ("open", 16)  # she is an administrator
    assert found["ben", "anna", "ssh"] == ("capability", 70)
    assert found["visitor", "files", "smb"] == ("tag", 63)
    assert found["anna", "files", "smb"] == ("open", 22)
    assert {why for (_, _, service), (why, _) in found.items() if service in ("ping", "arp")} == {
        "open"
    }


def test_some_clients_and_servers() -> None:
    found = office(["ssh"], clients=["carla", "BEN"], servers=["47c5b3d1aa"])
    assert set(found) == {("carla", "files", "ssh"), ("ben", "files", "ssh")}
    with pytest.raises(UsageError, match="from: 'nobody' is not a member"):
        office(["ssh"], clients=["nobody"])


# --- why not

A, B = 0x1111111111, 0x2222222222


def two(text: str, service: str = "ssh", six: bool = False, **facts: object) -> tuple[str, int]:
    """(why, line) of the way from one member to another, by rules of the text."""
    ips = ("fd00::1", "fd00::2") if six else ("10.0.0.1", "10.0.0.2")
    members = [
        Member(address, ips=(ip_address(ip).packed,), name=name, tags=tags)
        for address, ip, name, tags in zip((A, B), ips, "ab", ({1: 1}, {1: 2}), strict=True)
    ]
    network = make_network(members, id=NETWORK_ID, **facts)  # type: ignore[arg-type]
    return cells(reach(ztfast.compile(text + "\n"), network, [service]))["a", "b", service]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("accept;", ("open", 1)),
        ("drop dport 22;\naccept;", ("dropped", 1)),
        ("accept ethertype arp;\ndrop;", ("no rule", 2)),
        ("accept ethertype arp;", ("no rule", 0)),
        ("tag t id 1;\ndrop not tdiff t 0;\naccept;", ("tag", 2)),
        ("drop not chr macauth;\naccept;", ("ownership", 1)),
        ("cap c id 1 accept;\nbreak;", ("capability", 2)),
        ("redirect 3333333333 dport 22;\naccept;", ("redirected", 1)),
        ("drop sport 22;\naccept;", ("no reply", 1)),
        ("drop chr tcp_ack and dport 22;\naccept;", ("no reply", 1)),
        ("drop ethertype arp;\naccept;", ("no ARP", 1)),
        ("accept ethertype ipv4;\ndrop;", ("no ARP", 2)),
        # its sender knows no receiver's tags: the classic of 1.14
        ("tag t id 1;\nbreak not tor t 3;\naccept;", ("no ARP", 2)),
        ("drop chr broadcast and not chr inbound and ztdest 2222222222;\naccept;", ("no ARP", 1)),
    ],
)
def test_why_not(text: str, expected: tuple[str, int]) -> None:
    assert two(text) == expected


def test_ipv6_and_its_neighbour_discovery() -> None:
    ndp = "drop ethertype ipv6 and ipprotocol icmp6;\naccept;"
    assert two(ndp, six=True) == ("no ARP", 1)
    assert two("accept;", six=True) == ("open", 1)
    assert two("drop icmp 136 -1;\naccept;", six=True) == ("no ARP", 1)


def test_addresses_of_the_networks_schemes_need_no_discovery() -> None:
    members = [Member(A, name="a"), Member(B, name="b")]
    network = make_network(members, id=NETWORK_ID, assigns_rfc4193=True)
    policy = ztfast.compile("drop icmp 135 -1 or icmp 136 -1;\naccept;\n")
    assert set(cells(reach(policy, network, ["ssh"])).values()) == {("open", 2)}


def test_members_without_addresses() -> None:
    network = make_network([Member(A, name="a"), Member(B, name="b")], id=NETWORK_ID)
    found = cells(reach(ztfast.compile("accept;\n"), network, ["ssh"]))
    assert set(found.values()) == {("no address", 0)}


def test_who_refuses_is_named() -> None:
    members = [Member(n, ips=(bytes((10, 0, 0, n)),), name=f"m{n}") for n in (1, 2)]
    network = make_network(members, id=NETWORK_ID)
    policy = ztfast.compile("drop chr inbound and dport 22;\naccept;\n")
    columns = reach(policy, network, ["ssh"]).columns()
    assert columns["at"].tolist() == ["m2", "m1"]
    assert columns["step"].tolist() == ["request", "request"]


def test_a_network_without_id_is_refused() -> None:
    network = make_network([Member(A, ips=(bytes((10, 0, 0, 1)),))])
    with pytest.raises(UsageError, match="members and its id"):
        reach(ztfast.compile("accept;\n"), network, ["ssh"])


def test_a_dataframe() -> None:
    pandas = pytest.importorskip("pandas")
    network = make_network(
        [Member(n, ips=(bytes((10, 0, 0, n)),), name=f"m{n}") for n in (1, 2)], id=NETWORK_ID
    )
    table = ztfast.reach(ztfast.compile("accept;\n"), network, ["ssh"]).to_dataframe()
    assert isinstance(table, pandas.DataFrame)
    assert table[["from", "to", "open"]].values.tolist() == [
        ["m1", "m2", True],
        ["m2", "m1", True],
    ]


# --- random networks


def drawn_network(rng: random.Random, policy: Policy) -> Network:
    members = []
    for number, address in enumerate((0x1111111111, 0x2222222222, 0x3333333333, 0x4444444444)):
        ips = [f"10.0.0.{number + 1}", f"fd00::{number + 1}"]
        members.append(
            Member(
                address,
                ips=tuple(ip_address(ip).packed for ip in rng.sample(ips, rng.choice([1, 1, 2]))),
                tags={tag: rng.choice([0, 1, 2, 5]) for tag in TAGS if rng.random() < 0.6},
                capabilities=frozenset(cap.id for cap in policy.capabilities if rng.random() < 0.5),
            )
        )
    return make_network(members, id=NETWORK_ID)


@pytest.mark.parametrize("round_", range(ROUNDS))
@pytest.mark.parametrize("backend", BACKENDS)
def test_each_cell_is_what_its_frames_do(round_: int, backend: str) -> None:
    """Every step as `deliver` delivers it and, where it has one receiver, as `explain` says."""
    rng = random.Random(SEED * 4099 + round_)
    policy = drawn_policy(rng)
    network = drawn_network(rng, policy)
    found = reach(policy, network, SERVICES, backend=backend)
    engine = Engine(policy, network=network, backend="reference")
    matrix = _Matrix(engine, found.services)
    resolver = ContextResolver(policy, network)
    rows = zip(found.client, found.server, found.service, found.why, found.step, strict=True)
    for client, server, number, why, failed in rng.sample(list(rows), 20):
        service = parse_service(SERVICES[number])
        ends = np.array([client], np.int32), np.array([server], np.int32)
        widths = [width for width, chosen in matrix._families(*ends) if len(chosen)]
        assert (why == Why.NO_ADDRESS) == (not widths)
        if not widths:
            continue
        pairs = matrix._ends(*ends, widths[0])
        for step in service.steps:
            to = client if step in BACK else server
            batch = frames(service, step, pairs)
            arrives = delivered(engine, batch, found.members[to].address)
            if step is not Step.ASK:
                frame = batch.frame(0)
                said = explain(resolver, resolver.contexts(frame)).verdict
                assert (said == "accept") == arrives, (SEED, round_, step)
            where = (SEED, round_, step, WORDS[Why(why)])
            assert arrives == (why == Why.OPEN or step != failed), where
            if not arrives:
                break


def delivered(engine: Engine, batch: FrameBatch, address: int) -> bool:
    found = deliver(engine, batch).arrived
    direct = (found.kind == Kind.FRAME) | (found.kind == Kind.MULTICAST)
    assert Fate.ARRIVED == 0
    return bool((direct & (found.to == address)).any())
