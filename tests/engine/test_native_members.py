"""Members in the compiled loops: who owns an address, by the reference; tables that are hard."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.engine.batches import batch_context, judge, view_of
from tests.needs import needs_loops
from ztfast.engine import native_members
from ztfast.frames.frame import Frame
from ztfast.model.addresses import rfc4193, six_plane
from ztfast.network.batch_context import EMULATES_6PLANE, EMULATES_RFC4193, MemberTable

pytestmark = needs_loops
SEED = 4
NETWORK_ID = 0x8056C2E21C000001
MATCHES: list[dict[str, Any]] = [
    {"type": "MATCH_CHARACTERISTICS", "mask": "1000000000000000"},  # ipauth
    {"type": "ACTION_ACCEPT"},
    {"type": "MATCH_CHARACTERISTICS", "mask": "0800000000000000"},  # macauth
    {"type": "ACTION_DROP"},
]


def table(rng: random.Random, count: int, pool4: list[bytes], pool6: list[bytes]) -> MemberTable:
    """Members who share addresses, and some who have none."""
    none: frozenset[Any] = frozenset()

    def drawn(pool: list[bytes], most: int) -> list[bytes]:
        return rng.sample(pool, min(rng.randrange(most), len(pool)))

    owned = [frozenset(drawn(pool4, 3) + drawn(pool6, 4)) for _ in range(count)]
    return MemberTable(
        address=np.arange(count + 1, dtype=np.uint64),
        tag_ids=(),
        tag_present=np.zeros((0, count + 1), np.bool_),
        tag_value=np.zeros((0, count + 1), np.uint32),
        capabilities=np.zeros((0, count + 1), np.bool_),
        ips=(none, *owned),
        macs=(none, *(frozenset((rng.getrandbits(3),)) for _ in range(count))),
        known=np.arange(count + 1) > 0,
        emulates=(np.arange(count + 1) % 4).astype(np.uint8),
        network_id=NETWORK_ID,
    )


def frame_from(ip: bytes, mac: int) -> Frame:
    if len(ip) == 4:
        body, ethertype = b"\x45" + bytes(11) + ip + bytes(20), 0x0800
    else:
        body, ethertype = b"\x60" + bytes(5) + b"\x11\x40" + ip + bytes(32), 0x86DD
    return Frame(body, len(body), ethertype, mac_source=mac)


def ask(rng: random.Random, members: MemberTable, ips: list[bytes], count: int) -> None:
    """Random senders with random addresses: both evaluators say the same (`judge` compares)."""
    frames = [frame_from(rng.choice(ips), rng.getrandbits(3)) for _ in range(count)]
    who = [rng.randrange(len(members.address)) for _ in range(count)]
    view = view_of(MATCHES)
    where = batch_context(view, count, members, sender=who, local=who, remote=who)
    found = judge(view, frames, where).accepted
    assert len(members.address) == 1 or 0 < found.sum() < count


@pytest.mark.parametrize("count", [0, 1, 6, 3000])
def test_every_sender_owns_what_its_set_has(count: int) -> None:
    rng = random.Random(f"{SEED} {count}")
    pool4 = [rng.randbytes(4) for _ in range(40)]
    halves = [rng.randbytes(8) for _ in range(4)] + [bytes(8)]
    pool6 = [a + b for a in halves for b in halves]
    pool6 += [bytes(12) + ip for ip in pool4[:4]]  # the same number as an IPv4 address
    members = table(rng, count, pool4, pool6)
    ask(rng, members, [*pool4, *pool6, b"\xff" * 16, bytes(4)], 2500)
    ask(rng, replace(members, assumed_ipauth=False, cache={}), pool4, 300)


def test_addresses_chosen_to_share_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table whose items stand too far from their places is made anew, larger and differently."""
    monkeypatch.setattr(native_members, "_MOST_STEPS", 2)
    rng = random.Random(SEED)
    inverse = pow(native_members._FACTOR, -1, 1 << 64)
    # products that agree in their upper bits: with the first factor all want one slot
    macs = [(at * inverse) & ((1 << 64) - 1) for at in range(1, 2000)]
    chosen = np.array(sorted(mac for mac in macs if mac < 1 << 63)[:40], np.uint64)
    slots, factor = native_members._mac_table(chosen, np.arange(1, len(chosen) + 1, dtype=np.int32))
    assert factor != native_members._FACTOR
    kept = slots[slots["member"] > 0]
    assert sorted(zip(kept["mac"].tolist(), kept["member"].tolist(), strict=True)) == list(
        zip(chosen.tolist(), range(1, len(chosen) + 1), strict=True)
    )
    pool4 = [rng.randbytes(4) for _ in range(900)]
    ask(rng, table(rng, 900, pool4, []), pool4, 1500)


def test_receivers_that_emulate_take_a_schemes_addresses() -> None:
    rng = random.Random(SEED)
    members = table(rng, 7, [rng.randbytes(4)], [])  # the n-th emulates by the bits of n
    inside = {
        EMULATES_RFC4193: rfc4193(0x1111111111, NETWORK_ID),
        EMULATES_6PLANE: six_plane(0x1111111111, NETWORK_ID),
        0: rfc4193(0x1111111111, NETWORK_ID + 1),
    }
    receivers = list(range(8))
    for scheme, ip in inside.items():
        frames = [frame_from(ip, 9)] * 8
        for direction, known in (("in", NETWORK_ID), ("in", None), ("out", NETWORK_ID)):
            view = view_of(MATCHES, direction=direction)
            told = replace(members, network_id=known, cache={})
            where = batch_context(view, 8, told, local=receivers, sender=1, remote=1)
            found = judge(view, frames, where).accepted.tolist()
            takes = direction == "in" and known is not None
            assert found == [takes and bool(number & scheme) for number in receivers]
