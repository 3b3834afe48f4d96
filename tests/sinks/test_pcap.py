"""Classic pcap out: copies byte for byte, cuts, other layouts, errors."""

from __future__ import annotations

import gzip
import io
import shutil
import struct
import subprocess

import numpy as np
import pytest

from tests.capture.building import DATA, frame, interface, packet, pcap, section
from ztfast.capture import open_capture, open_captures
from ztfast.capture.session import ReadSession
from ztfast.errors import OutputError
from ztfast.sinks.chosen import Chosen
from ztfast.sinks.files import FileSink
from ztfast.sinks.output import Output
from ztfast.sinks.pcap import PcapWriter

CAPTURES = sorted(DATA.glob("tcpdump/**/*.pcap"))


def copy(source, path, choose=lambda batch: None, **arguments):
    writer = PcapWriter(Output(str(path)))
    with open_capture(source) as capture:
        for batch in capture:
            writer.write(Chosen(batch, choose(batch), **arguments))
    writer.close()
    return path.read_bytes()


def test_every_capture_is_copied_byte_for_byte(tmp_path):
    assert len(CAPTURES) == 785
    wrong = [p for p in CAPTURES if copy(p, tmp_path / "out.pcap") != p.read_bytes()]
    assert wrong == []


@pytest.mark.parametrize("size", [40, 9000])
@pytest.mark.parametrize("magic", [0xA1B2_C3D4, 0xA1B2_3C4D, 0xA1B2_CD34])
def test_chosen_records_are_copied(tmp_path, size, magic):
    frames = [frame(i, size) for i in range(2000)]
    data = pcap(frames, magic=magic)
    record = len(pcap(frames[:1], magic=magic)) - 24
    chosen = [i for i in range(2000) if (i // 7) % 3 != 1]

    def choose(batch):
        keep = [i - batch.first for i in chosen if 0 <= i - batch.first < len(batch)]
        return np.array(keep, np.int64)

    written = copy(io.BytesIO(data), tmp_path / "out.pcap", choose)
    records = [data[24 + i * record : 24 + (i + 1) * record] for i in chosen]
    assert written == data[:24] + b"".join(records)


def test_cut_and_lengths(tmp_path):
    frames = [frame(i, 50) for i in range(3)]
    data = pcap(frames, lengths=[500, 600, 700])
    with open_capture(io.BytesIO(data)) as capture:
        _, batch = capture
    for lengths in (None, np.array([20, 600], np.uint32)):
        writer = PcapWriter(Output(str(tmp_path / "a.pcap")))
        writer.write(Chosen(batch, np.array([0, 2]), np.array([20, 60], np.uint32), lengths))
        writer.close()
        with open_capture(tmp_path / "a.pcap") as capture:
            _, again = capture
        assert list(again.frames()) == [frames[0][:20], frames[2]]
        assert again.lengths.tolist() == ([500, 700] if lengths is None else [20, 600])
        assert again.timestamps.tolist() == batch.timestamps[[0, 2]].tolist()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("magic", [0xA1B2_C3D4, 0xA1B2_3C4D, 0xA1B2_CD34])
def test_another_layout_is_written_as_the_first(tmp_path, order, magic):
    """A second file in another layout joins the first one's: times are rounded to its unit."""
    first, second = [b"first"], [frame(i, 40) for i in range(5)]
    writer = PcapWriter(Output(str(tmp_path / "a.pcap")))
    for data in (pcap(first), pcap(second, order=order, magic=magic)):
        for batch in open_capture(io.BytesIO(data)):
            writer.write(Chosen(batch))
    writer.close()
    assert (tmp_path / "a.pcap").read_bytes() == pcap(first) + pcap(second)[24:]


def test_two_link_types_have_no_place_in_one(tmp_path):
    writer = PcapWriter(Output(str(tmp_path / "a.pcap")))
    for data in (pcap([b"a" * 20]), pcap([b"b" * 20], linktype=101)):
        batches = list(open_capture(io.BytesIO(data)))
        writer.write(Chosen(batches[0]))
    with pytest.raises(OutputError, match="pcapng"):
        writer.write(Chosen(batches[1]))
    writer.close()
    with open_capture(tmp_path / "a.pcap") as capture:
        assert capture.format == "pcap"


def test_nothing_written_is_still_a_capture(tmp_path):
    PcapWriter(Output(str(tmp_path / "a.pcap"))).close()
    with open_capture(tmp_path / "a.pcap") as capture:
        assert [len(b) for b in capture] == [0]


def snaplen_of(data: bytes, order: str = "<") -> int:
    return struct.unpack_from(order + "I", data, 16)[0]


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_snap_length_covers_the_frames_of_every_capture(tmp_path, order):
    """libpcap cuts each frame to the snap length of the file's header as it reads."""
    short = pcap([frame(1, 96)], snaplen=96, order=order)
    long = pcap([frame(2, 1000)], snaplen=65_535)
    writer = PcapWriter(Output(str(tmp_path / "out.pcap")))
    for number, data in enumerate((short, long)):
        with open_capture(io.BytesIO(data), session=ReadSession(first=number)) as capture:
            capture.session.sections = number  # as in one run over both
            for batch in capture:
                writer.write(Chosen(batch))
    writer.close()
    written = (tmp_path / "out.pcap").read_bytes()
    assert snaplen_of(written, order) == 65_535
    assert written[:16] == short[:16]


def test_where_the_header_cannot_be_changed_later_several_captures_get_no_limit(tmp_path):
    data = io.BytesIO(pcap([frame(1, 96)], snaplen=96))
    out = str(tmp_path / "out.pcap.gz")
    with open_capture(data) as capture, FileSink(out, several=True) as sink:
        for batch in capture:
            sink.write(batch)
    assert snaplen_of(gzip.decompress((tmp_path / "out.pcap.gz").read_bytes())) == 262_144


def test_frames_of_pcapng_interfaces_are_not_cut_to_the_first_ones_snap_length(tmp_path):
    data = section() + interface(1, 96) + interface(1, 0)
    data += packet(frame(1, 96), 0) + packet(frame(2, 1000), 1)
    assert snaplen_of(copy(io.BytesIO(data), tmp_path / "out.pcap")) == 262_144


@pytest.mark.skipif(shutil.which("tcpdump") is None, reason="tcpdump is not installed")
@pytest.mark.parametrize("form", ["pcap", "pcapng"])
@pytest.mark.parametrize("merge", [False, True])
def test_tcpdump_reads_frames_of_several_snap_lengths_whole(tmp_path, form, merge):
    paths = [tmp_path / "a.pcap", tmp_path / "b.pcap"]
    for path, size in zip(paths, (96, 1000), strict=True):
        path.write_bytes(pcap([frame(size, size)], snaplen=size))
    out = tmp_path / f"out.{form}"
    with (
        open_captures(paths, merge=merge) as captures,
        FileSink(str(out), unify=merge, several=True) as sink,
    ):
        for batch in captures:
            sink.write(batch)
    words = ["tcpdump", "-r", out, "-w", tmp_path / "again.pcap"]
    subprocess.run(words, check=True, capture_output=True, timeout=60)
    with open_capture(tmp_path / "again.pcap") as capture:
        assert [len(data) for batch in capture for data in batch.frames()] == [96, 1000]
