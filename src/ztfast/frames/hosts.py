"""Members that a frame's text may name, as far as frames need to know them.

Contract: a `Hosts` finds them; `network.names.MemberNames` is one.
Tested by tests/frames/test_notation.py.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Host(NamedTuple):
    """A member that a frame's text names: its ZeroTier address and packed IP addresses."""

    address: int
    ips: tuple[bytes, ...]


class Hosts(Protocol):
    """Who knows the members that a text may name (network.names)."""

    def host(self, text: str) -> Host | None:
        """The member of a name or ZeroTier address."""
        ...

    def near(self, text: str) -> str:
        """What to say of a name that nobody has."""
        ...
