"""Copies that the counting loop follows come to the sums of following them frame by frame."""

from __future__ import annotations

import io
import random
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from tests.capture.building import pcap
from tests.differential.generate import ADDRESSES
from tests.needs import needs_loops
from tests.pipeline.delivery_cases import (
    NETWORK_ID,
    many_alike,
    random_ethernet,
    random_network,
    random_policy,
)
from ztfast.capture import open_capture, open_captures
from ztfast.engine.engine import Engine
from ztfast.frames.batch import FrameBatch
from ztfast.lang import compile_text
from ztfast.model.addresses import mac_of
from ztfast.network.members import Member, Network, make_network
from ztfast.pipeline.deliver import Delivery
from ztfast.pipeline.deliveries import COPIES, Fate
from ztfast.pipeline.followed import following
from ztfast.pipeline.job import Job
from ztfast.pipeline.judge import judgements
from ztfast.pipeline.tally import Tally

pytestmark = needs_loops
A, B, C, D = (int(text, 16) for text in ADDRESSES[:4])
Frames = list[tuple[bytes, int]]


def capture(frames: Frames) -> bytes:
    return pcap([data for data, _ in frames], lengths=[size for _, size in frames])


def followed(engine: Engine, frames: Frames) -> Tally:
    """As `ztfast filter --count` counts."""
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        file.write(capture(frames))
        file.flush()
        job = Job(engine, open_captures([file.name]))
        job.work()
    assert job.complete
    return job.tally


def one_by_one(engine: Engine, frames: Frames) -> Tally:
    """Judged in columns, and each frame's copies followed by `pipeline.deliver`."""
    tally = Tally(engine.policy)
    with open_capture(io.BytesIO(capture(frames))) as opened:
        for item in judgements(engine, opened.batches()):
            assert item.frames is not None
            found = Delivery(engine).deliver(item.frames, first=item.packets.first)
            tally.count(item, found.copies)
    return tally


def apart(engine: Engine, frames: Frames) -> int:
    """How many frames the loop leaves to be followed otherwise."""
    with open_capture(io.BytesIO(capture(frames))) as opened:
        found = judgements(engine, opened, counts=True, follows=True)
        return sum(int(item.counted.apart.sum()) for item in found if item.counted is not None)


def seen(tallies: Iterable[Tally]) -> set[tuple[Any, Any]]:
    return {
        (kind, fate)
        for tally in tallies
        if tally.deliveries is not None
        for kind, _, fate, _ in tally.deliveries.sent
    }


def real(network: Network) -> Network:
    """A network without the member of address 0, which no controller has."""
    return replace(network, members=tuple(one for one in network.members if one.address))


def test_random_networks_send_the_same() -> None:
    tallies = []
    for seed in range(250):
        rng = random.Random(f"followed {seed}")
        network = real(random_network(rng) if seed % 2 else many_alike(rng))
        engine = Engine(random_policy(rng, draws=False), network=network, backend="native")
        if not engine.forwards:
            continue
        frames = [random_ethernet(rng, network) for _ in range(40)]
        tally = followed(engine, frames)
        assert tally.to_json() == one_by_one(engine, frames).to_json(), f"seed {seed}"
        plain = Engine(engine.policy, network=network, backend="reference")
        assert tally.to_json() == one_by_one(plain, frames).to_json(), f"seed {seed}, reference"
        tallies.append(tally)
    found = seen(tallies)
    assert {fate for _, fate in found} >= set(Fate) - {Fate.ENDLESS, Fate.MULTICAST_OFF}
    assert {kind for kind, _ in found} == set(COPIES)


# --- one at a time ----------------------------------------------------------------------------


def network(**changes: Any) -> Network:
    members = [Member(address, (bytes([10, 0, 0, n]),)) for n, address in enumerate((A, B, C, D))]
    return make_network(members, id=NETWORK_ID, **changes)


def frame(source: int, dest: int, payload: int = 40) -> tuple[bytes, int]:
    macs = [mac_of(address, NETWORK_ID).to_bytes(6, "big") for address in (dest, source)]
    data = b"".join(macs) + b"\x88\xb5" + bytes(payload)
    return data, len(data)


