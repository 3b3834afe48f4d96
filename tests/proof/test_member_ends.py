"""Searches between members of a network: what is found arrives there, what is not never does."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import ztfast
from tests import seeds
from tests.needs import needs
from tests.proof.changing import changed
from tests.proof.drawing import TAGS, drawn_policy, random_frame
from ztfast.engine.engine import Engine
from ztfast.frames.batch import FrameBatch
from ztfast.frames.frame import Frame
from ztfast.model.policy import Policy
from ztfast.network.members import Member, Network, make_network
from ztfast.network.names import MemberNames
from ztfast.pipeline.deliver import deliver
from ztfast.pipeline.deliveries import Kind
from ztfast.proof.edit_effects import compare_edits
from ztfast.proof.member_ends import MemberEnds
from ztfast.proof.search import SearchQuery, SearchResult, search

pytestmark = needs("z3")

OFFICE = ztfast.load_network(Path(__file__).parents[2] / "examples" / "office.toml")
SEED = seeds.seed(0)
ROUNDS = seeds.rounds(40)
FRAMES = seeds.frames(20)
GROUPS = (0xFFFFFFFFFFFF, 0x333300000001)


def asked(verdict: str, sender: str, receiver: str, where: str) -> SearchResult | None:
    names = MemberNames(OFFICE)
    ends = MemberEnds(OFFICE, names.member("--from", sender), names.member("--to", receiver))
    assert OFFICE.policy is not None
    return search(OFFICE.policy, SearchQuery(verdict, where, ends=ends))


SSH = "ipprotocol tcp and dport 22 and chr tcp_syn and not chr tcp_ack"


@pytest.mark.parametrize(
    ("sender", "receiver", "where", "found"),
    [
        ("carla", "anna", SSH, True),  # she is an administrator
        ("ben", "anna", SSH, False),
        ("visitor", "files", "ipprotocol tcp and dport 445", False),
        ("visitor", "printer", "dport 631", True),
        ("anna", "files", "ipsrc 10.147.20.12/32", False),  # ben's address
    ],
)
def test_the_office(sender: str, receiver: str, where: str, found: bool) -> None:
    result = asked("accept", sender, receiver, where)
    assert (result is not None) == found
    if result is not None:
        assert f"member {sender} to {receiver}" in result.circumstances


def test_the_senders_own_addresses_come_first() -> None:
    result = asked("accept", "anna", "files", "ethertype arp")
    assert result is not None
    assert result.frame.payload[14:18] == bytes((10, 147, 20, 11))
    result = asked("accept", "anna", "files", "ipprotocol tcp")
    assert result is not None
    assert result.frame.payload[12:20] == bytes((10, 147, 20, 11, 10, 147, 20, 2))


def test_a_bridge_speaks_for_itself_first() -> None:
    sender, receiver = Member(0x1111111111, bridge=True), Member(0x2222222222, bridge=True)
    network = make_network([sender, receiver], id=0x8056C2E21C000001)
    ends = MemberEnds(network, sender, receiver)
    result = search(ztfast.compile("accept;\n"), SearchQuery("accept", ends=ends))
    assert result is not None
    macs = result.frame.mac_source, result.frame.mac_dest
    assert macs == (network.mac(sender), network.mac(receiver))


def test_a_default_capability_that_a_member_does_not_hold() -> None:
    """A controller gives it at a member's first contact alone: its list is the truth."""
    policy = ztfast.compile("cap all id 1 default\n accept;\n;\nbreak;\n")
    sender, receiver = (Member(n * 0x1111111111, takes_defaults=n > 1) for n in (1, 2))
    network = make_network([sender, receiver], id=0x8056C2E21C000001)
    for ends, found in (
        (MemberEnds(network, sender, receiver), "drop"),
        (MemberEnds(network, receiver, sender), "accept"),
    ):
        for verdict in ("accept", "drop"):
            result = search(policy, SearchQuery(verdict, ends=ends))
            assert (result is not None) == (verdict == found)
            if result is not None:
                assert ("sender holds all" in result.circumstances) == (found == "accept")


