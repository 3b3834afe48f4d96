"""Classic pcap in: the formats' variants, and every shared capture against capinfos."""

from __future__ import annotations

import csv
import io
import os
import struct
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.capture.building import DATA, frame, pcap
from tests.needs import needs_loops
from ztfast import dispatch
from ztfast.capture import open_capture
from ztfast.errors import CaptureError, counted

EXPECTED = [
    row
    for row in csv.reader((DATA / "expected.tsv").read_text().splitlines(), delimiter="\t")
    if len(row) == 5 and row[1] in ("pcap", "nsecpcap")
]
UNSUPPORTED_BY_CAPINFOS = [
    line.split('"')[1]
    for line in (DATA / "errors.txt").read_text().splitlines()
    if line.startswith("capinfos")
]
# capinfos takes the 4 bytes of Sun's ATM pseudo-header off each frame; we count what is there.
ATM_PSEUDO_HEADER = {
    "tcpdump/atm-heapoverflow.pcap",
    "tcpdump/atm-oam-heapoverflow.pcap",
    "tcpdump/atm-oam-loopback-print-overrun.pcap",
}


def read(source):
    with open_capture(source) as capture:
        return list(capture)


def read_until_damage(capture):
    """The batches before the damage, and its one diagnostic."""
    batches = []
    try:
        for batch in capture:
            batches.append(batch)
    except CaptureError as error:
        (found,) = error.diagnostics
        return batches, found
    pytest.fail("no damage was found")


def count(batches):
    return sum(map(len, batches)), sum(int(b.lengths.sum()) for b in batches)


def test_there_are_all_captures():
    assert (len(EXPECTED), len(UNSUPPORTED_BY_CAPINFOS)) == (771, 14)


@pytest.mark.parametrize("pipe", [False, True], ids=["mapped", "stream"])
def test_counts_of_every_capture(pipe):
    wrong = []
    for name, _, _, frames, size in EXPECTED:
        path = DATA / name
        batches = read(io.BytesIO(path.read_bytes()) if pipe else path)
        extra = 4 * int(frames) if name in ATM_PSEUDO_HEADER else 0
        if count(batches) != (int(frames), int(size) + extra):
            wrong.append((name, count(batches), frames, size))
    assert wrong == []


@pytest.mark.parametrize("name", UNSUPPORTED_BY_CAPINFOS)
def test_link_types_that_capinfos_does_not_know_still_count(name):
    frames = 0
    data = (DATA / name).read_bytes()
    position = 24
    while position < len(data):
        position += 16 + struct.unpack_from("<I", data, position + 8)[0]
        frames += 1
    assert count(read(DATA / name))[0] == frames > 0


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("magic", [0xA1B2_C3D4, 0xA1B2_3C4D, 0xA1B2_CD34])
def test_variants(tmp_path, order, magic):
    frames = [frame(i, 60 + i) for i in range(100)]
    unit = 1 if magic == 0xA1B2_3C4D else 1000
    times = [4_200_000_000_000_000_000 + i * 1001 * unit for i in range(100)]
    data = pcap(
        frames, order=order, magic=magic, times=times, lengths=[2000 + i for i in range(100)]
    )
    path = tmp_path / "a.pcap"
    path.write_bytes(data)
    for source in (path, io.BytesIO(data)):
        (head, batch) = read(source)
        assert (len(head), head.linktype) == (0, 1)
        assert list(batch.frames()) == frames
        assert batch.timestamps.tolist() == times
        assert batch.lengths.tolist() == [2000 + i for i in range(100)]
        assert batch.timestamps.dtype == np.int64
        assert batch.record_end[-1] + batch.base == len(data)
        assert batch.record_start[1:].tolist() == batch.record_end[:-1].tolist()
        assert batch.linktype == 1
        assert batch.interfaces[0].resolution == (9 if unit == 1 else 6)


@pytest.mark.parametrize(
    ("field", "linktype", "fcs"),
    [
        (1, 1, 0),
        (0x2400_0001, 1, 4),
        (0x3000_0084, 132, 0),
        (0x0400_0001, 1, 0),
        (0x0224_0002, 228, 0),
        (0x0224_0018, 229, 0),
        (0x0224_0007, 0x0224_0007, 0),
    ],
)
def test_link_type_field(field, linktype, fcs):
    _, batch = read(io.BytesIO(pcap([b"x" * 60], linktype=field)))
    assert (batch.linktype, batch.fcs) == (linktype, fcs)


def test_batches_are_bounded_and_numbered(tmp_path):
    frames = [b"\0" * 16] * 70_000
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap(frames))
    batches = read(path)
    sizes = [len(b) for b in batches]
    assert max(sizes) <= 65_536
    assert sum(sizes) == 70_000
    assert [b.first for b in batches] == [sum(sizes[:i]) for i in range(len(sizes))]


