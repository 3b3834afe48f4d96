"""Sinks: names and formats, rotation, folders split by name, ends that come early."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from tests.capture.building import block, frame, interface, packet, pcap, section
from tests.needs import packed
from ztfast.capture import open_capture
from ztfast.errors import OutputError, UsageError
from ztfast.sinks.files import FileSink, Rotation, SplitSink, format_of, numbered

NAMES = packed("a.pcap", "a.pcapng", "a", "a.pcap.gz", "a.pcapng.zst", "a.lz4")
KINDS = packed("a.pcap", "a.pcapng", "a.pcap.gz", "a.pcap.zst", "a.pcap.lz4")
FRAMES = [frame(i, 60 + i) for i in range(100)]
SECOND = 1_000_000_000
TIMES = [1_700_000_000 * SECOND + i * SECOND for i in range(100)]
CLASSIC = pcap(FRAMES, times=TIMES)
NG = (
    section()
    + interface(pairs=[(2, b"eth0")])
    + b"".join(
        packet(f, 0, t // 1000) + (block(0x99, b"note") if i % 10 == 0 else b"")
        for i, (f, t) in enumerate(zip(FRAMES, TIMES, strict=True))
    )
)


def batches(data):
    return list(open_capture(io.BytesIO(data)))


def frames_in(path):
    with open_capture(path) as capture:
        return [f for batch in capture for f in batch.frames()]


@pytest.mark.parametrize(
    ("path", "format", "expected"),
    [
        ("a.pcap", None, "pcap"),
        ("a.PCAPNG.gz", None, "pcapng"),
        ("a.pcap", "pcapng", "pcapng"),
        ("-", None, None),
        ("a.bin", None, None),
    ],
)
def test_format(path, format, expected):
    assert format_of(path, format) == expected


def test_unknown_format():
    with pytest.raises(UsageError, match="snoop"):
        FileSink("a", format="snoop")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("data", [CLASSIC, NG], ids=["classic", "ng"])
def test_names(tmp_path, name, data):
    with FileSink(str(tmp_path / name)) as sink:
        for batch in batches(data):
            sink.write(batch)
    assert frames_in(tmp_path / name) == FRAMES
    assert sink.files[0].frames == 100
    if name == "a":
        assert (tmp_path / name).read_bytes() == data
    if name == "a.pcap.gz" and data is CLASSIC:
        assert gzip.decompress((tmp_path / name).read_bytes()) == data


@pytest.mark.parametrize("data", [CLASSIC, NG], ids=["classic", "ng"])
@pytest.mark.parametrize(
    ("rotation", "counts"),
    [
        (Rotation(frames=30), [30, 30, 30, 10]),
        (Rotation(seconds=25), [25, 25, 25, 25]),
        (Rotation(seconds=40, frames=30), [30, 30, 30, 10]),
        (Rotation(size=1), [1] * 100),
        (Rotation(size=10**9), [100]),
    ],
)
def test_rotation(tmp_path, data, rotation, counts):
    with FileSink(str(tmp_path / "a.pcapng"), rotation=rotation) as sink:
        for batch in batches(data):
            sink.write(batch)
    assert [w.frames for w in sink.files] == counts
    assert sorted(w.path for w in sink.files) == [w.path for w in sink.files]
    assert [f for w in sink.files for f in frames_in(w.path)] == FRAMES
    if data is NG:
        whole = b"".join(Path(w.path).read_bytes() for w in sink.files)
        assert whole.count(block(0x99, b"note")) == 10


def test_rotation_by_size_is_near_it(tmp_path):
    with FileSink(str(tmp_path / "a.pcap"), rotation=Rotation(size=2000)) as sink:
        for batch in batches(CLASSIC):
            sink.write(batch, np.arange(0, len(batch), 2))
    assert [f for w in sink.files for f in frames_in(w.path)] == FRAMES[::2]
    assert all(1500 < w.size <= 2024 for w in sink.files[:-1])


def test_rotation_with_cuts(tmp_path):
    with FileSink(str(tmp_path / "a.pcap"), rotation=Rotation(frames=30)) as sink:
        for batch in batches(CLASSIC):
            cut = np.arange(len(batch), dtype=np.uint32) % 50
            sink.write(batch, np.arange(len(batch)), cut, cut)
    found = [f for w in sink.files for f in frames_in(w.path)]
    assert found == [f[: i % 50] for i, f in enumerate(FRAMES)]


def test_standard_output_is_not_rotated():
    with pytest.raises(UsageError, match="rotated"):
        FileSink("-", rotation=Rotation(frames=1))


def test_numbered():
    assert numbered("x/a.pcapng.zst", 12) == "x/a_00012.pcapng.zst"


def test_split(tmp_path):
    folder = tmp_path / "new" / "split"
    with SplitSink(str(folder)) as sink:
        sink.begin(["accepted", "dropped"])
        for batch in batches(CLASSIC):
            if len(batch):
                index = np.array([1, 5, 9])
                sink.write("accepted", batch, index)
                limit = np.array([10, 65535, 20], np.uint32)
                sink.copies("tee", 0x8E30F50A25, batch, index, limit)
                sink.copies("watch", 1, batch, index, limit, np.array([14, 14, 18]))
                sink.copies("redirect", 2, batch, index, np.full(3, 65535, np.uint32))
    names = ["accepted", "dropped", "redirect-0000000002", "tee-8e30f50a25", "watch-0000000001"]
    assert sorted(os.listdir(folder)) == [f"{name}.pcapng" for name in names]
    chosen = [FRAMES[1], FRAMES[5], FRAMES[9]]
    assert frames_in(folder / "accepted.pcapng") == chosen
    assert frames_in(folder / "dropped.pcapng") == []
    assert frames_in(folder / "redirect-0000000002.pcapng") == chosen
    tee = folder / "tee-8e30f50a25.pcapng"
    assert frames_in(tee) == [FRAMES[1][:24], FRAMES[5], FRAMES[9][:34]]
    lengths = [n for b in open_capture(tee) for n in b.lengths.tolist()]
    assert lengths == [24, 65, 34]
    assert frames_in(folder / "watch-0000000001.pcapng")[2] == FRAMES[9][:38]
    assert {w.frames for w in sink.files} == {0, 3}


def test_copies_of_cut_captures(tmp_path):
    """Bytes that were not captured cannot be copied: the length says that they were there."""
    data = pcap([b"x" * 40], lengths=[1500])
    with SplitSink(str(tmp_path)) as sink:
        for batch in batches(data):
            if len(batch):
                sink.copies("tee", 1, batch, np.array([0]), np.array([100], np.uint32))
    (batch,) = [b for b in open_capture(tmp_path / "tee-0000000001.pcapng") if len(b)]
    assert (batch.captured[0], batch.lengths[0]) == (40, 114)


def test_many_names_need_few_descriptors(tmp_path):
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, limits[1]))
    try:
        with SplitSink(str(tmp_path), suffix=".pcap.gz") as sink:
            for batch in batches(CLASSIC):
                for i in range(len(batch)):
                    sink.write(f"rule-{i}", batch, np.array([i]))
                    sink.write(f"other-{i}", batch, np.array([i]))
                for i in range(len(batch)):
                    sink.write(f"rule-{i}", batch, np.array([i]))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert len(os.listdir(tmp_path)) == 200
    assert frames_in(tmp_path / "rule-7.pcap.gz") == [FRAMES[7]] * 2


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a\0b"])
def test_names_that_are_refused(tmp_path, name):
    with SplitSink(str(tmp_path)) as sink, pytest.raises(UsageError):
        sink.begin([name])


def test_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="folder"):
        SplitSink(str(tmp_path / "file"))


SCRIPT = """
import os, signal, sys
from ztfast.capture import open_capture
from ztfast.sinks.files import FileSink
with FileSink(sys.argv[2]) as sink:
    for batch in open_capture(sys.argv[1]):
        sink.write(batch)
    {end}
