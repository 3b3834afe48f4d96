"""What an earlier run left in a folder: refused, replaced or removed, and nothing else touched."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from tests.capture import building
from ztfast.capture import open_capture
from ztfast.errors import OutputError, UsageError
from ztfast.sinks.earlier import (
    earlier_files,
    has_place_in,
    refuse_earlier,
    refuse_earlier_row,
)
from ztfast.sinks.files import FileSink, Rotation, SplitSink, numbered, numbered_files

OURS = (
    *("accepted.pcapng", "dropped.pcap", "redirected_00001.pcapng", "tee-8e30f50a25.pcapng"),
    *("rule-line-7.pcapng", "rule-capability-3-entry-2.pcap", "rule-none.pcapng"),
    *("member-unknown.pcapng", "member-1d71939404_00012.pcap"),
)
OTHERS = ("notes.txt", "accepted.pcap.bak", "day.pcap", "member-anna.pcapng", ".dropped.pcap")


def fill(folder: Path) -> None:
    for name in (*OURS, *OTHERS):
        (folder / name).write_bytes(b"old")


def test_ours_are_known_by_their_names(tmp_path: Path) -> None:
    fill(tmp_path)
    assert earlier_files(str(tmp_path)) == sorted(str(tmp_path / name) for name in OURS)
    assert earlier_files(str(tmp_path / "none")) == []
    assert has_place_in(str(tmp_path), str(tmp_path / "." / "accepted.pcap"))
    assert not has_place_in(str(tmp_path), str(tmp_path / "sub" / "accepted.pcap"))
    assert not has_place_in(str(tmp_path), str(tmp_path / "day.pcap"))


def test_refused_unless_it_is_said_what_becomes_of_them(tmp_path: Path) -> None:
    refuse_earlier(str(tmp_path), "refuse")
    fill(tmp_path)
    refuse_earlier(str(tmp_path), "force")
    refuse_earlier(str(tmp_path), "clean")
    with pytest.raises(UsageError, match=r"--clean.*--force") as caught:
        refuse_earlier(str(tmp_path), "refuse")
    assert caught.value.diagnostics[0].code == "ZT610"


@pytest.mark.parametrize("clean", [False, True])
def test_clean_removes_ours_once_the_new_ones_are_whole(tmp_path: Path, clean: bool) -> None:
    fill(tmp_path)
    source = tmp_path / "day.pcap"
    source.write_bytes(building.pcap([b"f" * 60]))
    with open_capture(source) as capture, SplitSink(str(tmp_path), clean=clean) as sink:
        for batch in capture:
            sink.write("accepted", batch, np.arange(len(batch)))
            assert (tmp_path / "tee-8e30f50a25.pcapng").read_bytes() == b"old"
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"accepted.pcapng", *OTHERS, *(() if clean else OURS)}
    assert (tmp_path / "accepted.pcapng").read_bytes() != b"old"


def test_numbered_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = [numbered("a.pcap.gz", number) for number in (1, 99_999, 100_000)]
    for name in (*names, "a.pcap.gz", "a_1.pcap.gz", "a_00001.pcap"):
        Path(name).write_bytes(b"")
    assert sorted(numbered_files("a.pcap.gz")) == sorted(names)
    assert numbered_files("none/a.pcap") == []


def test_a_row_is_refused_unless_it_is_said_what_becomes_of_it() -> None:
    refuse_earlier_row("a.pcap", [], "refuse")
    for said in ("force", "clean"):
        refuse_earlier_row("a.pcap", ["a_00001.pcap"], said)
    with pytest.raises(UsageError, match=r"a_00001.*--clean.*--force") as caught:
        refuse_earlier_row("a.pcap", ["a_00001.pcap"], "refuse")
    assert caught.value.diagnostics[0].code == "ZT610"


@pytest.mark.parametrize("fails", [False, True])
def test_clean_removes_an_earlier_row_only_behind_a_whole_one(tmp_path: Path, fails: bool) -> None:
    out = str(tmp_path / "q.pcap")
    for number in range(1, 6):
        Path(numbered(out, number)).write_bytes(b"old")
    Path(out).write_bytes(b"no file of a row")
    source = tmp_path / "day.pcap"
    source.write_bytes(building.pcap([b"f" * 60] * 3))
    sink = FileSink(out, rotation=Rotation(frames=2), clean=True)
    if fails:
        Path(numbered(out, 2)).unlink()
        Path(numbered(out, 2)).mkdir()
    with open_capture(source) as capture:
        with pytest.raises(OutputError) if fails else nullcontext():
            for batch in capture:
                sink.write(batch)
        if not fails:
            assert Path(numbered(out, 5)).read_bytes() == b"old"
    sink.close()
    left = sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("q"))
    row = [f"q_{number:05d}.pcap" for number in range(1, 6 if fails else 3)]
    assert left == ["q.pcap", *row]
