"""Where written bytes go: a file that appears only when it is whole, or a pipe.

Contract: a file is written beside its place under a temporary name and renamed by `close` when it
is on the disk;
`whole()` marks a place where the file could end, and a file that is closed early ends at the
last such mark.  A full disk, a closed pipe, a missing directory is an `OutputError` that
names the file and how much was kept.  What can be seen before the work, `refuse_unopenable` and
`refuse_unmakable` refuse as wrong usage.  Tested by tests/sinks/test_output.py.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence

from ztfast.errors import Diagnostic, OutputError, UsageError
from ztfast.sinks.compress import Encoder
from ztfast.sinks.signals import shielded
from ztfast.sinks.temporary import create_beside, settle

_IOV_MAX = min(1024, os.sysconf("SC_IOV_MAX")) if hasattr(os, "sysconf") else 1
_CODE = "ZT601"


def refuse_unopenable(path: str) -> None:
    """Raise UsageError where no file of that name can be written, as far as can be seen."""
    if path == "-":
        return
    if os.path.isdir(path):
        raise _unusable(path, "is a folder", "name a file in it")
    if os.path.exists(path) and not os.path.isfile(path):  # a pipe, a device
        if not os.access(path, os.W_OK):
            raise _unusable(path, os.strerror(errno.EACCES), "name another file")
        return
    folder = os.path.dirname(os.path.realpath(path))
    if not os.path.isdir(folder):
        raise _unusable(path, "its folder is not there", "make the folder, or name another")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _unusable(path, _why_not(folder), "name another folder")


def refuse_unmakable(folder: str) -> None:
    """Raise UsageError where files in that folder, made if need be, cannot be written."""
    there = os.path.realpath(folder)
    while not os.path.lexists(there):
        there = os.path.dirname(there)
    if not os.path.isdir(there):
        raise _unusable(folder, f"{there} is not a folder", "name another folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise _unusable(folder, f"{there}: {_why_not(there)}", "name another folder")


def _why_not(folder: str) -> str:
    """Why nothing can be written in a folder, in the system's words."""
    locked = hasattr(os, "statvfs") and os.statvfs(folder).f_flag & os.ST_RDONLY
    return os.strerror(errno.EROFS if locked else errno.EACCES)


def _unusable(path: str, reason: str, way_out: str) -> UsageError:
    return UsageError(Diagnostic(_CODE, f"cannot be written: {reason}", path=path, help=way_out))


