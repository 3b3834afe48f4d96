"""Frames apart are gathered over batches: as many figures as judged batch by batch."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from tests.capture.building import pcap
from tests.needs import needs_loops
from tests.pipeline.delivery_cases import BROADCAST, NETWORK_ID, random_ethernet
from ztfast.capture import open_capture, open_captures
from ztfast.capture.many import Captures
from ztfast.engine.engine import Engine
from ztfast.lang import compile_text
from ztfast.network.members import Member, Network, make_network
from ztfast.pipeline import apart
from ztfast.pipeline.apart import ApartFrames
from ztfast.pipeline.deliver import Delivery
from ztfast.pipeline.job import Job
from ztfast.pipeline.judge import judgements
from ztfast.pipeline.tally import Tally

RULES = "drop ethertype 0x806;\ntee 20 3333333333 chr multicast;\naccept;\n"


def network() -> Network:
    members = [Member(int(str(n) * 10), (bytes([10, 0, 0, n]),)) for n in range(1, 5)]
    return make_network(members, id=NETWORK_ID)


def captures(folder: Path, count: int = 300) -> list[Path]:
    """Thirty frames a file; two of three are multicasts, some of them cut short."""
    rng = random.Random("apart")
    made = [random_ethernet(rng, network()) for _ in range(count)]
    group = BROADCAST.to_bytes(6, "big")
    frames = [group + data[6:] if n % 3 else data for n, (data, _) in enumerate(made)]
    paths = []
    for first in range(0, count, 30):
        lengths = [size for _, size in made[first : first + 30]]
        paths.append(folder / f"{first:04}.pcap")
        paths[-1].write_bytes(pcap(frames[first : first + 30], lengths=lengths))
    return paths


def each(engine: Engine, paths: list[Path]) -> Tally:
    tally = Tally(engine.policy)
    for path in paths:
        with open_capture(path) as opened:
            for item in judgements(engine, opened.batches()):
                assert item.frames is not None
                tally.count(item, Delivery(engine).deliver(item.frames).copies)
    return tally


def counted(engine: Engine, source: Captures) -> Job:
    job = Job(engine, source)
    job.work()
    return job


@needs_loops
@pytest.mark.parametrize("most", [1, 50, 1 << 13])
def test_the_figures_are_those_of_each_batch(
    most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "MOST_FRAMES", most)
    paths = captures(tmp_path)
    engine = Engine(compile_text(RULES), network=network())
    taken = []
    whole = ApartFrames.take
    monkeypatch.setattr(ApartFrames, "take", lambda self: taken.append(len(self)) or whole(self))
    job = counted(engine, open_captures(paths))
    assert job.complete
    assert job.tally.to_json() == each(engine, paths).to_json()
    assert sum(taken) >= 200
    assert (len(taken) == 1) == (most > 300)


@needs_loops
def test_damage_loses_none_of_what_was_read(tmp_path: Path) -> None:
    paths = captures(tmp_path)
    data = paths[-1].read_bytes()
    paths[-1].write_bytes(data[: len(data) // 2])
    engine = Engine(compile_text(RULES), network=network())
    job = counted(engine, open_captures(paths))
    assert job.source.session.frames == job.tally.total.frames > 270
    assert job.tally.to_json()["deliveries"]["frames"] == job.tally.total.frames


@needs_loops
def test_an_interrupt_counts_whole_batches(tmp_path: Path) -> None:
    paths = captures(tmp_path)
    engine = Engine(compile_text(RULES), network=network())
    job = Job(engine, open_captures(paths))
    seen = []

    def progress(frames: int, _: int) -> None:
        seen.append(frames)
        if len(seen) == 2:
            raise KeyboardInterrupt

    job.work(progress)
    assert job.interrupted
    assert 0 < sum(seen) == job.tally.total.frames < 300


def test_nothing_is_shared_with_the_batch(tmp_path: Path) -> None:
    path = captures(tmp_path)[0]
    gathered, expected = ApartFrames(), []
    with open_capture(path) as opened:
        for packets in opened:
            half = packets.chosen(np.arange(0, len(packets), 2))
            expected += list(half.frames())
            gathered.add(half)
    assert len(gathered) == 15
    frames, lengths = gathered.take()
    found = [frames.frame(n) for n in range(len(frames))]
    assert [len(one) - 14 if len(one) > 14 else 0 for one in expected] == [
        len(one.payload) for one in found
    ]
    assert (lengths >= frames.captured).all()
    assert not len(gathered)
