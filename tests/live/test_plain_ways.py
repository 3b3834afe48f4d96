"""Ways out of a lane: what is sent without asking anybody, and what is told where that fails."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import ztfast
from tests.live.building import BLOCK, RingFrame, block, ring
from tests.live.lanes import WAYS
from ztfast.engine.engine import Engine
from ztfast.live.counters import Latency
from ztfast.live.frames import Chosen, Columns, Frames, Judged
from ztfast.live.judge import LiveJudge
from ztfast.live.plain_ways import COPIES

RULES = """
tee -1 8e30f50a25 ethertype ipv4;
tee 20 6b4d5e6f70 not ethertype ipv4;
drop ethertype arp;
accept;
"""
IP, ARP, OTHER = (bytes(12) + kind + bytes(46) for kind in (b"\x08\x00", b"\x08\x06", b"\x12\x34"))
ROOM = 3000


class Made:
    """A lane with ways, and what it told."""

    def __init__(self, module: Any, backend: str, rules: str) -> None:
        self.module = module
        self.judge = LiveJudge(Engine(ztfast.compile(rules), backend=backend))
        self.judge.make_room(ROOM)
        self.told: list[Any] = []
        self.errors = np.zeros(200, np.uint64)
        self.scratch, self.ends = np.zeros(1 << 17, np.uint8), np.zeros(1000, np.int64)
        self.latency = Latency()

    def messages(self, descriptor: int, header: bytes = b"") -> Any:
        lead = np.frombuffer(header, np.uint8)
        made = self.module.Messages(lead, self.errors, lambda: self.told.append("failed"))
        made.descriptor = descriptor
        return made

    def records(self, descriptor: int, blocks: bool = False) -> Any:
        made = self.module.Records(blocks, self.scratch, self.ends, self._rest)
        made.descriptor = descriptor
        return made

    def _rest(
        self, frames: Frames, chosen: Chosen, count: int, done: int, packed: int, written: int
    ) -> None:
        assert frames.size >= count
        self.told.append((count, done, packed, written))

    def way(self, direct: Any, which: int = -1, targets: tuple[int, ...] = (1, 1)) -> Any:
        made = self.module.Way(f"route {which}", which, direct)
        made.want(np.array([*targets, 0], np.uint8), Chosen.of(ROOM))
        return made

    def turn(self, ways: list[Any], *blocks: list[bytes]) -> Any:
        size = max(BLOCK, *(sum(160 + len(frame) for frame in some) for some in blocks))
        memory = ring(
            *(block([RingFrame(frame, time=7) for frame in some], size=size) for some in blocks)
        )
        columns = Columns.of(ROOM)
        walker = self.module.Walker(memory, size, len(blocks), *columns)
        frames = Frames(memory, columns, 0, 5)
        lane = self.module.Lane(walker, frames, self.latency.counts, self.latency.total)
        lane.judge_by(self.judge, ways, self._others)
        lane.turn()
        return lane

    def _others(self, judged: Judged, frames: Frames, routes: list[str]) -> None:
        self.told.append((judged.action[: frames.size].tolist(), judged.rows, routes))


@pytest.fixture(params=WAYS)
def made(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Made:
    backend, module = request.param
    monkeypatch.setattr("ztfast.live.judge.loops", module)
    return Made(module, backend, RULES)


class Pair:
    """Two ends, of which one is read."""

    def __init__(self) -> None:
        self.out, self.into = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.into.setblocking(False)

    def got(self) -> list[bytes]:
        found = []
        while True:
            try:
                found.append(self.into.recv(1 << 17))
            except BlockingIOError:
                return found


@pytest.fixture
def pair() -> Iterator[Pair]:
    one = Pair()
    yield one
    one.out.close()
    one.into.close()


@pytest.mark.parametrize(
    ("which", "targets", "expected", "copies"),
    [
        (-1, (1, 1), [IP, ARP, OTHER], 3),
        (0, (1, 1), [ARP], 1),
        (1, (1, 1), [IP, OTHER], 2),
        (COPIES, (0, 1), [IP], 2),
        (COPIES, (1, 0), [OTHER[:34]], 2),
        (COPIES, (1, 1), [IP, OTHER[:34]], 4),
        (COPIES, (0, 0), [], 0),
    ],
)
def test_frames_go_by_verdict_or_by_the_target_of_their_copies(
    made: Made,
    pair: Pair,
    which: int,
    targets: tuple[int, ...],
    expected: list[bytes],
    copies: int,
) -> None:
    """Both sides copy; frames that are dropped send none, and addresses are in ascending order."""
    assert made.judge.addresses.tolist() == [0x6B4D5E6F70, 0x8E30F50A25]
    direct = made.messages(pair.out.fileno())
    way = made.way(direct, which, targets)
    lane = made.turn([way], [IP, ARP], [OTHER])
    assert pair.got() == expected
    assert (way.found, way.copies) == (len(expected), copies)
    assert (direct.sent, direct.octets) == (len(expected), sum(map(len, expected)))
    assert made.told == []
    assert lane.asked == (made.judge.joiner is None)
    assert int(made.latency.counts.sum()) == 3


def test_a_header_stands_in_front_and_several_ways_go_in_turn(made: Made, pair: Pair) -> None:
    ways = [
        made.way(made.messages(pair.out.fileno(), b"VXLAN..."), 0),
        made.way(made.messages(pair.out.fileno()), 1),
    ]
    made.turn(ways, [IP, ARP])
    assert pair.got() == [b"VXLAN..." + ARP, IP]
    assert int(made.latency.counts.sum()) == 2


def test_messages_that_fail_cost_themselves_and_are_told(made: Made, pair: Pair) -> None:
    huge = IP + bytes(1 << 20)
    direct = made.messages(pair.out.fileno())
    lane = made.turn([made.way(direct)], [IP, huge, ARP])
    assert pair.got() == [IP, ARP]
    assert made.told == ["failed"]
    assert made.errors[errno.EMSGSIZE] == 1
    assert direct.sent == 2
    assert lane.asked


def test_what_cannot_go_directly_is_told_behind_what_can(made: Made, pair: Pair) -> None:
    closed = made.messages(-1)
    ways = [made.way(closed, 1), made.way(None, 0), made.way(made.messages(pair.out.fileno()))]
    lane = made.turn(ways, [IP, ARP])
    assert pair.got() == [IP, ARP]
    assert made.told == [([1, 0], 2, ["route 1", "route 0"])]
    assert [way.found for way in ways] == [0, 0, 2]
    assert lane.asked
    assert int(made.latency.counts.sum()) == 2


# --- records -------------------------------------------------------------------------------------


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    yield reading, writing
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize("blocks", [False, True])
def test_records_are_as_they_are_packed(made: Made, pipe: tuple[int, int], blocks: bool) -> None:
    direct = made.records(pipe[1], blocks)
    made.turn([made.way(direct, COPIES)], [IP, ARP, OTHER])
    stream = os.read(pipe[0], 1 << 16)
    assert len(stream) == (92 + 68 if blocks else 76 + 50)
    assert (direct.sent, direct.octets) == (2, len(stream))
    if blocks:
        assert stream[8:12] == (5).to_bytes(4, "little")  # the interface
        assert (stream[28:88], stream[120:154]) == (IP, OTHER[:34])
    else:
        assert stream[4:8] == (7).to_bytes(4, "little")
        assert (stream[16:76], stream[92:]) == (IP, OTHER[:34])
    assert made.told == []


def test_more_than_there_is_room_for_goes_in_several_parts(
    made: Made, pipe: tuple[int, int]
) -> None:
    made.ends = np.zeros(3, np.int64)
    direct = made.records(pipe[1])
    made.turn([made.way(direct)], [IP] * 8)
    assert len(os.read(pipe[0], 1 << 16)) == 8 * 76
    assert direct.sent == 8


def test_a_full_pipe_is_told_with_what_is_written(made: Made, pipe: tuple[int, int]) -> None:
    os.write(pipe[1], bytes((1 << 16) - 4096))  # a page is left
    direct = made.records(pipe[1])
    lane = made.turn([made.way(direct)], [IP] * 100)
    ((count, done, packed, written),) = made.told
    assert (count, done, packed, written) == (100, 100, 100, 4096)
    assert (direct.sent, direct.octets) == (0, 0)  # who is told counts these
    assert lane.asked


def test_a_reader_that_is_gone_is_told_with_nothing_written(made: Made) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        made.turn([made.way(made.records(writing))], [IP, ARP])
    finally:
        os.close(writing)
    assert made.told == [(2, 2, 2, 0)]
