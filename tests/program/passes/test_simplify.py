"""Simplifying: shared tests once, neighbours as one comparison."""

from __future__ import annotations

import pytest

from tests.program.building import operations, program_of
from ztfast.program.dnf import Comparison
from ztfast.program.passes import without_reads
from ztfast.program.passes.simplify import join_tests, simplify


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
