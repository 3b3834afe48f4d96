"""`ztfast eval`: JSON cases in, JSON results out, one a line.

Contract: one line out per good line in, in order, as soon as it is there; a bad line is
an error with its number on standard error, the others are still evaluated, and the exit
status is 1.  Entries that the network would leave out are left out, and said on standard
error; the line's result is exact, so the exit status stays.  No line is held beyond its
own evaluation, none longer than 64 MiB.
Tested by tests/cli/test_eval.py.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any, BinaryIO

import click

from ztfast.errors import Diagnostic, FrameError, ZtfastError

MAX_LINE = 1 << 26


@click.command()
@click.argument("cases", default="-", type=click.Path(allow_dash=True))
@click.option(
    "--backend",
    metavar="NAME",
    default=None,
    help="The evaluator: auto, native, reference, or an installed backend (docs/backend.md) "
    "(default: $ZTFAST_BACKEND, else reference, which alone gives a log).",
)
@click.pass_context
def command(ctx: click.Context, cases: str, backend: str | None) -> None:
    """Evaluate JSON cases, one per line, from the file CASES or standard input (-).

    Each line gives one line of result with the case's id; docs/exactness.md has both forms.

    \b
    Example: zcat eval-1.14.jsonl.gz | ztfast eval --backend reference -
    """
    from ztfast.engine.backends import choose

    failed = False
    # One frame a rule set is quickest without encoding it, and only the reference keeps a log.
    chosen = choose(backend or os.environ.get("ZTFAST_BACKEND") or "reference")
    with _opened(cases) as stream:
        for number, line in _lines(stream):
            failed |= not _evaluate_line(cases, number, line, chosen)
    ctx.exit(1 if failed else 0)


def _opened(cases: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if cases == "-" else open(cases, "rb")


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """(number, line) of each line; a line beyond `MAX_LINE` comes cut, and is then refused."""
    number = 0
    while line := stream.readline(MAX_LINE):
        number += 1
        rest = line
        while len(rest) == MAX_LINE and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_LINE)
        yield number, line


def _evaluate_line(name: str, number: int, line: bytes, backend: str) -> bool:
    """Evaluate and print one line; False where it, or something in it, was wrong."""
    from ztfast.engine.case import case_findings, evaluate_case
    from ztfast.errors import BackendError, UsageError

    if not line.strip():
        return True
    where = f"{'<stdin>' if name == '-' else name}:{number}"
    try:
        case = _parsed(line)
        out = evaluate_case(case, backend)
        findings = case_findings(case)
    except (BackendError, UsageError):
        raise
    except ZtfastError as error:
        _complain(where, error.diagnostics)
        return False
    _complain(where, findings)
    sys.stdout.write(json.dumps(out, separators=(",", ":")) + "\n")
    sys.stdout.flush()  # whoever waits for this answer before the next question gets it
    return True


def _parsed(line: bytes) -> Any:
    from ztfast.network.documents import parse_json

    if len(line) >= MAX_LINE:
        raise FrameError(Diagnostic("ZT413", f"the line is longer than {MAX_LINE} bytes"))
    return parse_json(line, "")


def _complain(where: str, diagnostics: tuple[Diagnostic, ...]) -> None:
    from ztfast.diagnostics.render import print_diagnostics

    if diagnostics:
        print_diagnostics(_placed(diagnostic, where) for diagnostic in diagnostics)


def _placed(diagnostic: Diagnostic, where: str) -> Diagnostic:
    """The same finding in the line of the input that it is about."""
    span = diagnostic.span
    message = (
        diagnostic.message if span is None else (f"{diagnostic.message} at column {span.column}")
    )
    return replace(diagnostic, message=message, path=where, span=None, source=None, offset=None)
