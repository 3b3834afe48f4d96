from __future__ import annotations

import os
from pathlib import Path

import pytest

from ztfast.errors import OutputError
from ztfast.sinks.text import write_text


def test_writes_through_a_link_and_keeps_the_mode(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    real.chmod(0o600)
    link.symlink_to(real)
    write_text(str(link), "neu \r\n")
    assert real.read_bytes() == b"neu \r\n"
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o600


def test_a_pipe_is_written_to_directly() -> None:
    """A rename would put a file in its place."""
    before = os.stat(os.devnull)
    write_text(os.devnull, "x")
    after = os.stat(os.devnull)
    assert (after.st_mode, after.st_ino) == (before.st_mode, before.st_ino)
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe, os.fdopen(writing, "wb"):
        write_text(f"/dev/fd/{writing}", "line\n")
        assert pipe.read(5) == b"line\n"


def test_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "f"
    path.write_text("old")

    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OutputError, match="No space"):
        write_text(str(path), "new")
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [("f", "old")]


def test_standard_output(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    write_text(None, "größe\n")
    assert capsysbinary.readouterr().out == "größe\n".encode()
