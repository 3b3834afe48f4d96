"""Segments: the units of work, a file or a part of a large classic pcap; and how parts are joined.

A part of a plain pcap is cut anywhere, of one in zstd of several frames where a frame begins.

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
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from ztfast.archive.remote import RemoteRanges, info_of, is_url
from ztfast.capture.part_starts import DENSE, likely_starts
from ztfast.capture.pcap_part import Place
from ztfast.capture.ranges import DiskFile, Ranges

PART = 256 << 20  # bytes of a part: some seconds of work
_NAME = 60


@dataclass(frozen=True)
class Segment:
    """A file (start is None), or its records that begin in [start, stop) bytes.

    skip: bytes decoded from the frame at `start` on that belong to records before (zstd only).

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
    skip: int = 0

    @property
    def id(self) -> str:
        """A name that no other segment has, and that people recognise."""
        text = f"{self.path}\0{self.start}\0{self.stop}"
        if self.skip:
            text += f"\0{self.skip}"
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
        return replace(self, start=None, stop=None, skip=0)

    @property
    def place(self) -> Place:
        """Where a part's first record begins."""
        return Place(self.start or 0, self.skip)

    def to_json(self) -> dict[str, Any]:
        """For a plan's file."""
        return asdict(self)


class Ended(NamedTuple):
    """What the joining asks of a segment that was run.

    end: where the record behind a part begins.  sound: neither damaged nor failed.
    """

    end: Place | None
    sound: bool


def stamp_of(path: str) -> tuple[int, int]:
    """A file's bytes, and a number that is another one when it changed; raises OSError."""
    if is_url(path):
        return info_of(path)
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns


def cut(path: str, part: int = PART) -> list[Segment]:
    """A file's segments, of about `part` bytes where it can be cut; raises OSError."""
    size, changed = stamp_of(path)
    whole = Segment(path, size, changed)
    if size * DENSE < 2 * part:  # not even one in zstd has two parts
        return [whole]
    with closing(ranges_of(path)) as file:
        starts = likely_starts(file, part)
    if len(starts) < 2 or file.size != size:
        return [whole]
    stops = [*(place.byte for place in starts[1:]), size]
    return [
        replace(whole, start=place.byte, skip=place.skip, stop=stop)
        for place, stop in zip(starts, stops, strict=True)
    ]


def ranges_of(path: str) -> Ranges:
    """A file's bytes by place, wherever it is; raises OSError."""
    return RemoteRanges(path) if is_url(path) else DiskFile(path)


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
    place = first.place
    while place.byte < first.size:
        part = _part_at(place, planned, ended)
        if part not in ended:
            return [], [part, *(one for one in planned if one not in ended and one != part)]
        end, sound = ended[part]
        if not sound or end is None or end <= place:
            return [], [whole]
        chain.append(part)
        place = end
    return chain, []


def _part_at(place: Place, planned: list[Segment], ended: Iterable[Segment]) -> Segment:
    """The part that begins at a place; where none does, one up to the next that was planned."""
    for part in (*planned, *ended):
        if part.start is not None and part.place == place:
            return part
    stops = [part.place.byte for part in planned if part.place.byte > place.byte]
    stop = min(stops, default=planned[0].size)
    return replace(planned[0], start=place.byte, skip=place.skip, stop=stop)


def numbered(chains: Iterable[list[Segment]], frames: Mapping[Segment, int]) -> list[list[Segment]]:
    """The segments with the number of each one's first frame, over all files in this order."""
    first, found = 0, list[list[Segment]]()
    for chain in chains:
        found.append([])
        for segment in chain:
            found[-1].append(replace(segment, first=first))
            first += frames.get(segment, 0)
    return found
