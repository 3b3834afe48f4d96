"""Look-ups: a long run of sets becomes one instruction, a short one stays."""

from __future__ import annotations

from tests.program.building import operations, program_of
from ztfast.program.passes import lookups, without_reads
from ztfast.program.passes.simplify import simplify


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
