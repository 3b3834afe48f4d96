"""How often each frame comes to a tap that receives the copies of both sides, by the rules.

Contract: where the members are known, a frame comes to a sensor as often as `pipeline.deliver` says
that it arrives there: once for each copy of sender and receivers, and as itself where it is meant
for it.  Where they are not, twice: the sender's copy and the receiver's.
Tested by tests/live/test_routes.py.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ztfast.live.frames import Frames
from ztfast.live.judge import LiveJudge

UNKNOWN = 2


def comings(judge: LiveJudge, frames: Frames) -> npt.NDArray[np.int32] | None:
    """int32[n, targets]: how often each frame comes to each target; None where nobody knows.

    targets: as in `LiveJudge.addresses`.
    """
    if not judge.engine.can_deliver:
        return None
    found = judge.delivery.deliver(frames.batch()).arrived
    targets = len(judge.addresses)
    number = np.minimum(np.searchsorted(judge.addresses, found.to), max(0, targets - 1))
    ours = np.zeros(0, np.bool_) if not targets else judge.addresses[number] == found.to
    key = found.frame[ours] * targets + number[ours] if targets else np.zeros(0, np.int64)
    counts = np.bincount(key, minlength=frames.size * targets)
    return counts.reshape(frames.size, targets).astype(np.int32)


def expected(
    arriving: npt.NDArray[np.int32] | None,
    wanted: npt.NDArray[np.uint8],
    index: npt.NDArray[np.int64],
) -> npt.NDArray[np.int32]:
    """How often each frame of `index` comes to the one of the wanted targets that gets it most."""
    if arriving is None:
        return np.full(len(index), UNKNOWN, np.int32)
    mine = arriving[index][:, wanted.view(np.bool_)[: arriving.shape[1]]]
    most: npt.NDArray[np.int32] = mine.max(axis=1, initial=0).astype(np.int32)
    return most
