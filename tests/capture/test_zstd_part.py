"""Parts of zstd files of several frames: the records of the whole, wherever frames end."""

from __future__ import annotations

import itertools
import random
import struct
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.capture.zstd_building import SKIPPABLE, frames_of, seek_table
from tests.needs import needs, needs_loops
from tests.pipeline.hostile_captures import capture_of, record
from ztfast.capture import open_capture
from ztfast.capture.part_starts import likely_starts
from ztfast.capture.pcap_part import Place, open_part
from ztfast.capture.ranges import DiskFile
from ztfast.capture.session import ReadSession
from ztfast.capture.zstd_part import frame_starts
from ztfast.errors import CaptureError

pytestmark = needs("zstandard")
HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)


def records_of(path: Path) -> list[int]:
    with open_capture(path) as capture:
        found = [batch.record_start + batch.base for batch in capture if len(batch)]
    return np.concatenate(found).tolist() if found else []  # type: ignore[no-any-return]


def part_of(path: Path, place: Place, stop: int) -> tuple[list[int], Place, int]:
    """(where a part's records begin behind its first frame; the place behind; bytes it holds)."""
    with open_part(DiskFile(str(path)), place, stop, ReadSession()) as part:
        found = [batch.record_start + batch.base for batch in part if len(batch)]
        end, decoded = part.end, part.decoded
    assert end is not None
    return (np.concatenate(found).tolist() if found else []), end, decoded


def starts_of(frames: list[bytes]) -> list[int]:
    return np.cumsum([0, *(len(frame) for frame in frames)]).tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("seed", range(8))
def test_parts_are_the_whole(seed: int, tmp_path: Path) -> None:
    rng, path = random.Random(seed), tmp_path / "c.pcap.zst"
    frames = frames_of(capture_of(rng, 200, 300), rng, rng.choice([30, 500, 9000]))
    path.write_bytes(b"".join(frames))
    starts, expected = starts_of(frames), records_of(path)
    found, place, before = list[int](), Place(0, 24), 0
    while place.byte < starts[-1]:
        stop = rng.choice([start for start in starts if start > place.byte][:40])
        records, end, decoded = part_of(path, place, stop)
        assert end.byte == stop
        found += [before + record for record in records]
        place, before = end, before + decoded
    assert (found, place) == (expected, Place(starts[-1]))


def test_a_record_that_covers_whole_parts(tmp_path: Path) -> None:
    rng, path = random.Random(1), tmp_path / "c.pcap.zst"
    data = HEADER + record(1, bytes(100_000)) + record(2, bytes(50))
    frames = frames_of(data, rng, 20_000)
    path.write_bytes(b"".join(frames))
    starts = starts_of(frames)
    _, end, decoded = part_of(path, Place(0, 24), starts[1])
    assert end == Place(starts[1], 24 + 16 + 100_000 - decoded)
    records, behind, inside = part_of(path, end, starts[2])
    assert (records, behind) == ([], Place(starts[2], end.skip - inside))


@pytest.mark.parametrize("off", [-1, 1, 5])
def test_a_stop_inside_a_frame_is_damage(off: int, tmp_path: Path) -> None:
    rng, path = random.Random(2), tmp_path / "c.pcap.zst"
    frames = frames_of(capture_of(rng, 50, 300), rng, 2000)
    path.write_bytes(b"".join(frames))
    with pytest.raises(CaptureError):
        part_of(path, Place(0, 24), starts_of(frames)[3] + off)


def test_a_start_inside_a_frame_is_damage(tmp_path: Path) -> None:
    rng, path = random.Random(2), tmp_path / "c.pcap.zst"
    frames = frames_of(capture_of(rng, 50, 300), rng, 2000)
    path.write_bytes(b"".join(frames))
    starts = starts_of(frames)
    with pytest.raises(CaptureError):
        part_of(path, Place(starts[2] + 1, 0), starts[4])


@pytest.mark.parametrize("cut", [1, 3, 9, 200])
def test_a_file_that_ends_early_is_damage(cut: int, tmp_path: Path) -> None:
    rng, path = random.Random(3), tmp_path / "c.pcap.zst"
    frames = frames_of(capture_of(rng, 50, 300), rng, 2000)
    whole = b"".join(frames)
    path.write_bytes(whole[:-cut])
    stop = starts_of(frames)[2]
    place = part_of(path, Place(0, 24), stop)[1]
    with pytest.raises(CaptureError):
        part_of(path, place, len(whole) - cut)


def test_frames_are_followed(tmp_path: Path) -> None:
    rng, path = random.Random(4), tmp_path / "c.pcap.zst"
    frames = [SKIPPABLE, *frames_of(rng.randbytes(300_000), rng, 5000)]
    path.write_bytes(b"".join(frames))
    starts = starts_of(frames)
    for apart in (1300, 20_000):
        with closing(DiskFile(str(path))) as file:
            some = frame_starts(file, apart)
        assert set(some) < set(starts)
        gaps = np.diff([0, *some])
        assert apart <= min(gaps)
        assert max(gaps) < apart + 5200


@pytest.mark.parametrize("checked", [False, True])
def test_a_seek_table_is_believed(checked: bool, tmp_path: Path) -> None:
    rng, path = random.Random(5), tmp_path / "c.pcap.zst"
    frames = frames_of(rng.randbytes(100_000), rng, 5000)
    path.write_bytes(b"".join(frames) + seek_table([len(one) for one in frames], checked))
    with closing(DiskFile(str(path))) as file:
        file.near = False  # type: ignore[misc]
        assert frame_starts(file, 1)[:3] == starts_of(frames)[1:4]


@pytest.mark.parametrize(
    "table",
    [
        b"",
        seek_table([10, 20]),  # sizes that do not add up
        seek_table([], frames=1 << 31),
        seek_table([5] * 3, frames=2),
        struct.pack("<IBI", 0, 0, 0x8F92EAB1),
        struct.pack("<IBI", 1, 0x40, 0x8F92EAB1),
    ],
)
def test_a_table_that_cannot_be_true_is_none(table: bytes, tmp_path: Path) -> None:
    rng, path = random.Random(6), tmp_path / "c.pcap.zst"
    path.write_bytes(b"".join(frames_of(rng.randbytes(9000), rng, 3000)) + table)
    with closing(DiskFile(str(path))) as file:
        file.near = False  # type: ignore[misc]
        assert frame_starts(file, 1) == []


def test_one_long_frame_is_not_followed_to_its_end(tmp_path: Path) -> None:
    import zstandard

    path = tmp_path / "c.pcap.zst"
    frame = zstandard.ZstdCompressor().compress(random.Random(7).randbytes(2_000_000))
    path.write_bytes(frame * 2)
    with closing(DiskFile(str(path))) as file:
        assert frame_starts(file, 1_000_000) == [len(frame)]
        assert frame_starts(file, 100_000) == []


@needs_loops
def test_likely_starts_are_mostly_right(tmp_path: Path) -> None:
    rng, path = random.Random(8), tmp_path / "c.pcap.zst"
    frames = frames_of(capture_of(rng, 2000, 300), rng, 9000)
    path.write_bytes(b"".join(frames))
    with closing(DiskFile(str(path))) as file:
        places = likely_starts(file, 4 * 4000)
    assert places[0] == Place(0, 24)
    assert len(places) > 15
    for place, following in itertools.pairwise(places):
        end = part_of(path, place, following.byte)[1]
        assert end.byte == following.byte
