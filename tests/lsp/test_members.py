"""Whose members a text is about: what counts before what, and what is wrong with a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from ztfast.errors import ZtfastError
from ztfast.lsp.members import Known, Members

URI = "file:///rules.ztrules"


@pytest.fixture
def office(tmp_path: Path) -> Path:
    (tmp_path / "ztfast.toml").write_text('network = "net.toml"\n')
    for name in ("net", "other"):
        member = f'[[member]]\naddress = "8e30f50a25"\nname = "{name}"\n'
        (tmp_path / f"{name}.toml").write_text(member)
    return tmp_path


def names(members: Members, uri: str = URI) -> list[str]:
    network = members.of(uri).network
    return [] if network is None else [member.name for member in network.members]


def test_those_of_the_folders_project(office: Path) -> None:
    members = Members()
    assert names(members) == []
    (office / "below").mkdir()
    members.look(URI, str(office / "below"))
    assert names(members) == ["net"]
    file = members.of(URI).file
    assert file is not None
    assert Path(file).name == "net.toml"
    assert names(members, "file:///another.ztrules") == []
    members.forget(URI)
    assert names(members) == []


def test_else_those_of_the_open_folder(
    office: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    members = Members()
    members.look(URI, str(elsewhere), str(office))
    assert names(members) == ["net"]


def test_an_editors_file_comes_first(office: Path) -> None:
    members = Members()
    members.use(str(office / "other.toml"))
    members.look(URI, str(office))
    assert names(members) == ["other"]


def test_nothing_is_looked_for_where_all_is_known(office: Path) -> None:
    members = Members(Known())
    members.look(URI, str(office))
    assert members.of(URI) == Known()


def test_a_missing_file_leaves_nobody(office: Path) -> None:
    members = Members()
    with pytest.raises(ZtfastError, match="cannot be read"):
        members.use(str(office / "gone.toml"))
    members.look(URI, str(office))  # an editor's file was named: no project's comes in its place
    assert members.of(URI) == Known()
    (office / "ztfast.toml").write_text('network = "gone.toml"\n')
    members = Members()
    with pytest.raises(ZtfastError, match="cannot be read"):
        members.look(URI, str(office))
    assert members.of(URI) == Known()


def test_an_id_names_no_members(office: Path) -> None:
    (office / "ztfast.toml").write_text('network = "8056c2e21c000001"\n')
    members = Members()
    members.look(URI, str(office))
    assert members.of(URI) == Known()


def test_the_variable_names_another_project_or_none(
    office: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = Members()
    monkeypatch.setenv("ZTFAST_CONFIG", "")
    members.look(URI, str(office))
    assert names(members) == []
    (office / "mine.toml").write_text('network = "other.toml"\n')
    monkeypatch.setenv("ZTFAST_CONFIG", str(office / "mine.toml"))
    members.look(URI, str(office))
    assert names(members) == ["other"]
