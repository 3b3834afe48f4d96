"""Random rules, networks and frames for tests of what arrives where."""

from __future__ import annotations

import json
import random
from typing import Any

from tests.differential.generate import (
    ADDRESSES,
    IPS4,
    IPS6,
    TAGS,
    VALUES,
    random_frame,
    random_rules,
)
from ztfast.lang import load_json
from ztfast.model.addresses import mac_of
from ztfast.model.policy import Policy
from ztfast.network.members import Member, Network, make_network

NETWORK_ID = 0x8056C2E21C000001
BROADCAST = 0xFFFFFFFFFFFF


def random_policy(rng: random.Random, draws: bool = True) -> Policy:
    """Random rules whose draws, if there are any, are certain: the model draws nothing."""
    left_out = ["INTEGER_RANGE", "ACTION_PRIORITY", *([] if draws else ["MATCH_RANDOM"])]

    def rules() -> list[dict[str, Any]]:
        made = [dict(rule) for rule in random_rules(rng)]
        for rule in made:
            if rule["type"] == "MATCH_RANDOM":
                rule["probability"] = rng.choice([0, 0xFFFFFFFF])
        return [rule for rule in made if rule["type"] not in left_out]

    capabilities = [
        {"id": number, "default": rng.random() < 0.3, "rules": rules()[:60]}
        for number in range(rng.randrange(3))
    ]
    tags = [{"id": tag, "default": rng.choice([None, 1, 5])} for tag in TAGS]
    forwarding = [
        {"type": rng.choice(["ACTION_TEE", "ACTION_WATCH"]), "address": rng.choice(ADDRESSES[:4]),
         "length": rng.choice([-1, 20, 0])}
        for _ in range(rng.randrange(4))
    ]  # fmt: skip
    # Deciding early, a copy's target does not see that it is meant.
    early: dict[str, Any] = rng.choice([
        {"type": "MATCH_CHARACTERISTICS", "mask": "8000000000000000"},
        {"type": "MATCH_SOURCE_ZEROTIER_ADDRESS", "zt": rng.choice(ADDRESSES[:4])},
    ])  # fmt: skip
    if rng.random() < 0.5:
        action = rng.choice(["ACTION_ACCEPT", "ACTION_ACCEPT", "ACTION_DROP"])
        forwarding = [early, {"type": action}, *forwarding]
    base = [*forwarding, *rules(), {"type": "ACTION_ACCEPT"}][-1024:]
    document = {"rules": base, "capabilities": capabilities, "tags": tags}
    return load_json(json.dumps(document), "random")


def random_network(rng: random.Random) -> Network:
    count = rng.choice([1, 2, 3, 4])
    members = [
        Member(
            int(address, 16),
            tuple(bytes.fromhex(ip) for ip in rng.sample([*IPS4, *IPS6], rng.randrange(3))),
            {tag: rng.choice(VALUES) for tag in rng.sample(TAGS, rng.randrange(3))},
            frozenset(rng.sample(range(3), rng.randrange(3))),
            bridge=rng.random() < 0.2,
            auto_ips=rng.random() < 0.7,
        )
        for address in ADDRESSES[:count]
    ]
    network = make_network(members, id=NETWORK_ID)
    return Network(
        network.id,
        network.members,
        assigns_rfc4193=rng.random() < 0.3,
        assigns_6plane=rng.random() < 0.3,
        broadcasts=rng.random() < 0.8,
        multicast_limit=rng.choice([0, 32, 32, 32]),
    )


def random_ethernet(rng: random.Random, network: Network) -> tuple[bytes, int]:
    """(captured bytes, original length): between members, to a group, behind a bridge, strange."""
    macs = [mac_of(member.address, NETWORK_ID) for member in network.members]
    source = rng.choice([*macs, *macs, 0x020000000001])
    dest = rng.choice([*macs, *macs, BROADCAST, 0x333300000001, 0x00AABBCCDDEE])
    frame = random_frame(rng)
    data = dest.to_bytes(6, "big") + source.to_bytes(6, "big")
    data += frame.ethertype.to_bytes(2, "big") + frame.payload
    kept = rng.choice([len(data), len(data), max(14, len(data) - rng.randrange(40))])
    return data[:kept], len(data)


def many_alike(rng: random.Random) -> Network:
    """A network whose members differ in few things, so that many are alike."""
    members = [
        Member(
            0x1000000000 + n if n >= len(ADDRESSES) else int(ADDRESSES[n], 16),
            tuple(bytes.fromhex(ip) for ip in rng.sample([*IPS4, *IPS6], int(rng.random() < 0.3))),
            {tag: rng.choice(VALUES[:2]) for tag in TAGS if rng.random() < 0.5},
            frozenset({0} if rng.random() < 0.3 else ()),
            bridge=rng.random() < 0.1,
        )
        for n in range(rng.choice([3, 40, 90]))
    ]
    return make_network(members, id=NETWORK_ID, assigns_rfc4193=rng.random() < 0.3)
