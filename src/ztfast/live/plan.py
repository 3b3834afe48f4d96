"""What a tap was asked to do, as one value.

Contract: plain data; live/session.py carries it out.  Tested by tests/live/test_tap_network.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ztfast.live.file_output import FileOptions
from ztfast.live.ring import RingOptions
from ztfast.live.targets import Target


@dataclass(frozen=True)
class Plan:
    """inputs: names of interfaces.  send: a word of routes.SENDS.  dedup: milliseconds, or None.

    block: wait for slow readers.  seconds: end after so long.  user: who to become.  ready_fd:
    where to say that it is ready.  stats: seconds between lines.  metrics: an address or a file.
    """

    inputs: Sequence[str]
    ring: RingOptions
    targets: Sequence[Target]
    files: FileOptions
    send: str = "copies"
    dedup: int | None = None
    block: bool = False
    seconds: float | None = None
    user: str | None = None
    ready_fd: int | None = None
    stats: float | None = None
    metrics: str | None = None
    as_json: bool = False

    @property
    def takes_stdout(self) -> bool:
        """Do frames go to standard output?"""
        return any(target.kind == "stdout" for target in self.targets)
