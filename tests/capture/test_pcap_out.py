"""Classic pcap out: copies byte for byte, cuts, other layouts, errors."""

from __future__ import annotations

import io

import numpy as np
import pytest

from tests.capture.building import DATA, frame, pcap
from ztfast.capture import open_capture
from ztfast.capture.outputs import Output
from ztfast.capture.pcap_out import PcapWriter
from ztfast.errors import OutputError

CAPTURES = sorted(DATA.glob("tcpdump/**/*.pcap"))


def copy(source, path, choose=lambda batch: None, **arguments):
    writer = PcapWriter(Output(str(path)))
    with open_capture(source) as capture:
        for batch in capture:
            writer.write(batch, choose(batch), **arguments)
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
        writer.write(batch, np.array([0, 2]), np.array([20, 60], np.uint32), lengths)
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
            writer.write(batch)
    writer.close()
    assert (tmp_path / "a.pcap").read_bytes() == pcap(first) + pcap(second)[24:]


def test_two_link_types_have_no_place_in_one(tmp_path):
    writer = PcapWriter(Output(str(tmp_path / "a.pcap")))
    for data in (pcap([b"a" * 20]), pcap([b"b" * 20], linktype=101)):
        batches = list(open_capture(io.BytesIO(data)))
        writer.write(batches[0])
    with pytest.raises(OutputError, match="pcapng"):
        writer.write(batches[1])
    writer.close()
    with open_capture(tmp_path / "a.pcap") as capture:
        assert capture.format == "pcap"


def test_nothing_written_is_still_a_capture(tmp_path):
    PcapWriter(Output(str(tmp_path / "a.pcap"))).close()
    with open_capture(tmp_path / "a.pcap") as capture:
        assert [len(b) for b in capture] == [0]
