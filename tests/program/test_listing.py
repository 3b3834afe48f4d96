"""The listing: every kind of instruction in words."""

from __future__ import annotations

import pytest

from tests.program.building import operations, program_of
from ztfast.program.listing import list_program
from ztfast.program.passes import without_reads


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("accept dport 80;", "TEST set &= dest_port = 0x50"),
        ("accept not vlan 5;", "TEST set &= not vlan = 0x5"),
        ("accept framesize 64-128;", "TEST set &= length in 64–128"),
        ("accept ztsrc 1122334455;", "TEST set &= zt_source = 0x1122334455"),
        ("accept random 0.5;", "RANDOM set &= draw <= 2147483647"),
        ("tag t id 1; accept tdiff t 3;",
         "TAGS term = difference(local_tag[1], remote_tag[1]) <= 3"),
        ("tag t id 1; accept teq t 3;", "TEST term &= remote_tag[1] = 0x3"),
        ("tee 64 8e30f50a25;", "COPY to 8e30f50a25"),
        ("redirect 6b4d5e6f70;", "REDIRECT to 6b4d5e6f70"),
        ("Drop;", "DROP"),
        ("Break; cap a id 7 Accept; ;", "BREAK"),
    ],
)  # fmt: skip
def test_an_instruction_in_words(text: str, first: str) -> None:
    assert first in operations(without_reads(program_of(text)))


def test_lines_are_numbered_and_name_their_entry() -> None:
    lines = list_program(without_reads(program_of("accept vlan 1; drop vlan 2; Accept;")))
    assert [line.split()[:2] for line in lines.splitlines()] == [
        [str(number), name]
        for number, name in enumerate(["TEST", "ACCEPT", "TEST", "DROP", "ACCEPT", "END", "END"])
    ]
    assert [line.partition("; ")[2] for line in lines.splitlines()][:2] == ["entry 0", "entry 1"]
