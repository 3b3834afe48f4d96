"""The receiving side of multicast: one evaluation for each member that can judge differently.

Contract: a multicast frame is accepted where any receiver accepts it.  Receivers with the same
tags and NDP emulation whose address no rule names judge alike, so one stands for all of
them and is counted as often.  The frame's own sender is never its receiver.
Tested by tests/engine/test_multicast.py.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ztfast.engine.side_verdicts import SIDE_COLUMNS, SideVerdicts
from ztfast.frames.batch import FrameBatch
from ztfast.model.kinds import Kind
from ztfast.model.view import View
from ztfast.network.batch_context import BatchContext, MemberTable
from ztfast.network.resolve import Endpoints, IpColumn, multicast_receivers

_ADDRESSES = (
    Kind.MATCH_SOURCE_ZEROTIER_ADDRESS,
    Kind.MATCH_DEST_ZEROTIER_ADDRESS,
    Kind.ACTION_TEE,
    Kind.ACTION_WATCH,
    Kind.ACTION_REDIRECT,
)


class Receiving(Protocol):
    """The receiving direction of an engine, as far as it is needed here."""

    view: View
    table: MemberTable

    def batch_context(
        self, count: int, where: Endpoints | None, first: int, receiver: int | None = None
    ) -> BatchContext:
        """Who is who, `receiver` being the member that judges."""
        ...

    def evaluate_context(self, batch: FrameBatch, batch_context: BatchContext) -> SideVerdicts:
        """This direction's verdicts."""
        ...


def evaluate_multicast(
    side: Receiving,
    batch: FrameBatch,
    where: Endpoints,
    many: npt.NDArray[np.bool_],
    verdicts: SideVerdicts,
    first: int,
) -> tuple[SideVerdicts, npt.NDArray[np.uint32]]:
    """(the receiving side with multicast judged, members that accepted each frame: uint32[n])."""
    columns = {name: np.array(getattr(verdicts, name)) for name in SIDE_COLUMNS}
    receivers = verdicts.accepted.astype(np.uint32)
    index = np.flatnonzero(many)
    sender = side.batch_context(len(batch), where, first).sender[index]
    part, there = batch.take(index), _take(where, index)
    accepting = np.zeros(len(index), dtype=np.uint32)
    reads = np.zeros(len(index), dtype=np.uint16)
    filled = np.zeros(len(index), dtype=np.bool_)
    for members in receiver_classes(side.view, side.table):
        judged = _judged_by(side, part, there, int(members[0]), first, index)
        others = len(members) - np.isin(sender, members).astype(np.uint32)
        takes_part = others > 0
        reads |= np.where(takes_part, judged.reads, np.uint16(0))
        news = takes_part & ~(filled & ~judged.accepted) & (accepting == 0)
        filled |= takes_part
        for name, column in columns.items():
            column[index[news]] = getattr(judged, name)[news]
        accepting += np.where(judged.accepted, others, 0).astype(np.uint32)
    columns["reads"][index] = reads
    receivers[index] = accepting
    return SideVerdicts("in", columns), receivers


def _judged_by(
    side: Receiving,
    part: FrameBatch,
    there: Endpoints,
    member: int,
    first: int,
    index: npt.NDArray[np.intp],
) -> SideVerdicts:
    batch_context = side.batch_context(len(part), there, first, receiver=member)
    batch_context.number[:] = first + index
    return side.evaluate_context(part, batch_context)


def receiver_classes(view: View, table: MemberTable) -> list[npt.NDArray[np.int32]]:
    """The members grouped by whether they can judge differently, in ascending order."""
    named = _named_addresses(view)
    classes: dict[tuple[Any, ...], list[int]] = {}
    for member in multicast_receivers(table).tolist():
        address = int(table.address[member])
        tags = (table.tag_present[:, member].tobytes(), table.tag_value[:, member].tobytes())
        emulates = int(table.emulates[member])
        key = (*tags, emulates, address if address in named else None)
        classes.setdefault(key, []).append(member)
    return [np.array(members, dtype=np.int32) for members in classes.values()]


def _named_addresses(view: View) -> frozenset[int]:
    sets = (view.base, *view.capabilities)
    return frozenset(
        entry.value[0] or 0 for entries in sets for entry in entries if entry.kind in _ADDRESSES
    )


def _take(where: Endpoints, index: npt.NDArray[np.intp]) -> Endpoints:
    def known(column: npt.NDArray[np.bool_] | None) -> npt.NDArray[np.bool_] | None:
        return None if column is None else column[index]

    def ips(column: IpColumn | None) -> IpColumn | None:
        if column is None:
            return None
        return IpColumn(column.version[index], column.high[index], column.low[index])

    return Endpoints(
        where.mac_source[index],
        where.mac_dest[index],
        known(where.mac_source_known),
        known(where.mac_dest_known),
        ips(where.ip_source),
        ips(where.ip_dest),
    )
