"""pcapng blocks larger than a window that hold no frame: passed over, in bounded memory."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest

from tests.capture.building import block, frame, interface, packet, section
from ztfast.capture import open_capture
from ztfast.capture.pcapng_scan import MAX_BLOCK
from ztfast.errors import CaptureError
from ztfast.sinks.files import FileSink

SIZE = MAX_BLOCK + 12
FRAMES = [frame(number, 60) for number in range(4)]


def large(order: str = "<", kind: int = 10) -> bytes:
    return block(kind, bytes(MAX_BLOCK), order)


def capture(order: str = "<", middle: bytes | None = None, length: int = -1) -> bytes:
    packets = [packet(data, order=order) for data in FRAMES]
    middle = large(order) if middle is None else middle
    parts = [interface(order=order), *packets[:2], middle, *packets[2:]]
    return section(order, length) + b"".join(parts)


def read(source: io.BytesIO | Path, **how: bool) -> tuple[list[bytes], list[tuple[str, str]]]:
    frames: list[bytes] = []
    with open_capture(source, **how) as opened:  # type: ignore[arg-type]
        try:
            for batch in opened:
                frames += batch.frames()
        except CaptureError:
            pass
        return frames, [(one.code, one.severity) for one in opened.diagnostics]


@pytest.mark.parametrize("order", ["<", ">"])
def test_passed_over_with_a_note(order: str, tmp_path: Path) -> None:
    data = capture(order)
    path = tmp_path / "a.pcapng"
    path.write_bytes(data)
    for source in (io.BytesIO(data), path):
        assert read(source) == (FRAMES, [("ZT504", "note")])


def test_several_and_larger_ones_in_bounded_memory() -> None:
    tracemalloc = pytest.importorskip("tracemalloc")
    piece = io.BytesIO(capture())

    class Long(io.RawIOBase):
        """The capture with 320 MiB more in its block, made as it is read."""

        left = 320 << 20
        at = 0

        def read(self, size: int = -1) -> bytes:
            place = piece.tell()
            if place >= 4096 and self.left:
                out = bytes(min(size, self.left))
                self.left -= len(out)
                return out
            return piece.read(min(size, 4096 - place) if place < 4096 else size)

    data = bytearray(piece.getvalue())
    start = data.index(struct.pack("<II", 10, SIZE))
    longer = struct.pack("<I", SIZE + (320 << 20))
    data[start + 4 : start + 8] = longer
    data[start + SIZE - 4 : start + SIZE] = longer
    piece = io.BytesIO(bytes(data))
    tracemalloc.start()
    frames, found = read(Long())  # type: ignore[arg-type]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (frames, found) == (FRAMES, [("ZT504", "note")])
    assert peak < 100 << 20


def test_cut_inside_and_a_wrong_length_behind() -> None:
    data = capture()
    start = data.index(struct.pack("<II", 10, SIZE))
    for size in (start + 100, start + SIZE - 1):
        assert read(io.BytesIO(data[:size])) == (FRAMES[:2], [("ZT502", "error")])
        assert read(io.BytesIO(data[:size]), resync=True)[0] == FRAMES[:2]
    wrong = bytearray(data)
    wrong[start + SIZE - 4] ^= 1
    assert read(io.BytesIO(bytes(wrong))) == (FRAMES[:2], [("ZT501", "error")])
    assert read(io.BytesIO(bytes(wrong)), resync=True)[0] == FRAMES


@pytest.mark.parametrize("kind", [1, 2, 3, 6])
def test_packets_and_interfaces_are_needed(kind: int) -> None:
    assert read(io.BytesIO(capture(middle=large(kind=kind))))[1] == [("ZT501", "error")]


def test_a_copy_has_no_length_that_is_wrong(tmp_path: Path) -> None:
    body = len(capture()) - len(section())
    path = tmp_path / "copy.pcapng"
    with open_capture(io.BytesIO(capture(length=body))) as opened, FileSink(str(path)) as sink:
        for batch in opened:
            sink.write(batch)
    assert path.read_bytes() == capture(middle=b"")
