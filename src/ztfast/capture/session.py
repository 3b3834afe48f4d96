"""One reading run: numbers frames and sections, and keeps what was damaged.

Contract: without `resync` the first damage raises `CaptureError` (the readers have given
every complete frame before it by then); with it, damage becomes a diagnostic, the bytes
passed over are counted, and reading goes on.
Tested by tests/capture/test_pcap.py and test_resync.py.
"""

from __future__ import annotations

from ztfast.capture.sources import Window
from ztfast.errors import CaptureError, Diagnostic, Severity, counted

_MAX_KEPT = 1000  # diagnostics; a file of nothing but damage must not fill the memory

DAMAGED = "ZT501"
TRUNCATED = "ZT502"
UNREADABLE = "ZT503"
SKIPPED = "ZT504"
LINKTYPE = "ZT505"


class ReadSession:
    """What one run over one or more files shares."""

    def __init__(self, resync: bool = False, first: int = 0) -> None:
        self.resync = resync
        self.frames = first
        self.sections = 0
        self.diagnostics: list[Diagnostic] = []
        self.damages = 0
        self.skipped_bytes = 0

    def number(self, count: int) -> int:
        """Take `count` frame numbers; the first of them."""
        first = self.frames
        self.frames += count
        return first

    def next_section(self) -> int:
        """A number for a section (a classic pcap is one)."""
        self.sections += 1
        return self.sections

    def note(self, diagnostic: Diagnostic) -> None:
        """Keep a diagnostic, up to a bound."""
        self.damages += diagnostic.severity == Severity.ERROR
        if len(self.diagnostics) < _MAX_KEPT:
            self.diagnostics.append(diagnostic)

    def fail(self, path: str, offset: int | None, message: str, help: str | None = None) -> None:
        """What cannot be read at all, resync or not: raises `CaptureError`."""
        diagnostic = Diagnostic(UNREADABLE, message, path=path, offset=offset, help=help)
        self.note(diagnostic)
        raise CaptureError(diagnostic)

    def damage(
        self,
        path: str,
        offset: int,
        message: str,
        code: str = DAMAGED,
        last: bool = False,
        help: str = "--resync continues at the next valid record",
    ) -> None:
        """Damage at a byte offset, `last`: nothing follows.  Raises, or with `resync` is noted."""
        help_now = None if self.resync or last else help
        diagnostic = Diagnostic(code, message, path=path, offset=offset, help=help_now)
        self.note(diagnostic)
        if not self.resync:
            raise CaptureError(diagnostic)

    def truncated(self, path: str, offset: int, window: Window, what: str) -> None:
        """The input ends inside a record or block that starts at `offset`, or by an error."""
        left = window.base + window.end - offset
        message = (
            f"the file ends {counted(left, 'byte')} into a {what}" if left else "the file ends here"
        )
        if window.error:
            message += f", because reading it failed: {window.error}"
        self.damage(path, offset, message, TRUNCATED, last=bool(window.error))

    def skipped(self, path: str, start: int, end: int, last: bool = False) -> None:
        """Bytes passed over between damage and the next record; `last`: the input ends there."""
        self.skipped_bytes += end - start
        then = "nothing follows" if last else f"the next record is at byte {end}"
        message = f"{counted(end - start, 'byte')} skipped; {then}" if end > start else then
        self.note(Diagnostic(SKIPPED, message, Severity.NOTE, path=path, offset=start))
