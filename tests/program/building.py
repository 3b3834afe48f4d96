"""Programs for tests, from rules text."""

from __future__ import annotations

from ztfast.lang import compile_text
from ztfast.model.view import make_view
from ztfast.program.encode import encode
from ztfast.program.listing import list_program
from ztfast.program.program import Program


def program_of(text: str, direction: str = "out", engine: str = "1.14") -> Program:
    return encode(make_view(compile_text(text), direction, engine))


def operations(program: Program) -> list[str]:
    """The listing's instructions without numbers and entries."""
    lines = list_program(program).splitlines()
    return [" ".join(line.split(";")[0].split()[1:]) for line in lines]
