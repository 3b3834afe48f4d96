"""ARP and neighbour discovery that no rule lets through: found where it is so, and only there."""

from __future__ import annotations

import random

import pytest

import ztfast
from tests import seeds
from tests.needs import needs
from tests.proof.drawing import drawn_policy
from ztfast.model.policy import Policy
from ztfast.network.members import Member, make_network
from ztfast.pipeline.reach import WORDS, reach
from ztfast.pipeline.reach_judge import Why
from ztfast.proof import findings

pytestmark = needs("z3")

SEED = seeds.seed(0)
ROUNDS = seeds.rounds(25)
HUB = "tag hub id 4 default 0 enum 1 yes;\n"
CASES = {
    "no ARP": ("accept ipprotocol tcp;\ndrop;\n", ["ZT210:2:no ARP request"]),
    "the end of the rules": (
        "accept ethertype ipv4;\n",
        ["ZT210:0:no ARP request ever arrives: no rule"],
    ),
    "no answers": (
        "drop ethertype arp and not chr broadcast;\naccept;\n",
        ["ZT210:1:no ARP answer"],
    ),
    "no neighbour discovery": (
        "drop ethertype ipv6 and ipprotocol icmp6;\naccept;\n",
        ["ZT210:1:no neighbour discovery request"],
    ),
    "no neighbour advertisements": (
        "drop icmp 136 -1 and ethertype ipv6;\naccept;\n",
        ["ZT210:1:no neighbour discovery answer"],
    ),
    "break on tags": (HUB + "break not tor hub 1;\naccept;\n", ["ZT211:2:ARP requests end here"]),
    "break on the receiver's tag": (
        HUB + "break treq hub 1;\naccept;\n",
        ["ZT211:2:ARP requests end here"],
    ),
    "drop on tags is passed over": (HUB + "drop not tor hub 1;\naccept;\n", []),
    "ARP first": (HUB + "accept ethertype arp;\nbreak not tor hub 1;\naccept;\n", []),
    "a default capability accepts what is left": (
        HUB + "cap all id 1 default accept ethertype arp; ;\nbreak not tor hub 1;\naccept;\n",
        [],
    ),
    "rules that never speak of IPv6": ("accept ethertype arp;\naccept ipprotocol tcp;\n", []),
    "IPv6 alone, with its neighbour discovery": (
        "accept icmp 135 -1 or icmp 136 -1;\ndrop not ethertype ipv6;\naccept;\n",
        [],
    ),
    "nothing is accepted": ("drop;\n", []),
    "only ARP": ("accept ethertype arp;\n", []),
    "everything": ("accept;\n", []),
}


def found(policy: Policy, engine: str = "1.14") -> list[str]:
    return [
        f"{each.code}:{each.span.line if each.span else 0}:{each.message}"
        for each in findings(policy, time_limit=None, engine=engine)
        if each.code in ("ZT210", "ZT211")
    ]


@pytest.mark.parametrize("name", CASES)
def test_cases(name: str) -> None:
    rules, expected = CASES[name]
    said = found(ztfast.compile(rules))
    assert len(said) == len(expected), said
    for one, start in zip(said, expected, strict=True):
        code, line, text = start.split(":", 2)
        assert one.startswith(f"{code}:{line}:")
        assert text in one


def test_before_1_14_a_break_on_the_receivers_tag_takes_them_too() -> None:
    rules = HUB + "break treq hub 1;\naccept;\n"
    assert [one[:7] for one in found(ztfast.compile(rules), "1.12")] == ["ZT211:2"]


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_what_is_said_never_to_arrive_does_not_on_a_network(round_: int) -> None:
    """Random rules: ZT210 is not said where `reach` finds ARP open between any two members."""
    rng = random.Random(SEED * 4099 + round_)
    policy = drawn_policy(rng)
    said = [one for one in found(policy) if one.startswith("ZT210") and "IPv4" in one]
    members = [
        Member(
            0x1111111111 * number,
            ips=(bytes((10, 0, 0, number)),),
            tags={tag: rng.choice([0, 1, 2, 5]) for tag in (1, 2, 3) if rng.random() < 0.6},
            capabilities=frozenset(cap.id for cap in policy.capabilities if rng.random() < 0.5),
        )
        for number in range(1, 6)
    ]
    network = make_network(members, id=0x8056C2E21C000001)
    words = {WORDS[Why(why)] for why in reach(policy, network, ["arp"]).why.tolist()}
    assert not (said and "open" in words), (SEED, round_, said)
