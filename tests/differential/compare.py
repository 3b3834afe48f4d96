"""A case through both evaluators in every way that must make no difference."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from tests.differential.generate import ADDRESSES, NETWORK_ID, Case
from tests.engine.batches import batch_of
from ztfast.engine.native import NativeEvaluator
from ztfast.engine.native_tables import NativeSide
from ztfast.engine.reference import evaluate_batch
from ztfast.engine.side_verdicts import SIDE_COLUMNS, SideVerdicts
from ztfast.frames.batch import FrameBatch
from ztfast.model.entries import read_entries
from ztfast.model.view import View
from ztfast.network.batch_context import BatchContext, MemberTable
from ztfast.program.encode import encode
from ztfast.program.passes import PASSES

# The package has a function of this name too, which hides the module.
_LOOKUPS: Any = importlib.import_module("ztfast.program.passes.lookups")

_ROW_COLUMNS = {
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


class Difference(NamedTuple):
    """The first place where a way of evaluating says something else than the reference."""

    way: str
    column: str
    frame: int
    expected: Any
    got: Any

    def __str__(self) -> str:
        return (
            f"{self.way}: column {self.column} of frame {self.frame} is {self.got!r}, "
            f"the reference says {self.expected!r}"
        )


# --- a case as the evaluators take it ------------------------------------------------------


def view_of(case: Case) -> View:
    """The rules of a case."""
    return View(
        case.direction,
        read_entries(case.rules),
        tuple(read_entries(rules) for rules in case.capabilities),
        tuple(range(len(case.capabilities))),
        case.engine,
    )


def table_of(case: Case) -> MemberTable:
    """The members of a case, with nobody known as number 0."""
    members = case.members
    ids = tuple(sorted({tag for member in members for tag in member.tags}))
    shape = (len(ids), len(members) + 1)
    present, value = np.zeros(shape, np.bool_), np.zeros(shape, np.uint32)
    holds = np.zeros((len(case.capabilities), len(members) + 1), np.bool_)
    for number, member in enumerate(members, 1):
        for tag, its_value in member.tags.items():
            present[ids.index(tag), number] = True
            value[ids.index(tag), number] = its_value
        holds[:, number] = member.capabilities
    return MemberTable(
        address=np.array([0, *(int(text, 16) for text in ADDRESSES[: len(members)])], np.uint64),
        tag_ids=ids,
        tag_present=present,
        tag_value=value,
        capabilities=holds,
        ips=(frozenset(), *(frozenset(map(bytes.fromhex, member.ips)) for member in members)),
        macs=(frozenset(), *(frozenset(member.macs) for member in members)),
        known=np.arange(len(members) + 1) > 0,
        emulates=np.array([0, *(member.emulates for member in members)], np.uint8),
        network_id=NETWORK_ID,
        assumed_ipauth=case.assumed_ipauth,
        assumed_macauth=case.assumed_macauth,
    )


def situation_of(case: Case) -> BatchContext:
    """Who is who in a case's batch."""
    columns = {
        name: np.array([getattr(row, name) for row in case.rows], dtype=dtype)
        for name, dtype in _ROW_COLUMNS.items()
    }
    return BatchContext(direction=case.direction, members=table_of(case), **columns)


def _take(batch_context: BatchContext, index: Any) -> BatchContext:
    parts = {
        name: np.ascontiguousarray(getattr(batch_context, name)[index]) for name in _ROW_COLUMNS
    }
    return replace(batch_context, cache={}, **parts)


# --- ways of evaluating --------------------------------------------------------------------

Columns = dict[str, Any]
Way = Callable[[View, FrameBatch, BatchContext, int], Columns]


def columns_of(verdicts: SideVerdicts) -> Columns:
    """Every column of one side."""
    return {name: np.asarray(getattr(verdicts, name)) for name in SIDE_COLUMNS}


@contextmanager
def forced_lookups(forced: bool) -> Iterator[None]:
    """Look-ups made whether they are worth it or not."""
    worth = _LOOKUPS._WORTH, _LOOKUPS._WORTH_DENSE
    if forced:
        _LOOKUPS._WORTH = _LOOKUPS._WORTH_DENSE = 0
    try:
        yield
    finally:
        _LOOKUPS._WORTH, _LOOKUPS._WORTH_DENSE = worth


def _judge(view: View, seed: int, passes: tuple[str, ...] | None, forced: bool) -> NativeEvaluator:
    with forced_lookups(forced):
        return NativeEvaluator((NativeSide(encode(view), passes),), (seed,))


def _whole(passes: tuple[str, ...] | None, forced: bool = False, threads: int = 1) -> Way:
    def run(view: View, batch: FrameBatch, where: BatchContext, seed: int) -> Columns:
        judge = _judge(view, seed, passes, forced)
        return columns_of(judge.evaluate(batch, (where,), threads=threads)[0])

    return run


def _split(view: View, batch: FrameBatch, where: BatchContext, seed: int) -> Columns:
    """Three parts of uneven size instead of the whole."""
    judge = _judge(view, seed, None, False)
    cuts = [0, len(batch) // 7, len(batch) // 2, len(batch)]
    parts = [
        columns_of(judge.evaluate(batch[first:last], (_take(where, slice(first, last)),))[0])
        for first, last in pairwise(cuts)
        if last > first
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in SIDE_COLUMNS}


def _reversed(view: View, batch: FrameBatch, where: BatchContext, seed: int) -> Columns:
    index = np.arange(len(batch))[::-1].copy()
    judged = _judge(view, seed, None, False).evaluate(batch.take(index), (_take(where, index),))
    return {name: column[::-1] for name, column in columns_of(judged[0]).items()}


def _decoded(view: View, batch: FrameBatch, where: BatchContext, seed: int) -> Columns:
    """The header columns are made first, the frames are not touched again."""
    judge = _judge(view, seed, None, False)
    ready = batch[:].decode(sorted(judge.sides[0].headers()))
    return columns_of(judge.evaluate(ready, (where,))[0])


WAYS: dict[str, Way] = {
    "plain table": _whole(()),
    "optimised": _whole(None),
    **{f"only the pass {name}": _whole((name,)) for name in PASSES},
    "look-ups forced": _whole(None, forced=True),
    "only look-ups, forced": _whole(("lookups",), forced=True),
    "3 threads": _whole(None, threads=3),
    "in three batches": _split,
    "reversed": _reversed,
    "columns ready": _decoded,
}


def difference(case: Case, ways: tuple[str, ...] | None = None) -> Difference | None:
    """Where some way differs from the reference, or None."""
    view, where = view_of(case), situation_of(case)
    batch = batch_of([row.frame for row in case.rows])
    expected = columns_of(evaluate_batch(view, batch, where, case.seed))
    for way in ways or tuple(WAYS):
        try:
            got = WAYS[way](view, batch, where, case.seed)
        except Exception as error:
            return Difference(way, "(raised)", 0, "no error", f"{type(error).__name__}: {error}")
        found = first_difference(expected, got)
        if found is not None:
            return Difference(way, *found)
    return None


def first_difference(expected: Columns, got: Columns) -> tuple[str, int, Any, Any] | None:
    """(column, frame, expected, got) of the first item that differs."""
    for name, column in expected.items():
        theirs = got[name]
        if theirs.dtype != column.dtype or theirs.shape != column.shape:
            return name, 0, (column.dtype, column.shape), (theirs.dtype, theirs.shape)
        unequal = np.flatnonzero(column != theirs)
        if len(unequal):
            at = int(unequal[0])
            return name, at, column[at].item(), theirs[at].item()
    return None
