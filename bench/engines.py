"""Ours, ready to be timed: a rule set over frames, raw or with their columns decoded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

import ztfast
from bench import workloads
from ztfast.engine.native import NativeEvaluator
from ztfast.engine.native_inputs import input_columns
from ztfast.engine.native_tables import Results
from ztfast.frames.buffer_pool import BufferPool
from ztfast.frames.columns import Column


def engine(name: str, **options: Any) -> ztfast.Engine:
    """The engine of a named rule set (or of rules text), on the sender's side."""
    text = workloads.RULES.get(name, name)
    return ztfast.Engine(ztfast.compile(text), side="out", **options)


def batch(data: npt.NDArray[np.uint8]) -> ztfast.FrameBatch:
    """Rows of headers as a batch of whole frames."""
    return ztfast.FrameBatch.from_array(data, np.full(len(data), data.shape[1], np.uint32))


def evaluate_raw(name: str, data: npt.NDArray[np.uint8], **options: Any) -> Callable[[], int]:
    """Decode and evaluate; the number of accepted frames."""
    made, frames = engine(name, **options), batch(data)
    return lambda: int(np.count_nonzero(made.evaluate(frames).accepted))


def entries(
    name: str, data: npt.NDArray[np.uint8], passes: tuple[str, ...] | None
) -> npt.NDArray[np.int32]:
    """The entry that decides each frame, by a table with these passes (None: all of them)."""
    return engine(name, passes=passes).evaluate(batch(data)).entry


def evaluate_ready(name: str, data: npt.NDArray[np.uint8], **options: Any) -> Callable[[], int]:
    """Evaluate over columns decoded beforehand, the loops alone."""
    made, frames = engine(name, backend="native", **options), batch(data)
    side = made.native("out")
    frames.decode(sorted(side.headers() | {Column.MISSING, Column.CHARACTERISTICS}))
    evaluator = made.scan_evaluator or made._evaluator
    assert isinstance(evaluator, NativeEvaluator)
    results = Results.of([side], len(frames), BufferPool())
    (outputs,) = results.outputs([side])
    given = [input_columns(side, frames, None, None, True)]
    run = evaluator.machine().run

    def call() -> int:
        run(None, results, given, 0, None, 0, len(frames))
        return int(np.count_nonzero(outputs.code >= 2))

    return call


def with_members(rules: str, members: int, multicast: bool, count: int) -> Callable[[], int]:
    """Both sides of `count` frames between members that all have tags of their own.

    multicast: every frame goes to all of them.  Gives the number of accepted frames.
    """
    network = workloads.network(members)
    made = ztfast.Engine(ztfast.compile(rules), network=network)
    frames = batch(workloads.members_frames(network, count, multicast))
    return lambda: int(np.count_nonzero(made.evaluate(frames).accepted))
