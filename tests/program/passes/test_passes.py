"""The passes as a whole: each can be left out."""

from __future__ import annotations

from tests.program.building import program_of
from ztfast.program.passes import PASSES, optimise


def test_every_pass_can_be_left_out() -> None:
    program = program_of("accept vlan 1; Drop;")
    assert optimise(program, ()).table.tobytes() == program.table.tobytes()
    for name in PASSES:
        assert optimise(program, (name,)).passes == (name,)
