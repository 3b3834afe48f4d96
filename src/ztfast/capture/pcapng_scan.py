"""Scanning from block to block of a pcapng section: the twin of `scan_records` for pcapng.

Contract (`scan_blocks`): the plain version here and a compiled one give the same answer for
the same arguments, and neither reads outside `buffer[start:end]`.
Tested by tests/capture/test_pcapng_scan.py.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np

from ztfast import dispatch
from ztfast.capture.packets import MAX_FRAMES, Buffer, Int64s, Uint32s

OK = 0
BAD_LENGTH = 1
BAD_TRAILER = 2
SECTION = 3

SECTION_HEADER = 0x0A0D_0D0A
INTERFACE, OLD_PACKET, SIMPLE_PACKET, ENHANCED_PACKET = 1, 2, 3, 6
MAX_BLOCK = 16 * 1024 * 1024


class ScannedBlocks(NamedTuple):
    """What `scan_blocks` found: the columns, where it stopped, and why."""

    types: Uint32s
    starts: Int64s
    ends: Int64s
    next: int
    error: int


def scan_blocks(
    buffer: Buffer,
    start: int,
    end: int,
    swapped: bool,
    max_blocks: int = MAX_FRAMES,
    max_block: int = MAX_BLOCK,
) -> ScannedBlocks:
    """Scan the blocks of a pcapng section from byte `start` of `buffer` up to byte `end`.

    A block is its type and total length (32 bits each, in the other byte order than little
    endian where `swapped`), a body, and the total length again.  Gives `types` uint32[n],
    `starts` and `ends` int64[n], `next` (always the start of a block), and `error`: `OK`
    where the next block is not complete before `end` (or nothing is left, or `max_blocks`
    were found), `BAD_LENGTH` where its length is no multiple of 4 from 12 to `max_block`,
    `BAD_TRAILER` where its two lengths differ, `SECTION` where it is a section header (of
    which only the type was looked at).
    """
    arguments = (buffer, start, end, swapped, max_blocks, max_block)
    if hasattr(dispatch.core, "scan_blocks"):
        return scan_compiled(*arguments)
    return scan_plain(*arguments)


def scan_compiled(
    buffer: Buffer, start: int, end: int, swapped: bool, max_blocks: int, max_block: int
) -> ScannedBlocks:
    """`scan_blocks` by the compiled loop."""
    space = max(0, min(max_blocks, (end - start) // 12))
    types, places = np.empty(space, np.uint32), np.empty(space + 1, np.int64)
    count, place, error = dispatch.require().scan_blocks(
        buffer, start, end, swapped, max_block, types, places
    )
    return ScannedBlocks(types[:count], places[:count], places[1 : count + 1], place, error)


def scan_plain(
    buffer: Buffer, start: int, end: int, swapped: bool, max_blocks: int, max_block: int
) -> ScannedBlocks:
    """`scan_blocks` in Python."""
    order = ">" if swapped else "<"
    head, tail = struct.Struct(order + "II").unpack_from, struct.Struct(order + "I").unpack_from
    types: list[int] = []
    places = [start]
    error = OK
    while len(types) < max_blocks and start + 8 <= end:
        kind, size = head(buffer, start)
        if kind == SECTION_HEADER:
            error = SECTION
            break
        if size < 12 or size & 3 or size > max_block:
            error = BAD_LENGTH
            break
        if start + size > end:
            break
        if tail(buffer, start + size - 4)[0] != size:
            error = BAD_TRAILER
            break
        start += size
        types.append(kind)
        places.append(start)
    edges = np.array(places, np.int64)
    return ScannedBlocks(np.array(types, np.uint32), edges[:-1], edges[1:], start, error)
