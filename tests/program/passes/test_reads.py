"""Without READ: the tests alone are left."""

from __future__ import annotations

from tests.program.building import operations, program_of
from ztfast.program.passes import without_reads


def test_without_reads_leaves_only_the_tests() -> None:
    program = without_reads(program_of("accept ipprotocol tcp;"))
    assert "READ" not in " ".join(operations(program))
    assert program.passes == ("without_reads",)
