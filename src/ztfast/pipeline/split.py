"""Splitting a judged capture: frames by verdict, rule or member, and every copy to its target.

Contract: takes packet batches with their verdicts and writes to a `SplitSink`.  A copy's file
holds what its target receives, in the order of the frames: `tee-ADDRESS` cut to the tee's
length, `watch-ADDRESS` to the watch's, `redirect-ADDRESS` whole.
Tested by tests/pipeline/test_split.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ztfast.capture.packets import PacketBatch
from ztfast.engine.network_verdicts import Action, Verdicts
from ztfast.errors import usage
from ztfast.frames.batch import ETHERNET_HEADER, FrameBatch
from ztfast.sinks.chosen import Comments
from ztfast.sinks.files import SplitSink

if TYPE_CHECKING:
    from ztfast.pipeline.deliveries import Deliveries

WAYS = ("verdict", "rule", "member")
_VERDICTS = {Action.ACCEPT: "accepted", Action.DROP: "dropped", Action.REDIRECT: "redirected"}
KINDS = (*_VERDICTS.values(), "tee", "watch", "redirect")

Index = npt.NDArray[np.int64]


class Splitter:
    """Writes each batch's frames and copies where they belong.

    kinds: only these of `KINDS`, split by verdict; None: all.
    """

    def __init__(
        self, sink: SplitSink, by: str = "verdict", kinds: frozenset[str] | None = None
    ) -> None:
        if by not in WAYS:
            raise usage(f"cannot split by {by!r}", f"use one of: {', '.join(WAYS)}")
        self._sink = sink
        self._by = by
        self._kinds = frozenset(KINDS) if kinds is None else kinds
        if by == "verdict":
            sink.begin(name for name in ("accepted", "dropped") if name in self._kinds)

    def write(
        self,
        packets: PacketBatch,
        frames: FrameBatch,
        verdicts: Verdicts,
        members: npt.NDArray[np.uint64] | None = None,
        deliveries: Deliveries | None = None,
        comments: Comments | None = None,
    ) -> None:
        """Write a batch.

        members: uint64[n], the ZeroTier address of each frame's sender.  deliveries: what arrived
        where; None: not known, and copies are written as they were sent.  comments: of the frames.
        """
        for name, index in self._groups(verdicts, members):
            self._sink.write(name, packets, index, comments)
        header = header_lengths(packets, frames)
        if deliveries is not None:
            self._write_arrived(packets, deliveries.arrived, header)
            return
        for (kind, target), (index, length) in copies_by_target(verdicts).items():
            if kind in self._kinds:
                self._sink.copies(kind, target, packets, index, length, header[index])

    def _write_arrived(self, packets: PacketBatch, arrived: Deliveries, header: Index) -> None:
        from ztfast.pipeline.deliveries import COPIES

        for kind in COPIES:
            if kind.name.lower() not in self._kinds:
                continue
            of_kind = arrived.where(arrived.kind == kind)
            for target, sent in grouped(of_kind.to):
                where = np.repeat(sent, of_kind.times[sent])
                index = of_kind.frame[where]
                payload = of_kind.length[where] - np.uint32(ETHERNET_HEADER)
                self._sink.copies(kind.name.lower(), target, packets, index, payload, header[index])

    def _groups(
        self, verdicts: Verdicts, members: npt.NDArray[np.uint64] | None
    ) -> Iterator[tuple[str, Index]]:
        if self._by == "verdict":
            for action, name in _VERDICTS.items():
                if name not in self._kinds:
                    continue
                index = np.flatnonzero(verdicts.action == action)
                if len(index):
                    yield name, index
        elif self._by == "rule":
            yield from _by_rule(verdicts)
        elif members is None:
            raise usage("nobody said who the members are", "give --network, or split by verdict")
        else:
            for address, index in grouped(members):
                yield f"member-{address:010x}" if address else "member-unknown", index


def header_lengths(packets: PacketBatch, frames: FrameBatch) -> Index:
    """Bytes in front of each frame's payload, int64[n]."""
    if frames.fields is None:
        return np.full(len(packets), ETHERNET_HEADER, np.int64)
    return frames.offsets - packets.offsets


def copies_by_target(
    verdicts: Verdicts,
) -> dict[tuple[str, int], tuple[Index, npt.NDArray[np.uint32]]]:
    """For each kind and target the frames copied there (ascending) and the payload lengths.

    A frame that both sides, or a capability and the base rules, copy is there as often.
    """
    parts: dict[tuple[str, int], list[tuple[Index, npt.NDArray[np.uint32]]]] = {}
    for column in verdicts.copy_columns():
        sent = np.flatnonzero(column.sent)
        for target, where in grouped(column.target[sent]):
            index = sent[where]
            parts.setdefault((column.kind, target), []).append((index, column.length[index]))
    out: dict[tuple[str, int], tuple[Index, npt.NDArray[np.uint32]]] = {}
    for key, found in parts.items():
        index = np.concatenate([part for part, _ in found])
        length = np.concatenate([part for _, part in found]).astype(np.uint32)
        order = np.argsort(index, kind="stable")
        out[key] = index[order], length[order]
    return out


def _by_rule(verdicts: Verdicts) -> Iterator[tuple[str, Index]]:
    """By the deciding rule's line; where rules have no lines, by entry and capability."""
    line = verdicts.line.astype(np.int64)
    place = (verdicts.capability.astype(np.int64) + 1 << 32) + verdicts.entry + 1
    for key, index in grouped(np.where(line > 0, line, -1 - place)):
        if key > 0:
            yield f"rule-line-{key}", index
            continue
        capability, entry = divmod(-1 - key, 1 << 32)
        name = f"entry-{entry - 1}" if entry else "none"
        own = f"capability-{capability - 1}-" if capability else ""
        yield f"rule-{own}{name}", index


def grouped(values: npt.NDArray[Any]) -> Iterator[tuple[int, Index]]:
    """Each different value and where it stands, ascending."""
    if not len(values):
        return
    order = np.argsort(values, kind="stable")
    different, first = np.unique(values[order], return_index=True)
    yield from zip(different.tolist(), np.split(order, first[1:]), strict=True)
