"""Turns of the tap: blocks judged, counted, handed on, given back; the compiled and the plain."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import ztfast
from tests.live.building import BLOCK, RingFrame, block, ring
from tests.live.lanes import WAYS
from ztfast.engine.engine import Engine
from ztfast.live.counters import Latency
from ztfast.live.frames import Columns, Frames, Judged
from ztfast.live.judge import LiveJudge

RULES = "drop ethertype arp; redirect 6b4d5e6f70 ethertype 0x1234; accept;"
IP, ARP, OTHER = (bytes(12) + kind + bytes(46) for kind in (b"\x08\x00", b"\x08\x06", b"\x12\x34"))
ROOM = 100
SOON = 0.05


class Made:
    """A lane over a ring, and what it did."""

    def __init__(
        self, module: Any, judge: LiveJudge, memory: npt.NDArray[np.uint8], sends: bool = False
    ) -> None:
        self.memory, self.latency = memory, Latency()
        columns = Columns.of(ROOM)
        frames = Frames(memory, columns, 0, 3)
        walker = module.Walker(memory, BLOCK, len(memory) // BLOCK, *columns)
        self.lane = module.Lane(walker, frames, self.latency.counts, self.latency.total)
        self.sent: list[tuple[list[int], int, int]] = []
        judge.make_room(ROOM)
        ways = [module.Way("route", -1, None)] if sends else []
        self.lane.judge_by(judge, ways, self.send)

    def send(self, judged: Judged, frames: Frames, routes: list[str]) -> None:
        assert routes == ["route"]
        assert not self.free  # given back behind this
        actions = judged.action[: frames.size].tolist()
        self.sent.append((actions, frames.octets, frames.interface))

    @property
    def free(self) -> list[int]:
        """The blocks that are the kernel's."""
        return [at for at in range(len(self.memory) // BLOCK) if not self.memory[at * BLOCK + 8]]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    backend, module = request.param
    monkeypatch.setattr("ztfast.live.judge.loops", module)
    return SimpleNamespace(
        module=module,
        judge=lambda rules=RULES: LiveJudge(Engine(ztfast.compile(rules), backend=backend)),
    )


def blocks(*frames: list[bytes]) -> npt.NDArray[np.uint8]:
    now = time.time_ns()
    return ring(*(block([RingFrame(frame, time=now) for frame in some]) for some in frames))


def test_blocks_are_judged_counted_and_given_back(way: Any) -> None:
    judge = way.judge()
    made = Made(way.module, judge, blocks([IP, ARP], [IP], [], [OTHER] * 3, [ARP]))
    assert made.lane.turn()  # four at a time
    assert made.free == [0, 1, 2, 3]
    assert (made.lane.judged, made.lane.octets) == (6, 6 * 60)
    assert judge.tally().verdict("accept").frames == 2
    assert not made.lane.turn()
    assert not made.lane.turn()
    assert (made.lane.judged, judge.first, len(made.free)) == (7, 7, 5)
    tally = judge.tally()
    assert [tally.verdict(name).frames for name in ("accept", "drop")] == [2, 2]
    assert tally.total.frames == 7
    assert int(made.latency.counts.sum()) == 7
    assert made.latency.nanoseconds > 0


def test_how_long_each_frame_was_held_is_counted(way: Any) -> None:
    now = time.time_ns()
    second = 1_000_000_000
    ages = (0, 3600 * second, -3600 * second)  # the last is of a clock that was set back
    memory = ring(block([RingFrame(IP, time=now - age) for age in ages]))
    made = Made(way.module, way.judge(), memory)
    made.lane.turn()
    assert int(made.latency.counts.sum()) == 3
    assert made.latency.counts[Latency.step(3600 * second)] == 1
    assert 3600 * second <= made.latency.nanoseconds < 7200 * second


def test_who_sends_gets_all_frames_of_a_turn(way: Any) -> None:
    made = Made(way.module, way.judge(), blocks([IP, ARP], [OTHER]), sends=True)
    made.lane.asked = False
    assert not made.lane.turn()
    assert made.sent == [([1, 0, 2], 180, 3)]
    assert made.lane.asked


def test_only_frames_apart_make_a_lane_ask(way: Any) -> None:
    judge = way.judge()
    made = Made(way.module, judge, blocks([IP], [OTHER]))
    if judge.joiner is None:
        pytest.skip("the reference judges everything itself")
    made.lane.turn()
    assert made.lane.asked
    made = Made(way.module, judge, blocks([IP], [ARP]))
    made.lane.turn()
    assert not made.lane.asked


def test_other_rules_judge_from_the_next_turn_on(way: Any) -> None:
    first, second = way.judge("accept;"), way.judge("drop;")
    made = Made(way.module, first, blocks(*[[IP]] * 5))
    made.lane.turn()
    second.make_room(ROOM)
    made.lane.judge_by(second, [], made.send)
    made.lane.turn()
    assert first.tally().verdict("accept").frames == 4
    assert second.tally().verdict("drop").frames == 1


def test_blocks_are_given_back_though_sending_fails(way: Any) -> None:
    made = Made(way.module, way.judge(), blocks([IP], [IP]))

    def fails(judged: Judged, frames: Frames, routes: list[str]) -> None:
        raise RuntimeError("no")

    judge = way.judge()
    judge.make_room(ROOM)
    made.lane.judge_by(judge, [way.module.Way("route", -1, None)], fails)
    with pytest.raises(RuntimeError, match="no"):
        made.lane.turn()
    assert made.free == [0, 1]


def test_a_block_that_cannot_be_is_told_as_asked(way: Any) -> None:
    memory = blocks([IP])
    memory[12:16].view(np.uint32)[0] = 5000
    columns = Columns.of(ROOM)
    walker = way.module.Walker(memory, BLOCK, 1, *columns, KeyError)
    latency = Latency()
    lane = way.module.Lane(walker, Frames(memory, columns, 0), latency.counts, latency.total)
    with pytest.raises(KeyError, match="block 0 of the ring"):
        lane.turn()


# --- rounds --------------------------------------------------------------------------------------


@pytest.fixture
def pipe() -> Any:
    reading, writing = os.pipe()
    yield reading, writing
    for end in (reading, writing):
        os.close(end)


def rounds(
    way: Any, lanes: list[Made], others: list[tuple[int, int]]
) -> Callable[[float], list[tuple[int, int]]]:
    found: Any = way.module.Rounds([made.lane for made in lanes], [], others)
    go: Callable[[float], list[tuple[int, int]]] = found.go
    return go


def test_every_lane_gets_its_turns_until_nothing_is_left(way: Any) -> None:
    lanes = [Made(way.module, way.judge(), blocks(*[[IP]] * count)) for count in (9, 1)]
    assert rounds(way, lanes, [])(time.monotonic() + SOON) == []
    assert [made.lane.judged for made in lanes] == [9, 1]


def test_others_are_told_of(way: Any, pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    go = rounds(way, [], [(reading, select.POLLIN)])
    assert go(time.monotonic() + SOON) == []
    os.write(writing, b"x")
    assert go(time.monotonic() + 3600) == [(reading, select.POLLIN)]


def test_something_wrong_with_a_ring_is_told(way: Any, pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    made = Made(way.module, way.judge(), blocks([]))
    found = way.module.Rounds([made.lane], [writing], [])  # asked for input, it has an error only
    os.close(reading)
    told = found.go(time.monotonic() + 3600)
    os.dup2(writing, reading)
    assert [descriptor for descriptor, _ in told] == [writing]
    assert told[0][1] & select.POLLERR


def test_who_asked_lets_others_have_their_turn(way: Any) -> None:
    made = Made(way.module, way.judge(), blocks([IP]), sends=True)
    assert rounds(way, [made], [])(time.monotonic() + 3600) == []
    assert made.lane.asked
