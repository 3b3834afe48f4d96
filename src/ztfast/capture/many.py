"""Several captures as one: in the order of their first frames, or merged by time stamp.

Contract: `open_captures` takes files, folders (their captures) and `-`, and gives one
`Captures`: an iterable of batches numbered through.  Without `merge` whole files follow each
other by the time of their first frame; with it frames come in the order of their times
(equal times in the order of the files); `unmerged` is for who needs no order.
Tested by tests/capture/test_many.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType

from ztfast.capture.open import Capture, limited, open_capture
from ztfast.capture.packets import MAX_BUFFER, PacketBatch
from ztfast.capture.pcap_scan import RecordScan
from ztfast.capture.session import SKIPPED, UNREADABLE, ReadSession
from ztfast.errors import CaptureError, Diagnostic, Severity, usage

_PEEK = 1 << 16
_SMALLEST_WINDOW = 1 << 16
_MOST_NAMED = 3
_MOST_HELD = 100  # open files of a merge; a process may often have no more than 256


class Captures:
    """Several captures as one: iterate once; a context manager.

    `paths` are the files in the order they are read; `diagnostics` and `skipped_bytes` are
    those of all of them.  opened: what opens a file (not for a merge).
    """

    def __init__(
        self,
        paths: Sequence[str],
        session: ReadSession,
        *,
        merge: bool = False,
        follow: bool = False,
        limit: int | None = None,
        opened: Callable[..., Capture] = open_capture,
    ) -> None:
        self.paths = tuple(paths)
        self._opened = opened
        self.session = session
        self.merge = merge and len(paths) > 1
        self._follow = follow
        self.limit = limit
        self._open: list[Capture] = []
        self._stopped = False
        self._finished = 0
        self._begun = 0

    @property
    def begun(self) -> tuple[str, ...]:
        """Those of `paths` that were opened so far: what stands behind damage never is."""
        return self.paths[: self._begun]

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """What was found damaged, skipped or passed over, in order (the first 1,000)."""
        return self.session.diagnostics

    @property
    def skipped_bytes(self) -> int:
        """Bytes that `resync` passed over."""
        return self.session.skipped_bytes

    @property
    def regular(self) -> bool:
        """Are all of them files on the disk, and none followed, so that reading never waits?"""
        return not self._follow and all(_is_file(path) for path in self.paths)

    @property
    def total_bytes(self) -> int | None:
        """Bytes of all files together; None where one is a pipe or grows."""
        if self.limit is not None or not self.regular:
            return None
        return sum(os.path.getsize(path) for path in self.paths)

    @property
    def done_bytes(self) -> int:
        """Bytes of the inputs read so far, compressed where they are: for progress."""
        return self._finished + sum(capture.done_bytes for capture in self._open)

    def open_by(self, opened: Callable[..., Capture]) -> None:
        """Open the files by this from now on (not those of a merge)."""
        self._opened = opened

    def unmerged(self) -> Captures:
        """The same files, to be read one after the other by a session of its own."""
        return Captures(self.paths, ReadSession())

    def read_by(self, other: Captures) -> None:
        """Nothing is left to read: `other`, which `unmerged` gave, has read what is read."""
        self._begun, self._finished = other._begun, other.done_bytes
        self.session.number(other.session.frames)
        for diagnostic in other.diagnostics:
            self.session.note(diagnostic)

    def stop(self) -> None:
        """End a capture that is followed; may be called from another thread."""
        self._stopped = True
        for capture in self._open:
            capture.stop()

    def batches(self, scan: RecordScan | None = None) -> Iterator[PacketBatch]:
        """All batches; `scan` as for one capture, and not used by a merge."""
        batches = self._merged() if self.merge else self._one_by_one(scan)
        return batches if self.limit is None else limited(batches, self.limit)

    def __iter__(self) -> Iterator[PacketBatch]:
        return self.batches()

    def close(self) -> None:
        """Close what is open.  Batches already given stay valid."""
        while self._open:
            self._open.pop().close()

    def __enter__(self) -> Captures:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    def _one_by_one(self, scan: RecordScan | None) -> Iterator[PacketBatch]:
        for number, path in enumerate(self.paths):
            last = number == len(self.paths) - 1
            try:
                capture = self._opened(path, follow=self._follow and last, session=self.session)
                self._open.append(capture)
                self._begun = number + 1
                if self._stopped:
                    capture.stop()
                yield from capture.batches(scan)
            except CaptureError as error:
                for diagnostic in error.diagnostics:
                    if diagnostic not in self.diagnostics:
                        self.session.note(diagnostic)
                self._leave_out(path, self.paths[number + 1 :])
                raise
            self._finished += os.path.getsize(path) if _is_file(path) else capture.done_bytes
            self.close()

    def _leave_out(self, path: str, rest: Sequence[str]) -> None:
        """Say which captures are not read, since `path` ends the reading."""
        if rest:
            some = ", ".join(rest[:_MOST_NAMED]) + (", …" if len(rest) > _MOST_NAMED else "")
            message = f"what follows was not read: {len(rest)} more ({some})"
            self.session.note(Diagnostic(SKIPPED, message, Severity.NOTE, path=path))

    def _merged(self) -> Iterator[PacketBatch]:
        from ztfast.capture.merge import merged  # rarely needed

        # all files' windows, and what is joined of them, stay within a few of one file's
        span = max(_SMALLEST_WINDOW, MAX_BUFFER // 2 // len(self.paths))
        held = len(self.paths) <= _MOST_HELD
        for path in self.paths:
            self._open.append(open_capture(path, session=self.session, span=span, held=held))
        self._begun = len(self.paths)
        yield from merged([iter(capture) for capture in self._open], self.session)


def open_captures(
    paths: Sequence[str | os.PathLike[str]],
    *,
    merge: bool = False,
    follow: bool = False,
    resync: bool = False,
    limit: int | None = None,
) -> Captures:
    """Open files, folders and `-` (standard input) as one capture.

    In a folder every file that is a capture is read (hidden ones are left out; one that is no
    capture is a note).  `follow` waits at the end of the last file.  Raises `CaptureError`
    where a named file cannot be opened or a folder holds no capture, `UsageError` where the
    options make no sense together.
    """
    if not paths:
        raise usage("no capture was named", "name a file, a folder, or - for standard input")
    if merge and follow:
        raise usage("--merge cannot --follow: a file that grows has no last time", "choose one")
    session = ReadSession(resync)
    names = [name for path in paths for name in expand(os.fspath(path), session)]
    if names.count("-") > 1:
        raise usage("standard input was named twice", "- can be read once")
    if len(names) > 1:
        names = in_time_order(names)
    return Captures(names, session, merge=merge, follow=follow, limit=limit)


def expand(path: str, session: ReadSession) -> list[str]:
    """The captures of a folder, by name; anything else as it is, if it is there.

    What is left out of a folder is noted.  Raises CaptureError.
    """
    if path == "-":
        return [path]
    if not os.path.isdir(path):
        # said now, not when the files before it are through
        if not os.path.exists(path):
            raise CaptureError(Diagnostic(UNREADABLE, "no such file or folder", path=path))
        return [path]
    try:
        names = sorted(os.listdir(path))
    except OSError as error:
        raise CaptureError(
            Diagnostic(UNREADABLE, f"cannot be listed: {error.strerror}", path=path)
        ) from error
    found: list[str] = []
    for name in names:
        inner = os.path.join(path, name)
        if name.startswith(".") or not os.path.isfile(inner):
            continue
        try:
            open_capture(inner, span=_PEEK).close()
            found.append(inner)
        except CaptureError as error:
            reason = error.diagnostics[0].message
            session.note(Diagnostic(UNREADABLE, f"left out: {reason}", Severity.NOTE, path=inner))
    if not found:
        raise CaptureError(Diagnostic(UNREADABLE, "holds no capture", path=path))
    return found


def _is_file(path: str) -> bool:
    return path != "-" and os.path.isfile(path)


def in_time_order(
    paths: Sequence[str], first_time: Callable[[str], int | None] | None = None
) -> list[str]:
    """By the time of the first frame; what cannot be asked stays behind the one before it.

    first_time: what tells it of a file (ns), None: it is opened.
    """
    ask = first_time_of if first_time is None else first_time
    keys: list[int] = []
    for path in paths:
        time = ask(path)
        keys.append(time if time is not None else keys[-1] if keys else -(1 << 63))
    return [path for _, path in sorted(zip(keys, paths, strict=True), key=lambda pair: pair[0])]


def first_time_of(path: str) -> int | None:
    """Time (ns) of the first frame of a file; None for pipes, empty and damaged files."""
    try:
        if not _is_file(path):
            return None
        with open_capture(path, span=_PEEK) as capture:
            return first_time_in(capture)
    except (CaptureError, OSError):
        return None


def first_time_in(capture: Capture) -> int | None:
    """Time (ns) of its first frame; None where there is none to be had."""
    try:
        for batch in capture:
            if len(batch):
                return int(batch.timestamps[0])
    except CaptureError:
        return None
    return None