def test_an_edit_between_two_members_alone() -> None:
    """Who is no administrator is told nothing of what they may; defaults count on either side."""
    names = MemberNames(OFFICE)
    assert OFFICE.policy is not None
    text = (Path(__file__).parents[2] / "examples" / "office.ztrules").read_text()
    new = ztfast.compile(text.replace("accept dport 22;", "accept dport 23;"))
    for sender, same in (("carla", False), ("ben", True)):
        ends = MemberEnds(OFFICE, names.member("--from", sender), names.member("--to", "anna"))
        report = compare_edits(OFFICE.policy, new, ends=ends)
        assert (report.same, report.incomplete) == (same, ""), sender


def drawn_network(rng: random.Random, policy: Policy) -> Network:
    ips = ["0a000001", "0a000002", "fd00" + "0" * 27 + "1"]
    members = [
        Member(
            address,
            ips=tuple(bytes.fromhex(ip) for ip in rng.sample(ips, rng.randrange(3))),
            tags={tag: rng.choice([0, 1, 2, 5]) for tag in TAGS if rng.random() < 0.6},
            capabilities=frozenset(cap.id for cap in policy.capabilities if rng.random() < 0.5),
            takes_defaults=rng.random() < 0.5,
        )
        for address in (0x1111111111, 0x2222222222)
    ]
    return make_network(members, id=0x8056C2E21C000001)


def arrives(engine: Engine, frame: Frame, receiver: Member) -> bool:
    found = deliver(engine, FrameBatch.from_frame(frame)).arrived
    direct = (found.kind == Kind.FRAME) | (found.kind == Kind.MULTICAST)
    return bool((direct & (found.to == receiver.address)).any())


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_what_is_found_arrives_and_what_is_not_never_does(round_: int) -> None:
    rng = random.Random(SEED * 4099 + round_)
    policy = drawn_policy(rng)
    network = drawn_network(rng, policy)
    sender, receiver = network.members
    engine = Engine(policy, network=network, backend="reference")
    ends = MemberEnds(network, sender, receiver)
    where = rng.choice(["", "chr multicast", "ethertype arp", "ethertype ipv6", "chr ipauth"])
    for verdict, expected in (("accept", True), ("drop", False)):
        result = search(policy, SearchQuery(verdict, where, ends=ends), None)
        if result is not None:
            assert arrives(engine, result.frame, receiver) == expected, (SEED, round_, verdict)
        if result is None and not where:
            for _ in range(FRAMES):
                dest = rng.choice([network.mac(receiver), *GROUPS])
                frame = random_frame(rng)._replace(
                    mac_source=network.mac(sender) or 0, mac_dest=dest or 0
                )
                got = arrives(engine, frame, receiver)
                assert not (verdict == "accept" and got), (SEED, round_)


@pytest.mark.parametrize("round_", range(ROUNDS // 2))
def test_what_edits_do_between_members_is_what_arrives(round_: int) -> None:
    rng = random.Random(SEED * 4099 + round_)
    old = drawn_policy(rng)
    new = changed(rng, old)
    network = drawn_network(rng, old)
    sender, receiver = network.members
    engines = [Engine(one, network=network, backend="reference") for one in (old, new)]
    report = compare_edits(old, new, ends=MemberEnds(network, sender, receiver), time_limit=None)
    every = [effect for one in (*report.edits, report.rest) for effect in one.effects]
    for effect in every:
        after = [arrives(engine, effect.frame, receiver) for engine in engines]
        words = [word == "accepted" for word in (effect.before, effect.after)]
        assert after == words, (SEED, round_)
    for _ in range(FRAMES):
        dest = rng.choice([network.mac(receiver), *GROUPS])
        frame = random_frame(rng)._replace(mac_source=network.mac(sender) or 0, mac_dest=dest or 0)
        was, now = (arrives(engine, frame, receiver) for engine in engines)
        said = any(
            (one.before == "accepted", one.after == "accepted") == (was, now) for one in every
        )
        assert was == now or said, (SEED, round_)
