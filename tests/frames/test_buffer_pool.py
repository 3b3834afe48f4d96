"""Memory that is used again: never while anybody looks into it."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import pytest

from ztfast.frames.buffer_pool import BufferPool

TYPES = (np.int64, np.uint8, np.int32)


def test_arrays_are_what_was_asked_for_and_share_nothing() -> None:
    for count in (0, 1, 1000, 100_000):
        arrays = BufferPool().take(count, TYPES)
        assert [array.dtype for array in arrays] == [np.dtype(kind) for kind in TYPES]
        assert [len(array) for array in arrays] == [count] * 3
        for number, array in enumerate(arrays):
            array[:] = number
        expected = [{number} if count else set() for number in range(3)]
        assert [set(array.tolist()) for array in arrays] == expected


def test_memory_comes_back_only_when_the_last_view_is_gone() -> None:
    pool = BufferPool()
    first = pool.take(100_000, TYPES)
    place = first[0].ctypes.data
    part = first[2][5:7]
    assert pool.take(100_000, TYPES)[0].ctypes.data != place
    del first
    assert pool.take(90_000, TYPES)[0].ctypes.data != place
    view = memoryview(part)
    del part
    assert pool.take(100_000, TYPES)[0].ctypes.data != place
    del view
    found = {pool.take(80_000, TYPES)[0].ctypes.data for _ in range(4)}
    assert len(found) <= 2


def test_a_larger_batch_gets_new_memory() -> None:
    pool = BufferPool()
    del_me = pool.take(10_000, TYPES)
    del del_me
    large = pool.take(200_000, TYPES)
    large[0][:] = 7
    assert (large[0] == 7).all()


def test_threads_never_get_the_same_memory() -> None:
    pool, wrong = BufferPool(), []

    def work(number: int) -> None:
        for _ in range(300):
            arrays = pool.take(20_000, TYPES)
            arrays[2][:] = number
            arrays[0][::7] = number
            if not ((arrays[2] == number).all() and (arrays[0][::7] == number).all()):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_it_pickles_without_its_memory() -> None:
    pool = BufferPool()
    pool.take(100_000, TYPES)
    assert len(pickle.dumps(pool)) < 200


@pytest.mark.parametrize("count", [8191, 8192])
def test_the_border_between_small_and_large(count: int) -> None:
    assert all(len(array) == count for array in BufferPool().take(count, TYPES))
