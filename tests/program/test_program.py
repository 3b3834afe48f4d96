"""A Program: a frozen value; its columns' widths; where each instruction goes on."""

from __future__ import annotations

import numpy as np
import pytest

from tests.program.building import program_of
from ztfast.program.opcodes import FIRST_OWN_COLUMN, Column, Op
from ztfast.program.program import set_jumps


def test_the_table_is_not_written_to() -> None:
    program = program_of("Accept;")
    with pytest.raises(ValueError, match="read-only"):
        program.table["op"] = 0


def test_a_pass_makes_another_program_and_signs_it() -> None:
    program = program_of("accept vlan 1; Drop;")
    made = program.with_table(program.table[-3:].copy(), "shorter")
    assert (len(made), made.passes) == (3, ("shorter",))
    assert len(program) > 3
    assert program.passes == ()


def test_widths_of_fixed_and_own_columns() -> None:
    program = program_of("tag t id 1; accept teq t 5;")
    assert program.width(Column.PROTOCOL) == 8
    assert program.width(Column.DEST_PORT) == 16
    assert program.width(Column.MAC_DEST) == 64
    own = range(FIRST_OWN_COLUMN, FIRST_OWN_COLUMN + len(program.own))
    assert sorted(map(program.width, own)) == [8, 32, 32]  # is a tag there, and each side's


def test_jumps_lead_to_the_next_alternative_the_action_or_the_sections_end() -> None:
    program = program_of("accept vlan 1 or vlan 2; drop vlan 3; Accept; cap a id 1 Drop; ;")
    table = program.table.copy()
    table["jump"] = 0
    again = set_jumps(table)
    np.testing.assert_array_equal(again, program.table)
    ops, jumps = again["op"].tolist(), again["jump"].tolist()
    ends = [index for index, op in enumerate(ops) if op == Op.END]
    for index, (op, jump) in enumerate(zip(ops, jumps, strict=True)):
        if op == Op.END:
            continue
        assert index < jump <= next(end for end in ends if end > index)
        if op == Op.TEST:
            assert ops[jump] in (Op.TEST, Op.READ, Op.ACCEPT, Op.DROP)
