"""Compressed captures: recognised by content, several members, cut, damaged, bombs; outputs."""

from __future__ import annotations

import bz2
import gzip
import io
import shutil
import subprocess
import sys
import tracemalloc
from functools import partial
from itertools import pairwise

import pytest

from tests.capture.building import frame, pcap
from ztfast.capture import compression, open_capture
from ztfast.capture.outputs import Output
from ztfast.errors import CaptureError, OutputError

zstandard = pytest.importorskip("zstandard")
lz4 = pytest.importorskip("lz4.frame")

PACK = {
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
    "lz4": partial(lz4.compress, content_checksum=True),
}
KINDS = sorted(PACK)
FRAMES = [frame(i, 100 + i % 900) for i in range(1000)]
DATA = pcap(FRAMES)


@pytest.fixture(params=["isal", "zlib"], autouse=True)
def gzip_library(request, monkeypatch):
    """gzip is read by either library."""
    if request.param == "zlib":
        monkeypatch.setitem(sys.modules, "isal", None)
    else:
        pytest.importorskip("isal")


def read(data, **arguments):
    with open_capture(io.BytesIO(data), **arguments) as capture:
        return [f for batch in capture for f in batch.frames()], capture


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["a.pcap", "a.pcap.gz", "b.zst"])
def test_by_content_not_by_name(tmp_path, kind, name):
    path = tmp_path / name
    path.write_bytes(PACK[kind](DATA))
    with open_capture(path) as capture:
        assert (capture.compression, capture.format) == (kind, "pcap")
        assert [f for b in capture for f in b.frames()] == FRAMES


@pytest.mark.parametrize("kind", KINDS)
def test_members_one_behind_the_other(kind):
    cuts = [0, 10, 24, 24, 5000, 70_001, len(DATA)]
    members = [PACK[kind](DATA[a:b]) for a, b in pairwise(cuts)]
    assert read(b"".join(members))[0] == FRAMES


def test_gzip_padding_and_rubbish_behind():
    packed = gzip.compress(DATA)
    assert read(packed + b"\0" * 1000)[0] == FRAMES
    with pytest.raises(CaptureError, match="damaged"):
        read(packed + b"rubbish behind it")


def test_zstd_skippable_frames():
    skip = b"\x50\x2a\x4d\x18\x07\0\0\0ignored"
    packed = PACK["zstd"](DATA)
    for data in (skip + packed, packed + skip, packed + skip + PACK["zstd"](b"")):
        assert read(data)[0] == FRAMES


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("left", [0.5, 0.9, -1, -5])
def test_cut_short_after_its_frames(kind, left):
    packed = PACK[kind](DATA)
    packed = packed[: left if left < 0 else int(len(packed) * left)]
    frames = []
    capture = open_capture(io.BytesIO(packed))
    with pytest.raises(CaptureError, match="cut short"):
        collect(capture, frames)
    assert frames == FRAMES[: len(frames)]
    assert len(frames) >= 1000 * abs(left) * 0.7 if left in (0.5, 0.9) and kind != "zstd" else True
    assert capture.diagnostics[0].offset >= 24


def collect(capture, frames):
    for batch in capture:
        frames.extend(batch.frames())


@pytest.mark.parametrize("kind", KINDS)
def test_every_cut_of_a_small_one_is_an_error(kind):
    packed = PACK[kind](pcap(FRAMES[:2]))
    for size in range(5, len(packed)):
        with pytest.raises(CaptureError):
            read(packed[:size])


@pytest.mark.parametrize("kind", KINDS)
def test_damaged(kind):
    packed = bytearray(PACK[kind](DATA))
    middle = len(packed) // 2
    packed[middle : middle + 64] = bytes(64)
    with pytest.raises(CaptureError):
        read(bytes(packed))


@pytest.mark.parametrize("kind", KINDS)
def test_compressed_twice(kind):
    with pytest.raises(CaptureError, match="twice"):
        read(PACK[kind](PACK["gzip"](DATA)))


def test_other_compressions_are_named():
    with pytest.raises(CaptureError, match="no capture"):
        read(bz2.compress(DATA))


@pytest.mark.parametrize("kind", KINDS)
def test_a_bomb_fills_no_memory(kind):
    """300 MB: read in windows, never as a whole."""
    zeros = pcap([bytes(200_000)] * 5)[24:] * 300
    packed = PACK[kind](pcap([]) + zeros)
    assert len(packed) < 3_000_000
    tracemalloc.start()
    try:
        frames = sum(map(len, open_capture(io.BytesIO(packed))))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert frames == 1500
    assert peak < 40_000_000


def test_missing_library_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(CaptureError, match="compression"):
        read(PACK["zstd"](DATA))
    with pytest.raises(OutputError, match="compression"):
        compression.encoder("zstd", "a.zst")


@pytest.mark.parametrize(
    ("name", "rest", "kind"),
    [
        ("a.pcap.gz", "a.pcap", "gzip"),
        ("a.pcapng.ZST", "a.pcapng", "zstd"),
        ("a.lz4", "a", "lz4"),
        ("a.pcap", "a.pcap", None),
    ],
)
def test_suffix(name, rest, kind):
    assert compression.split_suffix(name) == (rest, kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("empty", [False, True])
def test_outputs(tmp_path, kind, empty):
    path = tmp_path / "out"
    output = Output(str(path), compression.encoder(kind, str(path)))
    if not empty:
        for at in range(0, len(DATA), 10_000):
            output.write([DATA[at : at + 5000], memoryview(DATA)[at + 5000 : at + 10_000]])
    output.close()
    unpack = {
        "gzip": gzip.decompress,
        "zstd": lambda b: zstandard.ZstdDecompressor().decompressobj().decompress(b),
        "lz4": lz4.decompress,
    }[kind]
    assert unpack(path.read_bytes()) == (b"" if empty else DATA)


@pytest.mark.parametrize(("kind", "tool"), [("gzip", "gzip"), ("zstd", "zstd"), ("lz4", "lz4")])
def test_the_tools_read_what_we_compress(tmp_path, kind, tool):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    path = tmp_path / "out"
    output = Output(str(path), compression.encoder(kind, str(path)))
    output.write([DATA])
    output.close()
    done = subprocess.run([tool, "-dc"], input=path.read_bytes(), capture_output=True, check=True)
    assert done.stdout == DATA
