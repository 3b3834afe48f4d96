"""Rings as the kernel fills them, and frames in columns, made by hand for the tests."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.live.frames import Columns, Frames

BLOCK = 4096
USER, VLAN, TPID = 1, 1 << 4, 1 << 6
_MAC = 96  # where a frame begins behind its header, with four bytes of reserve in front


class RingFrame(NamedTuple):
    """A frame as it stands in a block; length: None: as much as there is."""

    data: bytes
    length: int | None = None
    time: int = 0
    tag: tuple[int, int] | None = None  # (TPID, 0: the kernel gives none; TCI)


def block(frames: Sequence[RingFrame], status: int = USER, size: int = BLOCK) -> bytearray:
    """One block of a TPACKET_V3 ring."""
    made = bytearray(size)
    struct.pack_into("=IIII", made, 4, 0, status, len(frames), 48)
    at = 48
    for frame in frames:
        step = (_MAC + len(frame.data) + 15) & ~15
        flags, tpid, tci = 0, 0, 0
        if frame.tag is not None:
            tpid, tci = frame.tag
            flags = VLAN | (TPID if tpid else 0)
        seconds, rest = divmod(frame.time, 1_000_000_000)
        length = len(frame.data) if frame.length is None else frame.length
        head = (step, seconds, rest, len(frame.data), length, flags, _MAC, _MAC + 14, 0, tci, tpid)
        struct.pack_into("=IIIIIIHHIIH", made, at, *head)
        made[at + _MAC : at + _MAC + len(frame.data)] = frame.data
        at += step
    return made


def ring(*blocks: bytearray) -> npt.NDArray[np.uint8]:
    """Blocks as one piece of memory."""
    return np.frombuffer(bytearray(b"".join(blocks)), np.uint8)


def frames_of(
    data: Sequence[bytes],
    lengths: Sequence[int] | None = None,
    times: Sequence[int] | None = None,
) -> Frames:
    """Frames in columns with some room behind them."""
    count, room = len(data), len(data) + 3
    columns = Columns.of(room)
    sizes = [len(one) for one in data]
    columns.offsets[:count] = np.cumsum([0, *sizes])[:count]
    columns.captured[:count] = sizes
    columns.lengths[:count] = sizes if lengths is None else lengths
    columns.times[:count] = 0 if times is None else times
    buffer = np.frombuffer(bytearray(b"".join(data) + b"\0"), np.uint8)
    return Frames(buffer, columns, count)
