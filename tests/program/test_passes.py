"""Each optimiser pass: the table before, the table after."""

from __future__ import annotations

import pytest

from tests.program.building import operations, program_of
from ztfast.program.dnf import Comparison
from ztfast.program.opcodes import FIRST_OWN_COLUMN, Column, Flag, Op
from ztfast.program.passes import PASSES, lookups, optimise, without_reads
from ztfast.program.passes.dead import dead
from ztfast.program.passes.fold import fold
from ztfast.program.passes.simplify import join_tests, simplify

NOBODY = {Column.ZT_SOURCE: 0, Column.ZT_DEST: 0, Column.NODE: 0}


def test_without_reads_leaves_only_the_tests() -> None:
    program = without_reads(program_of("accept ipprotocol tcp;"))
    assert "READ" not in " ".join(operations(program))
    assert program.passes == ("without_reads",)


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


def test_dead_leaves_out_what_comes_behind_an_unconditional_end() -> None:
    program = without_reads(program_of("Accept; drop vlan 1; tee 1 8e30f50a25;"))
    assert operations(dead(program)) == ["ACCEPT", "END", "END"]


def test_dead_keeps_what_comes_behind_a_drop_that_can_be_skipped() -> None:
    program = without_reads(program_of("tag t id 1; drop treq t 5; Drop; Accept;"))
    assert operations(dead(program))[-4:] == ["DROP", "ACCEPT", "END", "END"]


def test_simplify_tests_what_alternatives_share_once() -> None:
    program = without_reads(program_of("accept dport 80 or dport 443 and ipprotocol tcp;"))
    assert operations(simplify(program)) == [
        "TEST set &= protocol = 0x6",
        "TEST set &= kind & 0x14 = 0x14",
        "TEST term = dest_port = 0x50",
        "TEST term |= dest_port = 0x1bb",
        "TERM set &= term",
        "ACCEPT",
        "END",
        "END",
    ]


@pytest.mark.parametrize(
    ("text", "merged"),
    [
        ("accept dport 80 or dport 81-90;", "TEST set &= dest_port in 80–90"),
        (
            "accept ipdest 10.0.0.0/25 or ipdest 10.0.0.128/25;",
            "TEST set &= ip4_dest & 0xffffff00 = 0xa000000",
        ),
    ],
)
def test_simplify_merges_neighbours(text: str, merged: str) -> None:
    assert merged in operations(simplify(without_reads(program_of(text))))


def test_neighbours_only_join_where_nothing_lies_between() -> None:
    low, high = Comparison(11, 0xFFFF, 80, 0), Comparison(11, 0xFFFF, 82, 0)
    assert join_tests(low, high, 16) is None
    assert join_tests(low, high._replace(low=81), 16) == Comparison(11, 0xFFFF, 80, 1)
    assert join_tests(
        Comparison(17, 0xFFFFFFFE, 2, 0), Comparison(17, 0xFFFFFFFE, 6, 0), 32
    ) == Comparison(17, 0xFFFFFFFA, 2, 0)


def test_a_run_of_sets_becomes_one_look_up() -> None:
    text = "".join(f"accept ipprotocol tcp ipdest 10.0.0.{i}/32 dport {i};\n" for i in range(1, 60))
    program = lookups(simplify(without_reads(program_of(text + "Drop;"))))
    assert operations(program) == [
        "LOOKUP 59 terms over ip4_dest, dest_port, protocol, kind",
        "DROP",
        "END",
        "END",
    ]
    assert program.lookups[0].entry.tolist() == [4 * i + 3 for i in range(59)]


def test_a_short_run_stays_as_it_is() -> None:
    program = without_reads(program_of("accept vlan 1; accept vlan 2; Drop;"))
    assert not lookups(program).lookups


def test_every_pass_can_be_left_out() -> None:
    program = program_of("accept vlan 1; Drop;")
    assert optimise(program, ()).table.tobytes() == program.table.tobytes()
    for name in PASSES:
        assert optimise(program, (name,)).passes == (name,)
