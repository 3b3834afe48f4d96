from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ztfast.errors import UsageError
from ztfast.serve.captures import Captures, TooLarge


@pytest.fixture
def captures() -> Iterator[Captures]:
    made = Captures(10, most_kept=2)
    yield made
    made.close()


async def chunks(*parts: bytes, gone: bool = False) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    if gone:
        raise ConnectionError("the browser has left")


def received(captures: Captures, *parts: bytes) -> str:
    return asyncio.run(captures.receive(chunks(*parts)))[0]


def folder_of(captures: Captures) -> Path:
    return Path(captures.path(received(captures, b"x"))).parent


def test_a_capture_is_written_as_it_comes(captures: Captures) -> None:
    name, size = asyncio.run(captures.receive(chunks(b"abc", b"", b"defghij")))
    assert size == 10
    assert Path(captures.path(name)).read_bytes() == b"abcdefghij"
    assert Path(captures.path(name)).parent.stat().st_mode & 0o77 == 0 or os.name == "nt"


def test_no_byte_more_than_may_be_is_kept(captures: Captures) -> None:
    folder = folder_of(captures)
    with pytest.raises(TooLarge):
        received(captures, b"x" * 10, b"y")
    assert len(list(folder.iterdir())) == 1


def test_what_ends_early_leaves_nothing(captures: Captures) -> None:
    folder = folder_of(captures)
    with pytest.raises(ConnectionError):
        asyncio.run(captures.receive(chunks(b"abc", gone=True)))
    assert len(list(folder.iterdir())) == 1


def test_the_oldest_goes_where_there_are_too_many(captures: Captures) -> None:
    first, second, third = (received(captures, b"x") for _ in range(3))
    with pytest.raises(UsageError, match="not here any more"):
        captures.path(first)
    assert Path(captures.path(second)).exists()
    assert len(list(Path(captures.path(third)).parent.iterdir())) == 2


def test_removed_is_removed(captures: Captures) -> None:
    name = received(captures, b"x")
    path = Path(captures.path(name))
    captures.remove(name)
    captures.remove(name)
    assert not path.exists()


@pytest.mark.parametrize("name", ["", "..", "/etc/passwd", "../x", "x\0y"])
def test_a_name_is_no_path(captures: Captures, name: str) -> None:
    received(captures, b"x")
    with pytest.raises(UsageError):
        captures.path(name)
    captures.remove(name)


def test_the_folder_goes_at_the_end() -> None:
    captures = Captures(10)
    folder = folder_of(captures)
    captures.close()
    assert not folder.exists()
    captures.close()


def test_a_few_arrive_at_a_time(captures: Captures) -> None:
    async def ask() -> None:
        go = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            await go.wait()
            yield b"x"

        coming = [asyncio.create_task(captures.receive(slow())) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(UsageError, match="arriving"):
            await captures.receive(slow())
        go.set()
        assert len(await asyncio.gather(*coming)) == 2

    asyncio.run(ask())
