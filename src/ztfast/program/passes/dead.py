"""Leave out what comes behind an unconditional end.

Before: `ACCEPT; TEST …; DROP; END`.  After: `ACCEPT; END`.
"""

from __future__ import annotations

from ztfast.program.dnf import FLAGS, OP, Clause, Section, flatten, sections
from ztfast.program.opcodes import Flag, Op
from ztfast.program.program import Program, instructions, set_jumps


def dead(program: Program) -> Program:
    """The program without the sets that no frame reaches."""
    parts = [Section(part.start, _reached(part)) for part in sections(program.table)]
    return program.with_table(set_jumps(instructions(flatten(parts))), "dead")


def _reached(part: Section) -> list[Clause]:
    kept: list[Clause] = []
    for item in part.sets:
        kept.append(item)
        if item.rows or item.end is None:
            continue
        ends = item.end[OP] in (Op.ACCEPT, Op.BREAK, Op.PRIORITY)
        drops = item.end[OP] == Op.DROP and not item.end[FLAGS] & Flag.SKIPPABLE
        if ends or drops:
            break
    return kept
