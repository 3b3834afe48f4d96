"""Explanations agree with the engine: the same verdict for the same frame, network and seed."""

from __future__ import annotations

import random

import pytest

from tests.differential.rounds import NETWORK_ID, random_batch, random_network, random_policy
from tests.engine.recipients_cases import cases
from ztfast.engine.engine import Engine
from ztfast.engine.network_verdicts import Action, Verdicts
from ztfast.explain.contexts import ContextResolver, Ends, described_member, with_member_macs
from ztfast.explain.explain import Explanation, explain
from ztfast.explain.render import to_object, to_text
from ztfast.frames.batch import FrameBatch
from ztfast.frames.notation import parse_frame
from ztfast.lang import compile_text
from ztfast.network.members import Member, Network

ROUNDS = 60
VERDICTS = {Action.ACCEPT: "accept", Action.DROP: "drop", Action.REDIRECT: "redirect"}


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
            assert to_text(found).startswith(found.frame_text.partition(" (")[0])
            assert to_object(found)["verdict"] == found.verdict
            if not found.stopped:
                assert decider(found) == deciding(verdicts, index), f"seed {seed}, frame {index}"


def decider(found: Explanation) -> tuple[str, int | None, int]:
    """(direction, capability, entry) of the note that the verdict is of."""
    reached = [note for note in found.sides if note.reached]
    last = [
        note
        for note, after in zip(reached, [*reached[1:], None], strict=True)
        if note.direction == "in" or after is None or note.verdict != "accept"
        or (after.direction == "out" and note.recipient is not None)
    ]  # fmt: skip
    note = next(note for note in last if note.verdict == found.verdict)
    outcome = note.outcome
    assert outcome is not None
    return note.direction, outcome.capability, outcome.entry


def deciding(verdicts: Verdicts, index: int) -> tuple[str, int | None, int]:
    capability = int(verdicts.capability[index])
    direction = ("out", "in")[int(verdicts.side[index])]
    return direction, None if capability < 0 else capability, int(verdicts.entry[index])


@pytest.mark.parametrize("seed", range(80))
def test_explanations_follow_each_recipient_as_the_engine_does(seed: int) -> None:
    ((policy, network, batch, options),) = cases([seed])
    verdicts = Engine(policy, network=network, backend="reference", **options).evaluate(batch)
    resolver = ContextResolver(policy, network, options["engine"], seed=options["seed"])
    for index in range(len(batch)):
        contexts = resolver.contexts(batch.frame(index), index)
        found = explain(resolver, contexts, options["side"])
        place = f"seed {seed}, frame {index}"
        assert found.verdict == VERDICTS[Action(int(verdicts.action[index]))], place
        if found.stopped:
            assert (verdicts.entry[index], verdicts.accepted[index]) == (-1, False), place
        else:
            assert decider(found) == deciding(verdicts, index), place
        if contexts.several and options["side"] != "out":
            getting = [note for note in found.sides if note.direction == "in"]
            count = sum(note.members for note in getting if note.verdict == "accept")
            assert count == int(verdicts.receivers[index]), place
        assert to_object(found)["verdict"] == found.verdict
        assert to_text(found, brief=True).startswith(found.frame_text.partition(" (")[0])


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


def test_a_multicast_from_the_only_member_reaches_nobody() -> None:
    network = Network(id=NETWORK_ID, members=(Member(0x1111111111),))
    policy = compile_text("accept ztsrc 1111111111 ;\n")
    spec = parse_frame("udp 10.0.0.1 > 224.0.0.1 zt 1111111111 > 0000000000")
    frame = with_member_macs(spec, network)
    for side in ("both", "out", "in"):
        resolver = ContextResolver(policy, network)
        found = explain(resolver, resolver.contexts(frame), side)
        judged = Engine(policy, network=network, side=side, backend="reference").evaluate(
            FrameBatch.from_frame(frame)
        )
        assert found.verdict == VERDICTS[Action(int(judged.action[0]))] == "drop"
        assert "dropped: there is nobody whom it could reach" in to_text(found)


def test_placed_by_address_and_ip() -> None:
    network = random_network(random.Random(5))
    assert network.members
    member = network.members[0]
    spec = parse_frame(f"ethertype 1 zt {member.label} > 9999999999")
    frame = with_member_macs(spec, network)
    assert frame.mac_source == network.mac(member)
    assert not frame.unknown


def test_described_ends_of_a_multicast_are_judged_in_both_passes() -> None:
    policy = compile_text(
        "tag t id 1 ;\ndrop treq t 5 and not chr inbound ;\n"
        "redirect 5555555555 ztdest 2222222222 and not chr inbound ;\naccept ;\n"
    )
    resolver = ContextResolver(policy)
    spec = parse_frame("udp 10.0.0.1 > 224.0.0.1 zt 1111111111 > 2222222222")
    sender = described_member(spec, True, {})
    for tags, verdict in (({1: 5}, "drop"), ({1: 6}, "redirect")):
        ends = Ends(sender, described_member(spec, False, tags))
        found = explain(resolver, resolver.described_contexts(spec, ends))
        assert found.verdict == verdict
        assert [note.recipient for note in found.sides] == [None, 0x2222222222, None]
        assert [note.reached for note in found.sides] == [True, True, False]
        alone = explain(resolver, resolver.described_contexts(spec, ends), "out")
        assert (alone.verdict, len(alone.sides)) == (verdict, 2)
    nobody = explain(resolver, resolver.described_contexts(spec, Ends(sender, None)))
    assert (nobody.verdict, len(nobody.sides)) == ("accept", 2)  # one pass: nobody known


def test_what_the_network_does_not_let_out_is_said() -> None:
    members = (Member(0x1111111111), Member(0x2222222222))
    for settings, words in (
        ({"broadcasts": False}, "the network lets no broadcasts out but ARP"),
        ({"multicast_limit": 0}, "the network's multicast limit is 0"),
    ):
        network = Network(id=NETWORK_ID, members=members, **settings)
        resolver = ContextResolver(compile_text("accept ;\n"), network)
        spec = parse_frame("udp 10.0.0.1 > 10.0.0.255 zt 1111111111 > 0000000000")
        frame = with_member_macs(spec, network)._replace(mac_dest=0xFFFFFFFFFFFF)
        frame = frame._replace(unknown=type(frame.unknown)(0))
        found = explain(resolver, resolver.contexts(frame))
        assert found.verdict == "drop"
        assert f"dropped: {words}" in to_text(found)
        assert [note.reached for note in found.sides] == [False, False]
        inbound = explain(resolver, resolver.contexts(frame), "in")
        assert inbound.verdict == "accept"
