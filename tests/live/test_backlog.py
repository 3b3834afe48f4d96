"""Records that wait for a reader: bounded, whole, and counted."""

from __future__ import annotations

from random import Random

import numpy as np

from tests.seeds import seed
from ztfast.live.backlog import Backlog

DATA = memoryview(b"aaabbbbccdddd")
ENDS = np.array([3, 7, 9, 13])


def test_all_that_fits_waits_and_comes_out_in_order() -> None:
    backlog = Backlog(100)
    assert backlog.add(DATA, ENDS) == 0
    assert (backlog.size, backlog.frames) == (13, 4)
    assert bytes(backlog.next) == bytes(DATA)
    assert backlog.written(5) == 1
    assert bytes(backlog.next) == b"bbccdddd"
    assert backlog.written(2) == 1
    assert backlog.written(6) == 2
    assert (backlog.size, backlog.frames) == (0, 0)


def test_what_is_out_already_does_not_wait() -> None:
    backlog = Backlog(100)
    assert backlog.add(DATA, ENDS, 7) == 0
    assert bytes(backlog.next) == b"ccdddd"
    assert backlog.add(DATA, ENDS, 13) == 0
    assert backlog.frames == 2


def test_the_last_ones_have_no_room() -> None:
    backlog = Backlog(9)
    assert backlog.add(DATA, ENDS) == 1
    assert (backlog.size, backlog.frames) == (9, 3)
    assert backlog.add(DATA, ENDS) == 4


def test_a_record_whose_first_bytes_are_out_stays() -> None:
    backlog = Backlog(1)
    assert backlog.add(DATA, ENDS, 4) == 2
    assert bytes(backlog.next) == b"bbb"
    assert backlog.written(3) == 1


def test_a_record_larger_than_the_queue_waits_where_nothing_else_does() -> None:
    backlog = Backlog(2)
    assert backlog.add(DATA, ENDS) == 3
    assert backlog.add(DATA, ENDS) == 4
    assert backlog.clear() == 1
    assert (backlog.size, backlog.frames) == (0, 0)


def test_random_writes_lose_nothing() -> None:
    drawn = seed()
    print("seed", drawn)
    random = Random(drawn)
    backlog, expected, got = Backlog(300), b"", b""
    taken = refused = finished = 0
    for _ in range(400):
        records = [random.randbytes(random.randrange(1, 60)) for _ in range(random.randrange(1, 6))]
        ends = np.cumsum([len(record) for record in records])
        left = backlog.add(memoryview(b"".join(records)), ends)
        expected += b"".join(records[: len(records) - left])
        taken, refused = taken + len(records) - left, refused + left
        while backlog.size and random.random() < 0.7:
            some = random.randrange(0, len(backlog.next) + 1)
            got += bytes(backlog.next[:some])
            finished += backlog.written(some)
        assert backlog.size <= 360
        assert taken == finished + backlog.frames
    while backlog.size:
        got += bytes(backlog.next)
        finished += backlog.written(len(backlog.next))
    assert got == expected
    assert taken == finished
    assert refused > 0
