"""An overview: what a plain model of every frame counts, by either evaluator, whatever the cut."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator

import pytest

import ztfast
from tests import pages
from tests.needs import needs_loops
from tests.pipeline.hostile_captures import MEMBERS_RULES, capture_of, frames_between, network_of
from tests.seeds import seed
from ztfast.capture.many import open_captures
from ztfast.capture.open import open_capture
from ztfast.engine.engine import Engine
from ztfast.engine.network_verdicts import Action
from ztfast.errors import UsageError
from ztfast.frames.frame import Frame
from ztfast.model.reads import Reads
from ztfast.pipeline.column_sums import MINUTE
from ztfast.pipeline.count import Count
from ztfast.pipeline.deliver import Delivery
from ztfast.pipeline.deliveries import Deliveries, Fate, Kind
from ztfast.pipeline.job import Job
from ztfast.pipeline.judge import Judgement, judge
from ztfast.pipeline.overview import End, Overview, decider_of, ends_of
from ztfast.pipeline.tally import Tally

SEED = seed()
RULES = """
tee 64 8e30f50a25 ipprotocol udp;
watch -1 1122334455 dport 22;
drop framesize 0-60;
accept dport 80 or dport 53;
drop chr multicast;
break dport 22;
accept framesize 0-200;
"""


def judged(engine: Engine, data: bytes) -> Iterator[tuple[Judgement, Deliveries | None]]:
    with open_capture(io.BytesIO(data)) as capture:
        for packets in capture:
            item = judge(engine, packets)
            found = None
            if engine.can_deliver:
                found = Delivery(engine, alike=True).deliver(item.frames, first=packets.first)
                found = found.copies
            yield item, found


def end_name(frame: Frame, which: str, members: dict[int, str], address: int) -> str:
    """Who an end is, in plain Python."""
    if address in members:
        return members[address]
    at4, at6 = (12, 8) if which == "source" else (16, 24)
    has = len(frame.payload)  # an address that was not captured is nobody's
    if frame.ethertype == 0x0800 and frame.length >= 20 and has >= at4 + 4:
        return End(4, 0, int.from_bytes(frame.payload[at4 : at4 + 4], "big")).name({})
    if frame.ethertype == 0x86DD and frame.length >= 40 and has >= at6 + 16:
        octets = frame.payload[at6 : at6 + 16]
        high, low = (int.from_bytes(part, "big") for part in (octets[:8], octets[8:]))
        return End(6, high, low).name({})
    unknown = Reads.MAC_SOURCE if which == "source" else Reads.MAC_DEST
    mac = frame.mac_source if which == "source" else frame.mac_dest
    return "unknown" if frame.unknown & unknown else End(2, 0, mac).name({})


def named(overview: Overview, key: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(end.name(overview.members) for end in ends_of(key))


def check(engine: Engine, data: bytes) -> Overview:
    """An overview's sums against a loop over frames."""
    overview, tally = Overview(engine), Tally(engine.policy)
    talks: dict[tuple[str, ...], Count] = {}
    refused: dict[tuple[object, ...], Count] = {}
    drops: dict[tuple[object, ...], Count] = {}
    for item, found in judged(engine, data):
        overview(item, found)
        tally.count(item, found)
        packets, frames, verdicts = item[:3]
        assert frames is not None
        assert verdicts is not None
        source, dest = overview._ends(frames)
        for number in range(len(packets)):
            frame, size = frames.frame(number), int(packets.lengths[number])
            ends = (
                end_name(frame, "source", overview.members, int(source[number])),
                end_name(frame, "dest", overview.members, int(dest[number])),
            )
            talks[ends] = talks.get(ends, Count()).plus(1, size)
            if verdicts.action[number] == Action.DROP:
                reason = 0 if verdicts.unasked is None else int(verdicts.unasked[number])
                decider = (
                    ("sender", "receiver")[verdicts.side[number]],
                    int(verdicts.capability[number]),
                    int(verdicts.entry[number]) - reason,
                )
                minute = int(packets.timestamps[number]) // MINUTE * MINUTE
                for sums, key in ((refused, (*ends, *decider)), (drops, (minute, *decider))):
                    sums[key] = sums.get(key, Count()).plus(1, size)
    assert {named(overview, key): count for key, count in overview.talks.rows()} == talks
    assert refused == {
        (*named(overview, key), *decider_of(key)[1:]): count
        for key, count in overview.refused.rows()
    }
    assert drops == {(key[0], *decider_of(key)[1:]): count for key, count in overview.drops.rows()}
    for key, _ in overview.drops.rows():
        assert decider_of(key) in tally.deciders
    check_copies(overview, tally)
    return overview


