"""What one `ztfast serve` is about: the rules, the members, what is compared and how much is taken.

Contract: frozen values, read once when the command starts; only the rules text changes, in the page
and (where that is allowed) on disk.  Tested by tests/serve/test_app.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from ztfast.errors import RulesError, Source, usage
from ztfast.lang.controller import load_source
from ztfast.lang.sources import read_source
from ztfast.model.policy import Policy
from ztfast.network.members import Network

MOST_TEXT = 2_000_000  # bytes of a question; a thousand entries are 20,000
MOST_RULES = 500_000  # characters: what a question holds of them, whatever they are
MOST_CAPTURES = 4  # kept at a time: a few tabs
DEFAULT_UPLOAD = 512 << 20


@dataclass(frozen=True)
class Settings:
    """What the page is made for.

    rules: as they were read.  path: their file, "" where they come from elsewhere.  writable: may
    the page save them there?  network, network_name: the
    members and their file.  deployed, deployed_name: the rules that the page compares with.
    tests: files of cases.  most_upload: bytes of a capture.
    """

    rules: Source
    path: str = ""
    writable: bool = False
    network: Network | None = None
    network_name: str = ""
    deployed: Policy | None = None
    deployed_name: str = ""
    tests: tuple[str, ...] = ()
    most_upload: int = DEFAULT_UPLOAD

    def current(self) -> str:
        """The rules' text as it is now; as it was read first where it cannot be read any more."""
        try:
            return read_source(self.path).text if self.path else self.rules.text
        except RulesError:
            return self.rules.text

    def policy(self, text: str) -> Policy:
        """The policy of the page's text; raises RulesError with the file's name."""
        return load_source(Source(self.rules.name, text))

    @property
    def members(self) -> Network:
        """The network; raises UsageError where none was given."""
        if self.network is None:
            raise usage("no members are known", "start with --network FILE (docs/network.md)")
        return self.network
