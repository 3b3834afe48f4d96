"""Copies that their target never takes: found where it is so, and no delivery contradicts it."""

from __future__ import annotations

import random

import pytest

import ztfast
from tests import seeds
from tests.needs import needs
from tests.proof.drawing import random_entry, random_frame
from ztfast.engine.engine import Engine
from ztfast.frames.batch import FrameBatch
from ztfast.frames.build import ethernet_bytes
from ztfast.frames.headers import read_header
from ztfast.model.policy import Policy, Rule
from ztfast.network.members import Member, make_network
from ztfast.pipeline.deliver import Fate, Kind, deliver
from ztfast.pipeline.reach import cell_frame
from ztfast.pipeline.reach_frames import Step
from ztfast.proof import findings

pytestmark = needs("z3")

SEED = seeds.seed(67)
ROUNDS = seeds.rounds(16)
TEE = "tee {} 1122334455 {};\n"


def found(rules: str, code: str = "ZT213") -> list[str]:
    return [
        f"{one.span.line if one.span else 0}: {one.message}"
        for one in findings(ztfast.compile(rules), time_limit=None)
        if one.code == code
    ]


REFUSED = {
    "a cut shorter than its own match": (
        TEE.format(20, "ipprotocol tcp and dport 80") + "accept dport 80;\ndrop;\n",
        "1: the copies that this tee sends never arrive: 1122334455 judges them by these rules too,"
        " and `drop` in line 3 stops them there",
    ),
    "a redirect before it": (
        "redirect 5544332211 dport 80 and chr inbound;\n"
        + TEE.format(-1, "dport 80")
        + "accept;\n",
        "2: the copies that this tee sends never arrive",
    ),
    "a cut shorter than its match, at receivers alone": (
        TEE.format(20, "ipprotocol tcp and dport 80 and chr inbound") + "accept dport 80;\ndrop;\n",
        "1: the copies that this tee sends from a frame's receiver never arrive: 1122334455",
    ),
    "what comes in is dropped first": (
        "drop chr inbound and ipprotocol udp;\nwatch -1 1122334455 ipprotocol udp;\naccept;\n",
        "2: the copies that this watch sends never arrive",
    ),
    "a receiver owns no sender's address": (
        "drop not chr ipauth and ethertype ipv4;\n"
        + TEE.format(-1, "dport 80 and chr inbound")
        + "accept;\n",
        "2: the IPv4 copies that this tee sends from a frame's receiver never arrive: 1122334455"
        " judges them by these rules too, and `drop` in line 1 stops them there",
    ),
}
TAKEN = {
    "copies of receivers, whole": TEE.format(-1, "dport 80 and chr inbound") + "accept;\n",
    "copies of receivers by IPv6, whose own scheme makes them ipauth": "drop not chr ipauth;\n"
    + TEE.format(-1, "ethertype ipv6 and dport 80 and chr inbound")
    + "accept;\n",
    "whole frames": TEE.format(-1, "dport 80") + "accept;\n",
    "a cut that its match survives": TEE.format(64, "dport 80") + "accept dport 80;\ndrop;\n",
    "a cut that a later accept takes": TEE.format(20, "dport 80") + "accept;\n",
    "ipauth before it": "drop not chr ipauth;\n" + TEE.format(-1, "dport 80") + "accept;\n",
    "tags before it": "tag t id 1;\ndrop not tseq t 1;\n"
    + TEE.format(-1, "dport 80")
    + "accept;\n",
    "never sent": TEE.format(-1, "dport 80") + "drop;\n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    rules, said = REFUSED[name]
    (message,) = found(rules)
    assert message.startswith(said)


@pytest.mark.parametrize("name", TAKEN)
def test_taken(name: str) -> None:
    assert found(TAKEN[name]) == []


TAGGED = "tag t id 1 default 0;\n"
BY_TAGS = {
    "its own department": (
        TAGGED + "drop not tdiff t 0;\n" + TEE.format(-1, "dport 80") + "accept;\n",
        ["3: which copies of this tee 1122334455 takes is a matter of its own tags: `drop` in"
         " line 2 judges them first"],
    ),
    "a break, and a receiver's tag": (
        TAGGED + "break treq t 5;\n" + TEE.format(-1, "dport 80") + "accept;\n",
        ["3: which copies of this tee 1122334455 takes is a matter of its own tags: `break` in"
         " line 2 judges them first"],
    ),
    "the sender's tag is the same": (
        TAGGED + "drop tseq t 5;\n" + TEE.format(-1, "dport 80") + "accept;\n",
        [],
    ),
    "of other frames": (
        TAGGED + "drop not tdiff t 0 and dport 22;\n" + TEE.format(-1, "dport 80") + "accept;\n",
        [],
    ),
    "the tee comes first": (
        TAGGED + TEE.format(-1, "dport 80") + "drop not tdiff t 0;\naccept;\n",
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BY_TAGS)
def test_a_matter_of_tags(name: str) -> None:
    rules, said = BY_TAGS[name]
    assert found(rules, "ZT215") == said
    assert found(rules) == []


@pytest.mark.parametrize(("tag", "arrives"), [(1, True), (2, False)])
def test_a_sensor_sees_its_own_department(tag: int, arrives: bool) -> None:
    policy = ztfast.compile(BY_TAGS["its own department"][0])
    members = [
        Member(0x1111111111, ips=(bytes((10, 0, 0, 1)),), tags={1: 1}, name="a"),
        Member(0x2222222222, ips=(bytes((10, 0, 0, 2)),), tags={1: 1}, name="b"),
        Member(0x1122334455, tags={1: tag}),
    ]
    network = make_network(members, id=0x8056C2E21C000001)
    frame = cell_frame(network, "a", "b", "80/tcp", Step.REQUEST)
    sent = deliver(Engine(policy, network=network), FrameBatch.from_frame(frame)).arrived
    assert (Kind.FRAME in sent.kind.tolist()) is True
    assert (Kind.TEE in sent.kind.tolist()) is arrives


SENDER, RECEIVER, SENSOR = 0x1111111111, 0x2222222222, 0x3333333333
NETWORK = make_network(
    [Member(address, tags={1: 1, 2: 2}) for address in (SENDER, RECEIVER, SENSOR)],
    id=0x8056C2E21C000001,
)


PLAIN = {(0, 0), (4, 20), (6, 40)}  # IP version, and where its headers end
MATCHES = (
    {"type": "MATCH_IP_DEST_PORT_RANGE", "start": 0, "end": 1023},
    {"type": "MATCH_IP_SOURCE_PORT_RANGE", "start": 1, "end": 443},
    {"type": "MATCH_IP_PROTOCOL", "ipProtocol": 17},
    {"type": "MATCH_IP_PROTOCOL", "ipProtocol": 6},
    {"type": "MATCH_FRAME_SIZE_RANGE", "start": 40, "end": 1500},
    {"type": "MATCH_CHARACTERISTICS", "mask": "8000000000000000", "not": True},
    {"type": "MATCH_TAG_SENDER", "id": 1, "value": 1},
    {"type": "MATCH_ICMP", "icmpType": 8},
)


INBOUND = {"type": "MATCH_CHARACTERISTICS", "mask": "8000000000000000"}


def drawn_policy(rng: random.Random, inbound: bool) -> Policy:
    """A tee to the sensor among random rules, and what accepts some of its frames.

    inbound: the tee is one of receivers alone.
    """
    tee = {"type": "ACTION_TEE", "address": f"{SENSOR:010x}", "length": rng.choice([4, 20, 64, -1])}
    asked = rng.sample(MATCHES, rng.choice([1, 1, 2]))
    before = [random_entry(rng) for _ in range(rng.choice([0, 0, 2]))]
    before += rng.choice([[], [*rng.sample(MATCHES, 1), {"type": "ACTION_DROP"}]])
    accept = [*rng.choice([asked, asked[:1], []]), {"type": "ACTION_ACCEPT"}]
    copied = [*asked, INBOUND] if inbound else asked
    entries = [*before, *copied, tee, *accept, {"type": "ACTION_DROP"}]
    return Policy(tuple(Rule(one) for one in entries if one["type"] != "INTEGER_RANGE"))


@pytest.mark.parametrize("inbound", [False, True])
def test_no_delivery_contradicts_a_finding(inbound: bool) -> None:
    claimed = 0
    for round_ in range(ROUNDS):
        rng = random.Random(SEED * 9973 + round_)
        policy = drawn_policy(rng, inbound)
        found = [one for one in findings(policy, time_limit=10) if one.code == "ZT213"]
        # other copies may be drawn, too: the sensor's are asked about
        asked = "the copies that this tee sends", f"never arrive: {SENSOR:010x}"
        said = [one for one in found if all(part in one.message for part in asked)]
        if said:
            by = RECEIVER if "receiver" in said[0].message else SENDER
            assert (by == RECEIVER) or not inbound
            claimed += delivered_nowhere(policy, rng, round_, by)
    assert claimed > 1  # else this says nothing


def delivered_nowhere(policy: Policy, rng: random.Random, round_: int, by: int) -> bool:
    """No copy of the policy's one tee arrives; False where it sends from others than `by`."""
    targets = [rule.json.get("address") for rule in policy.rules]
    ends = {f"{SENDER:010x}", f"{RECEIVER:010x}"}
    if ends.intersection(map(str, targets)) or targets.count(f"{SENSOR:010x}") != 1:
        return False
    source, dest = (NETWORK.mac(member) or 0 for member in NETWORK.members[:2])
    frames = [
        ethernet_bytes(frame._replace(mac_source=source, mac_dest=dest, vlan=0))
        for frame in (random_frame(rng) for _ in range(90))
        if (read_header(frame).version, read_header(frame).position) in PLAIN
    ]
    engine = ztfast.Engine(policy, network=NETWORK)
    sent = deliver(engine, FrameBatch.from_frames(frames)).copies
    mine = (sent.sent_by == by) & (sent.to == SENSOR) & (sent.kind == Kind.TEE)
    assert not (mine & (sent.fate == Fate.ARRIVED)).any(), (SEED, round_)
    return True
