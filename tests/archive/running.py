"""What the archive's tests share: captures on a disk, workers in this process, filter's figures."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.pipeline.hostile_captures import capture_of
from ztfast.archive.remote_store import RemoteStore
from ztfast.archive.segments import Segment
from ztfast.archive.work import Outcome, Work, attempted
from ztfast.capture import open_captures
from ztfast.engine.engine import Engine
from ztfast.pipeline.job import Job

RANDOM_RULES = """
drop random 0.3;
accept dport 80 or dport 443 and ipprotocol tcp;
tee 64 8e30f50a25 ipprotocol udp;
drop framesize 0-80;
accept;
"""


class Here:
    """The work done in this process, in an order of its own.

    meddle: called before each segment, with how many were done.
    """

    def __init__(self, seed: int = 0, meddle: Callable[[int], None] | None = None) -> None:
        self._seed, self._meddle = seed, meddle
        self.ran: list[Segment] = []

    def outcomes(self, work: Work, segments: Sequence[Segment]) -> Iterator[Outcome]:
        for segment in random.Random(self._seed).sample(list(segments), len(segments)):
            if self._meddle is not None:
                self._meddle(len(self.ran))
            if work.engine is not None:
                self.ran.append(segment)
            yield attempted(work, segment)


def captures_in(folder: Path, files: int = 3, frames: int = 1500, seed: int = 0) -> Path:
    """A folder with captures whose payloads look like records."""
    folder.mkdir()
    for number in range(files):
        rng = random.Random(seed + number)
        (folder / f"c{number}.pcap").write_bytes(capture_of(rng, frames, 200))
    return folder


def filtered(engine: Engine, *sources: Any, resync: bool = False) -> dict[str, Any]:
    """The figures of `ztfast filter --json` that are not about files."""
    with open_captures(sources, resync=resync) as source:
        job = Job(engine, source)
        job.work()
        return {
            **job.tally.to_json(),
            "skipped_bytes": source.skipped_bytes,
            "complete": job.complete,
        }


def attempt_at(store: RemoteStore, text: str) -> str:
    """The folder of an attempt at segment `s` that wrote a text."""
    folder = Path(store.attempt("s"))
    (folder / "split").mkdir()
    (folder / "split" / "x").write_text(text)
    return str(folder)
