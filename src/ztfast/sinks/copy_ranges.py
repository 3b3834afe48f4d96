"""Copying stretches of a buffer out: runs of neighbours in one piece, fewest copies.

Contract: pure functions over a buffer and int64 columns; nothing is read outside the given
stretches, which the readers have checked.  Short runs are collected in a scratch buffer that
stays in the cache and is written from there; the compiled `copy_ranges` does that where it is
there, with the same bytes.  Tested by tests/sinks/test_copy_ranges.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import numpy as np

from ztfast import dispatch
from ztfast.capture.packets import Buffer, Int64s

_WHOLE = 4096  # mean bytes of a run from which on handing over views beats copying them
_SCRATCH = 1 << 18
_STEP = 4096  # runs that are collected at a time without the compiled loop

Gather = Callable[[Any, Int64s, Int64s, int, Any], tuple[int, int]]


def runs(starts: Int64s, ends: Int64s) -> tuple[Int64s, Int64s]:
    """Join stretches that follow each other without a gap: the fewest that cover the same."""
    if len(starts) < 2:
        return starts, ends
    breaks = np.flatnonzero(starts[1:] != ends[:-1])
    first = np.concatenate(([0], breaks + 1))
    last = np.concatenate((breaks, [len(starts) - 1]))
    return starts[first], ends[last]


def gather(buffer: Buffer, starts: Int64s, ends: Int64s) -> bytes:
    """The stretches, one behind the other."""
    return b"".join(_views(buffer, starts, ends))


def interleave(headers: bytes, size: int, buffer: Buffer, starts: Int64s, ends: Int64s) -> bytes:
    """For each stretch its header (`size` bytes of `headers`), then the stretch."""
    fronts = memoryview(headers)
    at = range(0, len(headers), size)
    front = map(fronts.__getitem__, map(slice, at, range(size, len(headers) + size, size)))
    body = _views(buffer, starts, ends)
    return b"".join(chain.from_iterable(zip(front, body, strict=True)))


def pieces(buffer: Buffer, starts: Int64s, ends: Int64s) -> Iterator[list[memoryview]]:
    """The stretches in groups of views; each is to be written before the next is asked for."""
    starts, ends = runs(starts, ends)
    if not len(starts):
        return
    if int((ends - starts).sum()) >= _WHOLE * len(starts):
        yield list(_views(buffer, starts, ends))
        return
    compiled: Gather | None = getattr(dispatch.core, "copy_ranges", None)
    if compiled is not None:
        yield from _collected(compiled, buffer, starts, ends)
        return
    for low in range(0, len(starts), _STEP):
        part = slice(low, low + _STEP)
        yield [memoryview(gather(buffer, starts[part], ends[part]))]


def _collected(
    compiled: Gather, buffer: Buffer, starts: Int64s, ends: Int64s
) -> Iterator[list[memoryview]]:
    """Scratch buffers full of stretches; one that is longer than that is a view itself."""
    scratch = np.empty(_SCRATCH, np.uint8)
    filled = memoryview(scratch.data)
    view = memoryview(buffer).cast("B")
    starts, ends = np.ascontiguousarray(starts), np.ascontiguousarray(ends)
    at = 0
    while at < len(starts):
        at, used = compiled(buffer, starts, ends, at, scratch)
        if used:
            yield [filled[:used]]
        elif at < len(starts):
            yield [view[int(starts[at]) : int(ends[at])]]
            at += 1


def _views(buffer: Buffer, starts: Int64s, ends: Int64s) -> Iterator[memoryview]:
    view = memoryview(buffer).cast("B")
    return map(view.__getitem__, map(slice, starts.tolist(), ends.tolist()))
