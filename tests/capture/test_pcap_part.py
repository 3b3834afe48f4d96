"""Parts of a classic pcap: each record belongs to the part in which it begins, and to no other."""

from __future__ import annotations

import random
import struct
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.needs import needs_loops
from tests.pipeline.hostile_captures import capture_of, record
from ztfast.capture import open_capture
from ztfast.capture.part_starts import likely_starts
from ztfast.capture.pcap_part import Place, open_part
from ztfast.capture.ranges import DiskFile
from ztfast.capture.session import ReadSession
from ztfast.errors import CaptureError

HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)


def starts_of(path: Path) -> list[int]:
    with open_capture(path) as capture:
        found = [batch.record_start + batch.base for batch in capture if len(batch)]
    return np.concatenate(found).tolist() if found else []  # type: ignore[no-any-return]


def part_of(path: Path, start: int, stop: int) -> tuple[list[int], int]:
    """(where a part's records begin; where the one behind it does)."""
    with open_part(DiskFile(str(path)), Place(start), stop, ReadSession()) as part:
        found = [batch.record_start + batch.base for batch in part if len(batch)]
        end = part.end
    assert end is not None
    assert end.skip == 0
    return (np.concatenate(found).tolist() if found else []), end.byte


def likely_in(path: Path, part: int) -> list[Place]:
    with closing(DiskFile(str(path))) as file:
        return likely_starts(file, part)


@pytest.mark.parametrize("seed", range(3))
def test_parts_are_the_whole(seed: int, tmp_path: Path) -> None:
    rng, path = random.Random(seed), tmp_path / "c.pcap"
    path.write_bytes(capture_of(rng, 200, 300))
    size, expected = path.stat().st_size, starts_of(path)
    for _ in range(30):
        found, place = list[int](), 24
        while place < size:
            records, end = part_of(
                path, place, place + rng.choice([1, 15, 16, 17, 700, 9000, size])
            )
            assert end > place
            found += records
            place = end
        assert (found, place) == (expected, size)


def test_a_stop_on_a_record_is_not_crossed(tmp_path: Path) -> None:
    path = tmp_path / "c.pcap"
    path.write_bytes(HEADER + record(1, bytes(60)) * 4)
    assert part_of(path, 24, 24 + 76 * 2) == ([24, 100], 176)
    assert part_of(path, 24, 24 + 76 * 2 + 1) == ([24, 100, 176], 252)
    assert part_of(path, 252, 10_000) == ([252], 328)


def test_large_records_reach_over_small_parts(tmp_path: Path) -> None:
    path = tmp_path / "c.pcap"
    path.write_bytes(HEADER + record(1, bytes(100_000)) * 3)
    assert part_of(path, 24, 25) == ([24], 100_040)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("magic", [0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34])
def test_both_byte_orders_and_the_modified_form(order: str, magic: int, tmp_path: Path) -> None:
    path, more = tmp_path / "c.pcap", bytes(8) if magic == 0xA1B2CD34 else b""
    head = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, 1)
    one = struct.pack(order + "IIII", 1_700_000_000, 0, 60, 60) + more + bytes(60)
    path.write_bytes(head + one * 6)
    assert part_of(path, 24, 24 + len(one) + 1) == ([24, 24 + len(one)], 24 + 2 * len(one))


@pytest.mark.parametrize("cut", [1, 8, 15, 30])
def test_a_file_that_ends_early_is_damage(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "c.pcap"
    path.write_bytes(HEADER + record(1, bytes(60)) * 2 + record(1, bytes(60))[:cut])
    with pytest.raises(CaptureError):
        part_of(path, 100, 10_000)


def test_so_is_a_record_that_is_too_long(tmp_path: Path) -> None:
    path = tmp_path / "c.pcap"
    path.write_bytes(HEADER + record(1, bytes(60)) + struct.pack("<IIII", 1, 0, 1 << 31, 1 << 31))
    with pytest.raises(CaptureError, match="captured bytes"):
        part_of(path, 24, 101)


@pytest.mark.parametrize("data", [b"", HEADER[:20], b"no capture at all, whatever it is called"])
def test_what_is_no_pcap_any_more(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "c.pcap"
    path.write_bytes(data)
    with pytest.raises(CaptureError, match="it changed"):
        open_part(DiskFile(str(path)), Place(24), 100, ReadSession())
    assert likely_in(path, 4) == []


@needs_loops
def test_likely_starts_are_mostly_right(tmp_path: Path) -> None:
    path = tmp_path / "c.pcap"
    path.write_bytes(capture_of(random.Random(1), 2000, 300))
    places = likely_in(path, path.stat().st_size // 20)
    assert {place.skip for place in places} == {0}
    starts, real = [place.byte for place in places], set(starts_of(path))
    assert starts[0] == 24
    assert starts == sorted(set(starts))
    right = [start in real for start in starts]
    assert 10 < sum(right) < len(right)  # some guesses are fooled: they are to be proved


def test_old_versions_are_not_cut(tmp_path: Path) -> None:
    path = tmp_path / "c.pcap"
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 3, 0, 0, 262144, 1) + bytes(9000))
    assert likely_in(path, 4) == []
