"""Table bytes: a file is refused, or the table that it holds runs and comes to an end.

Input: one byte; where it is odd, the rest is a file; else two bytes n, n bytes of JSON about
the table, and its rows, which are put into a file here: no checksum keeps changes out.
"""

from __future__ import annotations

import io

import numpy as np
from tests.engine.batches import batch_context

from fuzz.checks import BATCH, refused, scratch
from ztfast import dispatch
from ztfast.engine.native import NativeEvaluator
from ztfast.engine.native_tables import NativeSide
from ztfast.errors import TableError
from ztfast.frames.batch import FrameBatch
from ztfast.program.opcodes import INSTRUCTION
from ztfast.program.program import Program
from ztfast.program.serialize import load_program

# Around the block of 1,024 frames that the loops work on.
_MANY = BATCH.take(np.arange(1030) % len(BATCH))


def packed(about: bytes, rows: bytes) -> bytes:
    """A table file of any JSON and any rows."""
    table = np.frombuffer(rows[: len(rows) // INSTRUCTION.itemsize * INSTRUCTION.itemsize], "u1")
    file = io.BytesIO()
    np.savez(file, table=table.view(INSTRUCTION), about=np.frombuffer(about, np.uint8))
    return file.getvalue()


def one(data: bytes) -> None:
    """Load, and run what loads."""
    if data and data[0] & 1:
        file = data[1:]
    else:
        size = int.from_bytes(data[1:3], "big")
        file = packed(data[3 : 3 + size], data[3 + size :])
    try:
        program = load_program(scratch(file, "table.npz"))
    except TableError as error:
        refused(error)
        return
    if dispatch.core is not None:
        _run(program, BATCH)
        _run(program, _MANY)


def _run(program: Program, batch: FrameBatch) -> None:
    """What it says has no meaning; that each number is one that a verdict may have does."""
    where = batch_context(program.view, len(batch))
    entries = sum(len(rules) for rules in (program.view.base, *program.view.capabilities))
    for passes in ((), None):
        judge = NativeEvaluator((NativeSide(program, passes),), (7,))
        (verdicts,) = judge.evaluate(batch, (where,))
        assert bool((np.asarray(verdicts.entry) < entries).all())
        assert bool((np.asarray(verdicts.result) <= 4).all())
