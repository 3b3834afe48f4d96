"""Headers of classic pcaps: versions, and the order in which their records hold two lengths."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest

from tests.capture.building import frame, pcap
from ztfast.capture import open_capture
from ztfast.capture.pcap_header import MAGICS, next_header, parse_header, starts_header
from ztfast.sinks.files import FileSink

TURNED = [(2, 0), (2, 1), (2, 2), (543, 0)]
FRAMES = [frame(number, size) for number, size in enumerate((60, 1500, 0, 71))]
LENGTHS = [100, 1500, 64, 2000]


def old(version: tuple[int, int], turned: list[bool], order: str = "<") -> bytes:
    """A capture of that version; turned: whose original length stands first."""
    data = bytearray(pcap(FRAMES, order=order, lengths=LENGTHS))
    struct.pack_into(order + "HH", data, 4, *version)
    at = 24
    for body, length, turn in zip(FRAMES, LENGTHS, turned, strict=True):
        pair = (length, len(body)) if turn else (len(body), length)
        struct.pack_into(order + "II", data, at + 8, *pair)
        at += 16 + len(body)
    return bytes(data)


def read(data: bytes) -> list[tuple[bytes, int]]:
    with open_capture(io.BytesIO(data)) as capture:
        return [
            pair
            for batch in capture
            for pair in zip(batch.frames(), batch.lengths.tolist(), strict=True)
        ]


WHOLE = list(zip(FRAMES, LENGTHS, strict=True))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("version", TURNED)
def test_the_original_length_first(version: tuple[int, int], order: str) -> None:
    assert read(old(version, [True] * 4, order)) == WHOLE


@pytest.mark.parametrize("turned", [[False] * 4, [True] * 4, [True, False, True, False]])
def test_in_2_3_the_larger_is_the_original(turned: list[bool]) -> None:
    assert read(old((2, 3), turned)) == WHOLE


def test_written_as_version_2_4(tmp_path: Path) -> None:
    path = tmp_path / "new.pcap"
    with open_capture(io.BytesIO(old((2, 1), [True] * 4))) as capture, FileSink(str(path)) as sink:
        for batch in capture:
            sink.write(batch)
    assert path.read_bytes() == pcap(FRAMES, lengths=LENGTHS)


def test_damage_in_an_old_one_costs_one_record() -> None:
    data = bytearray(old((2, 2), [True] * 4))
    struct.pack_into("<II", data, 24 + 76 + 8, 0xFFFF_FFFF, 0xFFFF_FFFF)
    with open_capture(io.BytesIO(bytes(data)), resync=True) as capture:
        found = [body for batch in capture for body in batch.frames()]
    assert found == [FRAMES[0], FRAMES[3]]  # the empty one proves nothing


@pytest.mark.parametrize("magic", MAGICS, ids=lambda magic: magic.hex())
def test_a_header_is_told_by_magic_and_version(magic: bytes) -> None:
    order = ">" if MAGICS[magic][0] else "<"
    for version, known in (((2, 4), True), ((543, 0), True), ((2, 5), False), ((0, 0), False)):
        head = magic + struct.pack(order + "HHiI", *version, 0, 0)
        assert starts_header(head) == known
        rest = struct.pack(order + "II", 9, 1)
        assert (parse_header(head + rest).layout is not None) == known
        for before in range(9):
            text = b"x" * before + head + b"y"
            assert next_header(text, 0, len(text)) == (before if known else None)
    for zone, figures in ((1, 0), (-(2**31), 0), (0, 6)):
        assert not starts_header(magic + struct.pack(order + "HHiI", 2, 4, zone, figures))
    assert not starts_header(magic)
    assert not starts_header(b"")
    assert next_header(magic, 0, 4) is None
