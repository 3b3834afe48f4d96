"""The tap's compiled loops and the plain ones: the same results, on made and on random input."""

from __future__ import annotations

import errno
import socket
from random import Random
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests.live.building import BLOCK, RingFrame, block, frames_of, ring
from tests.seeds import seed
from ztfast.live import loops, plain_loops, plain_turns, plain_ways

KEY = bytes(range(16))
MACS, REST = bytes(range(12)), b"\x08\x00" + bytes(range(100, 140))
FRAME = MACS + REST


@pytest.fixture(params=[pytest.param(plain_loops, id="plain"), pytest.param(loops, id="compiled")])
def either(request: pytest.FixtureRequest) -> ModuleType:
    if request.param is loops and not loops.compiled:
        pytest.skip("the tap's loops are not built")
    module: ModuleType = request.param
    return module


class Walked(NamedTuple):
    frames: list[bytes]
    lengths: list[int]
    times: list[int]
    taken: int


def walk(
    module: ModuleType, memory: Any, room: int = 100, current: int = 0, most: int = 9
) -> Walked:
    offsets, times = np.zeros(room, np.int64), np.zeros(room, np.int64)
    captured, lengths = np.zeros(room, np.uint32), np.zeros(room, np.uint32)
    blocks = len(memory) // BLOCK
    walker = module.Walker(memory, BLOCK, blocks, offsets, captured, lengths, times)
    found, taken, octets = walker.walk(current, most)
    ends = offsets + captured
    data = [memory[a:b].tobytes() for a, b in zip(offsets[:found], ends[:found], strict=True)]
    assert octets == int(lengths[:found].sum())
    return Walked(data, lengths[:found].tolist(), times[:found].tolist(), taken)


def test_the_functions_are_the_same() -> None:
    plain = {*vars(plain_loops), *vars(plain_turns), *vars(plain_ways)}
    assert set(loops.__all__) <= plain
    assert all(hasattr(loops, name) for name in loops.__all__)


# --- the ring ------------------------------------------------------------------------------------


def test_frames_of_ready_blocks_are_found_in_order(either: ModuleType) -> None:
    first = block([RingFrame(b"a" * 20, time=5), RingFrame(b"b" * 60, 1500, 3_000_000_007)])
    second = block([RingFrame(b"c" * 14)])
    memory = ring(first, second, block([RingFrame(b"d" * 14)], status=0))
    found = walk(either, memory)
    assert found.frames == [b"a" * 20, b"b" * 60, b"c" * 14]
    assert found.lengths == [20, 1500, 14]
    assert found.times == [5, 3_000_000_007, 0]
    assert found.taken == 2


def test_the_walk_goes_round_and_stops_where_it_is_told(either: ModuleType) -> None:
    memory = ring(*(block([RingFrame(bytes([at]) * 14)]) for at in range(3)))
    assert walk(either, memory, current=2, most=2).frames == [b"\2" * 14, b"\0" * 14]
    assert walk(either, memory, room=2).taken == 2


def test_released_blocks_are_the_kernels(either: ModuleType) -> None:
    memory = ring(*(block([RingFrame(b"x" * 14)]) for _ in range(3)))
    columns = [np.zeros(9, kind) for kind in (np.int64, np.uint32, np.uint32, np.int64)]
    either.Walker(memory, BLOCK, 3, *columns).release(2, 2)
    assert [int(memory[at * BLOCK + 8]) for at in range(3)] == [0, 1, 0]


@pytest.mark.parametrize(
    ("tag", "expected"),
    [((0x88A8, 0x3005), b"\x88\xa8\x30\x05"), ((0, 7), b"\x81\x00\x00\x07")],
)
def test_a_stripped_tag_is_put_back(
    either: ModuleType, tag: tuple[int, int], expected: bytes
) -> None:
    found = walk(either, ring(block([RingFrame(FRAME, tag=tag), RingFrame(FRAME)])))
    assert found.frames == [MACS + expected + REST, FRAME]
    assert found.lengths == [len(FRAME) + 4, len(FRAME)]


def test_a_tag_has_no_place_in_a_frame_cut_inside_its_macs(either: ModuleType) -> None:
    assert walk(either, ring(block([RingFrame(b"short", tag=(0, 1))]))).frames == [b"short"]


@pytest.mark.parametrize(
    ("place", "value"), [(12, 2000), (16, 5000), (48 + 12, 1 << 20), (48 + 24, 0xFFFF)]
)
def test_a_block_that_cannot_be_is_refused(either: ModuleType, place: int, value: int) -> None:
    made = block([RingFrame(FRAME)])
    width = 2 if place == 72 else 4  # tp_mac
    made[place : place + width] = value.to_bytes(width, "little")
    with pytest.raises(ValueError, match="block 0 of the ring"):
        walk(either, ring(made))


# --- copies --------------------------------------------------------------------------------------

