"""Reading ahead: the next batch is read, and judged on the way, while the one before is used.

Contract: `read_ahead` gives the items of an iterator in their order and raises what it raises, at
the same place.  One item more is held.  Only for what never waits for another program: ending
early waits for the item that is being made.  Tested by tests/pipeline/test_ahead.py.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")


def read_ahead(items: Iterable[_Item]) -> Generator[_Item, None, None]:
    """The same items; a thread makes each while the one before is in use."""
    iterator = iter(items)
    nothing = object()
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, iterator, nothing)
        while (item := coming.result()) is not nothing:
            coming = pool.submit(next, iterator, nothing)
            yield item  # type: ignore[misc]
