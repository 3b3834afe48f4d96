"""Twenty frames, and all of them chosen, for tests of outputs."""

from __future__ import annotations

import numpy as np

from tests.live.building import frames_of
from ztfast.live.frames import Chosen

DATA = [bytes([at]) * (60 + at) for at in range(20)]
FRAMES = frames_of(DATA, times=[at * 1_000_000_007 for at in range(20)])


def everything() -> tuple[Chosen, int]:
    """All of them, each said to have had 1,000 bytes."""
    chosen = Chosen.of(20)
    chosen.numbers[:] = np.arange(20)
    chosen.kept[:] = FRAMES.columns.captured[:20]
    chosen.noted[:] = 1000
    return chosen, 20
