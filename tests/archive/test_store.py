"""The commit: all of a segment or nothing of it, and the first attempt wins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ztfast.archive.store import Store
from ztfast.errors import OutputError


def write(folder: str, text: str) -> None:
    (Path(folder) / "x").write_text(text)


def test_a_segment_appears_with_its_manifest(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    folder = store.attempt("s")
    write(folder, "one")
    assert store.manifest("s") is None
    assert store.commit(folder, "s", {"n": 1})
    assert store.manifest("s") == {"n": 1, "at": "segments/s"}
    assert (tmp_path / "segments" / "s" / "x").read_text() == "one"


def test_the_first_attempt_wins(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    first, second = store.attempt("s"), store.attempt("s")
    assert first != second
    write(first, "one")
    write(second, "two")
    assert store.commit(second, "s", {"n": 2})
    assert not store.commit(first, "s", {"n": 1})
    assert store.manifest("s") == {"n": 2, "at": "segments/s"}
    assert (tmp_path / "segments" / "s" / "x").read_text() == "two"
    assert not Path(first).exists()


def test_an_attempt_that_died_is_nothing(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    write(store.attempt("s"), "half")
    assert store.manifest("s") is None
    folder = store.attempt("s")
    assert store.commit(folder, "s", {})
    store.tidy()
    assert not (tmp_path / "attempts").exists()


def test_what_cannot_be_committed_is_said(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    folder = store.attempt("s")
    (tmp_path / "segments").write_text("a file where the folder must be")
    with pytest.raises(OSError, match="segments"):
        store.commit(folder, "s", {})


@pytest.mark.parametrize("text", ["", "{", "[1]", "\x00"])
def test_a_damaged_manifest_is_refused_by_name(tmp_path: Path, text: str) -> None:
    store = Store(str(tmp_path))
    store.commit(store.attempt("s"), "s", {})
    path = tmp_path / "segments" / "s" / "manifest.json"
    path.write_text(text)
    with pytest.raises(OutputError, match=r"manifest\.json"):
        store.manifest("s")


def test_the_plan(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "new" / "folder"))
    assert store.plan() is None
    store.write_plan({"files": []})
    assert store.plan() == {"files": []}
    assert json.loads((tmp_path / "new" / "folder" / "plan.json").read_text()) == {"files": []}


def test_a_folder_that_lost_its_manifest_is_done_again(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    assert store.commit(store.attempt("s"), "s", {"n": 1})
    (tmp_path / "segments" / "s" / "manifest.json").unlink()
    (tmp_path / "segments" / "s" / "x").write_text("left")
    assert store.manifest("s") is None
    assert store.commit(store.attempt("s"), "s", {"n": 2})
    assert store.manifest("s") == {"n": 2, "at": "segments/s"}
    assert not (tmp_path / "segments" / "s" / "x").exists()
    store.tidy()
    assert [path.name for path in tmp_path.iterdir()] == ["segments"]
