"""Temporary files: nobody else's name, the mode of what they replace, on the disk first."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ztfast.errors import OutputError
from ztfast.sinks import temporary
from ztfast.sinks.output import Output
from ztfast.sinks.temporary import create_beside, settle
from ztfast.sinks.text import write_text


def test_names_are_hidden_and_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(temporary, "host_name", lambda: "host/../with odd name" * 9)
    made = [create_beside(str(tmp_path / "out.pcap")) for _ in range(3)]
    for descriptor, path in made:
        os.close(descriptor)
        assert os.path.dirname(path) == str(tmp_path)
        assert os.path.basename(path).startswith(".out.pcap.host-..-with-odd-name")
        assert path.endswith(".part")
    assert len({path for _, path in made}) == 3


def test_a_name_that_is_taken_is_not_written_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = iter([b"\xaa", b"\xaa", b"\xbb"])
    monkeypatch.setattr(os, "urandom", lambda _: next(names))
    made = [create_beside(str(tmp_path / "out")) for _ in range(2)]
    for descriptor, _ in made:
        os.close(descriptor)
    assert [path.rsplit(".", 2)[1] for _, path in made] == ["aa", "bb"]


def test_the_longest_name_and_no_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(temporary, "host_name", lambda: "")
    output = Output(str(tmp_path / ("ü" * 127)))
    output.write([b"x"])
    output.close()
    assert os.listdir(tmp_path) == ["ü" * 127]


@pytest.mark.skipif(not hasattr(os, "fchmod"), reason="no modes here")
def test_an_output_keeps_the_mode_of_what_it_replaces(tmp_path: Path) -> None:
    path = tmp_path / "secret.pcap"
    path.write_bytes(b"old")
    path.chmod(0o600)
    output = Output(str(path))
    output.write([b"new"])
    output.close()
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["output", "text"])
def test_on_the_disk_before_it_has_its_name(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    seen: list[tuple[str, int, bool]] = []
    sync, replace = os.fsync, os.replace

    def noting_sync(descriptor: int) -> None:
        seen.append(("fsync", os.fstat(descriptor).st_size, path.exists()))
        sync(descriptor)

    def noting_replace(old: str, new: str) -> None:
        seen.append(("replace", os.path.getsize(old), path.exists()))
        replace(old, new)

    monkeypatch.setattr(os, "fsync", noting_sync)
    monkeypatch.setattr(os, "replace", noting_replace)
    if kind == "text":
        write_text(str(path), "abc")
    else:
        output = Output(str(path))
        output.write([b"abc"])
        output.close()
    assert seen == [("fsync", 3, False), ("replace", 3, False)]


def test_bytes_that_do_not_reach_the_disk_get_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quota or a network file system may say so only here."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "a"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    output = Output(str(path))
    output.write([b"abc"], 1)
    with pytest.raises(OutputError, match="No space left"):
        output.close()
    with pytest.raises(OutputError, match="No space left"):
        write_text(str(path), "abc")
    assert path.read_bytes() == b"old"


def test_a_file_system_without_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: int) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", missing)
    settle(0)
