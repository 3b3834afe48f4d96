"""Random networks, rules and frames with several recipients, from few choices: they meet often."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from typing import Any

from tests.differential.generate import ADDRESSES, IPS4, IPS6, TAGS, VALUES, entry_of, random_frame
from ztfast.frames.batch import FrameBatch
from ztfast.lang import load_json
from ztfast.model.addresses import mac_of
from ztfast.model.kinds import Kind
from ztfast.model.policy import Policy
from ztfast.network.members import Member, Network, make_network

NETWORK = 0x8056C2E21C000001
A, B, C, X = 0x1111111111, 0x2222222222, 0x3333333333, 0x5555555555
EVERYONE, BRIDGED = 0xFFFFFFFFFFFF, 0x00AABBCCDDEE

FORWARDING = (Kind.ACTION_TEE, Kind.ACTION_WATCH, Kind.ACTION_REDIRECT)
OFTEN = (
    *(Kind.MATCH_TAGS_DIFFERENCE, Kind.MATCH_TAGS_BITWISE_AND, Kind.MATCH_TAGS_BITWISE_OR),
    *(Kind.MATCH_TAGS_BITWISE_XOR, Kind.MATCH_TAGS_EQUAL, Kind.MATCH_TAG_SENDER),
    *(Kind.MATCH_TAG_RECEIVER, Kind.MATCH_DEST_ZEROTIER_ADDRESS, Kind.MATCH_CHARACTERISTICS),
    *(Kind.MATCH_SOURCE_ZEROTIER_ADDRESS, Kind.MATCH_ETHERTYPE, Kind.MATCH_IP_PROTOCOL),
)
ACTIONS = (Kind.ACTION_DROP, Kind.ACTION_ACCEPT, Kind.ACTION_BREAK, *FORWARDING)


def random_rules(rng: random.Random, draws: bool) -> list[dict[str, Any]]:
    """Sets of one or two matches before an action, then what becomes of the rest."""
    matches = (*OFTEN, Kind.MATCH_RANDOM) if draws else OFTEN
    rules = []
    for _ in range(rng.randrange(6)):
        rules += [entry_of(rng, rng.choice(matches)) for _ in range(rng.choice([1, 1, 2]))]
        rules.append(entry_of(rng, rng.choice(ACTIONS)))
    if rng.random() < 0.4:  # for some of the recipients, or by them
        word = rng.choice(["MATCH_DEST_ZEROTIER_ADDRESS", "MATCH_CHARACTERISTICS"])
        match = {"type": word, "zt": rng.choice(ADDRESSES[:4]), "mask": f"{1 << 63:x}"}
        rules += [match, {"type": "ACTION_REDIRECT", "address": rng.choice(ADDRESSES[:4])}]
    last = rng.choice([Kind.ACTION_ACCEPT, Kind.ACTION_ACCEPT, Kind.ACTION_BREAK])
    return [*rules, entry_of(rng, last)]


def random_policy(rng: random.Random) -> Policy:
    draws = rng.random() < 0.3
    document = {
        "rules": random_rules(rng, draws),
        "capabilities": [
            {"id": n, "default": rng.random() < 0.3, "rules": random_rules(rng, draws)}
            for n in range(rng.randrange(3))
        ],
        "tags": [{"id": tag, "default": rng.choice([None, None, 1])} for tag in TAGS],
    }
    return load_json(json.dumps(document), "random")


def random_network(rng: random.Random) -> Network:
    named = [int(address, 16) for address in ADDRESSES[:4]]
    count = rng.choice([0, 1, 2, 4, 40])
    addresses = [*named, *(0x6000000000 + n for n in range(40))][:count]
    members = [
        Member(
            address,
            tuple(bytes.fromhex(ip) for ip in rng.sample([*IPS4, *IPS6], rng.randrange(3))),
            {tag: rng.choice([*VALUES, rng.randrange(100)]) for tag in TAGS if rng.random() < 0.7},
            frozenset(rng.sample(range(3), rng.randrange(3))),
            bridge=rng.random() < 0.2,
        )
        for address in addresses
    ]
    settings = {"broadcasts": rng.random() < 0.8, "multicast_limit": rng.choice([0, 32, 32, 32])}
    return Network(NETWORK, make_network(members, id=NETWORK).members, **settings)


def random_batch(rng: random.Random, net: Network) -> FrameBatch:
    """Mostly for several; some only partly captured, none without its MACs."""
    macs = [mac_of(member.address, NETWORK) for member in net.members]
    strangers = [mac_of(X, NETWORK), 0x06AABBCCDDEE]
    frames, lengths = [], []
    for _ in range(12):
        source = rng.choice([*macs[:4], *macs[:4], *strangers])
        dest = rng.choice([EVERYONE, 0x333300000001, 0x333300000001, BRIDGED, *macs[:1]])
        drawn = random_frame(rng)
        head = dest.to_bytes(6, "big") + source.to_bytes(6, "big")
        data = head + drawn.ethertype.to_bytes(2, "big") + drawn.payload
        lengths.append(len(data))
        frames.append(data[: rng.choice([len(data), len(data), rng.randrange(14, len(data) + 1)])])
    return FrameBatch.from_frames(frames, lengths)


def options_of(rng: random.Random) -> dict[str, Any]:
    return {
        "side": rng.choice(["both", "both", "both", "out", "in"]),
        "engine": rng.choice(["1.14", "1.14", "1.12"]),
        "seed": rng.getrandbits(64),
    }


def cases(seeds: Iterable[int]) -> Iterator[tuple[Policy, Network, FrameBatch, dict[str, Any]]]:
    for seed in seeds:
        rng = random.Random(f"several {seed}")
        net = random_network(rng)
        yield random_policy(rng), net, random_batch(rng, net), options_of(rng)
