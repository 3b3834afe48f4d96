"""Captures are opened by what they contain; what is none is refused with its name and a reason."""

from __future__ import annotations

import gzip
import io
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.capture.building import frame, interface, packet, pcap, section
from ztfast.capture.open import limited, open_capture, starts_as_capture
from ztfast.capture.packets import PacketBatch
from ztfast.errors import CaptureError

FRAMES = [frame(seed, 60 + seed) for seed in range(5)]
PCAPNG = section() + interface() + b"".join(packet(body) for body in FRAMES)


def opened(data: bytes, tmp_path: Path, name: str = "x", **options: bool | int) -> list[int]:
    """The sizes of a capture's frames, by way of a file."""
    path = tmp_path / name
    path.write_bytes(data)
    with open_capture(path, **options) as capture:  # type: ignore[arg-type]
        return [int(size) for batch in capture for size in batch.captured]


def refused(data: bytes, tmp_path: Path) -> str:
    path = tmp_path / "capture.pcap"
    path.write_bytes(data)
    with pytest.raises(CaptureError) as error:
        open_capture(path)
    (found,) = error.value.diagnostics
    assert (found.code, found.path, found.offset) == ("ZT503", str(path), 0)
    return found.message


@pytest.mark.parametrize("name", ["x.pcap", "x.pcapng", "x.gz", "x"])
@pytest.mark.parametrize(
    ("data", "format"),
    [
        (pcap(FRAMES), "pcap"),
        (pcap(FRAMES, order=">"), "pcap"),
        (pcap(FRAMES, magic=0xA1B2_3C4D), "pcap"),
        (PCAPNG, "pcapng"),
    ],
    ids=["pcap", "big endian", "nanoseconds", "pcapng"],
)
def test_the_format_is_known_by_the_content(
    data: bytes, format: str, name: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    with open_capture(tmp_path / name) as capture:
        assert (capture.format, capture.compression) == (format, None)
        assert sum(len(batch) for batch in capture) == len(FRAMES)
        assert (capture.diagnostics, capture.skipped_bytes) == ([], 0)


@pytest.mark.parametrize("held", [True, False])
def test_every_door_gives_the_same(held: bool, tmp_path: Path) -> None:
    expected = [len(body) for body in FRAMES]
    assert opened(pcap(FRAMES), tmp_path, held=held) == expected
    with open_capture(io.BytesIO(pcap(FRAMES)), held=held) as capture:
        assert [int(size) for batch in capture for size in batch.captured] == expected
    with open_capture(str(tmp_path / "x"), held=held) as capture:
        assert sum(len(batch) for batch in capture) == len(FRAMES)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("held", [True, False], ids=["object", "file"])
def test_all_bytes_are_done_at_the_end_of_a_small_file(
    held: bool, pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    data, path = pack(pcap(FRAMES)), tmp_path / "x"
    path.write_bytes(data)
    with open_capture(io.BytesIO(data) if held else path) as capture:
        for _ in capture:
            pass
        assert capture.done_bytes == len(data)


def test_a_fifo(tmp_path: Path) -> None:
    path = tmp_path / "live"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(pcap(FRAMES),))
    writer.start()
    with open_capture(path) as capture:
        assert sum(len(batch) for batch in capture) == len(FRAMES)
    writer.join()


@pytest.mark.parametrize("limit", [1, 2, 5, 6])
def test_a_limit_ends_after_so_many_frames(limit: int, tmp_path: Path) -> None:
    expected = [len(body) for body in FRAMES[:limit]]
    assert opened(pcap(FRAMES), tmp_path, limit=limit) == expected
    assert opened(PCAPNG, tmp_path, limit=limit) == expected


def test_no_more_is_read_when_the_limit_is_reached(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(pcap(FRAMES))
    with open_capture(tmp_path / "x") as capture:
        batch = next(iter(capture))

    def endless() -> Iterator[PacketBatch]:
        yield batch
        pytest.fail("asked for more, which a live capture would wait for")

    assert [len(part) for part in limited(endless(), len(batch))] == [len(batch)]


def test_batches_stay_valid_when_the_capture_is_closed(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(pcap(FRAMES))
    with open_capture(tmp_path / "x") as capture:
        batches = list(capture)
    found = [
        bytes(batch.buffer[start : start + size])
        for batch in batches
        for start, size in zip(batch.offsets.tolist(), batch.captured.tolist(), strict=True)
    ]
    assert found == FRAMES


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="cannot be opened: No such file"):
        open_capture(tmp_path / "nothing.pcap")
    with pytest.raises(CaptureError, match="is a directory, not a capture"):
        open_capture(tmp_path)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty: not even a capture's header is there"),
        (b"\xd4\xc3\xb2", "ends after 3 bytes, inside its header"),
        (b"drop;\n", "is not a capture: it starts with the bytes 64 72 6f 70"),
    ],
)
def test_what_is_no_capture_is_named(data: bytes, reason: str, tmp_path: Path) -> None:
    message = refused(data, tmp_path)
    assert message.endswith(reason)


def test_an_unreadable_object_is_an_error_with_its_name() -> None:
    class Broken(io.RawIOBase):
        name = "socket"

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: object) -> int:
            raise OSError(5, "Input/output error")

        def read(self, size: int = -1) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(CaptureError, match="socket: byte 0: cannot be read: Input/output error"):
        open_capture(Broken())  # type: ignore[arg-type]


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="no /proc here")
def test_a_refused_file_is_closed(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        refused(b"no capture at all", tmp_path)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_capture_is_told_by_its_first_bytes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for data, found in ((pcap([]), True), (gzip.compress(b""), True), (b"accept;\n", False)):
        path.write_bytes(data)
        assert starts_as_capture(str(path)) == found
    path.write_bytes(b"")
    assert not starts_as_capture(str(path))
    assert not starts_as_capture(str(tmp_path))
    assert not starts_as_capture("-")
