"""Many frames of one kind: a frame's bytes once for each row, with other addresses in each.

Contract: `patched` copies a template and writes columns of bytes into it; checksums that cover
what was written are made right by adding to them.  Patches stand at even offsets and have an
even width, and the template holds zeros there.  Source: RFC 1624, updating an Internet checksum.
Tested by tests/frames/test_template.py, against `frames.build`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]


def patched(
    template: bytes, patches: Mapping[int, Bytes], sums: Mapping[int, tuple[int, ...]]
) -> Bytes:
    """uint8[n, len(template)]: the template with each row's own bytes.

    patches: offset to uint8[n, width].  sums: offset of a checksum to the offsets of the patches
    that it covers; an offset named twice is covered twice.
    """
    count = max((len(column) for column in patches.values()), default=0)
    rows = np.tile(np.frombuffer(template, np.uint8), (count, 1))
    for at, column in patches.items():
        rows[:, at : at + column.shape[1]] = column
    for at, covered in sums.items():
        _add_to_checksum(rows, at, [patches[offset] for offset in covered])
    return rows


def _add_to_checksum(rows: Bytes, at: int, columns: list[Bytes]) -> None:
    given = rows[:, at].astype(np.uint32) << 8 | rows[:, at + 1]
    total = given ^ np.uint32(0xFFFF)
    for column in columns:
        total = total + _words(column)
    for _ in range(2):
        total = (total & np.uint32(0xFFFF)) + (total >> np.uint32(16))
    total ^= np.uint32(0xFFFF)
    rows[:, at], rows[:, at + 1] = total >> np.uint32(8), total & np.uint32(0xFF)


def _words(column: Bytes) -> npt.NDArray[np.uint32]:
    """The sum of each row's 16-bit words."""
    high, low = column[:, 0::2].astype(np.uint32), column[:, 1::2].astype(np.uint32)
    found: npt.NDArray[np.uint32] = ((high << 8) + low).sum(axis=1, dtype=np.uint32)
    return found
