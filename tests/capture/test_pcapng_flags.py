"""Packets that say themselves how long their check sequence is (epb_flags)."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest

from tests.capture.building import interface, packet, section
from ztfast.capture import open_capture
from ztfast.frames.batch import FrameBatch

FRAME = bytes(12) + b"\x08\x00" + bytes(50)
COMMENT = (1, b"hello")


def flags(fcs: int, order: str) -> tuple[int, bytes]:
    return 2, struct.pack(order + "I", 0x1 | fcs << 5)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("declared", [0, 2])
def test_flags_count_before_the_interface(order: str, declared: int) -> None:
    options = [
        (None, declared),
        ([flags(4, order)], 4),
        ([COMMENT, flags(4, order)], 4),
        ([flags(0, order), COMMENT], declared),
        ([COMMENT], declared),
        ([(2, b"\1")], declared),
        ([COMMENT] * 63 + [flags(1, order)], 1),
        ([COMMENT] * 64 + [flags(1, order)], declared),
    ]
    pairs = [(13, bytes([declared]))] if declared else []
    packets = [packet(FRAME, pairs=one, order=order) for one, _ in options]
    data = section(order) + interface(pairs=pairs, order=order) + b"".join(packets)
    found: list[int] = []
    with open_capture(io.BytesIO(data)) as capture:
        for batch in capture:
            assert list(batch.frames()) == [FRAME] * len(batch)
            frames = FrameBatch.from_packets(batch)
            whole = len(FRAME) - (0 if frames.fields is None else 14)
            found += (whole - frames.lengths.astype(np.int64)).tolist()
    assert found == [fcs for _, fcs in options]


def test_options_that_lie_are_read_as_far_as_they_go() -> None:
    bad = packet(FRAME, pairs=[(2, b"\xff\xff\xff\xff")])
    at = bad.index(struct.pack("<HH", 2, 4))
    for size in (0, 3, 5, 0xFFFF):
        one = bad[: at + 2] + struct.pack("<H", size) + bad[at + 4 :]
        with open_capture(io.BytesIO(section() + interface() + one)) as capture:
            assert sum(map(len, capture)) == 1
