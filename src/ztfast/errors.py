"""Places, findings and the one root of our exceptions.

Contract: nothing here imports another part of ztfast.  A `Diagnostic` says where
(a `Span` in a `Source`, or a byte offset in a file), what, and what to do; it is
rendered in one place, `ztfast.diagnostics.render`.  Tested by tests/test_errors.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Span(NamedTuple):
    """A stretch of a rules text: character offsets into `Source.text`, end excluded.

    `line` counts from 1 and `column` from 0, as the official compiler's errors do.
    """

    start: int
    end: int
    line: int
    column: int


@dataclass(frozen=True)
class Source:
    """A text with the name that its errors carry (a path, or `<text>`)."""

    name: str
    text: str

    def line_text(self, line: int) -> str:
        """The text of a line (counted from 1), without its end of line."""
        lines = self.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        return lines[line - 1] if 0 < line <= len(lines) else ""


class Severity:
    """How much a diagnostic matters; the names are those of the output formats."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Edit(NamedTuple):
    """`text` in the place of the characters `start` to `end` (end excluded) of a source's text."""

    start: int
    end: int
    text: str


class Fix(NamedTuple):
    """Edits that together settle a finding.

    title: what they do, as a command (`write 10.0.0.0/8`).  safe: no frame is judged otherwise
    afterwards; in a text that did not compile: nothing else can have been meant.
    """

    title: str
    edits: tuple[Edit, ...]
    safe: bool = False


@dataclass(frozen=True)
class Diagnostic:
    """One finding: a stable code (`ZT101`), what is wrong, where, and what to do.

    `span` is a place in a text and `source` that text; `offset` is a byte offset in
    the file `path` (captures, tables).  Any of them may be None where it has no meaning.
    `fixes` are alternatives, the best first; `diagnostics.fixes` applies them.
    """

    code: str
    message: str
    severity: str = Severity.ERROR
    span: Span | None = None
    source: Source | None = None
    path: str | None = None
    offset: int | None = None
    help: str | None = None
    fixes: tuple[Fix, ...] = ()

    def place(self) -> str:
        """`file:line:column`, or `file: byte offset`, or the file's name, or ``."""
        name = self.source.name if self.source is not None else self.path
        if self.span is not None:
            return f"{name or '<text>'}:{self.span.line}:{self.span.column}"
        if self.offset is not None:
            return f"{name or '<input>'}: byte {self.offset}"
        return name or ""

    def __str__(self) -> str:
        place = self.place()
        text = f"{place}: {self.message}" if place else self.message
        return f"{text} ({self.help})" if self.help else text


def counted(count: int, what: str) -> str:
    """`1 byte`, `2 bytes`: a number and what it counts, which is `what` with an s but for 1."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


class ZtfastError(Exception):
    """The root of every error that ztfast raises on purpose: one or more diagnostics."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__(*diagnostics)
        self.diagnostics: tuple[Diagnostic, ...] = diagnostics

    def __str__(self) -> str:
        return "\n".join(str(diagnostic) for diagnostic in self.diagnostics)


class RulesError(ZtfastError, ValueError):
    """A rules text or rules JSON that is refused."""


class NetworkError(ZtfastError, ValueError):
    """A network description (members, tags, addresses) that is refused."""


class TableError(ZtfastError, ValueError):
    """A program table that does not verify."""


class FrameError(ZtfastError, ValueError):
    """Frames or columns that do not fit together (shape, dtype, range)."""


class CaptureError(ZtfastError, ValueError):
    """A capture that is missing, damaged, or of a kind that cannot be read."""


class OutputError(ZtfastError, OSError):
    """A file or pipe that could not be written; what was kept is in the message."""


class BackendError(ZtfastError, RuntimeError):
    """A backend that was asked for and is not there."""


class UsageError(ZtfastError, ValueError):
    """An argument that has no meaning (a wrong side, an unknown engine version)."""


def usage(message: str, help: str | None = None) -> UsageError:
    """A `UsageError` of one diagnostic without a place."""
    return UsageError(Diagnostic("ZT001", message, help=help))
