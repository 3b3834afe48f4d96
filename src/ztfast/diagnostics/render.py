"""Diagnostics as text: the place, the message, the line with the span underlined, the way out.

The one place where findings are rendered for a person.
Tested by tests/diagnostics/test_render_harmless.py and test_render_underlined.py.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from typing import TextIO

from ztfast.errors import Diagnostic, Source, Span

_COLOURS = {"error": "\x1b[31;1m", "warning": "\x1b[33;1m", "note": "\x1b[36;1m"}


def print_diagnostics(diagnostics: Iterable[Diagnostic], stream: TextIO | None = None) -> None:
    """Write diagnostics to `stream` (standard error), coloured only on a terminal."""
    out = stream if stream is not None else sys.stderr
    colour = wants_colour(out)
    for diagnostic in diagnostics:
        out.write(format_diagnostic(diagnostic, colour) + "\n")


def wants_colour(stream: TextIO) -> bool:
    """Is it a terminal that takes colours, and does nobody want none (https://no-color.org)?"""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not plain


def format_diagnostic(diagnostic: Diagnostic, colour: bool = False) -> str:
    """One diagnostic as one or more lines of text, without the last end of line."""
    label = f"{diagnostic.severity}[{diagnostic.code}]"
    if colour:
        label = f"{_COLOURS.get(diagnostic.severity, '')}{label}\x1b[0m"
    place, message = harmless(diagnostic.place()), harmless(diagnostic.message)
    lines = [f"{place}: {label}: {message}" if place else f"{label}: {message}"]
    lines.extend(_underlined(diagnostic))
    if diagnostic.help:
        lines.append(f"  help: {harmless(diagnostic.help)}")
    return "\n".join(lines)


def harmless(text: str, keep: str = "\n\t") -> str:
    """The text without what would move a terminal's cursor or turn its writing direction.

    For what comes from a file and goes to a terminal: names in rules JSON can hold anything.
    keep: what stays as it is though it does not print.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else repr(c)[1:-1] for c in text)


def harmless_lines(lines: Iterable[str]) -> str:
    """Lines as one text, each harmless and ended."""
    return "\n".join(harmless(line, keep="") for line in lines) + "\n"


_WIDTH = 120
_LINE_END = re.compile(r"[\r\n]")


def _line_of(source: Source, span: Span) -> str:
    """The text of the span's line, without going through a large text for each finding."""
    begin = span.start - span.column
    starts_line = (
        begin == 0
        if span.line == 1
        else 0 < begin <= len(source.text) and source.text[begin - 1] in "\r\n"
    )
    if not starts_line:
        return source.line_text(span.line)  # a place without true offsets
    end = _LINE_END.search(source.text, begin)
    return source.text[begin : end.start() if end else len(source.text)]


def _underlined(diagnostic: Diagnostic) -> list[str]:
    """The source line and a line of carets under the span; a long line is cut around it."""
    span, source = diagnostic.span, diagnostic.source
    if span is None or source is None:
        return []
    text = _line_of(source, span)
    first = max(0, span.column - _WIDTH // 2) if len(text) > _WIDTH else 0
    shown = "".join(c if c.isprintable() else " " for c in text[first : first + _WIDTH])
    carets = max(1, min(span.end - span.start, len(text) - span.column, _WIDTH // 2))
    number = str(span.line)
    margin = " " * len(number)
    pointer = " " * (span.column - first) + "^" * carets
    return [f" {number} | {shown}", f" {margin} | {pointer}"]