"""


@pytest.mark.parametrize("name", KINDS)
def test_ctrl_c_leaves_a_whole_file(tmp_path, name):
    done = ended(tmp_path, name, "os.kill(os.getpid(), signal.SIGINT)")
    assert b"KeyboardInterrupt" in done.stderr
    assert frames_in(tmp_path / "out" / name) == FRAMES
    assert os.listdir(tmp_path / "out") == [name]


def test_a_kill_leaves_no_half_file(tmp_path):
    ended(tmp_path, "a.pcap", "os.kill(os.getpid(), signal.SIGKILL)")
    assert "a.pcap" not in os.listdir(tmp_path / "out")


def ended(tmp_path, name, end):
    (tmp_path / "in.pcap").write_bytes(CLASSIC)
    (tmp_path / "out").mkdir()
    script = textwrap.dedent(SCRIPT).format(end=end)
    arguments = [str(tmp_path / "in.pcap"), str(tmp_path / "out" / name)]
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, check=False
    )


def test_standard_output(tmp_path):
    (tmp_path / "in.pcap").write_bytes(CLASSIC)
    script = SCRIPT.format(end="pass")
    arguments = [str(tmp_path / "in.pcap"), "-"]
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, check=False
    )
    assert done.stdout == CLASSIC


@pytest.mark.parametrize("suffix", [".pcap", ".pcapng"])
@pytest.mark.parametrize("linktype", [0, 1, 101])
def test_a_file_without_frames_says_a_link_type(tmp_path, suffix, linktype):
    """libpcap refuses a pcapng without any interface."""
    data = io.BytesIO(pcap([frame(1, 60)], linktype=linktype))
    with open_capture(data) as capture, SplitSink(str(tmp_path), suffix=suffix) as sink:
        sink.begin(["accepted", "dropped"])
        for batch in capture:
            if len(batch):
                sink.write("accepted", batch)
    written = tmp_path / f"dropped{suffix}"
    if shutil.which("tcpdump"):
        words = ["tcpdump", "-r", str(written), "-w", str(tmp_path / "again")]
        subprocess.run(words, check=True, capture_output=True, timeout=60)
        written = tmp_path / "again"
    assert list(open_capture(written))[-1].interfaces[0].linktype in (linktype, 12)
    assert sum(map(len, open_capture(written))) == 0
