"""Captures one behind the other in one file: said so, never a frame made of a header."""

from __future__ import annotations

import gzip
import io
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.capture.building import frame, pcap, section
from tests.cli.running import ztfast
from tests.needs import BACKENDS
from ztfast.capture import open_capture
from ztfast.errors import CaptureError

FRAMES = [frame(number, 60 + number) for number in range(6)]
FIRST = pcap(FRAMES[:3], linktype=12)
MAGICS = (0xA1B2_C3D4, 0xA1B2_3C4D, 0xA1B2_CD34)


def old_one(order: str) -> bytes:
    data = bytearray(pcap(FRAMES[3:], order=order))
    struct.pack_into(order + "HH", data, 4, 2, 1)
    return bytes(data)


SECONDS: dict[str, Callable[[str], bytes]] = {
    **{
        f"{magic:x}": lambda order, m=magic: pcap(FRAMES[3:], order=order, magic=m)
        for magic in MAGICS
    },
    "times from 0": lambda order: pcap(FRAMES[3:], order=order, times=[0, 10**6, 2 * 10**6]),
    "local time": lambda order: zoned(pcap(FRAMES[3:], order=order), order),
    "version 2.1": old_one,
}


def zoned(data: bytes, order: str) -> bytes:
    """The header with a time zone where most have 0."""
    return data[:8] + struct.pack(order + "i", -5 * 3600) + data[12:]


def read(data: bytes, resync: bool) -> tuple[list[bytes], list[tuple[str, int | None]]]:
    """Frames, and codes and places of what was found."""
    frames: list[bytes] = []
    with open_capture(io.BytesIO(data), resync=resync) as capture:
        try:
            for batch in capture:
                frames += batch.frames()
        except CaptureError:
            assert not resync
        return frames, [(one.code, one.offset) for one in capture.diagnostics]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("name", SECONDS)
def test_another_capture_behind(name: str, order: str, packed: bool) -> None:
    second = SECONDS[name](order)
    for first in (pcap(FRAMES[:3]), FIRST, pcap(FRAMES[:3], order=">", magic=0xA1B2_CD34)):
        data = first + second
        if packed:
            data = gzip.compress(first) + gzip.compress(second)
        assert read(data, False) == (FRAMES[:3], [("ZT501", len(first))])
        assert read(data, True) == (FRAMES, [("ZT501", len(first))])


def test_headers_alone_in_the_middle_and_at_the_end() -> None:
    empty = pcap([], linktype=101)
    data = pcap(FRAMES[:3]) + empty + pcap(FRAMES[3:], order=">") + empty
    frames, found = read(data, True)
    assert frames == FRAMES
    assert [code for code, _ in found] == ["ZT501"] * 3
    assert read(pcap(FRAMES[:3]) + empty[:20], False)[0] == FRAMES[:3]


def test_the_link_type_is_the_new_ones() -> None:
    data = pcap(FRAMES[:3]) + pcap(FRAMES[3:], linktype=101)
    with open_capture(io.BytesIO(data), resync=True) as capture:
        batches = [batch for batch in capture if len(batch)]
    assert [(batch.linktype, len(batch), batch.first) for batch in batches] == [
        (1, 3, 0),
        (101, 3, 3),
    ]
    assert batches[0].section != batches[1].section


def test_damage_then_another_capture() -> None:
    """The search for a record stops at a header, whatever its byte order."""
    data = pcap(FRAMES[:3]) + b"\xff" * 100 + pcap(FRAMES[3:], order=">")
    assert read(data, True)[0] == FRAMES


def test_a_window_may_end_anywhere() -> None:
    data = pcap(FRAMES[:3]) + pcap(FRAMES[3:], order=">")
    for span in range(40, 300, 7):
        with open_capture(io.BytesIO(data), resync=True, span=span) as capture:
            assert [body for batch in capture for body in batch.frames()] == FRAMES, span


def test_a_pcapng_behind_is_named() -> None:
    with pytest.raises(CaptureError, match="a pcapng section header"):
        list(open_capture(io.BytesIO(pcap(FRAMES) + section())))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("threads", ["1", "2"])
def test_filter_judges_and_writes_no_header(backend: str, threads: str, tmp_path: Path) -> None:
    rules, path, out = tmp_path / "r", tmp_path / "a.pcap", tmp_path / "out.pcap"
    rules.write_text("accept;\n")
    path.write_bytes(pcap(FRAMES[:3]) + pcap(FRAMES[3:]))
    words = ("filter", rules, path, "--backend", backend, "--threads", threads, "-w", out)
    assert ztfast(*words) == 1
    assert out.read_bytes() == pcap(FRAMES[:3])
    assert ztfast(*words, "--resync") == 1
    with open_capture(out) as capture:
        assert [body for batch in capture for body in batch.frames()] == FRAMES
