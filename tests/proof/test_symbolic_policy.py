"""A policy for all frames at once says what a network does: both sides, and each pass.

A failure names the seed of its round; `ROUNDS` and `SEED` may be set in the environment.
"""

from __future__ import annotations

import random

import pytest

import ztfast
from tests import seeds
from tests.proof.drawing import TAGS, add_integers, drawn_policy, random_frame
from ztfast.engine.engine import Engine
from ztfast.frames.batch import FrameBatch
from ztfast.frames.frame import Frame
from ztfast.model.policy import Policy
from ztfast.network.members import Member, Network, make_network
from ztfast.pipeline.deliver import deliver
from ztfast.pipeline.deliveries import Deliveries, Fate, Kind
from ztfast.proof.formula import Assignment, Formulas, Samples
from ztfast.proof.frame_model import FrameFormulas
from ztfast.proof.symbolic_policy import SymbolicPolicy, network_constraints
from ztfast.proof.verdict_classes import event_formulas
from ztfast.proof.witness import auth_address, fields_of

SEED = seeds.seed(41)
ROUNDS = seeds.rounds(60)
FRAMES = seeds.frames(12)
NETWORK_ID = 0x8056C2E21C000001
SENDER, RECEIVER = 0x1111111111, 0x2222222222
MACS = {SENDER: 0x020000000001, RECEIVER: 0x020000000002}
GROUPS = [0xFFFFFFFFFFFF, 0x333300000001, 0x01005E000001]


def drawn_network(rng: random.Random, policy: Policy) -> Network:
    ips = [bytes.fromhex(text) for text in ("0a000001", "0a000002", "fd00" + "0" * 27 + "1")]
    members = [
        Member(
            address,
            ips=tuple(rng.sample(ips, 1)),
            tags={tag: rng.choice([0, 1, 2, 5]) for tag in TAGS if rng.random() < 0.6},
            capabilities=frozenset(
                capability.id for capability in policy.capabilities if rng.random() < 0.5
            ),
            mac=mac,
        )
        for address, mac in MACS.items()
    ]
    return make_network(members, id=NETWORK_ID)


def assigned(frame: Frame, network: Network, names: list[str]) -> dict[str, int]:
    """The fields of a frame from the first member to the second, or to all."""
    sender, receiver = network.members
    group = frame.mac_dest >> 40 & 1
    found = fields_of(frame, auth_address(frame) in sender.ips)
    found |= {"zt_source": sender.address, "out.node": sender.address}
    found |= {"in.node": receiver.address, "in.zt_dest": receiver.address}
    found |= {"out.zt_dest": 0 if group else receiver.address, "receiver_known": 1 - group}
    for name, member in (("from", sender), ("to", receiver)):
        for tag, value in member.tags.items():
            found |= {f"{name}.has.{tag}": 1, f"{name}.tag.{tag}": value}
    found |= {f"from.holds.{number}": 1 for number in sender.capabilities}
    add_integers(found, frame, names)
    return found


def sent(found: Deliveries) -> set[tuple[object, ...]]:
    """What a network makes of the sender's frame: delivered, redirects, copies."""
    rows = zip(*(column.tolist() for column in found[:8]), strict=True)  # each is one sending
    events: set[tuple[object, ...]] = set()
    for _, to, kind, by, _, _, fate, _ in rows:
        if by != SENDER:
            continue
        if kind in (Kind.FRAME, Kind.MULTICAST):
            events |= {("delivered",)} if fate == Fate.ARRIVED else set()
        else:
            events.add((Kind(kind).name.lower(), to))
    return events


def expected(
    formulas: Formulas, symbolic: SymbolicPolicy, assignment: Assignment
) -> set[tuple[object, ...]]:
    sample = Samples(formulas, [assignment])
    events = event_formulas(formulas, symbolic.traces, ())
    inside = [event for event, literal in events.items() if sample.inside(literal)]
    found: set[tuple[object, ...]] = {("delivered",)} & {tuple(event) for event in inside}
    return found | {
        (event[1], event[2])
        for event in inside
        if event[0] in ("out", "again") and event[1] in ("tee", "watch", "redirect")
    }


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_what_is_proved_is_what_a_network_delivers(round_: int) -> None:
    """Unicasts, broadcasts and multicasts (ARP and NDP among them) with tags of both sides."""
    rng = random.Random(SEED * 7919 + round_)
    policy = drawn_policy(rng)
    network = drawn_network(rng, policy)
    engine = Engine(policy, network=network, backend="reference")
    formulas = Formulas()
    frames = FrameFormulas(formulas)
    symbolic = SymbolicPolicy(policy, "1.14", "both", formulas, frames)
    background = [*network_constraints(formulas, ("out", "in")), *frames.structure()]
    for _ in range(FRAMES):
        dest = rng.choice([MACS[RECEIVER], *GROUPS])
        frame = random_frame(rng)._replace(mac_source=MACS[SENDER], mac_dest=dest)
        assignment = assigned(frame, network, list(formulas.widths))
        sample = Samples(formulas, [assignment])
        assert all(sample.inside(literal) for literal in background), (SEED, round_)
        given = sent(deliver(engine, FrameBatch.from_frame(frame)))
        assert expected(formulas, symbolic, assignment) == given, (SEED, round_, frame)
        words = str(symbolic.verdict_on(assignment, frame).verdict)
        assert words.startswith("accepted") == (("delivered",) in given), (SEED, round_)


@pytest.mark.parametrize(
    ("rules", "passes"),
    [
        ("accept dport 80;", ["out", "in"]),
        ("tee -1 1122334455;\naccept;", ["out", "in"]),
        ("drop ztdest 1122334455;\naccept;", ["out", "again", "in"]),
        ("redirect 1122334455;\naccept;", ["out", "again", "in"]),
        ("tag t id 1;\naccept treq t 1;", ["out", "again", "in"]),
        ("accept random 0.5;", ["out", "again", "in"]),
    ],
)
def test_a_second_pass_is_made_where_it_can_differ(rules: str, passes: list[str]) -> None:
    formulas = Formulas()
    policy = ztfast.compile(rules + "\n")
    symbolic = SymbolicPolicy(policy, "1.14", "both", formulas, FrameFormulas(formulas))
    assert list(symbolic.traces) == passes
