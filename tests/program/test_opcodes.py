"""The numbers of the table, the same in Python and in the compiled loops."""

from __future__ import annotations

import numpy as np
import pytest

from ztfast import dispatch
from ztfast.engine import native as engine_native
from ztfast.frames.columns import (
    FIRST_OWN_COLUMN,
    Chr,
    Column,
    FrameKind,
    Missing,
    Owned,
    column_width,
)
from ztfast.model.reads import Reads
from ztfast.model.result import Result
from ztfast.program import lookup
from ztfast.program.opcodes import INSTRUCTION, Flag, Into, Op


@pytest.mark.parametrize("level", dispatch.runnable())
def test_the_compiled_loops_have_the_same_numbers(level: str) -> None:
    constants = dispatch.load(level).constants()
    assert constants["ops"] == [op.value for op in Op]
    assert constants["columns"] == [column.value for column in Column]
    assert constants["instruction"] == INSTRUCTION.itemsize
    assert constants["block"] == engine_native.BLOCK
    assert constants["lookup"] == [
        lookup.MAX_COLUMNS,
        lookup.GROUP,
        lookup.BY_BYTE,
        lookup.BY_WORD,
        lookup.BY_TRIE,
        lookup.BY_SEARCH,
        lookup.SIEVE_BITS,
    ]
    assert constants["sieve"] == lookup.SIEVE_FACTOR
    assert constants["into"] == list(Into)
    assert constants["flags"] == [Flag.NEGATE, Flag.ALTERNATIVE, Flag.SKIPPABLE, Flag.FREE]
    assert constants["kinds"] == list(FrameKind)
    assert constants["chr"] == list(Chr)
    assert constants["owned"] == list(Owned)
    assert constants["results"] == list(Result)
    assert constants["reads"] == list(Reads)
    assert constants["missing"] == list(Missing)
    assert constants["marks"] == list(engine_native.Mark)
    widths = [column_width(column) // 8 for column in range(FIRST_OWN_COLUMN)]
    assert [constants["widths"][c] for c in Column] == [widths[c] for c in Column]


def test_the_table_is_a_plain_structured_array() -> None:
    assert INSTRUCTION.names == (
        "op",
        "flags",
        "column",
        "entry",
        "jump",
        "other",
        "mask",
        "low",
        "span",
    )
    assert np.zeros(1, INSTRUCTION).nbytes == 40