class Output:
    """One output under its final name, or standard output for `-`.

    `written` counts the bytes given to it (before compression), `place` those that reached
    the file; `failed`: it could not be written whole.  With `encoder` everything is compressed
    on the way.
    """

    def __init__(self, path: str, encoder: Encoder | None = None) -> None:
        self.path = path
        self.written = 0
        self.place = 0
        self.frames = 0
        self._encoder = encoder
        self._whole = 0
        self._whole_frames = 0
        self.failed = False
        self._closed = False
        self._temporary: str | None = None
        self._target = path
        self._descriptor = self._open()

    def write(self, views: Sequence[memoryview | bytes], frames: int = 0) -> None:
        """Write whole records: all of `views`, which hold `frames` frames.

        Ctrl-C waits until they are written, so that no file ends inside a record.
        """
        self.write_groups([views], frames)

    def write_groups(self, groups: Iterable[Sequence[memoryview | bytes]], frames: int = 0) -> None:
        """As `write`, for groups of views; each is written before the next is asked for."""
        with shielded():
            try:
                self._unpark()
                for views in groups:
                    for part in self._encoded(views):
                        self._write_all(part)
                    self.written += sum(map(len, views))
            except OSError as error:
                raise self._failure(error) from error
            self.frames += frames
            self._whole, self._whole_frames = self.place, self.frames

    def park(self) -> None:
        """Give the descriptor back for now; the next write takes one again."""
        if self._temporary is not None and self._descriptor >= 0 and not self._closed:
            os.close(self._descriptor)
            self._descriptor = -1

    def _unpark(self) -> None:
        if self._descriptor < 0 and self._temporary is not None:
            flags = os.O_WRONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
            self._descriptor = os.open(self._temporary, flags)
            os.lseek(self._descriptor, self.place, os.SEEK_SET)

    @property
    def patchable(self) -> bool:
        """Can bytes already written be changed?  A plain file's can."""
        return self._temporary is not None and self._encoder is None and hasattr(os, "pwrite")

    def patch(self, place: int, data: bytes) -> None:
        """Change bytes that were written at `place` of a `patchable` output."""
        if self._closed:
            return
        try:
            self._unpark()
            os.pwrite(self._descriptor, data, place)
        except OSError as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """Finish: end the compression, and give a file its name.  Twice is harmless."""
        if self._closed:
            return
        with shielded():
            try:
                self._unpark()
                if self._encoder is not None and not self.failed:
                    self._write_all([memoryview(self._encoder.flush())])
                self._closed = True
                self._release()
            except OSError as error:
                self._closed = True
                raise self._failure(error) from error

    def discard(self) -> None:
        """Give up: no file appears, an older one of that name stays as it is."""
        if self._closed:
            return
        self._closed = True
        if self.path != "-" and self._descriptor >= 0:
            os.close(self._descriptor)
        if self._temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._temporary)

    def _open(self) -> int:
        if self.path == "-":
            return sys.stdout.fileno()
        try:
            if os.path.exists(self.path) and not stat.S_ISREG(os.stat(self.path).st_mode):
                return os.open(self.path, os.O_WRONLY)
            self._target = os.path.realpath(self.path)  # behind a link: the link stays
            descriptor, self._temporary = create_beside(self._target)
            return descriptor
        except OSError as error:
            raise OutputError(
                Diagnostic(_CODE, f"cannot be written: {error.strerror}", path=self.path)
            ) from error

    def _encoded(self, views: Sequence[memoryview | bytes]) -> Iterator[list[memoryview]]:
        if self._encoder is None:
            yield [memoryview(view) for view in views]
            return
        for view in views:
            yield [memoryview(self._encoder.compress(memoryview(view)))]

    def _write_all(self, views: list[memoryview]) -> None:
        """Everything, in as few calls as the system allows."""
        if not hasattr(os, "writev"):
            for view in views:
                self._write_rest(view)
            return
        for low in range(0, len(views), _IOV_MAX):
            part = views[low : low + _IOV_MAX]
            count = os.writev(self._descriptor, part)
            self.place += count
            for view in part:
                if count < len(view):
                    self._write_rest(view[max(0, count) :])
                count -= len(view)

    def _write_rest(self, view: memoryview) -> None:
        while len(view):
            count = os.write(self._descriptor, view)
            self.place += count
            view = view[count:]

    def _release(self) -> None:
        """Close the descriptor; rename what is whole."""
        if self.path == "-":
            return
        if self._temporary is None:
            os.close(self._descriptor)
            return
        if self.place != self._whole and (self.failed or self._encoder is None):
            os.ftruncate(self._descriptor, self._whole)
        try:
            if not self.failed:
                settle(self._descriptor)
        finally:
            os.close(self._descriptor)
        if not self.failed:
            os.replace(self._temporary, self._target)

    def _failure(self, error: OSError) -> OutputError:
        """The error to raise; whole records stay under the temporary name."""
        self.failed = True
        with contextlib.suppress(OSError):
            if not self._closed:
                self._closed = True
                self._release()
        kept = f"{self._whole_frames} frames ({self._whole} bytes) were written"
        if self._temporary is not None:
            kept += f" and are kept in {self._temporary}"
        reason = error.strerror or str(error)
        return OutputError(Diagnostic(_CODE, f"{reason}: {kept}", path=self.path))
