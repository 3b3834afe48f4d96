"""A Program: the flat table that the native evaluator runs, and what it needs to run.

Contract: a frozen value.  `table` is the plain instruction array of one direction;
columns above FIRST_OWN_COLUMN are listed in `own`.  Entry numbers in the table are
global: base entries first, then each capability's in turn (`starts`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.model.view import View
from ztfast.program.opcodes import FIRST_OWN_COLUMN, INSTRUCTION, VERSION, Flag, Op, column_width


class Fact(Enum):
    """What a program's own column says; the values are its names in files."""

    LOCAL_TAG = "local_tag"  # the tag's value, of the member whose rules are evaluated
    REMOTE_TAG = "remote_tag"
    TAG_PRESENCE = "tag_presence"  # bit 0 the local member has the tag, bit 1 the remote one
    HOLDS = "holds"  # does the sender hold the capability
    INTEGER = "integer"  # of the payload
    INTEGER_MISSING = "integer_missing"  # Reads.INTEGER where not all of it was captured


FACT_WIDTHS = {
    Fact.LOCAL_TAG: 32,
    Fact.REMOTE_TAG: 32,
    Fact.TAG_PRESENCE: 8,
    Fact.HOLDS: 8,
    Fact.INTEGER: 64,
    Fact.INTEGER_MISSING: 32,
}
FRAME_FACTS = frozenset((Fact.INTEGER, Fact.INTEGER_MISSING))  # the others are facts about members


class IntegerKey(NamedTuple):
    """Which integer of the payload: of `bits` bits at byte `offset`, as spec section 3 says."""

    offset: int
    bits: int
    little: bool


class OwnColumn(NamedTuple):
    """A column that a program asks for beyond the fixed ones, `width` bits wide.

    key: of a tag its id, of a capability its index in the view, of integers an IntegerKey.
    """

    fact: Fact
    key: int | IntegerKey
    width: int

    @property
    def number(self) -> int:
        """The key of a fact about members."""
        assert isinstance(self.key, int)
        return self.key

    @property
    def integer(self) -> IntegerKey:
        """The key of an integer of the payload."""
        assert isinstance(self.key, IntegerKey)
        return self.key


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
