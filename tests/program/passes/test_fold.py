"""Folding: what is the same for every frame is decided, what can be seen of it stays."""

from __future__ import annotations

from tests.program.building import operations, program_of
from ztfast.program.opcodes import FIRST_OWN_COLUMN, Column, Flag, Op
from ztfast.program.passes import without_reads
from ztfast.program.passes.fold import fold

NOBODY = {Column.ZT_SOURCE: 0, Column.ZT_DEST: 0, Column.NODE: 0}


def test_fold_decides_what_is_the_same_for_every_frame() -> None:
    program = without_reads(program_of("drop ztsrc 1122334455; Accept;"))
    assert operations(fold(program, NOBODY)) == ["ACCEPT", "END", "END"]
    known = {**NOBODY, Column.ZT_SOURCE: 0x1122334455}
    assert operations(fold(program, known)) == ["DROP", "ACCEPT", "END", "END"]


def test_fold_drops_a_capability_that_nobody_holds() -> None:
    program = without_reads(program_of("Break; cap a id 1 Accept; ;"))
    assert operations(fold(program, {FIRST_OWN_COLUMN: 0})) == ["BREAK", "END", "END"]
    assert "SECTION" in " ".join(operations(fold(program, {FIRST_OWN_COLUMN: 1})))


def test_fold_keeps_what_can_be_seen_in_a_set_that_is_never_true() -> None:
    """A tag match arms skipDrop although the set is false; a draw is a draw."""
    program = program_of("tag t id 1; drop teq t 5;")
    folded = fold(program, {FIRST_OWN_COLUMN: 0, FIRST_OWN_COLUMN + 1: 0})
    assert any(line.startswith("ARM_SKIP") for line in operations(folded))


def test_fold_marks_a_copy_that_no_address_can_stop() -> None:
    program = fold(without_reads(program_of("tee 64 8e30f50a25 vlan 1;")), NOBODY)
    copies = program.table[program.table["op"] == Op.COPY]
    assert (copies["flags"] & Flag.FREE).all()
    program = fold(without_reads(program_of("tee 64 0000000000 vlan 1;")), NOBODY)
    assert not (program.table["flags"] & Flag.FREE).any()
