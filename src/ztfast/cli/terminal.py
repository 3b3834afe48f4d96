"""What is shown on a terminal: no wider than it is, in colours where those are wanted.

Contract: `for_terminal` changes nothing where the text goes to a file or a pipe.  Lines are broken
between words, never in one, and go on below their text; tables and quoted lines of rules are
shortened by who makes them.  Tested by tests/cli/test_terminal.py.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator

import click

NARROWEST = 40
_QUOTED = re.compile(r" *\d+ \| | *\| +\^")  # a line of rules below a finding, and its underline
_WORD = re.compile(r"\s*\S+")


def width() -> int | None:
    """Standard output's columns where it is a terminal, else None."""
    if not sys.stdout.isatty():
        return None
    try:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return max(columns, NARROWEST) if columns else 80


def for_terminal(text: str, output: str | None, colours: Callable[[str], str] | None = None) -> str:
    """The text as it is to be shown; colours: what gives it some, where they are wanted."""
    columns = width() if output is None else None
    if columns is None:
        return text
    from ztfast.diagnostics.render import wants_colour

    fitted = "".join(f"{line}\n" for row in text.splitlines() for line in fit(row, columns))
    return colours(fitted) if colours is not None and wants_colour(sys.stdout) else fitted


def fit(line: str, columns: int) -> Iterator[str]:
    """A line in pieces of so many columns, broken between words."""
    if len(click.unstyle(line)) <= columns:
        yield line
        return
    if _QUOTED.match(line):
        yield line[: columns - 1] + "…" if "^" not in line else line
        return
    indent = " " * min(len(line) - len(line.lstrip()) + 2, columns // 2)
    piece, used = "", 0
    for word in _WORD.findall(line):
        length = len(click.unstyle(word))
        if used and used + length > columns:
            yield piece
            piece = indent + word.lstrip()
            used = len(click.unstyle(piece))
        else:
            piece, used = piece + word, used + length
    yield piece


# --- colours


_CHANGES = (
    (re.compile(r"^(line [^:\n]*):", re.MULTILINE), "\x1b[1m\\1\x1b[0m:"),
    (re.compile(r"\b(now accepted|opens)\b"), "\x1b[32m\\1\x1b[0m"),
    (re.compile(r"\b(now dropped|closes)\b"), "\x1b[31m\\1\x1b[0m"),
)


def change_colours(text: str) -> str:
    """A change of rules: what it lets through green, what it keeps out red."""
    for pattern, shown in _CHANGES:
        text = pattern.sub(shown, text)
    return text


class ColouredHelp(click.HelpFormatter):
    """Help whose headings and options stand out."""

    def write_heading(self, heading: str) -> None:
        """A heading, bold."""
        self.write(click.style(f"{'':>{self.current_indent}}{heading}:", bold=True) + "\n")

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Options and commands, the word itself in a colour."""
        coloured = [(click.style(first, fg="cyan"), second) for first, second in rows]
        super().write_dl(coloured, col_max, col_spacing)
