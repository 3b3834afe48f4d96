"""What the compiled loops are handed beside frames: who is who, columns already made, constants.

Contract: `input_columns` says what one side needs of one batch; `side_facts` what holds for every
frame where one batch context does.  Columns are C-contiguous and of the widths that
`NativeSide.widths` says.  Header columns are made inside the loops unless the batch has them
already, facts about members always (engine/native_members.py).  Tested by the differential tests
(tests/differential/compare.py, "columns ready") and tests/network/test_resolve_model.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast import dispatch
from ztfast.engine.native_tables import (
    Columns,
    NativeSide,
    SideFacts,
    constant_columns,
    unknown_bits,
)
from ztfast.frames.batch import FrameBatch
from ztfast.network.batch_context import BatchContext
from ztfast.program.opcodes import FIRST_OWN_COLUMN, Column, Owned
from ztfast.program.program import FRAME_FACTS, Fact


class CastColumns(NamedTuple):
    """Who is who, where the caller says it: BatchContext's columns of these names, by frame.

    local, remote, sender: int32[n].  node, zt_source, zt_dest: uint64[n].  known: uint8[n].
    """

    local: npt.NDArray[np.int32]
    remote: npt.NDArray[np.int32]
    sender: npt.NDArray[np.int32]
    node: npt.NDArray[np.uint64]
    zt_source: npt.NDArray[np.uint64]
    zt_dest: npt.NDArray[np.uint64]
    known: npt.NDArray[np.uint8]


class InputColumns(NamedTuple):
    """One side's input on one batch.

    columns: (number, array of n items).  members: the SideMembers of the cast's table, None where
    the machine has its own, or none.  cast: who is who, None where members are looked up, or
    nobody is known.  use_exact: the exact table is to run everywhere.
    """

    columns: Columns
    members: Any
    cast: CastColumns | None
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
    members = batch_context.members
    assumed = (Owned.IP if members.assumed_ipauth else 0) | (
        Owned.MAC if members.assumed_macauth else 0
    )
    return facts._replace(
        constants=_constants(side, batch_context),
        context=unknown_bits(batch_context) & side.watched,
        assumed=int(assumed),
        ownership=int(Column.OWNERSHIP in side.columns),
    )


def _constants(side: NativeSide, batch_context: BatchContext) -> Columns:
    """The columns that have one value wherever this batch context holds, of one item each."""
    widths = side.widths()
    return [
        (column, np.array([value], f"u{widths[column]}"))
        for column, value in constant_columns(side.program, batch_context).items()
        if column in side.columns
    ]


def cast_columns(batch_context: BatchContext) -> CastColumns:
    """Who is who in a batch, as the loops read it."""
    where, whole = batch_context, np.ascontiguousarray
    return CastColumns(
        local=whole(where.local),
        remote=whole(where.remote),
        sender=whole(where.sender),
        node=whole(where.node),
        zt_source=whole(where.zt_source),
        zt_dest=whole(where.zt_dest),
        known=whole(where.addresses_known).view(np.uint8),
    )


def input_columns(
    side: NativeSide, batch: FrameBatch, cast: CastColumns | None, members: Any, ready: bool
) -> InputColumns:
    """What one side needs of one batch beside its frames.

    ready: the batch's decoded columns are handed in instead of its frames.
    """
    columns: Columns = list(batch.ready.items()) if ready else []
    integers, some_missing = _integer_columns(side, batch)
    columns.extend(integers)
    whole = [(column, np.ascontiguousarray(array)) for column, array in columns]
    return InputColumns(whole, members, cast, some_missing)


def _integer_columns(side: NativeSide, batch: FrameBatch) -> tuple[Columns, bool]:
    """(the columns of INTEGER_RANGE matches, was any of their bytes not captured)."""
    columns: Columns = []
    some_missing = False
    if not side.has_integers:
        return columns, False
    for number, asked in enumerate(side.program.own, FIRST_OWN_COLUMN):
        if asked.fact not in FRAME_FACTS:
            continue
        values, missing = np.empty(len(batch), np.uint64), np.empty(len(batch), np.uint32)
        offset, bits, little = asked.integer
        dispatch.require().integers(batch.raw(), offset, bits, int(little), values, missing)
        some_missing |= bool(missing.any())
        columns.append((number, values if asked.fact is Fact.INTEGER else missing))
    return columns, some_missing
