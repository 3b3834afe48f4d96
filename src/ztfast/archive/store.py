"""Where results are kept: attempts under names of their own, segments that appear whole or not.

Contract: the `archive.keeper.Keeper` for folders.  A worker writes into the folder that `attempt`
gave it, a name that nobody else has; `commit` puts the manifest in, waits for it to be on the disk,
and renames the folder to the segment's.  The first attempt wins, a later one is thrown away; so
what has a manifest in `segments` is whole, and nothing else is read.  A worker that dies leaves an
attempt that nobody looks at; `tidy` removes them.  Names are waited for once, at the end (a wait
is most of what a small segment costs): a folder that lost some as the power failed has no manifest,
or is not there, and is done again.
Tested by tests/archive/test_store.py.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import uuid
from collections.abc import Mapping
from typing import Any, cast

from ztfast.errors import Diagnostic, OutputError
from ztfast.sinks.temporary import host_name, settle
from ztfast.sinks.text import write_text

MANIFEST = "manifest.json"
PLAN, SEGMENTS = "plan.json", "segments"
_ATTEMPTS = "attempts"


class Store:
    """A folder of results, `root`."""

    def __init__(self, root: str) -> None:
        self.root = root

    def segment_folder(self, name: str) -> str:
        """Where a committed segment's files are."""
        return os.path.join(self.root, SEGMENTS, name)

    def attempt(self, name: str) -> str:
        """A new folder for one attempt at a segment; raises OSError."""
        own = f"{name}.{host_name()[:40]}.{os.getpid()}.{uuid.uuid4().hex[:12]}"
        folder = os.path.join(self.root, _ATTEMPTS, own)
        os.makedirs(folder)
        return folder

    def commit(self, folder: str, name: str, manifest: Mapping[str, Any]) -> bool:
        """Make an attempt the segment; False where another was first.  Raises OSError."""
        path = os.path.join(folder, MANIFEST)
        with open(path, "w", encoding="utf-8") as file:
            file.write(json.dumps({**manifest, "at": f"{SEGMENTS}/{name}"}))  # dump is slow
            file.flush()
            settle(file.fileno())
        os.makedirs(os.path.join(self.root, SEGMENTS), exist_ok=True)
        try:
            os.rename(folder, self.segment_folder(name))
        except OSError:
            if self._stands(name):
                self.discard(folder)
                return False
            self._put_aside(name)
            os.rename(folder, self.segment_folder(name))
        return True

    def _stands(self, name: str) -> bool:
        return os.path.exists(os.path.join(self.segment_folder(name), MANIFEST))

    def _put_aside(self, name: str) -> None:
        """Move away what has a segment's name and no manifest; raises OSError."""
        aside = os.path.join(self.root, _ATTEMPTS, f"{name}.{uuid.uuid4().hex[:12]}")
        os.rename(self.segment_folder(name), aside)

    def manifest(self, name: str) -> dict[str, Any] | None:
        """What a committed segment says; None where there is none."""
        return self._read(os.path.join(self.segment_folder(name), MANIFEST))

    def discard(self, folder: str) -> None:
        """Remove an attempt."""
        shutil.rmtree(folder, ignore_errors=True)

    def tidy(self) -> None:
        """Wait for the segments' names, and remove what attempts that came to nothing have left."""
        _settle_folder(os.path.join(self.root, SEGMENTS))
        self.discard(os.path.join(self.root, _ATTEMPTS))

    def plan(self) -> dict[str, Any] | None:
        """The plan of the job that was begun here, or None."""
        return self._read(os.path.join(self.root, PLAN))

    def write_plan(self, plan: Mapping[str, Any]) -> None:
        """Begin a job here; raises OutputError."""
        self.write(PLAN, plan)

    def write(self, name: str, document: Mapping[str, Any]) -> None:
        """Write a document beside the segments; raises OutputError."""
        try:
            os.makedirs(self.root, exist_ok=True)
        except OSError as error:
            message = f"no folder can be made: {error.strerror}"
            raise OutputError(Diagnostic("ZT601", message, path=self.root)) from None
        write_text(os.path.join(self.root, name), json.dumps(document, indent=1) + "\n")

    @staticmethod
    def _read(path: str) -> dict[str, Any] | None:
        try:
            with open(path, "rb") as file:
                data = file.read()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise unreadable(path, error) from None
        return document_of(data, path)


def document_of(data: bytes, path: str) -> dict[str, Any]:
    """A document's bytes as the object that it is; raises OutputError."""
    try:
        found: object = json.loads(data)
    except ValueError as error:
        raise unreadable(path, error) from None
    if not isinstance(found, dict):
        raise unreadable(path, "it is not a JSON object")
    return cast("dict[str, Any]", found)


def unreadable(path: str, why: object) -> OutputError:
    """What a document that is none is said to be."""
    help = "remove the folder that it is in and run again with --resume"
    return OutputError(Diagnostic("ZT612", f"cannot be read: {why}", path=path, help=help))


def _settle_folder(folder: str) -> None:
    """Wait until a folder's names are on the disk, where the system knows such a thing."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
