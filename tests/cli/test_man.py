"""Manual pages: one a command, as they are in man/, and what roff makes of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.pages import ROOT
from ztfast.cli import COMMANDS
from ztfast.cli.man import escaped, pages

FOLDER = ROOT / "man"


def test_a_page_for_each_command() -> None:
    assert set(pages()) == {"ztfast.1", *(f"ztfast-{name}.1" for name in COMMANDS)}


def test_the_pages_are_up_to_date(tmp_path: Path) -> None:
    if tuple(map(int, version("click").split(".")[:2])) < (8, 2):
        pytest.skip("click before 8.2 says options a little differently")
    command = [sys.executable, "-m", "ztfast.cli.man", str(tmp_path)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONUTF8": "1"})
    for path in tmp_path.iterdir():
        kept = (FOLDER / path.name).read_text(encoding="utf-8")
        assert kept == path.read_text(encoding="utf-8"), "run: python -m ztfast.cli.man man"
    assert {path.name for path in FOLDER.iterdir()} == {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (".TH evil", "\\&.TH evil"),
        ("'br", "\\&'br"),
        ("a \\fB b", "a \\efB b"),
        ("--side", "\\-\\-side"),
        ("NAME,…", "NAME,\\[u2026]"),
    ],
)
def test_what_stands_in_a_help_text_is_no_instruction(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_roff_has_nothing_to_say_against_them() -> None:
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("no groff")
    for path in sorted(FOLDER.iterdir()):
        words = [groff, "-man", "-ww", "-Tutf8", str(path)]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        assert done.stderr == "", path
        shown = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", done.stdout)
        assert "NAME" in shown
        assert "Example" in shown, path
