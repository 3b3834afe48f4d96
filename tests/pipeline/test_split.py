"""Splitting a judged capture and its rows: against the verdicts, frame by frame."""

from __future__ import annotations

import io
import os

import numpy as np
import pytest

import ztfast
from tests.capture.building import pcap
from tests.sinks.conversations import FRAMES
from ztfast.capture import open_capture
from ztfast.errors import UsageError
from ztfast.frames.batch import FrameBatch
from ztfast.pipeline.rows import frame_rows
from ztfast.pipeline.split import Splitter, copies_by_target
from ztfast.sinks.files import Rotation, SplitSink
from ztfast.sinks.tables import FRAME_COLUMNS, TableSink

RULES = """
tee 40 8e30f50a25 ipprotocol tcp and dport 80;
drop dport 9999;
watch -1 1122334455 sport 80;
redirect 0a0b0c0d0e ipsrc 10.0.0.3/32;
accept;
"""
pytestmark = pytest.mark.filterwarnings("default::DeprecationWarning")


def judged(frames=FRAMES, linktype=1):
    engine = ztfast.Engine(ztfast.compile(RULES), side="out")
    with open_capture(io.BytesIO(pcap(frames, linktype=linktype))) as capture:
        for packets in capture:
            batch = FrameBatch.from_packets(packets)
            yield packets, batch, engine.evaluate(batch, first=packets.first)


def frames_in(path):
    with open_capture(path) as capture:
        return [f for b in capture for f in b.frames()]


def split(folder, rows, **arguments):
    rotation = arguments.pop("rotation", None)
    with SplitSink(str(folder), rotation=rotation) as sink:
        splitter = Splitter(sink, **arguments)
        for packets, batch, verdicts in rows:
            splitter.write(packets, batch, verdicts)
    return sorted(name.split(".")[0] for name in os.listdir(folder))


def test_by_verdict(tmp_path):
    names = split(tmp_path, judged())
    assert names == [
        "accepted",
        "dropped",
        "redirect-0a0b0c0d0e",
        "redirected",
        "tee-8e30f50a25",
        "watch-1122334455",
    ]
    away = [f for f in FRAMES if f[26:30] == bytes((10, 0, 0, 3)) and f[36:38] != b"\x27\x0f"]
    drop = [f for f in FRAMES if f[36:38] == b"\x27\x0f" and f[23] == 17]
    assert frames_in(tmp_path / "redirected.pcapng") == away
    assert frames_in(tmp_path / "redirect-0a0b0c0d0e.pcapng") == away
    assert frames_in(tmp_path / "dropped.pcapng") == drop
    rest = [f for f in FRAMES if f not in away and f not in drop]
    assert frames_in(tmp_path / "accepted.pcapng") == rest
    tee = [f[:54] for f in FRAMES if f[23] == 6 and f[36:38] == b"\0\x50"]
    assert frames_in(tmp_path / "tee-8e30f50a25.pcapng") == tee
    watch = [f for f in FRAMES if f[34:36] == b"\0\x50"]
    assert frames_in(tmp_path / "watch-1122334455.pcapng") == watch


def test_headers_of_other_link_types(tmp_path):
    names = split(tmp_path, judged([f[14:] for f in FRAMES], linktype=101))
    assert "tee-8e30f50a25" in names
    tee = [f[14:54] for f in FRAMES if f[23] == 6 and f[36:38] == b"\0\x50"]
    assert frames_in(tmp_path / "tee-8e30f50a25.pcapng") == tee


def test_by_rule(tmp_path):
    names = split(tmp_path, judged(), by="rule")
    assert [n for n in names if n.startswith("rule")] == [
        "rule-line-3",
        "rule-line-5",
        "rule-line-6",
    ]
    assert len(frames_in(tmp_path / "rule-line-3.pcapng")) == 20


def test_by_member(tmp_path):
    with SplitSink(str(tmp_path)) as sink:
        splitter = Splitter(sink, "member")
        for packets, batch, verdicts in judged():
            members = np.arange(len(packets), dtype=np.uint64) % np.uint64(3)
            splitter.write(packets, batch, verdicts, members)
            if len(packets):
                with pytest.raises(UsageError, match="network"):
                    splitter.write(packets, batch, verdicts)
    assert frames_in(tmp_path / "member-unknown.pcapng") == FRAMES[::3]
    assert frames_in(tmp_path / "member-0000000002.pcapng") == FRAMES[2::3]


def test_rotated(tmp_path):
    names = split(tmp_path, judged(), rotation=Rotation(frames=7))
    tee = [n for n in names if n.startswith("tee")]
    assert len(tee) == -(-4 * 20 // 7)
    found = [f for n in tee for f in frames_in(tmp_path / f"{n}.pcapng")]
    assert found == [f[:54] for f in FRAMES if f[23] == 6 and f[36:38] == b"\0\x50"]


def test_unknown_way(tmp_path):
    with SplitSink(str(tmp_path)) as sink, pytest.raises(UsageError, match="colour"):
        Splitter(sink, "colour")


def test_copies_are_those_of_each_frame():
    seen = 0
    for packets, _, verdicts in judged():
        by_frame = {
            (copy.kind, copy.target, i, copy.length)
            for i in range(len(packets))
            for copy in verdicts.copies(i)
        }
        grouped = {
            (kind, target, i, length)
            for (kind, target), columns in copies_by_target(verdicts).items()
            for i, length in zip(*(c.tolist() for c in columns), strict=True)
        }
        assert grouped == by_frame
        seen += len(grouped)
    assert seen > 80


def test_rows(tmp_path):
    with TableSink(str(tmp_path / "a.npy")) as sink:
        for packets, batch, verdicts in judged():
            rows = frame_rows(packets, batch, verdicts)
            assert list(rows) == [column.name for column in FRAME_COLUMNS]
            sink.write(rows)
    table = np.load(tmp_path / "a.npy")
    assert table["number"].tolist() == list(range(len(FRAMES)))
    first, udp = table[0], table[120]
    assert udp["protocol"] in (6, 17)
    assert (first["source"], first["dest"]) == ("10.0.0.1", "10.0.1.1")
    assert (first["source_port"], first["dest_port"], first["protocol"]) == (40_000, 80, 6)
    assert (first["mac_source"], first["mac_dest"]) == ("02:00:00:00:00:01", "02:00:00:00:01:01")
    assert (first["ethertype"], first["vlan"], first["length"]) == (0x0800, 0, len(FRAMES[0]))
    assert (first["verdict"], first["line"]) == ("accept", 6)
    assert first["copies"] == "tee:8e30f50a25:40"
    counts = dict(zip(*np.unique(table["verdict"], return_counts=True), strict=True))
    assert counts["drop"] == 20
    assert set(counts) == {"accept", "drop", "redirect"}


def test_rows_without_macs_and_ports():
    v6 = (
        b"\x60\0\0\0\0\0\x3b\x40"
        + b"\xfe\x80"
        + b"\0" * 13
        + b"\1"
        + b"\xff\2"
        + b"\0" * 13
        + b"\2"
    )
    seen = 0
    for packets, batch, verdicts in judged([v6, b"\x45" + b"\0" * 3], linktype=101):
        rows = frame_rows(packets, batch, verdicts)
        if len(packets):
            assert rows["mac_source"].tolist() == ["", ""]
            assert rows["source"].tolist() == ["fe80::1", ""]
            assert rows["dest"].tolist() == ["ff02::2", ""]
            assert rows["source_port"].tolist() == [0, 0]
            assert rows["protocol"].tolist() == [59, 0]
            seen += len(packets)
    assert seen == 2