ROWS = [  # frame, target, limit
    (0, 0, 0xFFFF_FFFF),
    (0, 0, 40),
    (0, 1, 30),
    (2, 1, 20),
    (2, 0, 20),
    (2, 0, 30),
]


def pick(module: ModuleType, wanted: list[int]) -> tuple[tuple[int, int], list[tuple[int, ...]]]:
    columns = [np.array(column) for column in zip(*ROWS, strict=True)]
    row_frame = columns[0].astype(np.int64)
    row_target, row_limit = columns[1].astype(np.int32), columns[2].astype(np.uint32)
    captured = np.array([50, 50, 25], np.uint32)
    lengths = np.array([60, 60, 25], np.uint32)
    to = [np.zeros(9, np.int64), *(np.zeros(9, np.uint32) for _ in "ab"), np.zeros(9, np.int32)]
    found = module.pick_copies(
        row_frame, row_target, row_limit, 6, np.array(wanted, np.uint8), captured, lengths, *to
    )
    return found, list(zip(*(column[: found[0]].tolist() for column in to), strict=True))


@pytest.mark.parametrize(
    ("wanted", "copies", "expected"),
    [
        ([1, 1, 0], 6, [(0, 50, 60, 3), (2, 25, 25, 3)]),
        ([1, 0, 0], 4, [(0, 50, 60, 2), (2, 25, 25, 2)]),
        ([0, 1, 0], 2, [(0, 30, 30, 1), (2, 20, 20, 1)]),
        ([0, 0, 1], 0, []),
    ],
)
def test_of_several_copies_of_a_frame_the_longest_goes(
    either: ModuleType, wanted: list[int], copies: int, expected: list[tuple[int, ...]]
) -> None:
    assert pick(either, wanted) == ((len(expected), copies), expected)


@pytest.mark.parametrize(("which", "expected"), [(-1, [0, 1, 2]), (1, [1]), (2, [2])])
def test_frames_by_their_action(either: ModuleType, which: int, expected: list[int]) -> None:
    to = [np.zeros(3, np.int64), *(np.zeros(3, np.uint32) for _ in "ab"), np.zeros(3, np.int32)]
    action = np.array([0, 1, 2], np.uint8)
    captured, lengths = np.array([10, 20, 30], np.uint32), np.array([10, 19, 99], np.uint32)
    found = either.pick_frames(action, 3, which, captured, lengths, *to)
    assert to[0][:found].tolist() == expected
    assert to[1][:found].tolist() == captured[expected].tolist()
    assert to[2][:found].tolist() == np.maximum(captured, lengths)[expected].tolist()
    assert to[3][:found].tolist() == [1] * found


# --- out -----------------------------------------------------------------------------------------


def pack(module: ModuleType, blocks: bool, room: int = 1000) -> tuple[int, bytes, list[int]]:
    frames = frames_of([b"abcde", b"", b"xyz"], [900, 0, 3], [1_500_000_000_000_000_007, 2, 3])
    out, ends = np.zeros(room, np.uint8), np.zeros(9, np.int64)
    numbers = np.array([0, 2, 1])
    kept, noted = np.array([4, 3, 0], np.uint32), np.array([900, 3, 0], np.uint32)
    columns = frames.columns
    done, used = module.pack(
        *(blocks, frames.buffer, columns.offsets, columns.times, numbers, kept, noted),
        *(0, 3, 5, out, ends),
    )
    return done, out[:used].tobytes(), ends[:done].tolist()


def test_records_of_a_classic_pcap(either: ModuleType) -> None:
    done, data, ends = pack(either, False)
    first = bytes.fromhex("002f6859 07000000 04000000 84030000") + b"abcd"
    assert (done, ends) == (3, [20, 39, 55])
    assert data[:20] == first
    assert data[20:39] == bytes.fromhex("00000000 03000000 03000000 03000000") + b"xyz"


def test_blocks_of_pcapng(either: ModuleType) -> None:
    done, data, ends = pack(either, True)
    assert (done, ends) == (3, [36, 72, 104])
    time = (1_500_000_000_000_000_007).to_bytes(8, "little")
    head = (6).to_bytes(4, "little") + (36).to_bytes(4, "little") + (5).to_bytes(4, "little")
    sizes = bytes.fromhex("04000000 84030000")
    assert data[:36] == head + time[4:] + time[:4] + sizes + b"abcd" + head[4:8]
    assert data[36:72].endswith(b"xyz\0" + head[4:8])


def test_what_has_no_room_is_left(either: ModuleType) -> None:
    assert pack(either, False, room=38)[0] == 1
    assert pack(either, False, room=39)[0] == 2
    assert pack(either, True, room=10) == (0, b"", [])


