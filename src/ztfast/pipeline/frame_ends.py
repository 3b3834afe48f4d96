"""Who each frame is from and for: ZeroTier addresses and IP addresses, and choosing frames by them.

Contract: columns of n items, one a frame.  Members are found as the engine finds them
(network.resolve); a multicast is for nobody in particular.  Tested by
tests/pipeline/test_frame_ends.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.engine.endpoints import endpoints
from ztfast.engine.engine import Engine
from ztfast.engine.native import Mark
from ztfast.engine.network_verdicts import Action, Verdicts
from ztfast.errors import usage
from ztfast.frames.batch import FrameBatch
from ztfast.frames.columns import IP_COLUMNS, Column, FrameKind
from ztfast.network.batch_context import UNKNOWN_MEMBER
from ztfast.network.resolve import resolve
from ztfast.pipeline.rows import decoded
from ztfast.pipeline.scan import Judged
from ztfast.pipeline.tally import VERDICTS

if TYPE_CHECKING:
    from ztfast.network.names import MemberNames
    from ztfast.pipeline.decisions import Decision
    from ztfast.pipeline.judge import Judgement

Uint64s = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]
_MOST_NAMED, _MOST_COUNTED = 5, 10_000


class FrameEnds:
    """Finds the ZeroTier addresses of frames' senders and receivers; 0 where not known."""

    def __init__(self, engine: Engine) -> None:
        known = engine.network is not None
        self._index = engine.members() if known else None
        self._compiled = engine.backend == "native"

    def __call__(self, frames: FrameBatch) -> tuple[Uint64s, Uint64s]:
        """Sender and receiver of each frame, uint64[n] each."""
        if self._index is None:
            nobody = np.zeros(len(frames), np.uint64)
            return nobody, nobody
        found = resolve(self._index, "out", endpoints(frames, self._compiled))
        return found.zt_source, found.zt_dest


class Strangers:
    """Counts frames that no member of the engine's network sent, and those for an address of none.

    An observer of a job.  Frames for a MAC behind a bridge are the bridges', and count for nobody.
    """

    def __init__(self, engine: Engine) -> None:
        assert engine.network is not None
        self._network = engine.network
        self._index, self._compiled = engine.members(), engine.backend == "native"
        self.sent = Counter[int]()
        self.received = Counter[int]()

    def __call__(self, item: Judgement, _: object = None) -> None:
        """Count a batch; address 0: nobody knows whose."""
        if item.frames is None:
            return
        frames = item.frames
        if isinstance(item.packets.judged, Judged):  # the scan marked them
            marked = item.packets.judged.marked(Mark.STRANGER)
            frames = frames if marked is None else frames.take(np.flatnonzero(marked))
        found = resolve(self._index, "out", endpoints(frames, self._compiled))
        source, dest = found.zt_source, found.zt_dest
        _count(self.sent, source[found.sender == UNKNOWN_MEMBER])
        _count(self.received, dest[(dest != 0) & (found.remote == UNKNOWN_MEMBER)])

    def line(self) -> str:
        """What was found in one line; "" for nothing."""
        parts = [
            f"{_frames(counts)} {how}{self._names(counts)}"
            for counts, how in (
                (self.sent, "from no member of the network"),
                (self.received, "to no member of the network"),
            )
            if counts
        ]
        return f"{', '.join(parts)}: nodes do not deliver these" if parts else ""

    def _names(self, counts: Counter[int]) -> str:
        known = {member.address for member in self._network.members}
        names = [self._network.member_name(one) for one, _ in counts.most_common() if one in known]
        return f" ({shown_names(names)}, not authorized)" if names else ""


def shown_names(names: list[str]) -> str:
    """The first of these, and how many more there are."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _frames(counts: Counter[int]) -> str:
    many = counts.total()
    return "1 frame" if many == 1 else f"{many:,} frames"


def _count(counts: Counter[int], addresses: Uint64s) -> None:
    different, times = np.unique(addresses, return_counts=True)
    for address, many in zip(different.tolist(), times.tolist(), strict=True):
        if address in counts or len(counts) < _MOST_COUNTED:
            counts[address] += many
        else:
            counts[0] += many


class End(NamedTuple):
    """What an option names: a member by its address, or a packed IP address."""

    member: int = 0
    ip: bytes = b""


def read_end(option: str, text: str, names: MemberNames | None) -> End:
    """The member or IP address that an option names; raises UsageError for anything else."""
    member = names.find(text) if names is not None else None
    if member is not None:
        return End(member.address)
    try:
        return End(ip=ip_address(text).packed)
    except ValueError:
        pass
    if names is not None:
        names.member(option, text)  # raises, with the names that are near
    raise usage(
        f"{option}: {text!r:.60} is not an IP address", "for names of members add --network"
    )


class Choice(NamedTuple):
    """Which frames are wanted; an empty set of anything: all of them.

    verdicts: accept, drop, redirect.  lines: of deciding rules, or of includes of macros that
    brought them.  senders, receivers: any of these.
    """

    verdicts: frozenset[str] = frozenset()
    lines: frozenset[int] = frozenset()
    senders: frozenset[End] = frozenset()
    receivers: frozenset[End] = frozenset()

    def of(
        self,
        frames: FrameBatch,
        verdicts: Verdicts,
        ends: tuple[Uint64s, Uint64s],
        decisions: tuple[Sequence[Decision], npt.NDArray[np.intp]],
    ) -> npt.NDArray[np.intp]:
        """The wanted frames of a batch, ascending.

        ends: as `FrameEnds` gives them; decisions: as `Decisions.of` does.
        """
        wanted = np.ones(len(frames), np.bool_)
        if self.verdicts:
            actions = [action for action in Action if VERDICTS[action] in self.verdicts]
            wanted &= np.isin(verdicts.action, actions)
        if self.lines:
            wanted &= _decided_in(decisions, self.lines)
        for asked, addresses, which in (
            (self.senders, ends[0], "SOURCE"),
            (self.receivers, ends[1], "DEST"),
        ):
            if asked:
                members = [end.member for end in asked if end.member]
                found = np.isin(addresses, np.array(members, np.uint64))
                ips = [end.ip for end in asked if end.ip]
                wanted &= (found | _has_ip(frames, ips, which)) if ips else found
        return np.flatnonzero(wanted)


def _decided_in(
    decisions: tuple[Sequence[Decision], npt.NDArray[np.intp]], lines: frozenset[int]
) -> Bools:
    """Which frames a rule of these lines decided."""
    known, which = decisions
    chosen = np.array([one.line in lines or one.included in lines for one in known], np.bool_)
    return chosen[which]


def _has_ip(frames: FrameBatch, ips: Iterable[bytes], which: str) -> Bools:
    """Which frames have one of these addresses at that end."""
    fields = decoded(frames, IP_COLUMNS)
    found = np.zeros(len(frames), np.bool_)
    for ip in ips:
        number = int.from_bytes(ip, "big")
        if len(ip) == 4:
            is_ip = (fields[Column.KIND] & FrameKind.IPV4) != 0
            found |= is_ip & (fields[Column[f"IP4_{which}"]] == number)
        else:
            is_ip = (fields[Column.KIND] & FrameKind.IPV6) != 0
            high, low = fields[Column[f"IP6_{which}_HIGH"]], fields[Column[f"IP6_{which}_LOW"]]
            half = np.uint64(number & (1 << 64) - 1)
            found |= is_ip & (high == np.uint64(number >> 64)) & (low == half)
    return found
