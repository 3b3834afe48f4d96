"""Frames of one kind, many at once, are those that `frames.build` makes one by one."""

from __future__ import annotations

import random

import numpy as np
import pytest

from ztfast.frames import build
from ztfast.frames.template import patched


def column(values: list[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(values), np.uint8).reshape(len(values), -1)


@pytest.mark.parametrize("width", [4, 16])
def test_checksums_are_those_of_each_packet(width: int) -> None:
    rng = random.Random(width)
    sources = [rng.randbytes(width) for _ in range(200)]
    dests = [rng.randbytes(width) for _ in range(200)]
    body = build.tcp_body(50000, 443, 2, b"data")
    template = build.ip_packet(bytes(width), bytes(width), build.TCP, body)
    first = 12 if width == 4 else 8
    header = 20 if width == 4 else 40
    sums = {header + 16: (first, first + width)}
    if width == 4:
        sums[10] = (first, first + width)
    rows = patched(template, {first: column(sources), first + width: column(dests)}, sums)
    for row, source, dest in zip(rows, sources, dests, strict=True):
        assert row.tobytes() == build.ip_packet(source, dest, build.TCP, body)


def test_nothing_is_no_rows() -> None:
    rows = patched(b"abcd", {0: np.zeros((0, 2), np.uint8)}, {2: (0,)})
    assert rows.shape == (0, 4)
