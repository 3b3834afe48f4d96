"""The project's file of settings: where it is found, and what is refused with its line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ztfast.errors import NetworkError
from ztfast.network.project import MAX_SIZE, Project, find_project, read_project


def write(folder: Path, text: str, name: str = "ztfast.toml") -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return str(folder / name)


def test_the_nearest_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    above = write(tmp_path, 'engine = "1.12"\n')
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    found = find_project(str(folder))
    assert found == Project(above, engine="1.12")
    write(tmp_path / "a", "[tool.other]\nx = 1\n", "pyproject.toml")
    assert find_project(str(folder)) == found  # which has nothing of ours
    nearer = write(tmp_path / "a", '[tool.ztfast]\nengine = "1.14"\n', "pyproject.toml")
    assert find_project(str(folder)) == Project(nearer, engine="1.14")
    own = write(tmp_path / "a", 'fail-on = "note"\n')
    assert find_project(str(folder)) == Project(own, fail_on="note")
    monkeypatch.chdir(folder)
    assert find_project(".") == Project(own, fail_on="note")


def test_files_are_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, 'rules = "r/a.ztrules"\nnetwork = "n.toml"\n')
    monkeypatch.chdir(tmp_path)
    assert find_project(".") == Project(path, os.path.join("r", "a.ztrules"), "n.toml")
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    found = find_project(".")
    assert found is not None
    assert found.network is not None
    assert Path(found.network) == tmp_path / "n.toml"


def test_a_revisions_file_is_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, 'rules = "git:HEAD~1:r/a.ztrules"\n')
    monkeypatch.chdir(tmp_path)
    assert find_project(".") == Project(path, "git:HEAD~1:r/a.ztrules")
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    assert find_project(".") == Project(path, "git:HEAD~1:../r/a.ztrules")


@pytest.mark.parametrize("name", ["git:HEAD", "git:HEAD:", "/abs/r.ztrules"])
def test_names_that_are_no_files_beside_it(tmp_path: Path, name: str) -> None:
    found = read_project(write(tmp_path, f'rules = "{name}"\nnetwork = "8056c2e21c000001"\n'))
    assert found is not None
    assert (found.rules, found.network) == (name, "8056c2e21c000001")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('network = "a"\nnettwork = "x"\n', 2, "`nettwork` is not a setting"),
        ("engine = 1.14\n", 1, "write it in quotes"),
        ('\n\nengine = "1.16"\n', 3, "write one of 1.14, 1.12"),
        ('fail-on = "never"\n', 1, "error, warning, note"),
        ('rules = ""\n', 1, "names no file"),
        ('rules = "-"\n', 1, "names no file"),
        ('rules = ["a", "b"]\n', 1, "is not text"),
        ('engine = "1.14"\nrules = \n', 2, "is not TOML"),
        ('x = "\ud800"\n'.replace("\ud800", "\\ud800"), 1, "is not TOML"),
        ("[rules]\na = 1\n", 1, "is not text"),
        ('[tool.ztfast]\nrules = "a"\n', 1, "here settings stand without one"),
    ],
)
def test_refused_with_its_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(NetworkError) as refused:
        read_project(path)
    (found,) = refused.value.diagnostics
    assert found.code == "ZT570"
    assert found.place().startswith(f"{path}:{line}:")
    assert said in f"{found.message} {found.help}"


def test_text_of_another_encoding_says_which_is_wanted(tmp_path: Path) -> None:
    """As the PowerShell of Windows writes it."""
    path = tmp_path / "ztfast.toml"
    path.write_bytes('rules = "a"\n'.encode("utf-16"))
    with pytest.raises(NetworkError, match="is not UTF-8") as refused:
        read_project(str(path))
    assert refused.value.diagnostics[0].help == "save the file as UTF-8"


def test_the_line_in_a_pyproject_is_behind_our_heading(tmp_path: Path) -> None:
    text = '[project]\nname = "x"\n\n[tool.ztfast]\nname = "x"\n'
    with pytest.raises(NetworkError, match=":5:0: `name` is not a setting"):
        read_project(write(tmp_path, text, "pyproject.toml"))
    with pytest.raises(NetworkError, match=r"`tool\.ztfast` is not a table"):
        read_project(write(tmp_path, '[tool]\nztfast = "x"\n', "pyproject.toml"))
    with pytest.raises(NetworkError, match="is not TOML"):
        read_project(write(tmp_path, "[tool.ztfast]\nrules = a\n", "pyproject.toml"))


def test_a_pyproject_of_others_may_be_broken(tmp_path: Path) -> None:
    for text in ("[project\n", '[project]\nname = "ztfast"\n', "ztfast = = 1\n"):
        assert read_project(write(tmp_path, text, "pyproject.toml")) is None
    (tmp_path / "pyproject.toml").write_bytes(b"\xff\xfe")
    assert read_project(str(tmp_path / "pyproject.toml")) is None


def test_what_is_no_small_text_file(tmp_path: Path) -> None:
    path = tmp_path / "ztfast.toml"
    path.write_bytes(b"#" * (MAX_SIZE + 1))
    with pytest.raises(NetworkError, match="more than 1,048,576 bytes"):
        read_project(str(path))
    path.write_bytes(b"engine = '1.14' # \xff")
    with pytest.raises(NetworkError):
        read_project(str(path))
    path.write_text("a = " + "[" * 100_000)
    with pytest.raises(NetworkError):
        read_project(str(path))
    with pytest.raises(NetworkError, match="cannot be read"):
        read_project(str(tmp_path / "none.toml"))
    path.unlink()
    path.mkdir()  # a folder of that name is no file, nor is a pipe
    assert find_project(str(tmp_path)) in (None, find_project(str(tmp_path.parent)))
    if hasattr(os, "mkfifo"):
        path.rmdir()
        os.mkfifo(path)
        assert find_project(str(tmp_path)) in (None, find_project(str(tmp_path.parent)))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="check the path") as caught:
        read_project(str(tmp_path / "none.toml"))
    assert caught.value.diagnostics[0].code == "ZT570"
