"""What arrives where: as four real nodes delivered it, and as a plain model does."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.differential.generate import ADDRESSES
from tests.needs import needs_loops
from tests.pipeline.delivery_cases import (
    BROADCAST,
    NETWORK_ID,
    many_alike,
    random_ethernet,
    random_network,
    random_policy,
)
from tests.pipeline.delivery_model import Model
from ztfast.engine.engine import Engine
from ztfast.errors import UsageError
from ztfast.frames.batch import FrameBatch, ethernet_frame
from ztfast.frames.frame import Frame
from ztfast.lang import compile_text, load_json
from ztfast.model.addresses import mac_of
from ztfast.model.reads import Reads
from ztfast.network.load import load_network
from ztfast.network.members import Member, Network, make_network
from ztfast.pipeline.deliver import Delivery, deliver
from ztfast.pipeline.deliveries import Deliveries, Fate, Kind
from ztfast.pipeline.delivery_tally import DeliveryTally

VECTORS = Path(__file__).parents[1] / "data" / "vectors" / "real-network.jsonl.gz"
A, B, C, D = (int(text, 16) for text in ADDRESSES[:4])


@cache
def recorded() -> dict[str, dict[str, Any]]:
    with gzip.open(VECTORS, "rt", encoding="utf-8") as lines:
        return {row["policy"]: row for row in map(json.loads, lines)}


def arrivals(row: dict[str, Any]) -> Counter[tuple[int, int, int]]:
    """(sent frame, member, length) of what was recorded; each arrival is a prefix of one frame."""
    sent = [bytes.fromhex(text) for _, text in row["sent"]]
    found: Counter[tuple[int, int, int]] = Counter()
    for address, frames in row["arrived"].items():
        for _, text in frames:
            frame = bytes.fromhex(text)
            (number,) = (n for n, whole in enumerate(sent) if whole.startswith(frame))
            found[number, int(address, 16), len(frame)] += 1
    return found


@pytest.mark.parametrize("name", sorted(recorded()))
def test_real_nodes_deliver_the_same(name: str, backend: str, tmp_path: Path) -> None:
    row = recorded()[name]
    path = tmp_path / "network.json"
    path.write_text(json.dumps(row["network"]))
    engine = Engine(load_network(path), backend=backend)
    batch = FrameBatch.from_frames([bytes.fromhex(text) for _, text in row["sent"]])
    found = deliver(engine, batch).arrived
    predicted = Counter(
        zip(found.frame.tolist(), found.to.tolist(), found.length.tolist(), strict=True)
    )
    assert predicted == arrivals(row)


def test_all_that_was_recorded_is_here() -> None:
    assert len(recorded()) == 22
    assert sum(arrivals(row).total() for row in recorded().values()) > 9000


# --- against the model ------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(150))
def test_the_plain_model_delivers_the_same(seed: int, backend: str) -> None:
    rng = random.Random(f"delivery {seed}")
    policy, network = random_policy(rng), random_network(rng)
    frames = [random_ethernet(rng, network) for _ in range(12)]
    batch = FrameBatch.from_frames([data for data, _ in frames], [size for _, size in frames])
    found = deliver(Engine(policy, network=network, backend=backend), batch)
    model = Model(network, policy)
    for number, (data, size) in enumerate(frames):
        mine = found.where(found.frame == number)
        expected = Counter(model.send(ethernet_frame(data, size)))
        assert Counter(rows(mine)) == expected, f"seed {seed}, frame {number}: {data.hex()}"


def rows(found: Deliveries) -> list[tuple[int, str, int, int, str]]:
    columns = (found.to, found.kind, found.sent_by, found.length, found.fate)
    return [
        (to, Kind(kind).name, sent_by, length, Fate(fate).name)
        for to, kind, sent_by, length, fate in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]


def test_the_model_and_the_rules_meet() -> None:
    """The random cases have every kind and every fate, or they would prove little."""
    kinds: set[str] = set()
    fates: set[str] = set()
    for seed in range(150):
        rng = random.Random(f"delivery {seed}")
        policy, network = random_policy(rng), random_network(rng)
        frames = [random_ethernet(rng, network) for _ in range(12)]
        for data, size in frames:
            for one in Model(network, policy).send(ethernet_frame(data, size)):
                kinds.add(one.kind)
                fates.add(one.fate)
    assert kinds == {kind.name for kind in Kind}
    assert fates >= {fate.name for fate in Fate} - {"MULTICAST_OFF", "ENDLESS"}


# --- one rule at a time -----------------------------------------------------------------------


def network(**changes: Any) -> Network:
    members = [Member(address, (bytes([10, 0, 0, n]),)) for n, address in enumerate((A, B, C, D))]
    made = make_network(members, id=NETWORK_ID)
    return Network(made.id, made.members, **changes)


def frame(source: int, dest: int, payload: bytes = bytes(40), ethertype: int = 0x88B5) -> bytes:
    def mac(address: int) -> bytes:
        return (address if address > 1 << 40 else mac_of(address, NETWORK_ID)).to_bytes(6, "big")

    return mac(dest) + mac(source) + ethertype.to_bytes(2, "big") + payload


def sent(rules: str, *frames: bytes, **changes: Any) -> list[tuple[int, str, int, int, str]]:
    engine = Engine(compile_text(rules), network=changes.pop("net", None) or network(**changes))
    return rows(deliver(engine, FrameBatch.from_frames(list(frames))))


def test_a_frame_arrives_and_its_copy_is_cut() -> None:
    # an accept that comes first takes the copy for an ordinary frame, with a MAC that is not C's
    found = sent(f"accept chr inbound;\ntee 8 {C:010x};\naccept;\n", frame(A, B))
    assert found == [(C, "TEE", A, 22, "FOREIGN_DEST"), (B, "FRAME", A, 54, "ARRIVED")]


def test_a_copy_arrives_where_its_rule_holds_at_the_target_too() -> None:
    found = sent(f"tee 8 {C:010x};\naccept;\n", frame(A, B))
    assert found == [
        (C, "TEE", A, 22, "ARRIVED"),
        (B, "FRAME", A, 54, "ARRIVED"),
        (C, "TEE", B, 22, "ARRIVED"),
    ]


def test_a_redirected_frame_is_the_targets() -> None:
    found = sent(f"accept chr inbound;\nredirect {C:010x};\naccept;\n", frame(A, B))
    assert found == [(C, "REDIRECT", A, 54, "FOREIGN_DEST")]
    found = sent(f"redirect {C:010x};\naccept;\n", frame(A, B))
    assert found == [(C, "REDIRECT", A, 54, "ARRIVED")]


def test_a_multicast_is_judged_again_for_each_recipient() -> None:
    found = sent(f"drop ztdest {B:010x} and not chr inbound;\naccept;\n", frame(A, BROADCAST))
    assert [(to, fate) for to, _, _, _, fate in found] == [(C, "ARRIVED"), (D, "ARRIVED")]
    found = sent(f"redirect {D:010x} ztdest {B:010x} and not chr inbound;\naccept;\n",
                 frame(A, BROADCAST))  # fmt: skip
    assert (D, "REDIRECT", A, 54, "ARRIVED") in found
    assert [to for to, kind, *_ in found if kind == "MULTICAST"] == [C, D]


def test_random_is_drawn_anew_in_each_pass(backend: str) -> None:
    count = 4000
    engine = Engine(compile_text("accept random 0.5;\n"), network=network(), backend=backend)
    batch = FrameBatch.from_frames([frame(A, BROADCAST)] * count)
    found = deliver(engine, batch).arrived
    # both passes of the sender and the receiver's own: an eighth of three times `count`
    assert abs(len(found.frame) / (3 * count) - 0.125) < 0.01
    parts = [deliver(engine, batch[low : low + 500], first=low).arrived
             for low in range(0, count, 500)]  # fmt: skip
    joined = np.concatenate([part.frame + low for part, low in zip(parts, range(0, count, 500),
                                                                   strict=True)])  # fmt: skip
    assert joined.tolist() == found.frame.tolist()


def test_copies_that_never_end_are_given_up() -> None:
    ring = "".join(
        f"tee -1 {target:010x} ztdest {node:010x} and chr inbound;\n"
        for node, target in ((B, C), (C, D), (D, B))
    )
    found = sent(f"{ring}accept;\n", frame(A, B), net=network())
    assert found[-1][4] == "ENDLESS"
    assert Counter(fate for *_, fate in found)["ENDLESS"] == 1
    assert len(found) == 17


def test_two_copies_a_hop_cost_bounded_memory() -> None:
    names = [f"{address:010x}" for address in (B, C, D)]
    tees = [f"tee -1 {name} not ztdest {name};" for name in names]
    lines = [*tees, "break framesize 0-65535;", "cap more", "id 1", "default", *reversed(tees)]
    rules = "\n".join([*lines, "accept framesize 0-65535;", ";", ""])
    found = sent(rules, *[frame(A, BROADCAST)] * 3)
    assert any(fate == "ENDLESS" for *_, fate in found)


def test_a_bridge_sends_and_takes_foreign_macs() -> None:
    bridged = 0x06AABBCCDDEE
    members = network().members
    net = Network(NETWORK_ID, tuple(
        Member(m.address, m.ips, bridge=m.address == B) for m in members
    ))  # fmt: skip
    assert sent("accept;\n", frame(A, bridged), net=net) == [(B, "FRAME", A, 54, "ARRIVED")]
    assert sent("accept;\n", frame(A, bridged)) == []
    assert sent("accept;\n", frame(bridged, A), net=net) == [(A, "FRAME", B, 54, "ARRIVED")]
    assert sent("accept;\n", frame(bridged, A)) == []  # nobody may send it


def test_broadcasts_and_multicasts_that_the_network_forbids() -> None:
    arp = frame(A, BROADCAST, ethertype=0x0806)
    group = frame(A, 0x333300000001)
    assert sent("accept;\n", frame(A, BROADCAST), broadcasts=False) == []
    assert len(sent("accept;\n", arp, broadcasts=False)) == 3
    assert len(sent("accept;\n", group, broadcasts=False)) == 3
    assert sent("accept;\n", arp, group, multicast_limit=0) == []


@pytest.mark.parametrize("dest", [2, 9, 224])
def test_raw_ip_arrives_as_the_frame_would_that_carries_it(dest: int, backend: str) -> None:
    """A capture on a tun device, or of any device, has no MACs: members are found by IP."""
    octets = (224, 0, 0, 251) if dest == 224 else (10, 0, 0, dest)
    packet = bytes([0x45, *bytes(11), 10, 0, 0, 0, *octets, *bytes(20)])
    macs = {2: mac_of(C, NETWORK_ID), 9: 0, 224: 0x01005E0000FB}
    whole = Frame(packet, 40, 0x0800, mac_source=mac_of(A, NETWORK_ID), mac_dest=macs[dest])
    raw = Frame(packet, 40, 0x0800, unknown=Reads.MAC_SOURCE | Reads.MAC_DEST)
    policy = compile_text(f"tee 30 {D:010x};\naccept;\n")
    engine = Engine(policy, network=network(), backend=backend)
    found = [rows(deliver(engine, FrameBatch.from_frame(one))) for one in (whole, raw)]
    assert found[0] == found[1]
    assert {row[4] for row in found[0]} <= {"ARRIVED", "FOREIGN_SOURCE", "FOREIGN_DEST"}
    assert len(found[0]) == {2: 3, 9: 1, 224: 6}[dest]


def test_nobody_gets_what_a_stranger_sent_or_what_is_for_oneself() -> None:
    assert sent("accept;\n", frame(0x5555555555, A), frame(A, A)) == []
    assert [one[4] for one in sent("accept;\n", frame(A, 0x5555555555))] == ["NO_MEMBER"]
    assert sent(f"tee -1 {0x5555555555:010x};\naccept;\n", frame(A, B))[0][4] == "NO_MEMBER"


def test_an_empty_batch() -> None:
    assert sent("accept;\n") == []


@pytest.mark.parametrize(
    ("engine", "message"),
    [
        (lambda: Engine(compile_text("accept;\n")), "members"),
        (lambda: Engine(compile_text("accept;\n"), network_id=NETWORK_ID), "members"),
        (lambda: Engine(compile_text("accept;\n"), network=network(), side="out"), "both sides"),
    ],
)
def test_what_cannot_be_delivered(engine: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        deliver(engine(), FrameBatch.from_frames([frame(A, B)]))


def test_the_way_a_frame_took_does_not_depend_on_the_batch(backend: str) -> None:
    rng = random.Random("parts")
    policy, net = random_policy(rng), random_network(rng)
    engine = Engine(policy, network=net, backend=backend)
    frames = [random_ethernet(rng, net)[0] for _ in range(40)]
    whole = rows(deliver(engine, FrameBatch.from_frames(frames)))
    parts = [one for n, data in enumerate(frames)
             for one in rows(deliver(engine, FrameBatch.from_frames([data]), first=n))]  # fmt: skip
    assert whole == parts


@pytest.mark.parametrize("seed", range(60))
def test_an_engine_says_how_many_members_get_a_frame(seed: int, backend: str) -> None:
    """`Engine.evaluate` and delivery judge alike, draws included; copies come on top here."""
    rng = random.Random(f"receivers {seed}")
    policy, net = random_policy(rng), random_network(rng)
    draw = [{"type": "MATCH_RANDOM", "probability": 3 << 30}, {"type": "ACTION_ACCEPT"}]
    rules = load_json(json.dumps({"rules": draw}), "draws") if seed % 3 == 0 else policy
    engine = Engine(rules, network=net, backend=backend, seed=seed)
    data = [random_ethernet(rng, net) for _ in range(20)]
    batch = FrameBatch.from_frames([frame for frame, _ in data], [size for _, size in data])
    found = deliver(engine, batch, first=5).arrived
    whole = found.where(found.kind <= Kind.MULTICAST)
    verdicts = engine.evaluate(batch, first=5)
    macs = {mac_of(member.address, NETWORK_ID) for member in net.members}
    for n, (frame, _) in enumerate(data):
        dest, source = (int.from_bytes(frame[at : at + 6], "big") for at in (0, 6))
        if source in macs and source != dest:  # a stranger's frames are nobody's to deliver
            expected = int((whole.frame == n).sum())
            assert int(verdicts.receivers[n]) == expected, f"seed {seed}, frame {n}"
            assert bool(verdicts.accepted[n]) == (expected > 0)


@needs_loops
def test_recipients_that_are_alike_are_counted_as_often() -> None:
    """Following one of several comes to the sums of following each, copies of copies included."""
    together = copied = 0
    for seed in range(100):
        rng = random.Random(f"alike {seed}")
        policy, net = random_policy(rng, draws=False), many_alike(rng)
        engine = Engine(policy, network=net, seed=seed, backend="native")
        data = [random_ethernet(rng, net) for _ in range(12)]
        for n in range(0, 12, 2):
            data[n] = BROADCAST.to_bytes(6, "big") + data[n][0][6:], data[n][1]
        batch = FrameBatch.from_frames([frame for frame, _ in data], [size for _, size in data])
        each = Delivery(engine).deliver(batch, first=5)
        alike = Delivery(engine, alike=True).deliver(batch, first=5)
        one, other = DeliveryTally(), DeliveryTally()
        one.add(12, each.copies)
        other.add(12, alike.copies)
        assert one.to_json() == other.to_json(), f"seed {seed}"
        assert int(alike.times.sum()) == len(each.frame)
        for kind in Kind:  # and frame by frame
            sums = [
                np.bincount(found.frame[chosen], found.times[chosen], 12).tolist()
                for found in (each, alike)
                for chosen in [(found.kind == kind) & (found.fate == Fate.ARRIVED)]
            ]
            assert sums[0] == sums[1], f"seed {seed}, {kind.name}"
        together += len(each.frame) - len(alike.frame)
        copied += len(each.copies.frame)
    assert together > 10_000
    assert copied > 5_000


@needs_loops
def test_a_recipient_that_owns_the_frames_address_is_like_no_other() -> None:
    """Its copy is the one that the target takes for authentic."""
    members = [Member(0x1000000000 + n, (bytes([10, 0, 0, n]),)) for n in range(30)]
    target = members[9].label
    rules = f"drop chr inbound and ztdest {target} and chr ipauth; tee -1 {target}; accept;"
    engine = Engine(compile_text(rules), network=make_network(members, id=NETWORK_ID))
    payload = bytes.fromhex("4500002800000000401100000a0000050affffff") + bytes(20)
    data = [frame(members[n].address, BROADCAST, payload, 0x0800) for n in (5, 7, 8)]
    batch = FrameBatch.from_frames(data)
    each = Delivery(engine).deliver(batch)
    alike = Delivery(engine, alike=True).deliver(batch)
    for found in (each, alike):
        refused = found.copies.where(found.copies.fate == Fate.RULES)
        assert np.bincount(refused.frame, refused.times).tolist() == [1, 1, 1]
        assert refused.sent_by.tolist() == [members[5].address] * 3
    assert len(alike.frame) < len(each.frame)


def test_frames_that_may_send_are_all_that_copies_need(backend: str) -> None:
    """What `filter` follows: frames of which its verdict says that something may be sent."""
    followed = copied = 0
    for seed in range(120):
        rng = random.Random(f"may send {seed}")
        policy, net = random_policy(rng), random_network(rng)
        engine = Engine(policy, network=net, backend=backend, seed=seed)
        if not engine.can_deliver:
            continue
        data = [random_ethernet(rng, net) for _ in range(15)]
        batch = FrameBatch.from_frames([frame for frame, _ in data], [size for _, size in data])
        only = np.flatnonzero(engine.evaluate(batch, first=5).may_send)
        some, whole = deliver(engine, batch, first=5, only=only), deliver(engine, batch, first=5)
        copies = whole.copies
        assert [c.tolist() for c in some.copies] == [c.tolist() for c in copies], f"seed {seed}"
        followed += len(only)
        copied += len(copies.frame)
    assert 0 < followed < 120 * 15
    assert copied > 100
