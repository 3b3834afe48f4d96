"""`ztfast.read`: batches of frames from files and folders, in four lines to a table."""

from __future__ import annotations

from pathlib import Path

import pytest

import ztfast
from tests.capture.building import frame, interface, packet, pcap, section
from ztfast.errors import CaptureError, UsageError
from ztfast.pipeline.read import captured_frame, frame_batches

FRAMES = [frame(number, 60) for number in range(5)]


def test_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "a.pcap").write_bytes(pcap(FRAMES[:3]))
    (tmp_path / "b.pcap").write_bytes(pcap(FRAMES[3:], times=[2 * 10**18] * 2))
    for paths in ([tmp_path], [tmp_path / "a.pcap", str(tmp_path / "b.pcap")]):
        batches = list(ztfast.read(*paths))
        assert [body for batch in batches for body in batch.frames()] == FRAMES
        assert [batch.first for batch in batches] == [0, 3]
    engine = ztfast.Engine(ztfast.compile("accept;"), backend="reference")
    assert all(engine.evaluate(batch).accepted.all() for batch in ztfast.read(tmp_path))


def test_damage_comes_after_its_frames(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap(FRAMES)[:-1])
    reading = ztfast.read(path)
    assert list(next(reading).frames()) == FRAMES[:4]
    with pytest.raises(CaptureError):
        next(reading)
    assert sum(map(len, ztfast.read(path, resync=True))) == 4
    with pytest.raises(UsageError):
        list(ztfast.read())


def test_frames_as_rules_see_them(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap(FRAMES))
    seen = [
        batch.frame(number) for batch in frame_batches(str(path)) for number in range(len(batch))
    ]
    assert len(seen) == len(FRAMES)
    for number, frame_there in enumerate(seen, 1):
        assert captured_frame(str(path), number) == frame_there
    with pytest.raises(CaptureError, match="has 5 frames, so there is no frame 6"):
        captured_frame(str(path), 6)


def test_a_frame_of_an_unknown_link_type_is_named_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "odd.pcapng"
    data = section() + interface(1) + interface(195)
    path.write_bytes(data + packet(bytes(60), 0) + packet(bytes(50), 1))
    assert captured_frame(str(path), 1).length == 46
    with pytest.raises(CaptureError) as caught:
        captured_frame(str(path), 2)
    (found,) = caught.value.diagnostics
    assert (found.code, found.path) == ("ZT505", str(path))
    assert found.message.startswith("frame 2: interface 1: link type 195 is not known")
    with pytest.raises(CaptureError) as caught:
        list(frame_batches(str(path)))
    assert caught.value.diagnostics[0].path == str(path)
