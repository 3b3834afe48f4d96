"""Memory for columns that is used again once nobody holds it any more.

Contract: `BufferPool` gives uninitialised memory that no living array shares.  Why: a large
array is given back to the operating system when it is freed, and the next one's pages are
then mapped and cleared anew, which for results of a batch costs as much as judging it.
Tested by tests/frames/test_buffer_pool.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from weakref import ReferenceType, ref

import numpy as np
import numpy.typing as npt

_FEW = 8192  # items; smaller arrays the allocator keeps at hand itself
_SMALL = 1 << 16  # bytes; likewise
_MOST = 1 << 26  # bytes of a block that is kept
_KEPT = 2  # blocks: the last batch's block is often still held when the next is asked for
_LINE = 64


class _Block(NamedTuple):
    """Memory, and the array that it is lent out through: dead once nobody looks into it.

    That array is the base of every other one, and of views of these.  (Counting references to
    the memory instead would need to know how each version of Python counts.)
    """

    memory: memoryview
    loan: ReferenceType[npt.NDArray[np.uint8]]


class BufferPool:
    """A few blocks of memory, `most` of them; may be used by several threads.

    A block that arrays still look into is left to them.
    """

    def __init__(self, most: int = _KEPT) -> None:
        self._most = most
        self._kept: list[_Block] = []

    def __reduce__(self) -> tuple[type[BufferPool], tuple[int]]:
        return BufferPool, (self._most,)

    def take(self, count: int, types: tuple[npt.DTypeLike, ...]) -> tuple[npt.NDArray[Any], ...]:
        """An array of `count` items for each numpy type, uninitialised."""
        if count < _FEW:
            return tuple([np.empty(count, kind) for kind in types])
        sizes = [-(-count * np.dtype(kind).itemsize // _LINE) * _LINE for kind in types]
        block, at = self.block(sum(sizes)), 0
        found: list[npt.NDArray[Any]] = []
        for kind, size in zip(types, sizes, strict=True):
            found.append(np.ndarray(count, kind, block, at))
            at += size
        return tuple(found)

    def block(self, size: int) -> npt.NDArray[np.uint8]:
        """So many bytes, uninitialised."""
        if size < _SMALL:
            return np.empty(size, np.uint8)
        memory = self._memory(size + _LINE)
        loan = np.frombuffer(memory, np.uint8)
        at = -loan.__array_interface__["data"][0] % _LINE
        if len(memory) <= _MOST:
            self._kept.append(_Block(memory, ref(loan)))
            del self._kept[: -self._most]
        return loan[at : at + size]

    def _memory(self, size: int) -> memoryview:
        """A kept block that is large enough and free, or a new one."""
        for _ in range(self._most):
            try:
                block = self._kept.pop(0)  # whoever takes it out has it alone
            except IndexError:
                break
            if len(block.memory) >= size and block.loan() is None:
                return block.memory
            self._kept.append(block)
        return np.empty(size, np.uint8).data
