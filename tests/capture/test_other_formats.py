"""What is no capture is named with what to do; a capture behind something else is found."""

from __future__ import annotations

import bz2
import io
import lzma
import struct
import tarfile
from pathlib import Path

import pytest

from tests.capture.building import frame, interface, packet, pcap, section
from ztfast.capture import open_capture
from ztfast.capture.other_formats import LOOK
from ztfast.errors import CaptureError, Diagnostic

DATA = pcap([frame(number, 70) for number in range(3)])


def refused(data: bytes) -> Diagnostic:
    with pytest.raises(CaptureError) as error:
        open_capture(io.BytesIO(data))
    (found,) = error.value.diagnostics
    assert found.code == "ZT503"
    return found


def erf(count: int) -> bytes:
    body = bytes(2) + frame(1, 60)
    head = struct.pack("<IIBB", 0, 1_600_000_000, 2, 4) + struct.pack(">HHH", 16 + 62, 0, 60)
    return (head + body) * count


def tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("a.pcap")
        info.size = len(b"x" * 99)
        archive.addfile(info, io.BytesIO(b"x" * 99))
    return out.getvalue()


KNOWN = {
    "a Git LFS pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
        "git lfs",
    ),
    "bzip2": (bz2.compress(DATA), "bzip2 -dc"),
    "xz": (lzma.compress(DATA), "xz -dc"),
    "a zip archive": (b"PK\x03\x04....", "unzip -p"),
    "a tar archive": (tar(), "tar -xOf"),
    "a snoop capture": (b"snoop\0\0\0\0\0\0\2\0\0\0\4", "editcap"),
    "an ERF capture": (erf(3), "editcap"),
    "a Sniffer capture": (b"TRSNIFF data    \x1a", "editcap"),
    "an AIX iptrace": (b"iptrace 2.0", "editcap"),
    "a Zeek log": (b"#separator \\x09\n", "Zeek"),
    "a web page": (b"<!DOCTYPE html>\n<html>", "Raw"),
    "a hex dump": (b"000000 d4 c3 b2 a1", "text2pcap"),
}


@pytest.mark.parametrize("name", KNOWN)
def test_named_with_what_to_do(name: str) -> None:
    data, help = KNOWN[name]
    found = refused(data)
    assert found.message == f"is not a pcap or pcapng: it looks like {name}"
    assert found.help is not None
    assert help in found.help


def test_one_erf_record_is_enough_and_others_are_not_taken_for_one() -> None:
    assert "ERF" in refused(erf(1)).message
    assert "ERF" not in refused(erf(1)[:-1]).message
    assert "ERF" not in refused(bytes(200)).message


def test_nobody_knows() -> None:
    found = refused(b"drop;\n")
    assert found.message == "is not a capture: it starts with the bytes 64 72 6f 70"
    assert found.help is not None
    assert "editcap" in found.help


TEXT = b"tcpdump: listening on zt0, link-type EN10MB (Ethernet)\n"
PCAPNG = section() + interface() + packet(frame(7, 60))


@pytest.mark.parametrize("data", [DATA, pcap([frame(1, 60)], order=">"), PCAPNG])
@pytest.mark.parametrize("text", [TEXT, b"\xff" * 5, b"x" * 40_000], ids=[0, 1, 2])
def test_a_capture_behind_text(text: bytes, data: bytes, tmp_path: Path) -> None:
    found = refused(text + data)
    assert found.message.startswith(f"is not a capture up to byte {len(text)}, where one begins")
    assert found.help is not None
    assert "--resync" in found.help
    if text == TEXT:
        assert "text stands before it ('tcpdump: listening" in found.message
    path = tmp_path / "a"
    path.write_bytes(text + data)
    for source in (io.BytesIO(text + data), path):
        with open_capture(source, resync=True) as capture:
            frames = [body for batch in capture for body in batch.frames()]
            assert capture.skipped_bytes == len(text)
        with open_capture(io.BytesIO(data)) as plain:
            assert frames == [body for batch in plain for body in batch.frames()]


def test_behind_too_much_there_is_none() -> None:
    refused(b"x" * LOOK + DATA)
