"""What the compiled loops are handed beside frames: facts about members, by frame or once.

Contract: `input_columns` gathers the columns of one batch, one item a frame; `side_facts` says
what holds for every frame where one batch context does.  Columns are C-contiguous and of the
widths that `NativeSide.widths` says.  Header columns are made inside the loops unless the batch
has them already.  Tested by the differential tests (tests/differential/compare.py, "columns
ready") and tests/network/test_resolve_model.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast import dispatch
from ztfast.engine.native_tables import (
    ADDRESS_COLUMNS,
    Columns,
    NativeSide,
    SideFacts,
    tag_column,
    unknown_bits,
)
from ztfast.frames.batch import FrameBatch
from ztfast.network.batch_context import BatchContext, MemberTable
from ztfast.program.opcodes import FIRST_OWN_COLUMN, Chr, Column, Owned
from ztfast.program.program import FRAME_FACTS, Fact


class InputColumns(NamedTuple):
    """One side's columns of one batch.

    columns: (number, array of n items).  missing: uint32[n], bits of MISSING that come from facts
    nobody gave, or None.  use_exact: the exact table is to run everywhere.
    """

    columns: Columns
    missing: npt.NDArray[np.uint32] | None
    use_exact: bool


def side_facts(side: NativeSide, seed: int, batch_context: BatchContext | None) -> SideFacts:
    """What the machine is told once; batch_context: every frame's, of one frame, or None."""
    facts = SideFacts(
        inbound=int(side.program.view.direction == "in"),
        seed=seed & 0xFFFFFFFFFFFFFFFF,
        watched=side.watched,
        random=int(side.random),
    )
    if batch_context is None:
        return facts
    columns = [*_address_columns(side, batch_context), *_own_columns(side, batch_context)]
    return facts._replace(
        constants=[(column, np.ascontiguousarray(array[:1])) for column, array in columns],
        context=int(unknown_bits(batch_context)[0]) & side.watched,
        assumed=_assumed(batch_context.members),
        ownership=int(Column.OWNERSHIP in side.columns),
    )


def input_columns(
    side: NativeSide, batch: FrameBatch, batch_context: BatchContext, fixed: bool, ready: bool
) -> InputColumns:
    """What one side needs of one batch beside its frames.

    fixed: what does not change from frame to frame is in the machine already.
    ready: the batch's decoded columns are handed in instead of its frames.
    """
    columns: Columns = list(batch.ready.items()) if ready else []
    missing = None
    if not fixed:
        columns.extend(_address_columns(side, batch_context))
        columns.extend(_own_columns(side, batch_context))
        if Column.OWNERSHIP in side.columns:
            columns.append((Column.OWNERSHIP, _owned(batch, batch_context)))
        if side.watched:
            missing = unknown_bits(batch_context) & np.uint32(side.watched)
    integers, some_missing = _integer_columns(side, batch)
    columns.extend(integers)
    whole = [(column, np.ascontiguousarray(array)) for column, array in columns]
    return InputColumns(whole, missing, some_missing)


def _assumed(members: MemberTable) -> int:
    ip = Owned.IP if members.assumed_ipauth else 0
    return int(ip | (Owned.MAC if members.assumed_macauth else 0))


def _address_columns(side: NativeSide, batch_context: BatchContext) -> Columns:
    arrays = (batch_context.zt_source, batch_context.zt_dest, batch_context.node)
    return [
        (column, array)
        for column, array in zip(ADDRESS_COLUMNS, arrays, strict=True)
        if column in side.columns
    ]


def _own_columns(side: NativeSide, batch_context: BatchContext) -> Columns:
    """The program's own columns of facts about members: tags and capabilities."""
    columns: Columns = []
    for number, asked in enumerate(side.program.own, FIRST_OWN_COLUMN):
        if number not in side.columns or asked.fact in FRAME_FACTS:
            continue
        if asked.fact is Fact.HOLDS:
            held = batch_context.members.capabilities[asked.number].astype(np.uint8)
            columns.append((number, held[batch_context.sender]))
        else:
            columns.append((number, tag_column(asked.fact, asked.number, batch_context)))
    return columns


def _integer_columns(side: NativeSide, batch: FrameBatch) -> tuple[Columns, bool]:
    """(the columns of INTEGER_RANGE matches, was any of their bytes not captured)."""
    columns: Columns = []
    some_missing = False
    for number, asked in enumerate(side.program.own, FIRST_OWN_COLUMN):
        if asked.fact not in FRAME_FACTS:
            continue
        values, missing = np.empty(len(batch), np.uint64), np.empty(len(batch), np.uint32)
        offset, bits, little = asked.integer
        dispatch.require().integers(batch.raw(), offset, bits, int(little), values, missing)
        some_missing |= bool(missing.any())
        columns.append((number, values if asked.fact is Fact.INTEGER else missing))
    return columns, some_missing


def _owned(batch: FrameBatch, batch_context: BatchContext) -> npt.NDArray[np.uint8]:
    """Column OWNERSHIP of a batch whose senders are (partly) known."""
    members, sender = batch_context.members, batch_context.sender
    columns = batch.decoded(
        (Column.CHARACTERISTICS, Column.AUTH_HIGH, Column.AUTH_LOW, Column.MAC_SOURCE)
    )
    chr_, high, low, mac = columns.values()
    from ztfast.network.ownership import ownership

    owners = ownership(members)
    has_address = (chr_ & Chr.AUTH_ADDRESS) != 0
    ipv6 = (chr_ & Chr.AUTH_IPV6) != 0
    known = members.known[sender]
    owns = np.where(ipv6, owners.owns_v6(high, low, sender), owners.owns_v4(low, sender))
    ip = has_address & np.where(known, owns, members.assumed_ipauth)
    ip |= (chr_ & Chr.AUTH_ALWAYS) != 0
    macs = np.where(known, owners.owns_mac(mac, sender), members.assumed_macauth)
    found: npt.NDArray[np.uint8] = (ip * np.uint8(Owned.IP) | macs * np.uint8(Owned.MAC)).astype(
        np.uint8
    )
    return found
