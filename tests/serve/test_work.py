from __future__ import annotations

import asyncio
import threading

import pytest

from ztfast.serve.work import Busy, Workers


def test_an_answer_and_an_error_come_back() -> None:
    async def ask() -> None:
        workers = Workers(1)
        assert await workers.run(lambda: 42) == 42
        with pytest.raises(ZeroDivisionError):
            await workers.run(lambda: 1 // 0)
        assert await workers.run(lambda: 43) == 43
        assert workers.working == 0

    asyncio.run(ask())


def test_the_loop_goes_on_and_no_more_work_at_once_than_may() -> None:
    async def ask() -> None:
        workers, go = Workers(2), threading.Event()
        asked = [asyncio.create_task(workers.run(go.wait)) for _ in range(5)]
        while workers.working < 2:
            await asyncio.sleep(0)
        for _ in range(100):
            await asyncio.sleep(0)
        assert workers.working == 2
        go.set()
        assert await asyncio.gather(*asked) == [True] * 5

    asyncio.run(ask())


def test_too_many_are_sent_away() -> None:
    async def ask() -> None:
        workers, go = Workers(1, most_waiting=1), threading.Event()
        first = asyncio.create_task(workers.run(go.wait))
        await asyncio.sleep(0)
        second = asyncio.create_task(workers.run(go.wait))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await workers.run(go.wait)
        go.set()
        assert await asyncio.gather(first, second) == [True, True]
        assert await workers.run(lambda: "free again") == "free again"

    asyncio.run(ask())


def test_a_place_stays_taken_while_the_one_who_asked_has_left() -> None:
    async def ask() -> None:
        workers, go = Workers(1), threading.Event()
        left = asyncio.create_task(workers.run(go.wait))
        while not workers.working:
            await asyncio.sleep(0)
        left.cancel()
        with pytest.raises(asyncio.CancelledError):
            await left
        assert workers.working == 1
        go.set()
        assert await workers.run(lambda: "next") == "next"

    asyncio.run(ask())
