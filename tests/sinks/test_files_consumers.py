"""The programs people feed read every kind of file written, with the same frames.

From a file, and through a pipe or FIFO where the program can.  A program that is not
installed is skipped by name.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import threading

import numpy as np
import pytest

from tests.capture.building import pcap
from tests.needs import packed
from tests.sinks.conversations import FLOWS, FRAMES
from ztfast.capture import open_capture
from ztfast.sinks.files import FileSink, SplitSink

TIMEOUT = 60
COUNT = len(FRAMES)
KINDS = {
    "pcap": ("out.pcap", 0xA1B2_C3D4, "<"),
    "nanosecond pcap": ("out.pcap", 0xA1B2_3C4D, "<"),
    "big-endian pcap": ("out.pcap", 0xA1B2_C3D4, ">"),
    "pcapng": ("out.pcapng", 0xA1B2_C3D4, "<"),
}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def path(tmp_path, kind):
    """A capture that went through our writer, half of its frames by choice, then the others."""
    name, magic, order = KINDS[kind]
    with FileSink(str(tmp_path / name)) as sink:
        for batch in open_capture(io.BytesIO(pcap(FRAMES, magic=magic, order=order))):
            for part in np.array_split(np.arange(len(batch)), 2):
                sink.write(batch, part)
    return tmp_path / name


def need(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


def run(*command, cwd=None, **arguments):
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
        **arguments,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]
    return done.stdout.decode(errors="replace")


def from_fifo(tmp_path, path, *command, cwd=None):
    """Run a command on a FIFO (`FIFO` in its words) that the file is written to."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    thread = threading.Thread(target=lambda: fifo.write_bytes(path.read_bytes()), daemon=True)
    thread.start()
    out = run(*(fifo if word == "FIFO" else word for word in command), cwd=cwd)
    thread.join(TIMEOUT)
    return out


def same_frames(data: bytes):
    found = [f for batch in open_capture(io.BytesIO(data)) for f in batch.frames()]
    assert found == FRAMES


@pytest.mark.parametrize("way", ["file", "pipe", "fifo"])
def test_tcpdump(tmp_path, path, way):
    need("tcpdump")
    out = tmp_path / "again.pcap"
    if way == "fifo":
        from_fifo(tmp_path, path, "tcpdump", "-r", "FIFO", "-w", out, "-Z", "root")
    elif way == "pipe":
        run("tcpdump", "-r", "-", "-w", out, "-Z", "root", input=path.read_bytes())
    else:
        run("tcpdump", "-r", path, "-w", out, "-Z", "root")
    same_frames(out.read_bytes())


@pytest.mark.parametrize("way", ["file", "pipe", "fifo"])
def test_tshark(tmp_path, path, way):
    need("tshark")
    fields = ["-T", "fields", "-e", "frame.len", "-e", "frame.cap_len", "-e", "frame.time_epoch"]
    if way == "fifo":
        out = from_fifo(tmp_path, path, "tshark", "-r", "FIFO", *fields)
    elif way == "pipe":
        out = run("tshark", "-r", "-", *fields, input=path.read_bytes())
    else:
        out = run("tshark", "-r", path, *fields)
    rows = [line.split() for line in out.splitlines()]
    expected = [(str(len(f)), str(len(f)), 1_600_000_000_000 + i) for i, f in enumerate(FRAMES)]
    assert [(a, b, round(float(t) * 1000)) for a, b, t in rows] == expected


@pytest.mark.parametrize("way", ["file", "fifo"])
def test_capinfos(tmp_path, path, kind, way):
    need("capinfos")
    words = ["-T", "-r", "-M", "-t", "-c", "-d"]
    if way == "fifo":
        out = from_fifo(tmp_path, path, "capinfos", *words, "FIFO")
    else:
        out = run("capinfos", *words, path)
    _, form, count, size = out.strip().split("\t")
    assert form == {"nanosecond pcap": "nsecpcap", "big-endian pcap": "pcap"}.get(kind, kind)
    assert (int(count), int(size)) == (COUNT, sum(map(len, FRAMES)))


def test_nfdump(tmp_path, path):
    """nfpcapd refuses anything that is not a regular file, so there is no pipe to test."""
    need("nfpcapd")
    (tmp_path / "flows").mkdir()
    run("nfpcapd", "-r", path, "-l", tmp_path / "flows")
    figures = run("nfdump", "-R", tmp_path / "flows", "-I")
    assert re.search(rf"^Packets: {COUNT}$", figures, re.MULTILINE)
    assert re.search(rf"^Packets_tcp: {6 * FLOWS}$", figures, re.MULTILINE)


@pytest.mark.parametrize("way", ["file", "pipe"])
def test_argus(tmp_path, path, way):
    need("argus")
    need("ra")
    out = tmp_path / "out.argus"
    if way == "pipe":
        run("argus", "-X", "-r", "-", "-w", out, input=path.read_bytes())
    else:
        run("argus", "-X", "-r", path, "-w", out)
    rows = run("ra", "-X", "-r", out, "-n", "-s", "pkts", "-", "ip").split()
    assert sum(int(word) for word in rows if word.isdigit()) == COUNT


