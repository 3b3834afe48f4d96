"""Captures by URL: the figures of local copies; what breaks off or changes fails by name."""

from __future__ import annotations

import gzip
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.archive.running import RANDOM_RULES, Here, captures_in, filtered
from tests.capture.zstd_building import frames_of, seek_table
from tests.needs import needs, needs_loops
from ztfast.archive import plan
from ztfast.archive.remote import RemoteFile, RemoteRanges, expanded, info_of, is_url
from ztfast.capture.ranges import RangeReader
from ztfast.engine.engine import Engine
from ztfast.errors import CaptureError, UsageError
from ztfast.lang import compile_text

ENGINE = Engine(compile_text(RANDOM_RULES))
PLAIN = Engine(compile_text("drop framesize 0-80; accept;"))
ROOT = "memory://caps"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Any]:
    """Captures in memory, and the same in a folder."""
    import fsspec

    system = fsspec.filesystem("memory")
    captures_in(tmp_path / "caps", frames=300)
    packed = tmp_path / "caps" / "c1.pcap"
    (tmp_path / "caps" / "c1.pcap.gz").write_bytes(gzip.compress(packed.read_bytes()))
    packed.unlink()
    for path in (tmp_path / "caps").iterdir():
        system.pipe_file(f"/caps/{path.name}", path.read_bytes())
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


def test_what_is_a_url() -> None:
    assert [is_url(name) for name in ("s3://b/k", "memory://x", "gs+x://y")] == [True] * 3
    names = ("file:///tmp", "FILE:///tmp", "a.pcap", "c:\\caps", "/a://b", "://x", "-")
    assert [is_url(name) for name in names] == [False] * 7


@needs("fsspec")
def test_figures_are_those_of_local_copies(store: Any, tmp_path: Path) -> None:
    found = plan([ROOT], ENGINE, out=str(tmp_path / "out")).run(Here(2))
    expected = filtered(ENGINE, tmp_path / "caps")
    figures = found.figures()
    assert {name: figures[name] for name in expected} == expected


@needs("fsspec")
def test_folders_patterns_files_and_local_ones_together(store: Any, tmp_path: Path) -> None:
    store.pipe_file("/caps/notes.txt", b"no capture")
    store.pipe_file("/caps/.hidden.pcap", b"")
    store.pipe_file("/caps/deep/c9.pcap", store.cat_file("/caps/c0.pcap"))
    names = [name.rpartition("/")[2] for name in expanded(ROOT)]
    assert names == ["c0.pcap", "c1.pcap.gz", "c2.pcap", "notes.txt"]
    job = plan([ROOT], ENGINE, out=str(tmp_path / "out"))
    assert [parts[0].path.rpartition("/")[2] for parts in job.files] == names[:3]
    assert [(note.severity, note.path) for note in job.notes] == [
        ("note", "memory:///caps/notes.txt")
    ]
    assert len(plan([f"{ROOT}/c*.gz"], ENGINE, out="o").files) == 1
    both = plan([tmp_path / "caps", f"{ROOT}/deep/c9.pcap"], ENGINE, out="o")
    assert len(both.files) == 4
    with pytest.raises(UsageError, match="named twice"):
        plan([f"{ROOT}/c0.pcap", ROOT], ENGINE, out="o")


@needs("fsspec")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        (f"{ROOT}/none.pcap", "nothing of this name"),
        (f"{ROOT}/*.cap", "nothing of this name"),
        ("memory://caps/only", "holds no capture"),
    ],
)
def test_what_is_not_there(name: str, said: str, store: Any) -> None:
    store.pipe_file("/caps/only/notes.txt", b"no capture")
    store.pipe_file("/caps/only/more.txt", b"no capture")
    with pytest.raises(CaptureError, match=said):
        plan([name], ENGINE, out="o")


@needs("fsspec")
@pytest.mark.parametrize("source", [ROOT, f"{ROOT}/c2.pcap"])
def test_what_cannot_be_looked_at_has_no_order(
    source: str, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = RemoteFile.read

    def read(self: Any, size: int) -> bytes:
        if self.name.endswith("c2.pcap"):
            self._file = _Breaking(_Breaking(self._file))
        return whole(self, size)

    monkeypatch.setattr(RemoteFile, "read", read)
    with pytest.raises(CaptureError, match=r"c2\.pcap: cannot be read: .*wire was cut"):
        plan([source], ENGINE, out="o")


@needs("fsspec")
def test_libraries_that_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="is not a place that is known"):
        plan(["nonsense://x/y"], ENGINE, out="o")
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(UsageError, match=r"needs a library.*ztfast\[s3\]"):
        plan(["s3://b/k"], ENGINE, out="o")


@needs("fsspec")
def test_a_file_that_changes_meanwhile_fails_by_name(store: Any, tmp_path: Path) -> None:
    before = info_of(f"{ROOT}/c2.pcap")

    def change(done: int) -> None:
        if done == 0:
            store.pipe_file("/caps/c2.pcap", store.cat_file("/caps/c2.pcap"))

    result = plan([ROOT], PLAIN, out=str(tmp_path / "out")).run(Here(meddle=change))
    assert info_of(f"{ROOT}/c2.pcap") != before
    assert [one.path for one in result.problems] == ["memory:///caps/c2.pcap"]
    assert "changed since" in result.problems[0].message
    assert (result.done, result.segments) == (2, 3)


