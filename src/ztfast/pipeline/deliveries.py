"""What was sent for frames and what became of it: columns, and their words.

Contract: plain columns, one item a sending, as `pipeline.deliver` makes them.
Tested by tests/pipeline/test_deliver.py.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
Uint32s = npt.NDArray[np.uint32]
Uint64s = npt.NDArray[np.uint64]
Uint8s = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]


class Kind(IntEnum):
    """Why a frame was sent to a member."""

    FRAME = 0
    MULTICAST = 1
    TEE = 2
    WATCH = 3
    REDIRECT = 4


class Fate(IntEnum):
    """What became of what was sent: it arrived, or why it did not."""

    ARRIVED = 0
    RULES = 1  # the receiving node's rules dropped it, or sent it on elsewhere
    NO_MEMBER = 2  # nobody of that address belongs to the network
    OWN_FRAME = 3  # it came back to the member whose MAC it has as its source
    FOREIGN_SOURCE = 4  # its source MAC is not the sending node's, which is no bridge
    FOREIGN_DEST = 5  # its destination MAC is not the receiving node's, which is no bridge
    MULTICAST_OFF = 6  # the network has a multicast limit of 0
    ENDLESS = 7  # it was still being sent on after MAX_HOPS rounds or MAX_SENDINGS sendings


COPIES = (Kind.TEE, Kind.WATCH, Kind.REDIRECT)
WHY = {
    Fate.ARRIVED: "arrived",
    Fate.RULES: "dropped by its rules",
    Fate.NO_MEMBER: "no such member",
    Fate.OWN_FRAME: "its own frame",
    Fate.FOREIGN_SOURCE: "source MAC not sender's",
    Fate.FOREIGN_DEST: "not its MAC, no bridge",
    Fate.MULTICAST_OFF: "multicast is off",
    Fate.ENDLESS: "never ends, given up",
}


_TYPES = (
    *(np.int64, np.uint64, np.uint8, np.uint64, np.uint32),
    *(np.int32, np.uint8, np.int32, np.int64),
)


class Deliveries(NamedTuple):
    """What was sent for a batch's frames, one item a sending, by frame and then as it happened.

    frame: int64, index in the batch.  to, sent_by: uint64 ZeroTier addresses.  kind: uint8
    `Kind`.  length: uint32, original bytes with the Ethernet header, as sent.  line: int32,
    source line of the rule that sent it, 0 for the frame itself and where rules have no lines.
    fate: uint8 `Fate`.  fate_line: int32, line of the receiving node's rule that decided, 0 none.
    times: int64, how many sendings the item stands for: 1, or where recipients that are alike were
    followed together, their number; `to` and `sent_by` are one of them then, but for the target of
    a copy, which is the same for all.
    """

    frame: Int64s
    to: Uint64s
    kind: Uint8s
    sent_by: Uint64s
    length: Uint32s
    line: Int32s
    fate: Uint8s
    fate_line: Int32s
    times: Int64s

    def where(self, chosen: Bools) -> Deliveries:
        """Some of them."""
        return Deliveries._make(column[chosen] for column in self)

    @property
    def arrived(self) -> Deliveries:
        """Those that reached a tap."""
        return self.where(self.fate == Fate.ARRIVED)

    @property
    def copies(self) -> Deliveries:
        """Copies and redirects, without the frames themselves."""
        return self.where(np.isin(self.kind, COPIES))


def no_deliveries() -> Deliveries:
    """Nothing was sent."""
    return Deliveries._make(np.zeros(0, kind) for kind in _TYPES)
