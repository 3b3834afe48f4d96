"""The optimiser: passes from program to program, in order, each switchable by name.

Contract: a pass never changes a verdict column (deciding entry, copies, draws, reads);
the differential tests run every combination.  One pass a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ztfast.program.passes.dead import dead
from ztfast.program.passes.fold import fold
from ztfast.program.passes.lookups import lookups
from ztfast.program.passes.reads import without_reads
from ztfast.program.passes.simplify import simplify
from ztfast.program.program import Program

Constants = Mapping[int, int]

PASSES: dict[str, Callable[[Program, Constants], Program]] = {
    "fold": fold,
    "dead": lambda program, _: dead(program),
    "simplify": lambda program, _: simplify(program),
    "lookups": lambda program, _: lookups(program),
}

__all__ = ["PASSES", "optimise", "without_reads"]


def optimise(
    program: Program, passes: tuple[str, ...] | None = None, constants: Constants | None = None
) -> Program:
    """Run the named passes (all of them where None) in their order.

    constants: columns that have one value for every frame, for `fold`.
    """
    for name, run in PASSES.items():
        if passes is None or name in passes:
            program = run(program, constants or {})
    return program
