"""Compressed outputs: by suffix, whole streams that the libraries and the tools read."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys

import pytest

from tests.capture.building import frame, pcap
from ztfast.errors import OutputError
from ztfast.sinks import compress
from ztfast.sinks.output import Output

zstandard = pytest.importorskip("zstandard")
lz4 = pytest.importorskip("lz4.frame")

KINDS = ["gzip", "lz4", "zstd"]
DATA = pcap([frame(i, 100 + i % 900) for i in range(1000)])


@pytest.fixture(params=["isal", "zlib"], autouse=True)
def gzip_library(request, monkeypatch):
    """gzip is written by either library."""
    if request.param == "zlib":
        monkeypatch.setitem(sys.modules, "isal", None)
        monkeypatch.delitem(sys.modules, "isal.isal_zlib", raising=False)
    else:
        pytest.importorskip("isal")


def test_missing_library_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(OutputError, match="compression"):
        compress.encoder("zstd", "a.zst")


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
    assert compress.split_suffix(name) == (rest, kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("empty", [False, True])
def test_outputs(tmp_path, kind, empty):
    path = tmp_path / "out"
    output = Output(str(path), compress.encoder(kind, str(path)))
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


@pytest.mark.parametrize("size", [0, 999, 1000, 1001, 3000, 3500])
@pytest.mark.parametrize("step", [1, 700, 1000, 2500, 4000])
def test_zstd_frames_stand_alone(monkeypatch, size, step):
    monkeypatch.setattr(compress, "ZSTD_FRAME", 1000)
    data = memoryview(DATA)[:size]
    made = compress.encoder("zstd", "a.zst")
    assert made is not None
    packed = b"".join(made.compress(data[at : at + step]) for at in range(0, size, step))
    packed += made.flush()
    frames = []
    while packed:
        reader = zstandard.ZstdDecompressor().decompressobj()
        frames.append(reader.decompress(packed))
        assert reader.eof
        packed = reader.unused_data
    assert b"".join(frames) == data
    assert [len(each) for each in frames[:-1]] == [1000] * (max(0, size - 1) // 1000)


@pytest.mark.parametrize(("kind", "tool"), [("gzip", "gzip"), ("zstd", "zstd"), ("lz4", "lz4")])
def test_the_tools_read_what_we_compress(tmp_path, kind, tool):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    path = tmp_path / "out"
    output = Output(str(path), compress.encoder(kind, str(path)))
    output.write([DATA])
    output.close()
    done = subprocess.run([tool, "-dc"], input=path.read_bytes(), capture_output=True, check=True)
    assert done.stdout == DATA
