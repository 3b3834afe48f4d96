"""zstd files of several frames: plain, with skippable ones, with a seek table as zstd's own has."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence

SKIPPABLE = struct.pack("<II", 0x184D2A50, 4) + b"skip"


def frames_of(data: bytes, rng: random.Random, most: int) -> list[bytes]:
    """The data in frames of up to so many bytes each, with and without sizes and check sums."""
    import zstandard

    frames, place = [], 0
    while place < len(data):
        piece = data[place : place + rng.randrange(1, most)]
        place += len(piece)
        packer = zstandard.ZstdCompressor(
            level=1, write_content_size=rng.random() < 0.5, write_checksum=rng.random() < 0.5
        )
        frames.append(packer.compress(piece))
        if rng.random() < 0.2:
            frames.append(rng.choice([SKIPPABLE, packer.compress(b"")]))
    return frames


def seek_table(sizes: Sequence[int], checked: bool = False, frames: int | None = None) -> bytes:
    """A seek table of frames of these sizes; what they decode to is left 0."""
    entry = struct.pack("<II", 0, 0) if checked else struct.pack("<I", 0)
    rows = b"".join(struct.pack("<I", size) + entry for size in sizes)
    count = len(sizes) if frames is None else frames
    foot = struct.pack("<IBI", count, 0x80 if checked else 0, 0x8F92EAB1)
    return struct.pack("<II", 0x184D2A5E, len(rows) + len(foot)) + rows + foot
