"""Which frames go to which output: copies by their target, or frames by what becomes of them.

Contract: a route counts what is meant for its output, takes out doubles, and hands the rest over.
Several copies of one frame for one output are one: the longest.
Tested by tests/live/test_routes.py.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ztfast.engine.network_verdicts import Action
from ztfast.errors import usage
from ztfast.live import loops
from ztfast.live.doubles import comings, expected
from ztfast.live.frames import Chosen, Frames, Judged
from ztfast.live.judge import LiveJudge
from ztfast.live.output import Output
from ztfast.live.plain_ways import COPIES
from ztfast.model.addresses import parse_address
from ztfast.network.names import MemberNames

SENDS = {
    "copies": COPIES,
    "accepted": int(Action.ACCEPT),
    "dropped": int(Action.DROP),
    "all": -1,
}
_NANOSECONDS = 1_000_000


class Route:
    """One output and what it gets; member: whose copies, None: everybody's.

    send: a word of SENDS.  dedup_ms: in how many milliseconds doubles count, None: they are sent.
    """

    def __init__(
        self, output: Output, member: str | None, send: str, dedup_ms: int | None = None
    ) -> None:
        self.output, self._member, self._which = output, member, SENDS[send]
        self._window = None
        if dedup_ms is not None:
            self._window = loops.Window(dedup_ms * _NANOSECONDS, secrets.token_bytes(16))
        self.way = loops.Way(self, self._which, None if self._window else output.direct)
        self._wanted: npt.NDArray[np.uint8] = np.zeros(1, np.uint8)
        self._chosen = Chosen.of(0)
        self.way.want(self._wanted, self._chosen)

    @property
    def finds_doubles(self) -> bool:
        """Are doubles looked for?"""
        return self._window is not None

    @property
    def forgotten(self) -> int:
        """Frames whose doubles could not be waited for, since there were too many."""
        return 0 if self._window is None else self._window.forgotten

    def bind(self, judge: LiveJudge) -> bool:
        """Choose by these rules; raises UsageError for an unknown member.

        Returns whether any rule sends copies to this output.
        """
        addresses = judge.addresses
        wanted = np.ones(len(addresses), np.bool_)
        if self._member is not None:
            wanted = addresses == np.uint64(_address(judge, self._member))
        self._wanted = np.append(wanted, False).astype(np.uint8)
        self.way.want(self._wanted, self._chosen)
        return bool(wanted.any())

    def make_room(self, count: int) -> None:
        """Room to choose among so many frames."""
        if count > len(self._chosen.numbers):
            self._chosen = Chosen.of(count)
            self.way.want(self._wanted, self._chosen)

    def settle(self) -> None:
        """Count what went the direct way."""
        way, counts = self.way, self.output.counts
        counts.copies += way.copies
        counts.deduplicated += way.copies - way.found
        way.copies = way.found = 0
        self.output.settle()

    def choose(
        self, judged: Judged, frames: Frames, arriving: npt.NDArray[np.int32] | None
    ) -> tuple[Chosen, int]:
        """The frames for the output, and how many; counted, and without doubles.

        arriving: as live.doubles.comings gives it.
        """
        self.make_room(frames.size)
        chosen, counts = self._chosen, self.output.counts
        found, copies = self._pick(judged, frames)
        if self._window is None:
            counts.copies += copies
            counts.deduplicated += copies - found
            return chosen, found
        # each frame that came is itself one of the copies that the rules make
        chosen.copies[:found] = expected(arriving, self._wanted, chosen.numbers[:found])
        buffer, columns = frames.buffer, frames.columns
        passed = self._window.sift(buffer, columns.offsets, columns.times, *chosen, found)
        counts.copies += found
        counts.deduplicated += found - passed
        return chosen, passed

    def _pick(self, judged: Judged, frames: Frames) -> tuple[int, int]:
        _, captured, lengths, _ = frames.columns
        if self._which == COPIES:
            rows = judged.row_frame, judged.row_target, judged.row_limit, judged.rows
            return loops.pick_copies(*rows, self._wanted, captured, lengths, *self._chosen)
        asked = judged.action, frames.size, self._which, captured, lengths
        found = loops.pick_frames(*asked, *self._chosen)
        return found, found


def send_all(routes: Sequence[Route], judge: LiveJudge, judged: Judged, frames: Frames) -> None:
    """Hand frames to every output."""
    arriving = None
    if any(route.finds_doubles for route in routes):
        arriving = comings(judge, frames)
    for route in routes:
        chosen, count = route.choose(judged, frames, arriving)
        if count:
            route.output.send(frames, chosen, count)


def _address(judge: LiveJudge, member: str) -> int:
    network = judge.engine.network
    if network is not None and network.active_members():
        return MemberNames(network).member("--to", member).address
    address = parse_address(member)
    if address is None:
        what = f"--to {member[:40]}=…: without members only ZeroTier addresses are known"
        raise usage(what, "give --network, or the address of 10 hex digits")
    return address
