"""Files that are read are not written over, whatever they are called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.running import ztfast
from ztfast.errors import UsageError
from ztfast.sinks.originals import refuse_originals, refuse_twice


@pytest.fixture
def original(tmp_path: Path) -> Path:
    path = tmp_path / "a.pcap"
    path.write_bytes(b"frames")
    return path


def other_names(original: Path) -> dict[str, Path]:
    """Names under which the file is reached."""
    folder = original.parent
    (folder / "soft").symlink_to(original)
    os.link(original, folder / "hard")
    (folder / "twice").symlink_to("soft")
    (folder / "inner").symlink_to(folder)
    names = {name: folder / name for name in ("a.pcap", "soft", "hard", "twice")}
    return {**names, "dots": folder / "inner" / ".." / folder.name / "inner" / "a.pcap"}


def test_every_name_of_the_file_is_refused(original: Path) -> None:
    for name, path in other_names(original).items():
        with pytest.raises(UsageError, match="while it is read") as caught:
            refuse_originals([str(path)], [str(original)])
        assert caught.value.diagnostics[0].code == "ZT609", name


def test_other_files_and_what_is_no_file_pass(original: Path) -> None:
    copy = original.with_name("copy")
    copy.write_bytes(original.read_bytes())
    written = [str(copy), str(original.with_name("new")), os.devnull]
    refuse_originals(written, [str(original), os.devnull, "git:HEAD:a", "8056c2e21c000001", "a\0b"])


def test_two_outputs_in_one_file(original: Path) -> None:
    link = original.with_name("link")
    link.symlink_to(original)
    refuse_twice(["-", "-", os.devnull, os.devnull, str(original), str(original) + "2"])
    with pytest.raises(UsageError, match="written twice"):
        refuse_twice([str(original), str(link)])


@pytest.mark.parametrize(
    "words",
    [
        ("compile", "r", "-o", "r"),
        ("compile", "--decompile", "r", "-o", "link"),
        ("check", "--no-analysis", "r", "-o", "r"),
        ("explain", "r", "--frame", "tcp 10.1.1.2 > 10.1.1.7:443", "-o", "link"),
        ("test", "r", "t.toml", "-o", "t.toml"),
        ("test", "r", "t.toml", "-o", "r"),
    ],
    ids=" ".join,
)
def test_commands_that_write_text(
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("r").write_text("accept;\n")
    Path("link").symlink_to("r")
    Path("t.toml").write_text(
        '[[case]]\nname = "a"\nframe = "tcp 10.1.1.2 > 10.1.1.7:443"\nexpect = "accept"\n'
    )
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert ztfast(*words) == 2
    assert "ZT609" in capfd.readouterr().err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
