"""What a tap says at its end."""

from __future__ import annotations

import io
import json

from tests.live.snapshots import snapshot
from ztfast.live.summary import print_summary


def summary(as_json: bool) -> str:
    out = io.StringIO()
    print_summary(snapshot(), as_json, out, "{:010x}".format)
    return out.getvalue()


def test_tables() -> None:
    assert summary(False).endswith(
        """
interface  received  dropped by the kernel  judged  missing
zt0               5                      1       4        0

output       copies  sent  doubles  refused  missing
packet:to         6     1        2        3        0
[red]fifo:x       0     0        0        0        0

refused: 3 by packet:to: queue full

half of the frames were held for less than 768 microseconds
"""
    )
    assert summary(False).startswith("verdict   frames  bytes\naccept         3    180\n")


def test_one_object() -> None:
    assert json.loads(summary(True)) == snapshot().to_json()
