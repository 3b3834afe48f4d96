"""Results in an object store: files first, then the manifest, by a put that only the first wins.

Contract: an `archive.keeper.Keeper`.  A worker writes into a folder of this machine; `commit`
uploads its files to `segments/NAME/ATTEMPT/…`, under a name that nobody else has, and then puts
`segments/NAME/manifest.json` on the condition that there is none (If-None-Match).  The manifest
names the attempt that won; one that lost is removed.  What a store without such a put would make of
two workers nobody can know: `write_plan` tries it, and refuses where it does not hold.
Tested by tests/archive/test_remote_store.py.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ztfast.archive.remote import file_system
from ztfast.archive.store import MANIFEST, PLAN, SEGMENTS, document_of, unreadable
from ztfast.errors import Diagnostic, OutputError, usage

_T = TypeVar("_T")
_IS_THERE, _CONFLICT = "PreconditionFailed", "ConditionalRequestConflict"
_CONFLICTS = 5  # puts that may meet another's at the same moment


def _refused(error: OSError) -> str:
    """The code by which an S3 server refused a put, "" where none did.

    s3fs knows FileExistsError only of servers that say which condition failed, as Amazon's does.
    """
    answer: Any = getattr(error.__cause__, "response", None) or {}
    code: str = answer.get("Error", {}).get("Code", "")
    known = (_IS_THERE, _CONFLICT)
    return next((one for one in known if one == code or one in str(error)), "")


class RemoteStore:
    """Results below a URL, `root`."""

    def __init__(self, root: str) -> None:
        self.root = root.rstrip("/")
        self._system, self._path = file_system(self.root)

    def attempt(self, name: str) -> str:
        """A new folder of this machine for one attempt at a segment; raises OSError."""
        return tempfile.mkdtemp(prefix=f"ztfast-{name[:16]}-")

    def commit(self, folder: str, name: str, manifest: Mapping[str, Any]) -> bool:
        """Make an attempt the segment; False where another was first.  Raises OSError."""
        own = f"{SEGMENTS}/{name}/{uuid.uuid4().hex[:12]}"
        self._asked(lambda: self._upload(folder, own))
        data = json.dumps({**manifest, "at": own}).encode()
        won = self._put_first(f"{SEGMENTS}/{name}/{MANIFEST}", data)
        if not won:  # or it was put, the answer was lost, and the library tried once more
            there = self.manifest(name)
            won = there is not None and there["at"] == own
        if not won:
            self._remove(own)
        self.discard(folder)
        return won

    def _upload(self, folder: str, to: str) -> None:
        for base, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(base, name)
                inner = os.path.relpath(path, folder).replace(os.sep, "/")
                self._system.put_file(path, self._at(f"{to}/{inner}"))

    def _put_first(self, name: str, data: bytes) -> bool:
        """Put what is not there yet; False where it is."""

        def put() -> bool:
            for left in reversed(range(_CONFLICTS)):
                try:
                    self._system.pipe_file(self._at(name), data, mode="create")
                except FileExistsError:
                    return False
                except OSError as error:
                    refused = _refused(error)
                    if refused == _IS_THERE:
                        return False
                    if refused != _CONFLICT or not left:
                        raise
                else:
                    break
            return True

        return self._asked(put)

    def manifest(self, name: str) -> dict[str, Any] | None:
        """What a committed segment says; None where there is none."""
        return self._read(f"{SEGMENTS}/{name}/{MANIFEST}")

    def discard(self, folder: str) -> None:
        """Remove an attempt's folder of this machine."""
        shutil.rmtree(folder, ignore_errors=True)

    def tidy(self) -> None:
        """Remove what attempts that came to nothing have left."""
        with contextlib.suppress(OSError, OutputError):
            for place in self._listed(SEGMENTS):
                name = place.rstrip("/").rpartition("/")[2]
                manifest = self.manifest(name)
                for inner in self._listed(f"{SEGMENTS}/{name}"):
                    own = f"{SEGMENTS}/{name}/{inner.rstrip('/').rpartition('/')[2]}"
                    kept = manifest is None or own == manifest["at"] or own.endswith(MANIFEST)
                    if not kept:
                        self._remove(own)

    def _listed(self, name: str) -> list[str]:
        return self._asked(lambda: [str(one) for one in self._system.ls(self._at(name), False)])

    def plan(self) -> dict[str, Any] | None:
        """The plan of the job that was begun here, or None."""
        return self._read(PLAN)

    def write_plan(self, plan: Mapping[str, Any]) -> None:
        """Begin a job here; raises OutputError, and UsageError where no first put wins."""
        trial = f"trial-{uuid.uuid4().hex[:12]}"
        try:
            won = [self._put_first(trial, b"{}") for _ in range(2)]
        except (OSError, TypeError) as error:
            raise self._unwritable(error) from None
        finally:
            self._remove(trial)
        if won[-1]:
            what = f"{self.root}: the store takes no conditional put (If-None-Match)"
            help = "two workers could both win there: name another store, or a folder"
            raise usage(what, help)
        self.write(PLAN, plan)

    def write(self, name: str, document: Mapping[str, Any]) -> None:
        """Write a document beside the segments; raises OutputError."""
        data = (json.dumps(document, indent=1) + "\n").encode("utf-8", "backslashreplace")
        try:
            self._asked(lambda: self._system.pipe_file(self._at(name), data))
        except OSError as error:
            raise self._unwritable(error) from None

    def _read(self, name: str) -> dict[str, Any] | None:
        path = f"{self.root}/{name}"
        try:
            data = self._asked(lambda: self._system.cat_file(self._at(name)))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise unreadable(path, error) from None
        return document_of(data, path)

    def _remove(self, name: str) -> None:
        with contextlib.suppress(Exception):
            self._system.rm(self._at(name), recursive=True)

    def _at(self, name: str) -> str:
        return f"{self._path}/{name}"

    def _asked(self, ask: Callable[[], _T]) -> _T:
        """What a library gives, or OSError with its reason."""
        try:
            self._system.invalidate_cache()
            return ask()
        except (OSError, TypeError):
            raise
        except Exception as error:
            text = " ".join(str(error).split())
            raise OSError(errno.EIO, f"{type(error).__name__}: {text}", self.root) from error

    def _unwritable(self, error: Exception) -> OutputError:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return OutputError(Diagnostic("ZT601", f"cannot be written: {reason}", path=self.root))
