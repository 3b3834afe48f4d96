"""Streams into FIFOs: whole records for every reader, a bounded queue, nothing uncounted."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

import ztfast
from tests.live.twenty import DATA, FRAMES, everything
from ztfast.errors import OutputError
from ztfast.live.counters import NO_READER, NOT_EMPTIED, QUEUE_FULL, READER_GONE
from ztfast.live.output import Waiting
from ztfast.live.stream_output import StreamOutput, stream_header


class Reader:
    """The other end of a FIFO."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def read(self, size: int = 1 << 20) -> bytes:
        try:
            return os.read(self.descriptor, size)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        os.close(self.descriptor)


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    path = tmp_path / "feed"
    os.mkfifo(path)
    return path


@pytest.fixture
def reader(fifo: Path) -> Iterator[Reader]:
    made = Reader(fifo)
    yield made
    made.close()


def output(path: Path, said: list[str], form: str = "pcap", block: bool = False) -> StreamOutput:
    return StreamOutput(f"fifo:{path}", str(path), form, ["zt0"], Waiting(block), said.append)


def send(out: StreamOutput, times: int = 1) -> None:
    for _ in range(times):
        chosen, count = everything()
        out.counts.copies += count
        out.send(FRAMES, chosen, count)
        assert out.counts.missing == 0


def frames_in(stream: bytes) -> list[bytes]:
    with ztfast.open_capture(io.BytesIO(stream)) as capture:
        return [frame for batch in capture.batches() for frame in batch.frames()]


@pytest.mark.parametrize("form", ["pcap", "pcapng"])
def test_a_reader_gets_a_capture(fifo: Path, reader: Reader, form: str) -> None:
    out = output(fifo, [], form)
    out.open()
    send(out)
    out.close()
    stream = reader.read()
    assert frames_in(stream) == DATA
    with ztfast.open_capture(io.BytesIO(stream)) as capture:
        (batch,) = [batch for batch in capture.batches() if len(batch)]
        assert batch.timestamps.tolist() == FRAMES.columns.times[:20].tolist()
        assert set(batch.lengths.tolist()) == {1000}
        assert batch.interfaces[0].name == ("zt0" if form == "pcapng" else "")
    assert (out.counts.sent, out.counts.waiting) == (20, 0)


def test_a_slow_reader_costs_frames_that_are_counted(fifo: Path, reader: Reader) -> None:
    out = output(fifo, [])
    out.open()
    send(out, 8000)
    assert set(out.counts.refused) == {QUEUE_FULL}
    assert out.counts.waiting > 0
    stream = b""
    while more := reader.read():
        stream += more
        out.flush()
    out.close()
    assert out.counts.waiting == out.counts.missing == 0
    assert len(frames_in(stream)) == out.counts.sent == 160_000 - out.counts.refusals


def test_what_nobody_reads_at_the_end_is_refused(
    fifo: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Waiting, "GRACE", 0.0)
    out = output(fifo, [])
    out.open()
    send(out, 1000)
    assert out.counts.waiting > 0
    out.close()
    assert out.counts.refused[NOT_EMPTIED] > 0
    assert out.counts.missing == out.counts.waiting == 0


def test_no_reader_yet(fifo: Path) -> None:
    said: list[str] = []
    out = output(fifo, said)
    out.open()
    assert "nobody reads it yet" in said[0]
    send(out)
    assert out.counts.refused == {NO_READER: 20}
    reader = Reader(fifo)
    assert out.due is not None
    out.tend(out.due)
    send(out)
    out.close()
    assert frames_in(reader.read()) == DATA
    assert out.counts.sent == 20
    reader.close()


def test_a_reader_that_dies_is_followed_by_the_next(fifo: Path) -> None:
    said: list[str] = []
    first = Reader(fifo)
    out = output(fifo, said)
    out.open()
    send(out, 3000)
    assert out.counts.waiting > 0
    first.close()
    send(out)
    out.flush()
    assert out.counts.refused[READER_GONE] > 0
    assert out.counts.missing == out.counts.waiting == 0
    assert READER_GONE in said[-1]
    send(out)
    second = Reader(fifo)
    assert out.due is not None
    out.tend(out.due)
    send(out)
    out.close()
    assert frames_in(second.read()) == DATA
    assert out.counts.reopened == 1
    second.close()


def test_a_reader_is_waited_for_where_that_is_asked(
    fifo: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = output(fifo, [], block=True)
    out.open()
    stream = b""
    waited = out._wait

    def read_and_wait() -> None:
        nonlocal stream
        stream += reader.read()
        waited()

    monkeypatch.setattr(out, "_wait", read_and_wait)
    send(out, 8000)
    while more := reader.read():
        stream += more
        out.flush()
    out.close()
    assert out.counts.refused == {}
    assert len(frames_in(stream)) == out.counts.sent == 160_000


def test_a_reader_that_does_not_read_is_not_waited_for_at_the_end(
    fifo: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Waiting, "GRACE", 0.0)
    waiting = Waiting(True)
    waiting.is_told_to_end = lambda: True
    out = StreamOutput("fifo:x", str(fifo), "pcap", ["zt0"], waiting, lambda _: None)
    out.open()
    send(out, 8000)
    assert set(out.counts.refused) == {QUEUE_FULL}
    out.close()
    assert out.counts.missing == out.counts.waiting == 0


def test_a_reader_that_dies_while_it_is_waited_for(
    fifo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(fifo)
    out = output(fifo, [], block=True)
    out.open()
    waited = out._wait

    def die_and_wait() -> None:
        if out.counts.sent > 1000:
            monkeypatch.setattr(out, "_wait", waited)
            reader.close()
        waited()

    monkeypatch.setattr(out, "_wait", die_and_wait)
    send(out, 8000)
    assert set(out.counts.refused) == {READER_GONE, NO_READER}
    assert out.counts.missing == out.counts.waiting == 0


def test_what_is_no_fifo_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    for name in ("plain", "missing"):
        with pytest.raises(OutputError, match="mkfifo"):
            output(tmp_path / name, []).open()
    assert stat.S_ISREG((tmp_path / "plain").stat().st_mode)


def test_a_header_is_one_write() -> None:
    assert len(stream_header("pcap", ["a"])) == 24
    header = stream_header("pcapng", ["zt0", "zt5u4xyz"])
    assert len(header) % 4 == 0
    assert frames_in(header) == []