def test_small_windows_give_the_same_frames(tmp_path):
    frames = [frame(i, i % 700) for i in range(1500)]
    data = pcap(frames)
    path = tmp_path / "a.pcap"
    path.write_bytes(data)
    for source in (path, io.BytesIO(data)):
        with open_capture(source, span=4096) as capture:
            batches = list(capture)
        assert len(batches) > 50
        assert [f for b in batches for f in b.frames()] == frames
        places = [int(o) + b.base for b in batches for o in b.offsets]
        assert all(data[p : p + len(f)] == f for p, f in zip(places, frames, strict=True))


@pytest.mark.parametrize("cut", [1, 15, 16, 17, 50])
def test_truncated_after_its_frames(tmp_path, cut):
    data = pcap([frame(i, 60) for i in range(5)])
    path = tmp_path / "cut.pcap"
    path.write_bytes(data[: 24 + 4 * 76 + cut])
    for source in (path, io.BytesIO(path.read_bytes())):
        capture = open_capture(source)
        batches, found = read_until_damage(capture)
        assert count(batches)[0] == 4
        assert found.offset == 24 + 4 * 76
        assert f"{counted(cut, 'byte')} into a record" in found.message
        assert capture.diagnostics == [found]


@pytest.mark.parametrize("size", [0, 1, 3, 4, 23])
def test_header_cut(tmp_path, size):
    path = tmp_path / "cut.pcap"
    path.write_bytes(pcap([])[:size])
    with pytest.raises(CaptureError, match=str(size) if size else "empty"):
        read(path)


def test_too_long_a_record(tmp_path):
    data = bytearray(pcap([frame(i, 60) for i in range(5)]))
    struct.pack_into("<I", data, 24 + 2 * 76 + 8, 262_145)
    path = tmp_path / "bad.pcap"
    path.write_bytes(data)
    batches, found = read_until_damage(open_capture(path))
    assert count(batches)[0] == 2
    assert found.offset == 24 + 2 * 76
    assert "262145" in found.message


def test_longest_frame_is_read():
    assert count(read(io.BytesIO(pcap([b"x" * 262_144]))))[0] == 1


@pytest.mark.parametrize("data", [b"hello world, no capture", b"\x89PNG\r\n\x1a\n" * 9])
def test_no_capture(tmp_path, data):
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    with pytest.raises(CaptureError, match="not a capture"):
        open_capture(path)


def test_missing_and_directory(tmp_path):
    with pytest.raises(CaptureError, match="No such file"):
        open_capture(tmp_path / "nothing.pcap")
    with pytest.raises(CaptureError, match="directory"):
        open_capture(tmp_path)


@pytest.mark.parametrize("version", [(1, 4), (3, 0), (2, 5), (543, 1)])
def test_other_versions(version):
    data = bytearray(pcap([b"x" * 60]))
    struct.pack_into("<HH", data, 4, *version)
    with pytest.raises(CaptureError, match="version"):
        read(io.BytesIO(bytes(data)))


def test_fifo_gives_frames_while_it_is_open(tmp_path):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    go_on = threading.Event()
    data = pcap([frame(i, 80) for i in range(10)])

    def feed():
        with Path(path).open("wb", buffering=0) as out:
            out.write(data[:100])
            go_on.wait(30)
            out.write(data[100:])

    thread = threading.Thread(target=feed)
    thread.start()
    seen = 0
    with open_capture(path) as capture:
        for batch in capture:
            seen += len(batch)
            if batch.first == 0:
                go_on.set()
    thread.join()
    assert seen == 10


def test_limit():
    with open_capture(io.BytesIO(pcap([b"abcd"] * 50)), limit=7) as capture:
        assert count(list(capture))[0] == 7


def test_batches_outlive_the_capture(tmp_path):
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap([b"abcd"] * 3))
    with open_capture(path) as capture:
        batches = list(capture)
    assert list(batches[1].frames()) == [b"abcd"] * 3


@needs_loops
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("magic", [0xA1B2_C3D4, 0xA1B2_3C4D, 0xA1B2_CD34])
def test_compiled_times_are_the_plain_ones(order, magic, monkeypatch):
    times = [0, 999_999_000, 1_600_000_000_123_456_000, (1 << 32) * 1_000_000_000 - 1000]
    data = pcap([b"frame"] * 4, order=order, magic=magic, times=times)

    def read():
        with open_capture(io.BytesIO(data)) as capture:
            return [time for batch in capture for time in batch.timestamps.tolist()]

    assert read() == times
    monkeypatch.setattr(dispatch, "core", None)
    assert read() == times


@needs_loops
def test_times_outside_the_buffer_are_refused():
    read, out = dispatch.require().record_times, np.zeros(1, np.int64)
    buffer = np.zeros(20, np.uint8)
    read(buffer, np.array([16]), 16, False, 1, out)
    for offset in (15, -1, 29, 1 << 62):
        with pytest.raises(ValueError, match="record 0 is outside"):
            read(buffer, np.array([offset]), 16, False, 1, out)
    with pytest.raises(ValueError, match="as many"):
        read(buffer, np.array([16, 16]), 16, False, 1, out)
