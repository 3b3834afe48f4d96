"""The page of the tap: each command does what it says, between namespaces that the test makes."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import ztfast
from tests.live.network import Network, why_no_networks
from tests.pages import ROOT, blocks, lay_out
from ztfast import dispatch

COMMANDS = [block for block in blocks("docs/tap.md", "sh") if "ztfast tap" in block]
PROGRAMS = ("tcpdump", "ethtool")


def office_frames() -> list[bytes]:
    with ztfast.open_capture(ROOT / "examples" / "office.pcap") as capture:
        return [frame for batch in capture.batches() for frame in batch.frames()]


@pytest.fixture
def office() -> Iterator[Network]:
    """A network whose tap has ZeroTier's interface, and a way to another machine."""
    why = why_no_networks()
    if why:
        pytest.skip(why)
    made = Network()
    made.tap.ip("link", "set", "dev", "in", "down")
    made.tap.ip("link", "set", "dev", "in", "name", "ztoffice", "up")
    made.tap.ip("addr", "add", "10.99.0.1/24", "dev", "to")
    made.set_mtu(2800, ("out", "ztoffice"))
    yield made
    made.remove()


def test_the_page_has_commands() -> None:
    assert len(COMMANDS) == 6


@pytest.mark.parametrize("number", range(len(COMMANDS)))
def test_a_command_of_the_page(number: int, office: Network, tmp_path: Path) -> None:
    command = COMMANDS[number]
    missing = [name for name in PROGRAMS if name in command and shutil.which(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)}: not installed")
    lay_out(tmp_path)
    script = tmp_path / "bin" / "ztfast"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ztfast "$@" --seconds 2\n')
    done = threading.Event()
    sending = threading.Thread(target=lambda: _send_until(done, office))
    sending.start()
    try:
        shell = f'PATH="{tmp_path / "bin"}:$PATH"; set -e\n{command}'
        ran = subprocess.run(
            office.tap.command("/bin/sh", "-c", shell),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        done.set()
        sending.join()
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0, said
    received, dropped, judged, missing_frames = _figures(said, "ztoffice")
    assert received > 200
    assert (dropped, judged, missing_frames) == (0, received, 0)
    if "--to" in command:
        copies, sent, *_, lost = _figures(said, re.escape(command.split("--to ")[1].split()[0]))
        assert copies > 0
        assert sent > 0
        assert lost == 0


def _send_until(done: threading.Event, office: Network) -> None:
    frames = office_frames()
    pause = 0.05 if dispatch.core is not None else 0.8  # the reference judges some hundred a second
    while not done.wait(pause):
        office.send(frames)


def _figures(said: str, name: str) -> list[int]:
    (row,) = re.findall(rf"^{name} +([\d, ]+)$", said, re.MULTILINE)
    return [int(figure.replace(",", "")) for figure in row.split()]


def test_the_unit_names_what_there_is() -> None:
    unit = configparser.ConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(ROOT / "examples" / "ztfast-tap.service")
    service = unit["Service"]
    assert service["Type"] == "notify"
    words = service["ExecStart"].split()
    assert words[1] == "tap"
    done = subprocess.run(
        [sys.executable, "-m", "ztfast", "tap", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    for word in words:
        if word.startswith("-"):
            assert re.search(rf"(^|[ ,]){word}\b", done.stdout, re.MULTILINE), word
