"""Leave out READ: for blocks of frames where nothing that a match reads is missing.

Before: `READ MISSING…; TEST …`.  After: `TEST …`.  The evaluator uses the result only
where no other watched bit of MISSING is set than those of `context`, which hold for every
frame (facts about members that nobody gave): their READs stay.
"""

from __future__ import annotations

import numpy as np

from ztfast.program.opcodes import Column, Op
from ztfast.program.program import Program, set_jumps


def without_reads(program: Program, context: int = 0) -> Program:
    """The program without its READ instructions, but for those of bits in `context`."""
    known = (program.table["mask"] & np.uint64(context)) != 0
    known &= program.table["column"] == Column.MISSING
    table = program.table[(program.table["op"] != Op.READ) | known].copy()
    return program.with_table(set_jumps(table), "without_reads")
