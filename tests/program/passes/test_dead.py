"""Dead code: behind an unconditional end nothing is left, behind one that can be skipped all."""

from __future__ import annotations

from tests.program.building import operations, program_of
from ztfast.program.passes import without_reads
from ztfast.program.passes.dead import dead


def test_dead_leaves_out_what_comes_behind_an_unconditional_end() -> None:
    program = without_reads(program_of("Accept; drop vlan 1; tee 1 8e30f50a25;"))
    assert operations(dead(program)) == ["ACCEPT", "END", "END"]


def test_dead_keeps_what_comes_behind_a_drop_that_can_be_skipped() -> None:
    program = without_reads(program_of("tag t id 1; drop treq t 5; Drop; Accept;"))
    assert operations(dead(program))[-4:] == ["DROP", "ACCEPT", "END", "END"]
