"""The scan's contract, for every version of it."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from tests.capture.building import block, frame, packet, pcap, section, simple
from ztfast import dispatch
from ztfast.capture import pcap_scan
from ztfast.capture.pcap_scan import OK, TOO_LONG, RecordShape, scan_records
from ztfast.engine.engine import Engine
from ztfast.lang import compile_text
from ztfast.pipeline.scan import CountingScan, JudgingScan

FRAMES = [frame(i, (i * 37) % 300) for i in range(200)]
DATA = pcap(FRAMES, lengths=[1000 + i for i in range(200)])


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("header", [16, 24])
def test_all(swapped, header):
    magic = 0xA1B2_CD34 if header == 24 else 0xA1B2_C3D4
    data = pcap(FRAMES, order=">" if swapped else "<", magic=magic)
    found = scan_records(data, 24, len(data), RecordShape(swapped, header))
    assert (found.next, found.error) == (len(data), OK)
    assert (found.offsets.dtype, found.captured.dtype, found.lengths.dtype) == ("i8", "u4", "u4")
    cut = [data[o : o + c] for o, c in zip(found.offsets, found.captured, strict=True)]
    assert cut == FRAMES


@pytest.mark.parametrize("end", range(24, 1500, 7))
def test_stops_at_an_incomplete_record(end):
    found = scan_records(DATA, 24, end)
    assert found.error == OK
    size = found.captured[-1] + found.offsets[-1] if len(found.offsets) else 24
    assert found.next == size <= end
    (captured,) = struct.unpack_from("<I", DATA, found.next + 8)
    assert found.next + 16 + captured > end


def test_max_frames():
    found = scan_records(DATA, 24, len(DATA), max_frames=10)
    assert len(found.offsets) == 10
    rest = scan_records(DATA, found.next, len(DATA))
    assert rest.lengths.tolist() == list(range(1010, 1200))


@pytest.mark.parametrize("more", [0, 1000])
def test_too_long_is_told_before_it_is_complete(more):
    data = pcap([b"abc"]) + struct.pack("<IIII", 1, 1, 1001, 1001) + b"x" * more
    found = scan_records(data, 24, len(data), RecordShape(max_captured=1000))
    assert (found.error, found.next, len(found.offsets)) == (TOO_LONG, 43, 1)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda b: np.frombuffer(b, "u1")])
def test_buffers(kind):
    assert len(scan_records(kind(DATA), 24, len(DATA)).offsets) == 200


OUTSIDE = [
    (24, len(DATA) + 1),
    (24, 1 << 40),
    (-1, len(DATA)),
    (-(1 << 40), 100),
    (100, 99),
    (len(DATA) + 16, len(DATA) + 32),
    (24, -1),
]


@pytest.mark.parametrize(("start", "end"), OUTSIDE)
@pytest.mark.parametrize("plain", [True, False])
def test_a_window_outside_the_buffer_is_refused(start, end, plain, monkeypatch):
    if plain:
        monkeypatch.setattr(pcap_scan.dispatch, "core", None)
    with pytest.raises(ValueError, match=f"from {start} to {end} is outside the buffer"):
        scan_records(DATA, start, end)


@pytest.mark.skipif(dispatch.core is None, reason="the extension is not built")
@pytest.mark.parametrize(("start", "end"), OUTSIDE)
def test_scans_that_judge_refuse_it_too(start, end):
    engine = Engine(compile_text("accept;"), side="out", backend="native")
    for scan in (JudgingScan(engine), CountingScan(engine, True), CountingScan(engine, False)):
        with pytest.raises(ValueError, match=f"from {start} to {end} is outside the buffer"):
            scan(DATA, start, end)


@pytest.mark.parametrize("plain", [True, False])
def test_empty_windows_find_nothing(plain, monkeypatch):
    if plain:
        monkeypatch.setattr(pcap_scan.dispatch, "core", None)
    for data, at in ((b"", 0), (DATA, 0), (DATA, len(DATA))):
        found = scan_records(data, at, at)
        assert (len(found.offsets), found.next, found.error) == (0, at, OK)


# --- packet blocks of a pcapng -------------------------------------------------------------------


def blocks(order: str = "<") -> bytes:
    """Packet blocks with and without options, and none that tells of a check sequence."""
    comment = [(1, b"a comment"), (2, struct.pack(order + "I", 1))]
    made = [
        packet(body, i % 2, i, len(body) + 7, comment if i % 5 == 0 else None, order)
        for i, body in enumerate(FRAMES)
    ]
    return b"".join(made)


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("order", ["<", ">"])
def test_packet_blocks(plain, order, monkeypatch):
    if plain:
        monkeypatch.setattr(pcap_scan.dispatch, "core", None)
    data = b"1234" + blocks(order)
    shape = RecordShape(order == ">", 28, interfaces=2)
    found = scan_records(data, 4, len(data), shape)
    assert (found.next, found.error, len(found.offsets)) == (len(data), OK, len(FRAMES))
    cut = [data[o : o + c] for o, c in zip(found.offsets, found.captured, strict=True)]
    assert cut == FRAMES
    assert found.lengths.tolist() == [len(body) + 7 for body in FRAMES]
    fewer = scan_records(data, 4, len(data), shape._replace(interfaces=1))
    assert (len(fewer.offsets), fewer.error) == (1, OK)


STOPS = {
    "another block": block(5, bytes(20)),
    "a section": section(),
    "a simple packet": simple(b"abcd" * 10),
    "a check sequence": packet(b"abcd" * 9, pairs=[(2, struct.pack("<I", 4 << 5))]),
    "flags of another size": packet(b"abcd" * 9, pairs=[(2, b"\0\0")]),
    "no such interface": packet(b"abcd" * 9, 2),
    "two lengths": packet(b"abcd" * 9)[:-4] + struct.pack("<I", 64),
    "a length of 30": struct.pack("<II", 6, 30) + bytes(22) + struct.pack("<I", 30) + bytes(8),
    "more captured than there is": block(6, struct.pack("<5I", 0, 0, 0, 41, 41) + bytes(40)),
    "options that run over": block(
        6, struct.pack("<5I", 0, 0, 0, 4, 4) + b"abcd" + struct.pack("<HH", 1, 9) + bytes(8)
    ),
    "a cut block": packet(b"abcd" * 9)[:-1],
    "nothing": b"",
}


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("stop", STOPS)
def test_what_ends_a_scan_of_packet_blocks(stop, plain, monkeypatch):
    if plain:
        monkeypatch.setattr(pcap_scan.dispatch, "core", None)
    whole = blocks()
    last = b"" if stop in ("a cut block", "nothing") else packet(b"more")
    data = whole + STOPS[stop] + last
    found = scan_records(data, 0, len(data), RecordShape(False, 28, interfaces=2))
    assert (found.next, len(found.offsets), found.error) == (len(whole), len(FRAMES), OK)