def messages(module: ModuleType, header: bytes, sizes: list[int], stop: bool = False) -> Any:
    out, into = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with out, into:
        into.setblocking(False)
        data = [bytes([65 + at % 26]) * size for at, size in enumerate(sizes)]
        frames = frames_of(data)
        numbers, kept = np.arange(len(sizes)), np.array(sizes, np.uint32)
        errors = np.zeros(200, np.uint64)
        lead = np.frombuffer(header, np.uint8)
        found = module.send(
            *(out.fileno(), frames.buffer, frames.columns.offsets, numbers, kept),
            *(0, len(sizes), lead, stop, errors),
        )
        got = []
        while True:
            try:
                got.append(into.recv(1 << 20))
            except BlockingIOError:
                return found, got, {at: int(errors[at]) for at in np.flatnonzero(errors)}


@pytest.mark.parametrize("header", [b"", b"VXLAN..."])
def test_each_frame_is_a_message(either: ModuleType, header: bytes) -> None:
    found, got, errors = messages(either, header, [3, 1, 7])
    assert found == (3, 3, 11)
    assert got == [header + b"AAA", header + b"B", header + b"CCCCCCC"]
    assert not errors


def test_a_frame_that_fails_costs_itself_only(either: ModuleType) -> None:
    found, got, errors = messages(either, b"", [3, 1 << 22, 2])
    assert found == (3, 2, 5)
    assert got == [b"AAA", b"CC"]
    assert errors == {errno.EMSGSIZE: 1}


def test_a_full_queue_refuses_or_stops(either: ModuleType) -> None:
    found, got, errors = messages(either, b"", [10] * 2000)
    assert found[0] == 2000
    assert found[1] == len(got)
    assert errors == {errno.EAGAIN: 2000 - len(got)}
    found, got, errors = messages(either, b"", [10] * 2000, stop=True)
    assert found[0] == found[1] == len(got) < 2000
    assert not errors


# --- doubles -------------------------------------------------------------------------------------


def sift(
    window: Any, data: list[bytes], times: list[int], expected: int | list[int] = 2
) -> list[int]:
    frames = frames_of(data, times=times)
    numbers = np.arange(len(data))
    kept = np.array([len(one) for one in data], np.uint32)
    noted = kept.copy()
    often = np.full(len(data), expected, np.int32)
    columns = frames.columns
    passed = window.sift(
        *(frames.buffer, columns.offsets, columns.times, numbers, kept, noted, often, len(data))
    )
    assert kept[:passed].tolist() == [len(data[at]) for at in numbers[:passed]]
    return numbers[:passed].tolist()


A, B = b"first frame", b"other frame"


@pytest.mark.parametrize(
    ("data", "times", "expected", "passed"),
    [
        ([A, A], [0, 10], 2, [0]),
        ([A, B, B, A], [0, 1, 2, 3], 2, [0, 1]),
        ([A, A, A, A], [0, 1, 2, 3], 2, [0, 2]),
        ([A, A, A, A], [0, 1, 2, 3], 3, [0, 3]),
        ([A, A], [0, 101], 2, [0, 1]),
        ([A, A], [0, 100], 2, [0]),
        ([A, A, A], [0, 101, 102], 2, [0, 1]),
        ([A, A], [0, 0], 1, [0, 1]),
        ([A, A], [0, 0], 0, [0, 1]),
        ([A, A], [50, 40], 2, [0, 1]),  # a clock that was set back
        ([A, A[:-1], A], [0, 1, 2], 2, [0, 1]),
        ([b"", b""], [0, 1], 2, [0]),
        ([A * 300, A * 300, A * 300 + b"x"], [0, 1, 2], 2, [0, 2]),
    ],
)
def test_only_expected_doubles_are_taken_out(
    either: ModuleType, data: list[bytes], times: list[int], expected: int, passed: list[int]
) -> None:
    assert sift(either.Window(100, KEY), data, times, expected) == passed


def test_a_window_remembers_between_calls(either: ModuleType) -> None:
    window = either.Window(100, KEY)
    assert sift(window, [A, B], [0, 1]) == [0, 1]
    assert sift(window, [B, A, B], [50, 51, 52]) == [2]
    assert window.forgotten == 0


def test_a_window_is_bounded_and_says_what_it_forgot(either: ModuleType) -> None:
    window = either.Window(1_000_000, KEY, bits=2)
    data = [b"%04d" % at for at in range(500)]
    assert sift(window, data, list(range(500))) == list(range(500))
    assert window.forgotten >= 500 - 32
    with pytest.raises(ValueError, match="16 bytes"):
        either.Window(1, b"short")


@pytest.mark.skipif(not loops.compiled, reason="the tap's loops are not built")
def test_both_windows_agree_on_random_frames() -> None:
    drawn = seed()
    print("seed", drawn)
    random = Random(drawn)
    pool = [random.randbytes(random.randrange(0, 40)) for _ in range(30)]
    data = [random.choice(pool) for _ in range(3000)]
    times = np.cumsum([random.randrange(0, 40) for _ in data]).tolist()
    expected = [random.randrange(0, 4) for _ in data]
    ways = [sift(module.Window(500, KEY), data, times, expected) for module in (loops, plain_loops)]
    assert ways[0] == ways[1]
    assert 0 < len(ways[0]) < 3000
