"""What one side sends, as columns: kinds, order, lengths, and the lines of the rules."""

from __future__ import annotations

import numpy as np

from ztfast.engine.engine import Engine
from ztfast.engine.side_copies import Lines
from ztfast.frames.batch import FrameBatch
from ztfast.lang import compile_text

RULES = """\
tee 8 1111111111 framesize 0-20;
watch -1 2222222222 framesize 21-40;
redirect 3333333333 framesize 41-60;
break framesize 61-80;
cap late
  id 3
  default
  tee 4 4444444444 framesize 0-100;
  accept framesize 0-100;
;
accept framesize 0-100;
"""
SIZES = [10, 30, 50, 70, 90]


def copies(backend: str) -> list[tuple[str, bool, int, int, int, int]]:
    """(kind, from a capability, frame, target, length, line) of every copy sent."""
    engine = Engine(compile_text(RULES), side="out", backend=backend)
    batch = FrameBatch.from_frames([bytes(14 + size) for size in SIZES])
    verdicts = engine.evaluate(batch).sender
    assert verdicts is not None
    return [
        (copy.kind, copy.from_capability, at, *(int(column[at]) for column in copy[3:]))
        for copy in engine.side_copies(verdicts, batch)
        for at in np.flatnonzero(copy.sent).tolist()
    ]


def test_every_kind_with_its_line(backend: str) -> None:
    assert copies(backend) == [
        ("tee", True, 3, 0x4444444444, 4, 8),
        ("tee", False, 0, 0x1111111111, 8, 1),
        ("watch", False, 1, 0x2222222222, 30, 2),
        ("redirect", False, 2, 0x3333333333, 50, 3),
    ]


def test_a_line_is_looked_up_in_its_own_rule_set() -> None:
    lines = Lines(
        np.array([5, 6, 0], np.int32),
        (np.array([7, 0], np.int32), np.array([8, 9, 10, 0], np.int32)),
    )
    entry = np.array([0, 1, -1, 0, 2, -1], np.int32)
    capability = np.array([-1, -1, -1, 0, 1, 1], np.int16)
    assert lines.of(entry, capability).tolist() == [5, 6, 0, 7, 10, 0]
