"""Files in a folder: rotated, never over older ones, and a disk that refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

import ztfast
from tests.live.twenty import DATA, FRAMES, everything
from ztfast.errors import OutputError
from ztfast.live.counters import NOT_WRITTEN
from ztfast.live.file_output import FileOptions, FileOutput
from ztfast.live.output import Waiting
from ztfast.sinks.files import Rotation


def output(folder: Path, form: str = "pcap", frames: int | None = None) -> FileOutput:
    options = FileOptions(form, Rotation(frames=frames))
    made = FileOutput("pcap:x", str(folder), options, ["zt0"], Waiting(), lambda _: None, lambda: 0)
    made.open()
    return made


def send(out: FileOutput) -> None:
    chosen, count = everything()
    out.counts.copies += count
    out.send(FRAMES, chosen, count)
    assert out.counts.missing == 0


@pytest.mark.parametrize("form", ["pcap", "pcapng"])
def test_frames_with_their_times_and_lengths(tmp_path: Path, form: str) -> None:
    out = output(tmp_path / "day", form)
    send(out)
    send(out)
    out.close()
    (path,) = (tmp_path / "day").iterdir()
    assert path.name == f"tap-19700101T000000Z.{form}"
    with ztfast.open_capture(path) as capture:
        batches = [batch for batch in capture.batches() if len(batch)]
    assert [frame for batch in batches for frame in batch.frames()] == DATA * 2
    times = [time for batch in batches for time in batch.timestamps.tolist()]
    assert times == FRAMES.columns.times[:20].tolist() * 2
    assert {length for batch in batches for length in batch.lengths.tolist()} == {1000}


def test_a_new_file_after_so_many_frames(tmp_path: Path) -> None:
    out = output(tmp_path, frames=15)
    send(out)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("tap")] == [
        "tap-19700101T000000Z_00001.pcap"
    ]
    send(out)
    out.close()
    assert len(list(tmp_path.iterdir())) == 3
    assert out.counts.sent == 40


def test_no_file_is_written_twice_by_one_tap(tmp_path: Path) -> None:
    out = output(tmp_path)
    out._open()
    out._open()
    send(out)
    out.close()
    assert "tap-19700101T000000Z-3.pcap" in {path.name for path in tmp_path.iterdir()}


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with pytest.raises(OutputError, match="folder"):
        output(tmp_path / "plain")


def test_a_disk_that_refuses_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = output(tmp_path)
    send(out)
    with monkeypatch.context() as patched:
        patched.setattr("ztfast.sinks.output.Output._write_all", _full)
        send(out)
    send(out)
    assert out.counts.refused == {NOT_WRITTEN: 40}
    assert out.due is not None
    out.tend(out.due)
    send(out)
    out.close()
    assert (out.counts.sent, out.counts.reopened) == (40, 1)


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")
