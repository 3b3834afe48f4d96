"""Whose members a text is about: of the network that an editor names, else of its folder's project.

Contract: `Members.look` is called when a text is opened, `use` where an editor names one file for
all texts; both raise ZtfastError or OSError, after which no members are known, and `of` never does.
Tested by tests/lsp/test_members.py.
"""

from __future__ import annotations

from typing import NamedTuple

from ztfast.model.addresses import parse_network_id
from ztfast.network.load import load_network
from ztfast.network.members import Network
from ztfast.network.project import project_for


class Known(NamedTuple):
    """A network, and the file that it was read from, which a process of its own reads again."""

    network: Network | None = None
    file: str | None = None


class Members:
    """The networks of the texts that are open."""

    def __init__(self, for_all: Known | None = None) -> None:
        """for_all: nothing is looked for, whatever is opened."""
        self._for_all = for_all
        self._of: dict[str, Known] = {}

    def use(self, file: str) -> None:
        """Take the members of one file for all texts."""
        self._for_all = Known()
        self._for_all = _read(file)

    def look(self, uri: str, *folders: str) -> None:
        """A text was opened: take those of the project that the first of its folders belongs to."""
        if self._for_all is not None:
            return
        self._of[uri] = Known()
        project = next(filter(None, map(project_for, folders)), None)
        if project is not None and project.network is not None:
            self._of[uri] = _read(project.network)

    def of(self, uri: str) -> Known:
        """Those of an open text."""
        return self._of.get(uri, Known()) if self._for_all is None else self._for_all

    def forget(self, uri: str) -> None:
        """A text was closed."""
        self._of.pop(uri, None)


def _read(file: str) -> Known:
    if parse_network_id(file) is not None:  # an id names no members
        return Known()
    return Known(load_network(file), file)
