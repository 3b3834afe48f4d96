"""Seeds and rounds of random tests: `ZTFAST_SEED=` repeats a run, `ZTFAST_ROUNDS=` and
`ZTFAST_FRAMES=` make it longer.

Contract: a test prints the seed that it drew, or names it in its failure, and takes it back here.
"""

from __future__ import annotations

import os
import time


def seed(default: int | None = None) -> int:
    """The seed that was asked for, else the default, else (None) another one every time."""
    given = os.environ.get("ZTFAST_SEED")
    if given is not None:
        return int(given)
    return time.time_ns() if default is None else default


def rounds(default: int) -> int:
    """How often, where nobody asked for more or less."""
    return int(os.environ.get("ZTFAST_ROUNDS", default))


def frames(default: int) -> int:
    """Frames a round, likewise."""
    return int(os.environ.get("ZTFAST_FRAMES", default))
