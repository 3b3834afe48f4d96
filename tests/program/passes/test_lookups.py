"""Look-ups: a long run of sets becomes one instruction, a short one stays."""

from __future__ import annotations

import importlib
import random

import pytest

from tests.program.building import operations, program_of
from ztfast.program.passes import lookups, without_reads
from ztfast.program.passes.simplify import simplify

SEED = 20261126
lookups_pass = importlib.import_module("ztfast.program.passes.lookups")
lookup_tables = importlib.import_module("ztfast.program.lookup")


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


def overlapping(sets: int) -> str:
    """Sets of which a frame's source, destination and port each leave many."""
    rng = random.Random(SEED)
    lines = [
        f"drop ipsrc 10.{rng.randrange(4)}.0.0/{rng.choice((8, 12, 16))} "
        f"and ipdest 10.{rng.randrange(16)}.{rng.randrange(256)}.0/{rng.choice((8, 16, 24))} "
        f"and ipprotocol tcp and dport {i}-{i + 1000};"
        for i in range(sets)
    ]
    return "\n".join(lines)


def looked_up(text: str) -> list[str]:
    return operations(lookups(simplify(without_reads(program_of(text)))))


def test_many_overlapping_sets_are_looked_up_and_few_stay() -> None:
    assert not any(row.startswith("LOOKUP") for row in looked_up(overlapping(100)))
    assert looked_up(overlapping(300))[0].startswith("LOOKUP 300 terms")


def test_the_head_that_hardly_any_frame_gets_through_stays() -> None:
    rows = looked_up("drop not ethertype ipv4 and not ethertype arp;\n" + overlapping(300))
    assert [row.split()[0] for row in rows] == [
        "TEST",
        "TEST",
        "DROP",
        "LOOKUP",
        "END",
        "END",
    ]


def test_a_run_whose_tables_would_be_too_large_becomes_several(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = simplify(without_reads(program_of(overlapping(1200))))
    (whole,) = lookups(program).lookups
    monkeypatch.setattr(lookup_tables, "MAX_BYTES", whole.nbytes * 2 // 3)
    found = lookups(program).lookups
    assert len(found) > 1
    assert sum(len(part.entry) for part in found) == 1200
    assert all(part.nbytes <= whole.nbytes * 2 // 3 for part in found)


def test_what_comes_when_all_memory_for_look_ups_is_used_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lookups_pass, "_ROOM", 0)
    program = program_of(overlapping(300) + "\ntee 64 8e30f50a25;\n" + overlapping(300))
    assert [len(made.entry) for made in lookups(without_reads(program)).lookups] == [300]
