"""Explanations agree with the engine: the same verdict for the same frame, network and seed."""

from __future__ import annotations

import random

import pytest

from tests.differential.rounds import NETWORK_ID, random_batch, random_network, random_policy
from ztfast.engine import engine as engine_module
from ztfast.engine.engine import Engine
from ztfast.engine.network_verdicts import Action
from ztfast.explain import contexts
from ztfast.explain.contexts import ContextResolver, Ends, described_member, with_member_macs
from ztfast.explain.explain import explain
from ztfast.explain.render import to_object, to_text
from ztfast.frames.batch import FrameBatch
from ztfast.frames.notation import parse_frame
from ztfast.lang import compile_text
from ztfast.network.members import Member, Network

ROUNDS = 60
VERDICTS = {Action.ACCEPT: "accept", Action.DROP: "drop", Action.REDIRECT: "redirect"}


def test_draws_are_keyed_as_the_engine_keys_them() -> None:
    assert contexts.INBOUND_SEED == engine_module._INBOUND_SEED


@pytest.mark.parametrize("side", ["both", "out", "in"])
def test_explanations_agree_with_the_engine(side: str) -> None:
    for seed in range(ROUNDS):
        rng = random.Random(seed)
        policy, network = random_policy(rng), random_network(rng)
        batch = random_batch(rng, network)[:20]
        version = rng.choice(["1.14", "1.12"])
        known = rng.choice([network, Network(id=NETWORK_ID), None])
        judge = Engine(
            policy, network=known, side=side, engine=version, seed=seed, backend="reference"
        )
        verdicts = judge.evaluate(batch, first=100)
        resolver = ContextResolver(policy, known, version, seed=seed)
        for index in range(len(batch)):
            found = explain(resolver, resolver.contexts(batch.frame(index), 100 + index), side)
            action = Action(int(verdicts.action[index]))
            assert found.verdict == VERDICTS[action], f"seed {seed}, frame {index}"
            assert to_text(found).startswith(found.frame_text)
            assert to_object(found)["verdict"] == found.verdict
            if side != "in":
                assert _entry(found.sides[0]) == int(verdicts.sender.entry[index])  # type: ignore[union-attr]


def _entry(side: object) -> int:
    by = side.by  # type: ignore[attr-defined]
    return -1 if by is None else int(by.entry)


def test_described_ends() -> None:
    policy = compile_text("tag t id 1 default 3 ;\naccept teq t 3 and ztdest 2222222222 ;\n")
    resolver = ContextResolver(policy)
    spec = parse_frame("udp 10.0.0.1 > 10.0.0.2 zt 1111111111 > 2222222222")
    ends = Ends(described_member(spec, True, {}), described_member(spec, False, {}))
    found = resolver.described_contexts(spec, ends)
    assert found.sender.local_tags == found.sender.remote_tags == {1: 3}
    assert (found.sender.node, found.receivers[0].context.node) == (0x1111111111, 0x2222222222)
    assert explain(resolver, found).verdict == "accept"
    nobody = resolver.described_contexts(spec, Ends(None, None))
    assert not nobody.sender.local_tags_known


def test_multicast_with_no_other_member() -> None:
    network = Network(id=NETWORK_ID, members=(Member(0x1111111111),))
    policy = compile_text("accept ztsrc 1111111111 ;\n")
    spec = parse_frame("udp 10.0.0.1 > 224.0.0.1 zt 1111111111 > 0000000000")
    frame = with_member_macs(spec, network)
    resolver = ContextResolver(policy, network)
    found = explain(resolver, resolver.contexts(frame))
    judged = Engine(policy, network=network, backend="reference").evaluate(
        FrameBatch.from_frame(frame)
    )
    assert found.verdict == VERDICTS[Action(int(judged.action[0]))] == "accept"
    assert to_text(found)


def test_placed_by_address_and_ip() -> None:
    network = random_network(random.Random(5))
    assert network.members
    member = network.members[0]
    spec = parse_frame(f"ethertype 1 zt {member.label} > 9999999999")
    frame = with_member_macs(spec, network)
    assert frame.mac_source == network.mac(member)
    assert not frame.unknown