@needs("fsspec")
@pytest.mark.parametrize("name", ["c1.pcap.gz", "c2.pcap"])
def test_a_transfer_that_breaks_off_is_no_damage(
    name: str, store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = RemoteFile.read
    broken = [True]

    def read(self: Any, size: int) -> bytes:
        if self.name.endswith(name) and broken[0]:
            self._file = _Breaking(self._file)
        return whole(self, size)

    job = plan([ROOT], PLAIN, out=str(tmp_path / "out"))
    monkeypatch.setattr(RemoteFile, "read", read)
    result = job.run(Here())
    assert [one.path for one in result.problems] == [f"memory:///caps/{name}"]
    assert "RuntimeError: the wire was cut" in result.problems[0].message
    assert (result.done, result.complete) == (2, False)
    broken[0] = False
    again = plan([ROOT], PLAIN, out=str(tmp_path / "out")).run(Here(), resume=True)
    assert again.complete
    assert again.tally.to_json() == {
        key: value for key, value in filtered(PLAIN, tmp_path / "caps").items()
        if key in again.tally.to_json()
    }  # fmt: skip


class _Breaking:
    """Gives a little, then no more."""

    def __init__(self, file: Any) -> None:
        self._file, self._left = file, 1

    def read(self, size: int) -> bytes:
        self._left -= 1
        if self._left < 0 or isinstance(self._file, _Breaking):
            raise RuntimeError("the wire\nwas cut")
        data: bytes = self._file.read(min(size, 3000))
        return data

    def close(self) -> None:
        self._file.close()


@needs_loops
@needs("fsspec", "zstandard")
@pytest.mark.parametrize("most", [None, 9000])
def test_parts_of_a_large_file(most: int | None, store: Any, tmp_path: Path) -> None:
    """most: bytes of a zstd frame, None: the capture is plain."""
    path = captures_in(tmp_path / "large", 1) / "c0.pcap"
    if most is not None:
        frames = frames_of(path.read_bytes(), random.Random(1), most)
        path.unlink()
        path = path.with_suffix(".pcap.zst")
        path.write_bytes(b"".join(frames) + seek_table([len(frame) for frame in frames]))
    url = f"memory://large/{path.name}"
    store.pipe_file(f"/large/{path.name}", path.read_bytes())
    job = plan([url], ENGINE, out=str(tmp_path / "out"), part=40_000)
    assert len(job.files[0]) > 4
    result = job.run(Here(3))
    assert result.segments > 4
    found, expected = result.figures(), filtered(ENGINE, path)
    assert {name: found[name] for name in expected} == expected


@needs_loops
@needs("fsspec")
def test_a_part_whose_transfer_breaks_off_is_done_again(
    store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = captures_in(tmp_path / "large", 1) / "c0.pcap"
    store.pipe_file("/large/c0.pcap", path.read_bytes())
    job = plan(["memory://large/c0.pcap"], PLAIN, out=str(tmp_path / "out"), part=40_000)
    whole, read = type(store).cat_file, RemoteFile.read

    def cat_file(self: Any, path: str, start: int, end: int) -> Any:
        if start > 100_000:
            raise RuntimeError("the wire\nwas cut")
        return whole(self, path, start=start, end=end)

    def breaking(self: Any, size: int) -> bytes:
        self._file = _Breaking(self._file)
        return read(self, size)

    monkeypatch.setattr(type(store), "cat_file", cat_file)
    monkeypatch.setattr(RemoteFile, "read", breaking)
    result = job.run(Here())
    assert (result.done, result.complete) == (0, False)
    assert "the wire was cut" in result.problems[0].message
    monkeypatch.undo()
    again = plan(["memory://large/c0.pcap"], PLAIN, out=str(tmp_path / "out"), part=40_000)
    found, expected = again.run(Here(), resume=True).figures(), filtered(PLAIN, path)
    assert {name: found[name] for name in expected} == expected


@needs_loops
@needs("fsspec")
def test_a_large_file_that_changes_meanwhile(store: Any, tmp_path: Path) -> None:
    path = captures_in(tmp_path / "large", 1) / "c0.pcap"
    store.pipe_file("/large/c0.pcap", path.read_bytes())
    job = plan(["memory://large/c0.pcap"], PLAIN, out=str(tmp_path / "out"), part=40_000)

    def change(done: int) -> None:
        if done == 2:
            store.pipe_file("/large/c0.pcap", path.read_bytes())

    result = job.run(Here(meddle=change))
    assert (result.done, result.complete) == (0, False)
    assert "changed since" in result.problems[0].message


@needs("fsspec")
def test_a_read_fetches_a_large_stretch(store: Any) -> None:
    store.pipe_file("/caps/large", bytes(40 << 20))
    file, asked = RemoteRanges(f"{ROOT}/large"), list[int]()
    whole = file.piece

    def piece(start: int, end: int) -> bytes:
        asked.append(end - start)
        return whole(start, end)

    file.piece = piece  # type: ignore[method-assign]
    reader, space = RangeReader(file, 0, file.size), memoryview(bytearray(1 << 16))
    while reader.readinto(space):
        pass
    assert asked == [16 << 20, 16 << 20, 8 << 20]