def check_copies(overview: Overview, tally: Tally) -> None:
    """Copies over time add up to the tally's."""
    sums: dict[tuple[str, int], Count] = {}
    for (_, kind, to), count in overview.copies.rows():
        key = Kind(kind).name.lower(), to
        sums[key] = sums.get(key, Count()).plus(*count)
    expected: dict[tuple[str, int], Count] = {}
    if tally.deliveries is not None:
        for (kind, to, fate, _), count in tally.deliveries.sent.items():
            if fate == Fate.ARRIVED:
                name = kind.name.lower()
                expected[name, to] = expected.get((name, to), Count()).plus(*count)
    else:
        for (_, name, to), count in tally.copies.items():
            expected[name, to] = expected.get((name, to), Count()).plus(*count)
    assert sums == expected


def test_every_frame_of_a_hostile_capture(backend: str) -> None:
    print(f"seed {SEED}")
    data = capture_of(random.Random(SEED), 400, 120)
    overview = check(Engine(ztfast.compile(RULES), backend=backend), data)
    assert overview.first == 1_700_000_000 * 10**9
    assert overview.copies.rows()
    assert {own for own, _ in overview.sent} == {-1}


def test_members_copies_and_multicasts(backend: str) -> None:
    print(f"seed {SEED}")
    network = network_of(30)
    data = frames_between(random.Random(SEED), network, 250)
    engine = Engine(ztfast.compile(MEMBERS_RULES), network=network, backend=backend)
    overview = check(engine, data)
    assert overview.sent_lines >= {5}
    assert any(end.kind == 1 for key, _ in overview.talks.rows() for end in ends_of(key))


def test_raw_ip_has_no_macs(backend: str) -> None:
    data = bytearray(capture_of(random.Random(SEED), 100, 60))
    data[20:24] = (101).to_bytes(4, "little")
    check(Engine(ztfast.compile(RULES), backend=backend), bytes(data))


@pytest.mark.parametrize("network", [None, pages.EXAMPLES / "office.toml"])
def test_any_cut_and_json(network: object) -> None:
    known = None if network is None else ztfast.load_network(network)
    engine = Engine(ztfast.load(pages.EXAMPLES / "office.ztrules"), network=known)
    whole, joined, merged = Overview(engine), Overview(engine), Overview(engine)
    with open_capture(pages.EXAMPLES / "office.pcap") as capture:
        for packets in capture:
            item = judge(engine, packets)
            whole(item, None)
            for low in range(0, len(packets), 7):
                part = Overview(engine)
                part(judge(engine, packets.part(low, min(low + 7, len(packets)))), None)
                document = json.loads(json.dumps(part.to_json()))
                joined.read(document)
                merged.merge(part)
    assert joined.to_json() == merged.to_json() == whole.to_json()
    assert whole.refused.rows()


@needs_loops
def test_a_job_shows_it_everything(tmp_path: object) -> None:
    engine = Engine(
        ztfast.load(pages.EXAMPLES / "office.ztrules"),
        network=ztfast.load_network(pages.EXAMPLES / "office.toml"),
    )
    overview = Overview(engine)
    with open_captures([pages.EXAMPLES / "office.pcap"]) as source:
        job = Job(engine, source, observers=[overview])
        job.work()
    assert sum(count.frames for _, count in overview.drops.rows()) == 8
    assert sum(count.frames for _, count in overview.talks.rows()) == 221
    check_copies(overview, job.tally)
    names = {named(overview, key) for key, _ in overview.refused.rows()}
    assert ("ben", "files") in names
    assert ("printer", "broadcast") in names


def test_what_is_no_overview_is_refused() -> None:
    engine = Engine(ztfast.compile(RULES))
    document = Overview(engine).to_json()
    for change in ({"drops": None}, {"first": "x"}, {"sent": [[1]]}, {"talks": {"others": []}}):
        with pytest.raises(UsageError, match="not an overview"):
            Overview(engine).read({**document, **change})


def test_names_of_ends() -> None:
    assert End(1, 0, 0x8E30F50A25).name({}) == "8e30f50a25"
    assert End(1, 0, 5).name({5: "anna"}) == "anna"
    assert End(2, 0, 2**48 - 1).name({}) == "broadcast"
    assert End(2, 0, 0x0102030A0B0C).name({}) == "01:02:03:0a:0b:0c"
    assert End(4, 0, 0x0A000001).name({}) == "10.0.0.1"
    assert End(6, 0xFD << 56, 1).name({}) == "fd00::1"
    assert End(6, -1, -1).name({}) == "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
    assert End(0, 0, 0).name({}) == "unknown"
