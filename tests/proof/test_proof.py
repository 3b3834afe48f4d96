"""All claims about a policy against a random network's frames: nothing proved is contradicted.

`ZTFAST_ROUNDS=300` is the long variant; `reach` is compared cell by cell in
tests/pipeline/test_reach.py.
"""

from __future__ import annotations

import random

import pytest

import ztfast
from tests import seeds
from tests.needs import needs
from tests.proof.changing import changed
from tests.proof.drawing import TAGS, drawn_policy, random_frame
from ztfast.explain.contexts import ContextResolver
from ztfast.explain.explain import Explanation, explain
from ztfast.frames.frame import Frame
from ztfast.model.policy import Policy
from ztfast.network.members import Member, Network, make_network
from ztfast.proof import findings
from ztfast.proof.edit_effects import compare_edits
from ztfast.proof.frame_model import ARP, BROADCAST
from ztfast.proof.search import SearchQuery, search
from ztfast.proof.solver import Undecided

pytestmark = needs("z3")

SEED = seeds.seed(83)
ROUNDS = seeds.rounds(8)
FRAMES = 100
ADDRESSES = (0x1111111111, 0x2222222222, 0x3333333333)


def drawn_network(rng: random.Random) -> Network:
    """Three members with some tags; what a tag's default gives the network adds itself."""
    members = [
        Member(
            address,
            ips=(bytes((10, 0, 0, number)),),
            tags={tag: rng.choice([0, 1, 2, 5]) for tag in rng.sample(TAGS, rng.randrange(3))},
            capabilities=frozenset(rng.sample(range(3), rng.randrange(3))),
        )
        for number, address in enumerate(ADDRESSES, 1)
    ]
    return make_network(members, id=0x8056C2E21C000001)


def drawn_frame(rng: random.Random, network: Network) -> Frame:
    """Between members, or to all of them."""
    macs = [network.mac(member) or 0 for member in network.members]
    source, dest = rng.sample(macs, 2)
    frame = random_frame(rng)._replace(vlan=0)
    if rng.random() < 0.2:
        frame = frame._replace(payload=bytes(28), length=28, ethertype=ARP)
    to = rng.choice([dest, dest, BROADCAST, 0x333300000001])
    return frame._replace(mac_source=source, mac_dest=to)


def claimed_never(policy: Policy) -> set[str]:
    """The verdicts of which it is proved that no frame gets them."""
    never: set[str] = set()
    for verdict in ("accept", "drop", "redirect"):
        try:
            if search(policy, SearchQuery(verdict), time_limit=10) is None:
                never.add(verdict)
        except (Undecided, ztfast.BackendError):
            continue
    return never


def what(found: Explanation) -> tuple[object, ...]:
    """Its verdict and what is sent beside it."""
    sent = [copy for side in found.sides for copy in side.copies]
    return found.verdict, sorted((copy.to, copy.flags, copy.length) for copy in sent)


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_no_explanation_contradicts_a_claim(round_: int) -> None:
    rng = random.Random(SEED * 8191 + round_)
    policy, network = drawn_policy(rng), drawn_network(rng)
    other = changed(rng, policy)
    other = Policy(other.rules, other.capabilities, policy.tags)
    never, claims = claimed_never(policy), findings(policy, time_limit=10)
    codes = {one.code for one in claims}
    no_request = any(one.code == "ZT210" and "no ARP request" in one.message for one in claims)
    same = compare_edits(policy, other, time_limit=10, usual=False).same
    resolvers = [ContextResolver(one, network) for one in (policy, other)]
    for _ in range(FRAMES):
        frame = drawn_frame(rng, network)
        found, changed_to = (explain(one, one.contexts(frame)) for one in resolvers)
        where = (SEED, round_, frame)
        if found.stopped:
            continue  # no rule was the last word
        assert found.verdict not in never, where
        assert "ZT207" not in codes or found.verdict != "accept", where
        asks = frame.ethertype == ARP and frame.mac_dest == BROADCAST
        assert not (no_request and asks and found.verdict == "accept"), where
        assert not same or what(found) == what(changed_to), where


def test_there_are_claims_to_contradict() -> None:
    """Else the test above would say nothing."""
    never: list[str] = []
    for round_ in range(6):
        rng = random.Random(SEED * 8191 + round_)
        never += claimed_never(drawn_policy(rng))
    assert never
