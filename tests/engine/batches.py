"""Whole batches for tests: both evaluators, every column the same, the reference's returned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ztfast import dispatch
from ztfast.engine.reference import evaluate_batch
from ztfast.engine.side_verdicts import SIDE_COLUMNS, SideVerdicts
from ztfast.frames.batch import FrameBatch
from ztfast.frames.frame import Frame
from ztfast.model.entries import read_entries
from ztfast.model.view import View
from ztfast.network.batch_context import BatchContext, MemberTable, nobody

NODE, DEST, FOURTH = 0x1111111111, 0x2222222222, 0x4444444444


def batch_of(frames: Sequence[Frame]) -> FrameBatch:
    """A FrameBatch of plain frames."""
    payloads = [frame.payload for frame in frames]
    sizes = np.array([len(payload) for payload in payloads], dtype=np.int64)
    fields = {
        "ethertype": np.array([frame.ethertype for frame in frames], np.uint16),
        "vlan": np.array([frame.vlan for frame in frames], np.uint16),
        "mac_source": np.array([frame.mac_source for frame in frames], np.uint64),
        "mac_dest": np.array([frame.mac_dest for frame in frames], np.uint64),
        "unknown": np.array([int(frame.unknown) for frame in frames], np.uint32),
    }
    lengths = [frame.length for frame in frames]
    offsets = np.cumsum(sizes) - sizes
    return FrameBatch(b"".join(payloads), offsets, sizes, lengths, fields)


def members(view: View, **changes: Any) -> MemberTable:
    """Two members, of whom everything is known and nothing is there."""
    table = nobody(len(view.capabilities))
    table = replace(
        table,
        address=np.array([0, NODE, DEST], dtype=np.uint64),
        tag_present=np.zeros((0, 3), dtype=np.bool_),
        tag_value=np.zeros((0, 3), dtype=np.uint32),
        capabilities=np.ones((len(view.capabilities), 3), dtype=np.bool_),
        ips=(frozenset(),) * 3,
        macs=(frozenset(),) * 3,
        known=np.array([False, True, True]),
        emulates=np.zeros(3, dtype=np.uint8),
    )
    return replace(table, **changes)


def batch_context(
    view: View, count: int, table: MemberTable | None = None, **changes: Any
) -> BatchContext:
    """Member 1 sends to member 2, seen from the view's direction; scalars become columns."""
    out = view.direction == "out"
    table = members(view) if table is None else table
    columns: dict[str, Any] = {
        "local": 1 if out else 2,
        "remote": 2 if out else 1,
        "sender": 1,
        "node": NODE if out else DEST,
        "zt_source": NODE,
        "zt_dest": DEST,
        "addresses_known": True,
        "no_tee": False,
        "number": np.arange(count),
        **changes,
    }
    dtypes = {
        "local": np.int32,
        "remote": np.int32,
        "sender": np.int32,
        "node": np.uint64,
        "zt_source": np.uint64,
        "zt_dest": np.uint64,
        "addresses_known": np.bool_,
        "no_tee": np.bool_,
        "number": np.int64,
    }
    filled = {
        name: np.ascontiguousarray(np.broadcast_to(np.asarray(columns[name], dtype), (count,)))
        for name, dtype in dtypes.items()
    }
    return BatchContext(direction=view.direction, members=table, **filled)


def view_of(
    rules: list[dict[str, Any]],
    *caps: list[dict[str, Any]],
    direction: str = "out",
    engine: str = "1.14",
) -> View:
    """A view out of JSON entries."""
    return View(
        direction,
        read_entries(rules),
        tuple(read_entries(cap) for cap in caps),
        tuple(range(len(caps))),
        engine,
    )


def judge(
    view: View, frames: Sequence[Frame], where: BatchContext | None = None, seed: int = 0
) -> SideVerdicts:
    """The reference's verdicts; the native evaluator must agree in every column."""
    batch = batch_of(frames)
    where = batch_context(view, len(frames)) if where is None else where
    expected = evaluate_batch(view, batch, where, seed)
    if dispatch.core is not None:
        from ztfast.engine.native import NativeEvaluator
        from ztfast.engine.native_tables import NativeSide
        from ztfast.program.encode import encode

        for passes in (None, ()):
            judged = NativeEvaluator((NativeSide(encode(view), passes),), (seed,))
            got = judged.evaluate(batch, (where,))[0]
            for name in SIDE_COLUMNS:
                theirs, ours = getattr(got, name), getattr(expected, name)
                assert theirs.dtype == ours.dtype, name
                assert theirs.tolist() == ours.tolist(), f"{name}, passes {passes}"
    return expected