@pytest.mark.parametrize("way", ["file", "fifo"])
def test_ndpi(tmp_path, path, way):
    need("ndpiReader")
    if way == "fifo":
        out = from_fifo(tmp_path, path, "ndpiReader", "-i", "FIFO")
    else:
        out = run("ndpiReader", "-i", path)
    assert re.search(rf"IP packets:\s+{COUNT}\s+of {COUNT} packets", out)
    assert re.search(rf"TCP Packets:\s+{6 * FLOWS}\s", out)


@pytest.mark.parametrize("way", ["file", "fifo"])
def test_p0f(tmp_path, path, way):
    """p0f counts TCP packets only."""
    need("p0f")
    if way == "fifo":
        out = from_fifo(tmp_path, path, "p0f", "-r", "FIFO")
    else:
        out = run("p0f", "-r", path)
    assert f"Processed {6 * FLOWS} packets" in out


@pytest.mark.parametrize("way", ["file", "fifo"])
def test_tcpflow(tmp_path, path, way):
    need("tcpflow")
    folder = tmp_path / "flows"
    if way == "fifo":
        from_fifo(tmp_path, path, "tcpflow", "-r", "FIFO", "-o", folder)
    else:
        run("tcpflow", "-r", path, "-o", folder)
    flows = [p for p in folder.iterdir() if p.name != "report.xml"]
    assert len(flows) == 2 * FLOWS
    assert sum(p.read_bytes().endswith(b"hello") for p in flows) == FLOWS


def test_suricata(tmp_path, path):
    need("suricata")
    run("suricata", "-r", path, "-l", tmp_path, "-k", "none")
    assert suricata_packets(tmp_path) == COUNT


def test_suricata_on_a_fifo(tmp_path, path):
    need("suricata")
    from_fifo(tmp_path, path, "suricata", "-r", "FIFO", "-l", tmp_path, "-k", "none")
    assert suricata_packets(tmp_path) == COUNT


def test_suricata_on_a_rotated_folder(tmp_path):
    need("suricata")
    folder = tmp_path / "tee"
    rotated_tee(folder)
    run("suricata", "-r", folder, "-l", tmp_path, "-k", "none")
    assert suricata_packets(tmp_path) == COUNT


def suricata_packets(folder) -> int:
    rows = map(json.loads, (folder / "eve.json").read_text().splitlines())
    stats = [row["stats"] for row in rows if row["event_type"] == "stats"]
    return stats[-1]["decoder"]["pkts"]


def test_zeek(tmp_path, path):
    need("zeek")
    run("zeek", "-C", "-r", path, cwd=tmp_path)
    lines = (tmp_path / "conn.log").read_text().splitlines()
    assert sum(not line.startswith("#") for line in lines) == 2 * FLOWS


def test_arkime(tmp_path, path):
    program = shutil.which("capture", path="/opt/arkime/bin")
    if program is None:
        pytest.skip("arkime's capture is not installed")
    out = run(program, "--dryrun", "-n", "test", "-r", path, cwd=tmp_path)
    assert str(COUNT) in out


def rotated_tee(folder):
    from ztfast.sinks.files import Rotation

    with SplitSink(str(folder), suffix=".pcap", rotation=Rotation(frames=50)) as sink:
        for batch in open_capture(io.BytesIO(pcap(FRAMES))):
            index = np.arange(len(batch))
            limit = np.full(len(batch), 65_535, np.uint32)
            sink.copies("tee", 0x8E30F50A25, batch, index, limit)


def test_rotated_files_are_read_by_tcpdump(tmp_path):
    need("tcpdump")
    rotated_tee(tmp_path)
    counts = [
        int(run("tcpdump", "--count", "-r", tmp_path / name).split()[0])
        for name in sorted(os.listdir(tmp_path))
    ]
    assert counts == [50, 50, 40]


@pytest.mark.parametrize("suffix", [".pcap", ".pcapng"])
def test_cut_copies_as_wireshark_reads_them(tmp_path, suffix):
    need("tshark")
    with SplitSink(str(tmp_path), suffix=suffix) as sink:
        for batch in open_capture(io.BytesIO(pcap(FRAMES))):
            limit = np.full(len(batch), 30, np.uint32)
            sink.copies("tee", 0x8E30F50A25, batch, np.arange(len(batch)), limit)
    path = tmp_path / f"tee-8e30f50a25{suffix}"
    out = run("tshark", "-r", path, "-T", "fields", "-e", "frame.len", "-e", "frame.cap_len")
    expected = [str(min(len(f), 44)) for f in FRAMES]
    assert [line.split() for line in out.splitlines()] == [[n, n] for n in expected]


@pytest.mark.parametrize("suffix", packed(".gz", ".zst", ".lz4"))
def test_wireshark_reads_what_is_compressed(tmp_path, suffix):
    need("capinfos")
    path = tmp_path / f"out.pcapng{suffix}"
    with FileSink(str(path)) as sink:
        for batch in open_capture(io.BytesIO(pcap(FRAMES))):
            sink.write(batch)
    assert run("capinfos", "-T", "-r", "-M", "-c", path).strip().endswith(f"\t{COUNT}")
