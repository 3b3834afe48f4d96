"""Segments: the units of work, a file or a part of a large classic pcap; and how parts are joined.

Contract: where a part begins is a guess until the part before has ended exactly there.  `joined`
follows a file's parts from its first record on and takes only those that so prove themselves; it
says which are still to be run.  A file of which a part is damaged or failed is read as a whole, as
`ztfast filter` reads it.
Tested by tests/archive/test_segments.py.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from ztfast.archive.remote import info_of, is_url
from ztfast.capture.pcap_part import likely_starts

PART = 256 << 20  # bytes of a part: some seconds of work
_NAME = 60


@dataclass(frozen=True)
class Segment:
    """A file (start is None), or its records that begin in [start, stop) bytes.

    size, changed: the file's bytes and time of change (ns; of a URL a number made of its ETag)
    when the work was planned.  first: the number of the first frame over all files, where that was
    counted.
    """

    path: str
    size: int
    changed: int
    start: int | None = None
    stop: int | None = None
    first: int = 0

    @property
    def id(self) -> str:
        """A name that no other segment has, and that people recognise."""
        text = f"{self.path}\0{self.start}\0{self.stop}"
        digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        name = re.sub(r"[^A-Za-z0-9._-]", "_", os.path.basename(self.path))[-_NAME:]
        return f"{digest}-{name}"

    def __str__(self) -> str:
        if self.start is None:
            return self.path
        return f"{self.path}, bytes {self.start} to {self.stop}"

    @property
    def whole(self) -> Segment:
        """The file as one segment."""
        return replace(self, start=None, stop=None)

    def to_json(self) -> dict[str, Any]:
        """For a plan's file."""
        return asdict(self)


class Ended(NamedTuple):
    """What the joining asks of a segment that was run.

    end: where the record behind a part begins.  sound: neither damaged nor failed.
    """

    end: int | None
    sound: bool


def stamp_of(path: str) -> tuple[int, int]:
    """A file's bytes, and a number that is another one when it changed; raises OSError."""
    if is_url(path):
        return info_of(path)
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns


def cut(path: str, part: int = PART) -> list[Segment]:
    """A file's segments, of about `part` bytes where it can be cut; raises OSError.

    What a URL names stays whole.
    """
    size, changed = stamp_of(path)
    whole = Segment(path, size, changed)
    parts = 0 if is_url(path) else size // part
    starts = likely_starts(path, parts) if parts > 1 else []
    if len(starts) < 2:
        return [whole]
    ends = [*starts[1:], size]
    return [replace(whole, start=start, stop=end) for start, end in zip(starts, ends, strict=True)]


def joined(
    planned: list[Segment], ended: Mapping[Segment, Ended]
) -> tuple[list[Segment], list[Segment]]:
    """(a file's segments that count, in order; those to be run before that is known).

    planned: as `cut` gave them.  ended: all segments of the file that were run.
    """
    first = planned[0]
    whole = first.whole
    if whole in ended:
        return [whole], []
    if first.start is None:
        return [], [whole]
    chain: list[Segment] = []
    place = first.start
    while place < first.size:
        part = _part_at(place, planned, ended)
        if part not in ended:
            return [], [part, *(one for one in planned if one not in ended and one != part)]
        end, sound = ended[part]
        if not sound or end is None or end <= place:
            return [], [whole]
        chain.append(part)
        place = end
    return chain, []


def _part_at(place: int, planned: list[Segment], ended: Iterable[Segment]) -> Segment:
    """The part that begins at a byte; where none does, one up to the next that was planned."""
    for part in (*planned, *ended):
        if part.start == place:
            return part
    stops = [part.start for part in planned if part.start is not None and part.start > place]
    return replace(planned[0], start=place, stop=min(stops, default=planned[0].size))


def numbered(chains: Iterable[list[Segment]], frames: Mapping[Segment, int]) -> list[list[Segment]]:
    """The segments with the number of each one's first frame, over all files in this order."""
    first, found = 0, list[list[Segment]]()
    for chain in chains:
        found.append([])
        for segment in chain:
            found[-1].append(replace(segment, first=first))
            first += frames.get(segment, 0)
    return found
