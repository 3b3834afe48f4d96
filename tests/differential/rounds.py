"""Rounds of the differential test: batches in a batch context, and whole engines with networks."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from tests.differential.compare import (
    Difference,
    columns_of,
    difference,
    first_difference,
    forced_lookups,
)
from tests.differential.generate import (
    IPS4,
    IPS6,
    NETWORK_ID,
    TAGS,
    VALUES,
    Case,
    mutated,
    random_payload,
    random_rules,
)
from tests.differential.shrink import shrink, vectors
from ztfast.engine.engine import Engine
from ztfast.engine.network_verdicts import Verdicts
from ztfast.frames.batch import FrameBatch
from ztfast.model.policy import Capability, Policy, Rule, Tag
from ztfast.network.members import Member, Network
from ztfast.program.passes import PASSES

_COLUMNS = (
    *("action", "accepted", "super_accepted", "side", "entry", "capability", "line"),
    *("destination", "qos", "copy_target", "copy_length", "watch", "reads", "receivers"),
)


def failure_text(seed: int, case: Case, found: Difference) -> str:
    """What failed, and the smallest case that still fails, as vectors."""
    small = shrink(case, lambda smaller: difference(smaller, (found.way,)) is not None)
    again = difference(small, (found.way,))
    return (
        f"seed {seed}: {found}\n"
        f"shrunk to {len(small.rows)} frames and {len(small.rules)} base entries: {again}\n"
        f"{vectors(small)}"
    )


# --- whole engines -------------------------------------------------------------------------


def engine_difference(seed: int) -> str | None:
    """A random policy, network and batch of Ethernet frames through two Engines."""
    rng = random.Random(seed ^ 0xE)
    policy, network = random_policy(rng), random_network(rng)
    batch = random_batch(rng, network)
    options: dict[str, Any] = {
        "side": rng.choice(["both", "both", "out", "in"]),
        "engine": rng.choice(["1.14", "1.14", "1.12"]),
        "seed": rng.getrandbits(64),
        "assume_ipauth": rng.random() < 0.5,
        **rng.choice(
            [{"network": network}, {"network": network}, {}, {"network_id": NETWORK_ID}]
        ),
    }
    first, threads = rng.randrange(1 << 40), rng.choice([1, 1, 3])
    passes = rng.choice([None, None, (), *((name,) for name in PASSES)])
    expected = Engine(policy, backend="reference", **options).evaluate(batch, first=first)
    with forced_lookups(rng.random() < 0.5):
        native = Engine(policy, backend="native", passes=passes, **options)
    whole = native.evaluate(batch, first=first, threads=threads)
    found = compared(expected, whole, "whole batch")
    if found is None:
        found = _in_two(native, batch, first, expected)
    return None if found is None else f"{found} ({options}, passes {passes})"


def compared(expected: Verdicts, got: Verdicts, way: str) -> str | None:
    """Where two verdicts on a batch differ: the joined columns, each side's, the copies."""
    theirs = {name: np.asarray(getattr(got, name)) for name in _COLUMNS}
    ours = {name: np.asarray(getattr(expected, name)) for name in _COLUMNS}
    found = first_difference(ours, theirs)
    if found is not None:
        return str(Difference(way, *found))
    for side in ("sender", "receiver"):
        mine, its = getattr(expected, side), getattr(got, side)
        if (mine is None) != (its is None):
            return f"{way}: {side} is there on one of them only"
        if mine is not None and its is not None:
            asked = np.ones(len(expected), dtype=np.bool_)
            if side == "receiver" and expected.sender is not None:
                asked = expected.delivered_to_receiver
            found = first_difference(
                {name: c[asked] for name, c in columns_of(mine).items()},
                {name: c[asked] for name, c in columns_of(its).items()},
            )
            if found is not None:
                return str(Difference(f"{way}, {side}", *found))
    for index in range(min(len(expected), 50)):
        theirs_sent, ours_sent = got.copies(index), expected.copies(index)
        if ours_sent != theirs_sent:
            return f"{way}: copies of frame {index}: {theirs_sent}, not {ours_sent}"
    return None


def _in_two(native: Engine, batch: FrameBatch, first: int, expected: Verdicts) -> str | None:
    """The batch in two halves says the same."""
    middle = len(batch) // 3
    parts = [
        native.evaluate(batch[start:stop], first=first + start)
        for start, stop in ((0, middle), (middle, len(batch)))
    ]
    for name in _COLUMNS:
        joined = np.concatenate([np.asarray(getattr(part, name)) for part in parts])
        found = first_difference({name: np.asarray(getattr(expected, name))}, {name: joined})
        if found is not None:
            return str(Difference("in two batches", *found))
    return None


def random_policy(rng: random.Random) -> Policy:
    """Base rules, capabilities (some default) and tags (some with a default)."""

    def rules() -> tuple[Rule, ...]:
        return tuple(Rule(entry) for entry in random_rules(rng))

    return Policy(
        rules=rules(),
        capabilities=tuple(
            Capability(number, rng.random() < 0.3, rules())
            for number in rng.sample(range(10), rng.choice([0, 1, 3]))
        ),
        tags=tuple(
            Tag(number, rng.choice([None, 0, 5])) for number in TAGS if rng.random() < 0.5
        ),
    )


def random_network(rng: random.Random) -> Network:
    """Up to five members whose addresses the rules name, with IPs that the frames have."""
    known = [0x1111111111, 0x2222222222, 0x3333333333, 0x4444444444, 0x5555555555]
    addresses = rng.sample(known, rng.choice([0, 2, 5]))
    ips = [bytes.fromhex(text) for text in (*IPS4, *IPS6)]
    return Network(
        id=NETWORK_ID,
        assigns_rfc4193=rng.random() < 0.3,
        assigns_6plane=rng.random() < 0.3,
        members=tuple(
            Member(
                address,
                ips=tuple(rng.sample(ips, 2)),
                tags={tag: rng.choice(VALUES) for tag in TAGS if rng.random() < 0.6},
                capabilities=frozenset(rng.sample(range(10), 4)),
                authorized=rng.random() < 0.9,
                auto_ips=rng.random() < 0.7,
            )
            for address in sorted(addresses)
        ),
    )


def random_batch(rng: random.Random, network: Network) -> FrameBatch:
    """Ethernet frames between members, strangers and groups; some are cut."""
    macs = [mac for member in network.members if (mac := network.mac(member)) is not None]
    macs += [0x020000000001, 0x333300000001, 0xFFFFFFFFFFFF]
    frames, lengths = [], []
    for _ in range(rng.choice([1, 40, 40, 40, 1100] if rng.random() < 0.1 else [1, 40, 40])):
        ethertype, payload = random_payload(rng)
        head = rng.choice(macs).to_bytes(6, "big") + rng.choice(macs).to_bytes(6, "big")
        data = head + ethertype.to_bytes(2, "big") + mutated(rng, payload)
        length = len(data)
        if rng.random() < 0.15:
            data = data[: rng.randrange(len(data) + 1)]
        frames.append(data)
        lengths.append(length)
    return FrameBatch.from_frames(frames, lengths)
