"""Judging a capture: each batch with its verdicts, judged as it comes or while it was scanned.

Contract: `judge` gives one packet batch its verdicts; `judgements` does it for all of a capture
and chooses the scan.  A batch of an unknown link type has no verdicts.
Tested by tests/pipeline/test_judge.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from ztfast.capture.many import Captures
from ztfast.capture.open import Capture
from ztfast.capture.packets import PacketBatch
from ztfast.capture.pcap_scan import RecordScan
from ztfast.engine.engine import Engine
from ztfast.engine.native import Mark
from ztfast.engine.network_verdicts import Verdicts
from ztfast.errors import usage
from ztfast.frames.batch import FrameBatch
from ztfast.pipeline.scan import Counted, CountingScan, Judged, JudgingScan

_ETHERNET = 1


class Judgement(NamedTuple):
    """A packet batch, its frames as rules see them, and the verdicts on them.

    frames and verdicts are None where the link type is not known, and where frames were only
    counted: `counted` holds the counts then, `packets` the accepted frames where they are wanted,
    and `apart` is the judgement of those that counting does not do for (pipeline.scan), or None;
    `later` are these where the caller judges them.
    """

    packets: PacketBatch
    frames: FrameBatch | None
    verdicts: Verdicts | None
    counted: Counted | None = None
    apart: Judgement | None = None
    later: PacketBatch | None = None


def judge(
    engine: Engine, packets: PacketBatch, *, vlan: str = "tag", threads: int = 1
) -> Judgement:
    """The verdicts on a packet batch, as `open_capture` gives them.

    vlan: "tag" reads VLAN tags as a node does (ethertype 0x8100), "decode" looks behind them.
    threads: how many share the batch (native backend).
    """
    if isinstance(packets.judged, Counted):
        return _counted(engine, packets, packets.judged)
    if packets.linktype != _ETHERNET and not _is_known(packets.linktype):
        return Judgement(packets, None, None)
    frames = FrameBatch.from_packets(packets, vlan)
    if isinstance(packets.judged, Judged):
        found = packets.judged
        undirected = found.marked(Mark.UNDIRECTED)
        verdicts = engine.verdicts(frames, found.outputs, undirected, packets.first)
        return Judgement(packets, frames, verdicts)
    return Judgement(packets, frames, engine.evaluate(frames, first=packets.first, threads=threads))


def _counted(engine: Engine, packets: PacketBatch, counted: Counted) -> Judgement:
    """A batch whose frames were counted: those apart are judged now."""
    marks = counted.apart
    if not marks.any():
        return Judgement(packets, None, None, counted)
    apart = judge(engine, packets.chosen(np.flatnonzero(marks)))
    kept = ~marks
    if apart.verdicts is not None:
        kept[marks] = apart.verdicts.accepted
    accepted = packets.chosen(np.flatnonzero(kept), counted)
    return Judgement(accepted, None, None, counted, apart)


def _is_known(linktype: int) -> bool:
    from ztfast.frames.links import is_known  # not needed for Ethernet: start-up stays short

    return is_known(linktype)


def judgements(
    engine: Engine,
    capture: Capture | Captures | Iterable[PacketBatch],
    *,
    vlan: str = "tag",
    threads: int = 1,
    counts: bool = False,
    keeps: bool = False,
    follows: bool = False,
    defers: bool = False,
) -> Iterator[Judgement]:
    """Each batch of a capture, judged.  A merge judges frames in their final order.

    counts: figures are all that is wanted, and the accepted frames where the caller `keeps`
    them.  Frames may then be counted while they are found (`Judgement.counted`).  follows: so may
    be what becomes of their copies and redirects (`Counted.sent`).  defers: frames apart are handed
    on (`Judgement.later`), to be judged many together.
    """
    batches: Iterable[PacketBatch] = capture
    if isinstance(capture, (Capture, Captures)):
        batches = capture.batches(chosen_scan(engine, capture, vlan, counts, keeps, follows))
    elif not hasattr(capture, "__iter__"):
        raise usage(
            f"a capture must be opened, or batches of packets, not {type(capture).__name__}",
            "use ztfast.open_capture(path)",
        )
    for packets in batches:
        if defers and isinstance(packets.judged, Counted):
            yield _deferred(packets, packets.judged)
        else:
            yield judge(engine, packets, vlan=vlan, threads=threads)


def _deferred(packets: PacketBatch, counted: Counted) -> Judgement:
    """A batch whose frames were counted, but for those apart."""
    marks = counted.apart
    later = packets.chosen(np.flatnonzero(marks)) if marks.any() else None
    accepted = packets.chosen(np.flatnonzero(~marks), counted)
    return Judgement(accepted, None, None, counted, later=later)


def chosen_scan(
    engine: Engine,
    capture: Capture | Captures,
    vlan: str,
    counts: bool,
    keeps: bool,
    follows: bool = False,
) -> RecordScan | None:
    """The scan to read with, where this engine can judge on the way; else None."""
    if engine.scan_evaluator is None or vlan != "tag" or capture.merge:
        return None
    # Counting keeps no places: a limit needs them, and the reader looks at the last records
    # after damage.
    counting = counts and capture.limit is None and not capture.session.resync

    return CountingScan(engine, keeps, follows) if counting else JudgingScan(engine)
