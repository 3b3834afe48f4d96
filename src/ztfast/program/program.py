"""A Program: the flat table that the native evaluator runs, and what it needs to run.

Contract: a frozen value.  `table` is the plain instruction array of one direction;
columns above FIRST_OWN_COLUMN are listed in `own`.  Entry numbers in the table are
global: base entries first, then each capability's in turn (`starts`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.model.view import View
from ztfast.program.opcodes import FIRST_OWN_COLUMN, INSTRUCTION, VERSION, Flag, Op, column_width


class OwnColumn(NamedTuple):
    """A column that a program asks for beyond the fixed ones.

    what: "local_tag", "remote_tag" (u32; `key` is the tag id), "tag_presence" (u8: bit 0
    local, bit 1 remote), "holds" (u8; `key` is the capability's index in the view),
    "integer" (u64) and "integer_missing" (u32; `key` is (idx, bits, little)).
    """

    what: str
    key: Any
    width: int


@dataclass(frozen=True)
class Program:
    """The encoded rules of one view.

    table: structured array of `opcodes.INSTRUCTION`; own: the columns numbered from
    FIRST_OWN_COLUMN on; lookups: the look-up tables that LOOKUP instructions name;
    starts: the global number of each section's first entry (base, then capabilities).
    """

    view: View
    table: npt.NDArray[Any]
    own: tuple[OwnColumn, ...] = ()
    starts: tuple[int, ...] = (0,)
    lookups: tuple[Any, ...] = ()
    version: int = VERSION
    passes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        self.table.setflags(write=False)

    def __len__(self) -> int:
        return len(self.table)

    def width(self, column: int) -> int:
        """The width in bits of a column of this program."""
        if column < FIRST_OWN_COLUMN:
            return column_width(column)
        return self.own[column - FIRST_OWN_COLUMN].width

    def with_table(self, table: npt.NDArray[Any], name: str) -> Program:
        """The same program with another table, made by the pass `name`."""
        return replace(self, table=table, passes=(*self.passes, name))


def instructions(rows: list[tuple[int, ...]]) -> npt.NDArray[Any]:
    """An instruction array from (op, flags, column, entry, jump, other, mask, low, span) tuples."""
    return np.array(rows, dtype=INSTRUCTION)


def set_jumps(table: Any) -> Any:
    """Fill `jump`: where to go on when nothing is left to do here.

    For a test, the next alternative or end of the set (no frame's set holds); for an
    action or SECTION, the section's END (no frame is live).
    """
    ops, flags, jumps = table["op"].tolist(), table["flags"].tolist(), [0] * len(table)
    target = end = len(ops) - 1
    alternative = int(Flag.ALTERNATIVE)  # an IntFlag's own & takes a microsecond
    for index in range(len(ops) - 1, -1, -1):
        op = ops[index]
        if op == Op.END:
            target = end = index
        elif op == Op.SECTION:
            jumps[index] = end
        elif op >= Op.DROP:
            jumps[index] = end
            target = index
        else:
            jumps[index] = target
            if flags[index] & alternative:
                target = index
    table["jump"] = jumps
    return table
