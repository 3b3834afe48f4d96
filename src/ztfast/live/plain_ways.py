"""Ways out of a lane in plain Python: what `Way`, `Messages` and `Records` of `ztfast/_tap.pyx` do.

Contract: frames are chosen for an output and sent by the loops alone while nothing hinders that;
what does is told to the output, which knows what to do.  Each class says here what both do.
Tested by tests/live/test_plain_ways.py, for both.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Any

from ztfast.live.frames import Chosen, Frames, Judged
from ztfast.live.plain_loops import Int64s, Uint8s, Uint64s, pack, pick_copies, pick_frames, send

COPIES = -2  # instead of an action: frames of which there are copies
Rest = Callable[[Frames, Chosen, int, int, int, int], None]


class Way:
    """Which frames go to an output, and how.

    route: a live.routes.Route, who sends what cannot go directly.  which: the action of the frames,
    −1: any, COPIES: those of which there are copies.  direct: sends; None: the route does always.
    copies, found: copies that went this way, and frames of which they were, so far.
    """

    def __init__(self, route: Any, which: int, direct: Direct | None) -> None:
        self.route, self.direct = route, direct
        self._which = which
        self.copies = self.found = 0

    def want(self, wanted: Uint8s, chosen: Chosen) -> None:
        """wanted: 1 for targets whose copies are, by number; chosen: room for the frames."""
        self._wanted, self.chosen = wanted, chosen

    def pick(self, judged: Judged, frames: Frames) -> int:
        """How many frames go this way; which they are stands in `chosen`."""
        _, captured, lengths, _ = frames.columns
        if self._which == COPIES:
            rows = judged.row_frame, judged.row_target, judged.row_limit, judged.rows
            found, copies = pick_copies(*rows, self._wanted, captured, lengths, *self.chosen)
        else:
            asked = judged.action, frames.size, self._which, captured, lengths
            found = copies = pick_frames(*asked, *self.chosen)
        self.copies += copies
        self.found += found
        return found


class Direct:
    """What a lane sends to by itself while `descriptor` is not negative.

    sent, octets: frames that went out so far, and bytes.
    """

    def __init__(self) -> None:
        self.descriptor = -1
        self.sent: int = 0
        self.octets: int = 0

    def send(self, frames: Frames, chosen: Chosen, count: int) -> bool:
        """Send the chosen frames: was nobody else needed?"""
        raise NotImplementedError


class Messages(Direct):
    """Each frame is a message, with `header` in front.

    errors: those that fail are counted by the error's number, and `failed` is called then.
    """

    def __init__(self, header: Uint8s, errors: Uint64s, failed: Callable[[], None]) -> None:
        super().__init__()
        self._header, self._errors, self._failed = header, errors, failed

    def send(self, frames: Frames, chosen: Chosen, count: int) -> bool:
        """Send the chosen frames: did none fail?"""
        buffer, offsets = frames.buffer, frames.columns.offsets
        what = buffer, offsets, chosen.numbers, chosen.kept, 0, count
        _, sent, octets = send(self.descriptor, *what, self._header, False, self._errors)
        self.sent += sent
        self.octets += octets
        if sent == count:
            return True
        self._failed()
        return False


class Records(Direct):
    """Each frame is a record of a stream, as `pack` makes it.

    blocks: of pcapng.  scratch, ends: room for records.  Where a pipe does not take all, `rest` is
    given the frames, the chosen ones, how many these are, how many are packed, how many of these
    lie in `scratch`, and how many bytes of them are written.
    """

    def __init__(self, blocks: bool, scratch: Uint8s, ends: Int64s, rest: Rest) -> None:
        super().__init__()
        self._blocks, self._scratch, self._ends, self._rest = blocks, scratch, ends, rest

    def send(self, frames: Frames, chosen: Chosen, count: int) -> bool:
        """Write the chosen frames: did the pipe take all?"""
        columns, done = frames.columns, 0
        what = frames.buffer, columns.offsets, columns.times, *chosen[:3]
        while done < count:
            before = done
            to = frames.interface, self._scratch, self._ends
            done, used = pack(self._blocks, *what, before, count, *to)
            written = 0
            with contextlib.suppress(OSError):
                written = os.write(self.descriptor, self._scratch[:used].data)
            if written < used:
                self._rest(frames, chosen, count, done, done - before, written)
                return False
            self.sent += done - before
            self.octets += used
        return True
