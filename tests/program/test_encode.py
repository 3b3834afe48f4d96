"""Rules to instructions, read as listings."""

from __future__ import annotations

from tests.program.building import operations, program_of
from ztfast.program.listing import list_program


def test_a_match_is_read_then_tested_then_acted_on() -> None:
    assert operations(program_of("accept ipprotocol tcp;")) == [
        "READ missing & 0x41",
        "TEST set &= kind & 0x4 = 0x4",
        "TEST set &= protocol = 0x6",
        "ACCEPT",
        "END",
        "END",
    ]


def test_not_leaves_the_guard_as_it_is_in_1_14_and_inverts_all_of_it_in_1_12() -> None:
    new = operations(program_of("drop not ipprotocol tcp;"))
    assert new[1:3] == ["TEST set &= kind & 0x4 = 0x4", "TEST set &= not protocol = 0x6"]
    old = operations(program_of("drop not ipprotocol tcp;", engine="1.12"))
    assert old[1:6] == [
        "CONST term = true",
        "TEST term &= kind & 0x4 = 0x4",
        "TEST term &= protocol = 0x6",
        "TERM term = not term",
        "TERM set &= term",
    ]


def test_an_alternative_is_marked_throughout_so_that_jumps_land_on_its_first_instruction() -> None:
    program = program_of("accept vlan 1 or sport 5;")
    rows = list_program(program).splitlines()
    assert all("(or)" in row for row in rows[2:8])
    assert program.table["jump"][1] == 2


def test_direction_is_folded_into_chr() -> None:
    assert "CONST set &= false" in operations(program_of("drop chr inbound;"))
    assert operations(program_of("drop chr inbound;", "in")) == ["DROP", "END", "END"]


def test_capabilities_are_sections_with_their_own_numbers() -> None:
    program = program_of("Drop; cap a id 7 accept vlan 1; ; cap b id 3 Accept; ;")
    assert program.starts == (0, 1, 2)
    assert program.view.capability_ids == (3, 7)
    assert [line for line in operations(program) if line.startswith("SECTION")] == [
        "SECTION capability 0 if holds[0]",
        "SECTION capability 1 if holds[1]",
    ]


def test_a_range_that_is_empty_is_false() -> None:
    from ztfast.model.kinds import Entry, Kind
    from ztfast.model.view import View
    from ztfast.program.encode import encode

    view = View("out", (Entry(Kind.MATCH_FRAME_SIZE_RANGE, value=(9, 5)), Entry(Kind.ACTION_DROP)))
    assert operations(encode(view))[0] == "CONST set &= false"
