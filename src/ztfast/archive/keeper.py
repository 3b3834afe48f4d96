"""Who keeps results: a folder (archive.store), or an object store (archive.remote_store).

Contract: `keeper_of` chooses by the name of the place; both keep to `Keeper`: results of a segment
appear whole or not at all, and of several attempts at one the first wins.
Tested by tests/archive/test_store.py and test_remote_store.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ztfast.archive.remote import is_url
from ztfast.archive.store import Store


class Keeper(Protocol):
    """What keeps results: a folder, or (archive.remote_store) an object store.

    A manifest's `at` says where the segment's files are, from the root.
    """

    def attempt(self, name: str) -> str:
        """A new folder of this machine for one attempt at a segment; raises OSError."""
        ...

    def commit(self, folder: str, name: str, manifest: Mapping[str, Any]) -> bool:
        """Make an attempt the segment; False where another was first.  Raises OSError."""
        ...

    def manifest(self, name: str) -> dict[str, Any] | None:
        """What a committed segment says; None where there is none."""
        ...

    def discard(self, folder: str) -> None:
        """Remove an attempt."""

    def tidy(self) -> None:
        """Remove what attempts that came to nothing have left."""

    def plan(self) -> dict[str, Any] | None:
        """The plan of the job that was begun here, or None."""
        ...

    def write_plan(self, plan: Mapping[str, Any]) -> None:
        """Begin a job here; raises OutputError."""

    def write(self, name: str, document: Mapping[str, Any]) -> None:
        """Write a document beside the segments; raises OutputError."""


def keeper_of(root: str) -> Keeper:
    """Who keeps results at a place; raises UsageError for a URL whose library is missing."""
    if not is_url(root):
        return Store(root.removeprefix("file://"))
    from ztfast.archive.remote_store import RemoteStore  # start-up stays short

    return RemoteStore(root)
