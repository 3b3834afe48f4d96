"""engine.native_recipients: what the compiled loops make of recipients is what columns do.

`engine.multicast`, which the plain model of test_multicast.py holds to, is the other way.
"""

from __future__ import annotations

import random

import numpy as np
import pytest

import ztfast
from tests.differential.rounds import compared
from tests.engine.recipients_cases import NETWORK, A, B, X, cases, random_batch
from ztfast import dispatch
from ztfast.engine.network_verdicts import Verdicts
from ztfast.frames.batch import FrameBatch
from ztfast.model.addresses import mac_of
from ztfast.model.reads import Reads
from ztfast.network.members import Member, make_network
from ztfast.network.recipients import Recipients

pytestmark = pytest.mark.skipif(dispatch.core is None, reason="needs the compiled loops")

SEEDS = range(2000, 2120)


def both_ways(engine: ztfast.Engine, batch: FrameBatch) -> tuple[Verdicts, Verdicts]:
    """What the loops say, and what the columns of `engine.multicast` do."""
    assert engine._asking is not None
    quick = engine.evaluate(batch, first=3)
    asking, engine._asking = engine._asking, None
    try:
        return quick, engine.evaluate(batch, first=3)
    finally:
        engine._asking = asking


def cut(rng: random.Random, batch: FrameBatch, times: int) -> FrameBatch:
    """Its frames that often, some of them cut anywhere, so that they have lost their MACs."""
    whole = batch.take(np.tile(np.arange(len(batch)), times))
    ends = np.array([rng.choice([c, c, c, rng.randrange(c + 1)]) for c in whole.captured])
    captured = ends.astype(np.uint32)
    return FrameBatch(whole.buffer, whole.offsets, captured, whole.lengths)


def engines() -> list[tuple[int, ztfast.Engine, FrameBatch]]:
    found = []
    for seed, (policy, net, _, options) in zip(SEEDS, cases(SEEDS), strict=True):
        engine = ztfast.Engine(policy, network=net, backend="native", **options)
        if engine._asking is not None:
            rng = random.Random(seed)
            found.append((seed, engine, cut(rng, random_batch(rng, net), rng.choice([1, 1, 60]))))
    return found


def test_columns_say_the_same() -> None:
    tried = engines()
    assert len(tried) > 60
    for seed, engine, batch in tried:
        quick, plain = both_ways(engine, batch)
        assert compared(plain, quick, f"seed {seed}") is None


def test_few_senders_at_once_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = engines()[:40]
    whole = [engine.evaluate(batch, first=3) for _, engine, batch in tried]
    monkeypatch.setattr(Recipients, "portion", 1)
    for (seed, engine, batch), expected in zip(tried, whole, strict=True):
        for found in both_ways(engine, batch):
            assert compared(expected, found, f"seed {seed}") is None


@pytest.mark.parametrize("id", [NETWORK, None])
@pytest.mark.parametrize("side", ["both", "out", "in"])
def test_packets_without_macs_are_found_by_their_addresses(id: int | None, side: str) -> None:
    """Captures of raw IP: a multicast is one by its IP address, its sender the address's owner."""
    ips = [bytes([10, 0, 0, n + 1]) for n in range(6)]
    members = [Member(A + n, (ip,), {7: n}) for n, ip in enumerate(ips)]
    rules = ztfast.compile("tag role id 7;\ndrop not tdiff role 3 and ipprotocol udp;\naccept;")
    engine = ztfast.Engine(rules, network=make_network(members, id=id), side=side)
    dests = [b"\xe0\0\0\1", b"\xff" * 4, ips[2], bytes([10, 0, 0, 99])]
    sources = [*ips, bytes([10, 0, 0, 98])]
    heads = [b"\x45" + bytes(8) + bytes([protocol]) + bytes(2) for protocol in (6, 17)]
    packets = [head + s + d + bytes(20) for head in heads for s in sources for d in dests]
    count, size = len(packets), len(packets[0])
    fields = {
        "ethertype": np.full(count, 0x0800, np.uint16),
        "vlan": np.zeros(count, np.uint16),
        "mac_source": np.zeros(count, np.uint64),
        "mac_dest": np.zeros(count, np.uint64),
        "unknown": np.full(count, int(Reads.MAC_SOURCE | Reads.MAC_DEST), np.uint32),
    }
    sizes = np.full(count, size, np.uint32)
    offsets = np.arange(count, dtype=np.int64) * size
    batch = FrameBatch(np.frombuffer(b"".join(packets), np.uint8), offsets, sizes, sizes, fields)
    quick, plain = both_ways(engine, batch)
    assert compared(plain, quick, "packets") is None
    assert quick.undirected is not None
    assert quick.undirected.sum() >= 2 * 2 * len(ips)  # what members send to 224.0.0.1 and to all


def test_headers_of_other_links_are_taken_along() -> None:
    mac = mac_of(A, NETWORK).to_bytes(6, "big").hex(":")
    rules = ztfast.compile(f"drop ethertype arp and not macsrc {mac}; accept;")
    engine = ztfast.Engine(rules, network=make_network([Member(A), Member(B)], id=NETWORK))
    count = 3000
    ours = np.arange(count) % 3 == 0
    fields = {
        "ethertype": np.where(np.arange(count) % 2, 0x0806, 0x0800).astype(np.uint16),
        "vlan": np.zeros(count, np.uint16),
        "mac_source": np.where(ours, mac_of(A, NETWORK), mac_of(X, NETWORK)).astype(np.uint64),
        "mac_dest": np.full(count, 0xFFFFFFFFFFFF, np.uint64),
        "unknown": np.zeros(count, np.uint32),
    }
    payload = np.zeros(64, np.uint8)
    sizes = np.full(count, 64, np.uint32)
    batch = FrameBatch(payload, np.zeros(count, np.int64), sizes, sizes, fields)
    quick, plain = both_ways(engine, batch)
    assert compared(plain, quick, "fields") is None
    assert 0 < int(quick.receivers.sum()) < 2 * count


def test_a_block_ends_within_a_frame() -> None:
    """Rows of one frame stand in two blocks, and the best of them in either."""
    members = [Member(0x1000000000 + n, tags={7: n}) for n in range(1500)]
    rules = "tag role id 7;\n" + "".join(f"drop treq role {n};\n" for n in range(0, 1400, 2))
    engine = ztfast.Engine(
        ztfast.compile(rules + "accept;"), network=make_network(members, id=NETWORK)
    )
    source = mac_of(0x1000000000, NETWORK).to_bytes(6, "big")
    frame = b"\xff" * 6 + source + b"\x08\x06" + bytes(46)
    quick, plain = both_ways(engine, FrameBatch.from_frames([frame] * 5))
    assert compared(plain, quick, "blocks") is None
    assert quick.receivers.tolist() == [1500 - 700] * 5
