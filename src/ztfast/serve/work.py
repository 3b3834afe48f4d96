"""Answering in threads: a few at a time, a bounded number waiting, none that holds up the end.

Contract: `Workers.run` gives what a function returns or raises; the event loop goes on meanwhile.
`Busy` where too many wait already.  A place is free again when its function is done, not when the
one who asked has left.  The threads are daemons: nobody waits for them when the process ends.
Tested by tests/serve/test_work.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
MOST_WAITING = 32


class Busy(Exception):
    """Too many questions wait already."""


class Workers:
    """Threads for the questions of a page; most: how many work at once.  Belongs to one loop."""

    def __init__(self, most: int, most_waiting: int = MOST_WAITING) -> None:
        self._free = asyncio.Semaphore(most)
        self._waiting, self._most_waiting = 0, most_waiting
        self.working = 0

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` gives, made in a thread of its own; raises Busy, or what it raises."""
        if self._waiting >= self._most_waiting:
            raise Busy
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        self.working += 1
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        made = threading.Thread(target=self._work, args=(loop, answer, work), daemon=True)
        made.start()
        return await answer

    def _work(
        self, loop: asyncio.AbstractEventLoop, answer: asyncio.Future[T], work: Callable[[], T]
    ) -> None:
        """In the thread: work, and hand the answer over, if anybody is there to take it."""
        result: Any = None
        problem: BaseException | None = None
        try:
            result = work()
        except BaseException as error:
            problem = error
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(self._settle, answer, result, problem)

    def _settle(self, answer: asyncio.Future[T], result: T, problem: BaseException | None) -> None:
        self.working -= 1
        self._free.release()
        if answer.done():  # the one who asked has left
            return
        if problem is None:
            answer.set_result(result)
        else:
            answer.set_exception(problem)
