"""`ztfast filter` and `deliver` lose no file: neither what they read nor an earlier run's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import pages
from tests.cli.running import ztfast
from tests.needs import needs

KINDS = ("ztrules", "toml", "pcap")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for kind in KINDS:
        Path(f"office.{kind}").write_bytes((pages.EXAMPLES / f"office.{kind}").read_bytes())
    Path("day").mkdir()
    Path("day/accepted.pcap").write_bytes(Path("office.pcap").read_bytes())
    Path("soft").symlink_to("office.pcap")
    os.link("office.pcap", "hard")
    os.link("office.pcap", "row_00002.pcap")
    os.link("office.pcap", "t.npy")
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize(
    "words",
    [
        ("office.pcap", "-w", "office.pcap"),
        ("office.pcap", "-w", "soft"),
        ("soft", "-w", "office.pcap"),
        ("hard", "-w", "office.pcap"),
        ("office.pcap", "-w", "./day/../office.pcap"),
        ("office.pcap", "day", "--merge", "-w", "day/accepted.pcap"),
        ("day", "-w", "day/accepted.pcap"),
        ("day", "--split", "day", "--format", "pcap", "--force"),
        ("day", "--split", "day", "--clean"),
        ("office.pcap", "-w", "row.pcap", "--rotate-frames", "9"),
        ("office.pcap", "--table", "t.npy"),
        ("office.pcap", "-w", "office.ztrules"),
        ("office.pcap", "--network", "office.toml", "-w", "office.toml"),
        ("office.pcap", "--table", "new.npy", "-w", "new.npy"),
        ("office.pcap", "--split", "new", "-w", "new/tee-8e30f50a25.pcapng"),
        ("office.pcap", "--split", "day"),
    ],
    ids=" ".join,
)
def test_refused_and_nothing_changed(
    words: tuple[str, ...], folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = contents(folder)
    assert ztfast("filter", "office.ztrules", *words) == 2
    captured = capfd.readouterr()
    assert "error[ZT" in captured.err
    assert "help: " in captured.err
    assert captured.out == ""
    assert contents(folder) == before
    assert not Path("new").exists()


@pytest.mark.parametrize(
    "words",
    [("--split", "day"), ("--table", "t.npy"), ("--table", "office.toml.npy")],
    ids=" ".join,
)
def test_deliver(words: tuple[str, ...], folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("day/member-1d71939404.pcapng").write_bytes(b"")
    Path("office.toml.npy").symlink_to("office.toml")
    before = contents(folder)
    network = ("--network", "office.toml", "--count")
    assert ztfast("deliver", "office.ztrules", "office.pcap", *network, *words) == 2
    assert "error[ZT6" in capfd.readouterr().err
    assert contents(folder) == before


@needs("posix")
@pytest.mark.parametrize(
    "command",
    ["filter r - -w office.pcap <office.pcap", "filter r office.pcap -w - >>office.pcap"],
)
def test_standard_streams(command: str, folder: Path) -> None:
    Path("r").write_text("accept;\n")
    before = Path("office.pcap").read_bytes()
    done = subprocess.run(
        f"{sys.executable} -m ztfast {command}", shell=True, capture_output=True, check=False
    )
    assert done.returncode == 2
    assert b"ZT609" in done.stderr
    assert Path("office.pcap").read_bytes() == before


@pytest.mark.parametrize("word", ["--force", "--clean"])
def test_an_earlier_run_is_replaced_when_told_so(word: str, folder: Path) -> None:
    split = ("--split", "out", word)
    assert ztfast("filter", "office.ztrules", "office.pcap", "--split", "out") == 0
    first = contents(folder / "out")
    assert any(name.startswith("tee-") for name in first)
    Path("out/notes.txt").write_bytes(b"mine")
    Path("all").write_text("drop;\n")
    assert ztfast("filter", "all", "office.pcap", *split) == 0
    second = contents(folder / "out")
    assert second["dropped.pcapng"] != first["dropped.pcapng"]
    left = {} if word == "--clean" else first
    assert set(second) == {*left, "accepted.pcapng", "dropped.pcapng", "notes.txt"}
    assert ztfast("filter", "all", "office.pcap", word) == 2


def test_a_capture_that_is_not_read_leaves_the_folder_as_it_is(folder: Path) -> None:
    Path("broken").write_bytes(b"no capture at all")
    before = contents(folder)
    assert ztfast("filter", "office.ztrules", "broken", "--split", "day", "--clean") == 1
    assert contents(folder) == before