def both(rules: str, frames: Frames, net: Network | None = None) -> tuple[Tally, int]:
    """The figures, which are the same both ways, and how many frames were left."""
    engine = Engine(compile_text(rules), network=net or network(), backend="native")
    found = followed(engine, frames)
    assert found.to_json() == one_by_one(engine, frames).to_json()
    return found, apart(engine, frames)


def sent(tally: Tally) -> dict[tuple[str, int, str], int]:
    assert tally.deliveries is not None
    found: dict[tuple[str, int, str], int] = {}
    for (kind, to, fate, _), count in tally.deliveries.sent.items():
        key = kind.name, to, fate.name
        found[key] = found.get(key, 0) + count.frames
    return found


def test_more_frames_than_a_block_holds() -> None:
    """Each side sends a copy: more are on the way at once than are judged together."""
    rules = f"tee 20 {C:010x} ztsrc {A:010x};\naccept;\n"
    tally, left = both(rules, [frame(A, B, n % 60) for n in range(5000)])
    assert left == 0
    assert sum(count.frames for count in tally.copies.values()) == 2 * 5000
    assert sum(sent(tally).values()) == 2 * 5000


def test_a_frame_redirected_to_where_it_goes_is_accepted() -> None:
    tally, left = both(f"redirect {B:010x};\naccept;\n", [frame(A, B), frame(A, C)])
    assert left == 0
    assert tally.verdict("accept").frames == 1
    assert tally.verdict("redirect").frames == 1
    assert sum(sent(tally).values()) == 1


def test_copies_that_never_end_are_left_to_be_given_up() -> None:
    ring = "".join(
        f"tee -1 {target:010x} ztdest {node:010x} and chr inbound;\n"
        for node, target in ((B, C), (C, D), (D, B))
    )
    tally, left = both(f"{ring}accept;\n", [frame(A, B), frame(B, A), frame(A, C)])
    assert left == 2
    assert sent(tally)["TEE", B, "ARRIVED"] > 5
    assert any(fate == "ENDLESS" for _, _, fate in sent(tally))


def test_a_foreign_mac_is_the_bridges() -> None:
    """What is sent on of it is no more: its MAC is not that of the node that sends it on."""
    members = tuple(Member(m.address, m.ips, bridge=m.address == C) for m in network().members)
    net = Network(NETWORK_ID, members)
    data, size = frame(A, B)
    foreign = data[:6] + bytes.fromhex("06aabbccddee") + data[12:], size
    rules = f"accept ztdest {A:010x};\nredirect {A:010x};\naccept;\n"
    tally, left = both(rules, [foreign, (data, size)], net)
    assert left == 0
    assert sent(tally) == {("REDIRECT", A, "FOREIGN_DEST"): 1}


def test_a_mac_that_was_cut_off_is_left() -> None:
    data, size = frame(A, B)
    _, left = both(f"tee -1 {C:010x};\naccept;\n", [(data[:9], size), (data[:14], size)])
    assert left <= 1


def test_frames_that_pass_are_kept_in_their_order() -> None:
    rules = f"tee -1 {C:010x} ztdest {B:010x};\nredirect {D:010x} ztdest {C:010x};\naccept;\n"
    engine = Engine(compile_text(rules), network=network(), backend="native")
    frames = [frame(A, to, n % 50) for n, to in enumerate((B, C, D, B, C) * 500)]
    batch = FrameBatch.from_frames([data for data, _ in frames])
    with open_capture(io.BytesIO(capture(frames))) as opened:
        kept = [
            opened_packets.offsets + opened_packets.base
            for item in judgements(engine, opened, counts=True, keeps=True, follows=True)
            for opened_packets in [item.packets]
        ]
    with open_capture(io.BytesIO(capture(frames))) as opened:
        starts = np.concatenate([packets.offsets + packets.base for packets in opened])
    expected = starts[engine.evaluate(batch).accepted]
    assert np.concatenate(kept).tolist() == expected.tolist()


def test_too_many_rules_that_send_are_left() -> None:
    rules = "".join(f"tee {n} {C:010x} ethertype {n};\n" for n in range(1, 1000)) + "accept;\n"
    engine = Engine(compile_text(rules), network=network(), backend="native")
    assert following(engine) is None
    assert followed(engine, [frame(A, B)]).deliveries is not None


def test_draws_are_left() -> None:
    rules = f"tee -1 {C:010x} random 0.5;\naccept;\n"
    assert following(Engine(compile_text(rules), network=network())) is None
