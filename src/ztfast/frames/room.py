"""Memory for columns that is used again once nobody holds it any more.

Contract: `Room.take` gives uninitialised memory that no living array shares.  Why: a large
array is given back to the operating system when it is freed, and the next one's pages are
then mapped and cleared anew, which for results of a batch costs as much as judging it.
Tested by tests/frames/test_room.py.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt

_FEW = 8192  # items; smaller arrays the allocator keeps at hand itself
_MOST = 1 << 26  # bytes of a block that is kept
_KEPT = 2  # the last batch's block is often still held when the next is asked for
_LINE = 64
_ALONE = 2  # references to a block that nobody else holds: the variable and the argument


class Room:
    """A few blocks of memory; may be used by several threads.

    A block that arrays still look into is left to them.
    """

    def __init__(self) -> None:
        self._kept: list[npt.NDArray[np.uint8]] = []

    def __reduce__(self) -> tuple[type[Room], tuple[()]]:
        return Room, ()

    def take(self, count: int, types: tuple[Any, ...]) -> tuple[npt.NDArray[Any], ...]:
        """An array of `count` items for each numpy type, uninitialised."""
        if count < _FEW:
            return tuple([np.empty(count, kind) for kind in types])
        sizes = [-(-count * np.dtype(kind).itemsize // _LINE) * _LINE for kind in types]
        block = self._block(sum(sizes) + _LINE)
        at = -block.ctypes.data % _LINE
        found = []
        for kind, size in zip(types, sizes, strict=True):
            found.append(np.ndarray(count, kind, block, at))
            at += size
        if len(block) <= _MOST:
            self._kept.append(block)
            del self._kept[:-_KEPT]
        return tuple(found)

    def _block(self, size: int) -> npt.NDArray[np.uint8]:
        """A kept block that is large enough and free, or a new one."""
        for _ in range(_KEPT):
            try:
                block = self._kept.pop(0)  # whoever takes it out has it alone
            except IndexError:
                break
            if len(block) >= size and sys.getrefcount(block) == _ALONE:
                return block
            self._kept.append(block)
        return np.empty(size, np.uint8)
