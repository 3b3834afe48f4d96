"""The pictures of the pages: what their scripts make, whole, and nothing from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from tests.needs import needs
from tests.pages import ROOT

PICTURES = ROOT / "docs" / "pictures"
NAMES = ["flow", pytest.param("recording", marks=needs("pty", "termios"))]
TEXT = "{http://www.w3.org/2000/svg}text"


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_what_its_script_makes(name: str) -> None:
    command = [sys.executable, "-m", f"docs.pictures.{name}"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    assert made == (PICTURES / f"{name}.svg").read_text(encoding="utf-8"), " ".join(command)


@pytest.mark.parametrize("name", ["flow", "recording"])
def test_a_picture_loads_nothing_and_knows_the_dark(name: str) -> None:
    text = (PICTURES / f"{name}.svg").read_text(encoding="utf-8")
    assert re.findall(r"\bhttps?:|url\(|href|@import|<script", text) == ["http:"]  # its xmlns
    assert "prefers-color-scheme: dark" in text


@pytest.mark.parametrize(("name", "letter"), [("flow", 6.1), ("recording", 7.9)])
def test_all_text_lies_within_the_picture(name: str, letter: float) -> None:
    """letter: the width of one, in units, in the widest font that is asked for."""
    root = ElementTree.parse(PICTURES / f"{name}.svg").getroot()
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    lines = root.findall(TEXT)
    assert len(lines) > 10
    for line in lines:
        words = "".join(line.itertext())
        assert len(words) * letter <= width, words
        assert float(line.attrib["y"]) < height, words


def test_the_recording_says_why_and_who() -> None:
    root = ElementTree.parse(PICTURES / "recording.svg").getroot()
    lines = ["".join(line.itertext()) for line in root.findall(TEXT)]
    assert "dropped by the sender: line 70, `break`, and nothing accepts it" in lines
    assert "17 of 28 ways are open (8 members; ssh, smb)" in lines
