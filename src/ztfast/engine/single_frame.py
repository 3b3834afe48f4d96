"""One frame by the native evaluator, with everything known: for cases, and for replaying proofs.

Contract: `case_context` says as a BatchContext of one frame what a FrameContext says;
`evaluate_one` gives the verdict of that frame, with every random draw the same.  Nothing is quick
here: for one frame after the other there is ztfast.Filter.
Tested by tests/engine/test_case_vectors.py with all of the eval vectors.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ztfast.engine.context import FrameContext
from ztfast.engine.native import NativeEvaluator
from ztfast.engine.native_tables import NativeSide
from ztfast.engine.side_verdicts import SideVerdicts
from ztfast.frames.batch import FrameBatch
from ztfast.frames.frame import Frame
from ztfast.model.view import View
from ztfast.network.batch_context import BatchContext, MemberTable
from ztfast.program.encode import encode
from ztfast.program.opcodes import Op

_LOCAL, _REMOTE = 1, 2


def case_context(view: View, context: FrameContext) -> BatchContext:
    """The BatchContext of one frame that says what a FrameContext (with everything known) says.

    Member 1 is local, member 2 remote; the sender is member 1 out and member 2 in.
    """
    sender = _LOCAL if view.direction == "out" else _REMOTE
    remote = -1 if context.remote_tags is None else _REMOTE
    return BatchContext(
        direction=view.direction,
        members=_case_members(view, context, sender),
        local=np.array([_LOCAL], dtype=np.int32),
        remote=np.array([remote], dtype=np.int32),
        sender=np.array([sender], dtype=np.int32),
        node=np.array([context.node], dtype=np.uint64),
        zt_source=np.array([context.zt_source], dtype=np.uint64),
        zt_dest=np.array([context.zt_dest], dtype=np.uint64),
        addresses_known=np.array([True]),
        no_tee=np.array([context.no_tee]),
        number=np.zeros(1, dtype=np.int64),
    )


def _case_members(view: View, context: FrameContext, sender: int) -> MemberTable:
    tags: tuple[Mapping[int, int], ...] = ({}, context.local_tags, context.remote_tags or {})
    ids = tuple(sorted(set(tags[_LOCAL]) | set(tags[_REMOTE])))
    present = np.array([[tag in held for held in tags] for tag in ids], dtype=np.bool_)
    value = np.array([[held.get(tag, 0) for held in tags] for tag in ids], dtype=np.uint32)
    holds = np.zeros((len(view.capabilities), 3), dtype=np.bool_)
    holds[list(context.held), sender] = True
    return MemberTable(
        address=np.array([0, context.node, 0], dtype=np.uint64),
        tag_ids=ids,
        tag_present=present.reshape(len(ids), 3),
        tag_value=value.reshape(len(ids), 3),
        capabilities=holds,
        ips=tuple(context.owned_ips if m == sender else frozenset() for m in range(3)),
        macs=tuple(context.owned_macs if m == sender else frozenset() for m in range(3)),
        known=np.array([False, True, True]),
        emulates=np.array([0, context.emulates, 0], dtype=np.uint8),
        network_id=context.network_id,
    )


def evaluate_one(view: View, frame: Frame, batch_context: BatchContext, draw: int) -> SideVerdicts:
    """One frame, every random draw being `draw`: what `ztfast eval` asks for."""
    program = encode(view)
    table = program.table.copy()
    drawn = table["op"] == Op.RANDOM
    table["low"][drawn] = draw <= table["span"][drawn]
    table["op"][drawn] = Op.CONST
    side = NativeSide(program.with_table(table, "draws"), ())
    judge = NativeEvaluator((side,), (0,))
    return judge.evaluate(FrameBatch.from_frame(frame), (batch_context,))[0]
