"""The scan's contract, for every version of it."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from tests.capture.building import frame, pcap
from ztfast import dispatch
from ztfast.capture import pcap_scan
from ztfast.capture.pcap_scan import OK, TOO_LONG, scan_records
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
    found = scan_records(data, 24, len(data), swapped, header)
    assert (found.next, found.error) == (len(data), OK)
    assert (found.offsets.dtype, found.captured.dtype, found.lengths.dtype) == ("i8", "u4", "u4")
    cut = [data[o : o + c] for o, c in zip(found.offsets, found.captured, strict=True)]
    assert cut == FRAMES


@pytest.mark.parametrize("end", range(24, 1500, 7))
def test_stops_at_an_incomplete_record(end):
    found = scan_records(DATA, 24, end, False)
    assert found.error == OK
    size = found.captured[-1] + found.offsets[-1] if len(found.offsets) else 24
    assert found.next == size <= end
    (captured,) = struct.unpack_from("<I", DATA, found.next + 8)
    assert found.next + 16 + captured > end


def test_max_frames():
    found = scan_records(DATA, 24, len(DATA), False, max_frames=10)
    assert len(found.offsets) == 10
    rest = scan_records(DATA, found.next, len(DATA), False)
    assert rest.lengths.tolist() == list(range(1010, 1200))


@pytest.mark.parametrize("more", [0, 1000])
def test_too_long_is_told_before_it_is_complete(more):
    data = pcap([b"abc"]) + struct.pack("<IIII", 1, 1, 1001, 1001) + b"x" * more
    found = scan_records(data, 24, len(data), False, max_captured=1000)
    assert (found.error, found.next, len(found.offsets)) == (TOO_LONG, 43, 1)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda b: np.frombuffer(b, "u1")])
def test_buffers(kind):
    assert len(scan_records(kind(DATA), 24, len(DATA), False).offsets) == 200


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
        scan_records(DATA, start, end, False)


@pytest.mark.skipif(dispatch.core is None, reason="the extension is not built")
@pytest.mark.parametrize(("start", "end"), OUTSIDE)
def test_scans_that_judge_refuse_it_too(start, end):
    engine = Engine(compile_text("accept;"), side="out", backend="native")
    for scan in (JudgingScan(engine), CountingScan(engine, True), CountingScan(engine, False)):
        with pytest.raises(ValueError, match=f"from {start} to {end} is outside the buffer"):
            scan(DATA, start, end, False)


@pytest.mark.parametrize("plain", [True, False])
def test_empty_windows_find_nothing(plain, monkeypatch):
    if plain:
        monkeypatch.setattr(pcap_scan.dispatch, "core", None)
    for data, at in ((b"", 0), (DATA, 0), (DATA, len(DATA))):
        found = scan_records(data, at, at, False)
        assert (len(found.offsets), found.next, found.error) == (0, at, OK)
