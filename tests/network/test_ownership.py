"""Ownership look-ups against a plain reading of the same members."""

from __future__ import annotations

import random

import numpy as np

from ztfast.network.batch_context import MemberTable
from ztfast.network.ownership import Ownership

SEED = 4


def members(rng: random.Random, count: int) -> MemberTable:
    pool4 = [rng.randbytes(4) for _ in range(8)]
    halves = [rng.randbytes(8) for _ in range(4)]
    pool6 = [a + b for a in halves for b in halves]
    return MemberTable(
        address=np.zeros(count, np.uint64),
        tag_ids=(),
        tag_present=np.zeros((0, count), np.bool_),
        tag_value=np.zeros((0, count), np.uint32),
        capabilities=np.zeros((0, count), np.bool_),
        ips=tuple(frozenset(rng.sample(pool4, 2) + rng.sample(pool6, 3)) for _ in range(count)),
        macs=tuple(frozenset((rng.getrandbits(3),)) for _ in range(count)),
        known=np.ones(count, np.bool_),
    )


def test_every_pair_is_answered_as_by_the_sets() -> None:
    rng = random.Random(SEED)
    table = members(rng, 6)
    owners = Ownership(table)
    every = {ip for own in table.ips for ip in own} | {bytes(4), bytes(16), b"\xff" * 16}
    for member in range(6):
        who = np.array([member])
        for ip in every:
            half = np.array([int.from_bytes(ip[-8:], "big")], np.uint64)
            if len(ip) == 4:
                found = owners.owns_v4(half, who)
            else:
                high = np.array([int.from_bytes(ip[:8], "big")], np.uint64)
                found = owners.owns_v6(high, half, who)
            assert bool(found[0]) == (ip in table.ips[member])
        for mac in range(9):
            found = owners.owns_mac(np.array([mac], np.uint64), who)
            assert bool(found[0]) == (mac in table.macs[member])


def test_nobody_owns_anything() -> None:
    rng = random.Random(SEED)
    table = members(rng, 1)
    empty = Ownership(
        MemberTable(**{**table.__dict__, "ips": (frozenset(),), "macs": (frozenset(),)})
    )
    zero, who = np.zeros(3, np.uint64), np.zeros(3, np.int32)
    assert not empty.owns_v4(zero, who).any()
    assert not empty.owns_v6(zero, zero, who).any()
    assert not empty.owns_mac(zero, who).any()
