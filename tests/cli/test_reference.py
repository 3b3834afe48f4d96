"""The reference of commands says what the commands say of themselves."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from ztfast.cli import COMMANDS
from ztfast.cli.reference import markdown

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"


def test_every_command_is_in_it_with_an_example() -> None:
    sections = markdown().split("\n## ")[1:]
    assert [section.split("\n")[0] for section in sections] == [f"ztfast {n}" for n in COMMANDS]
    for section in sections:
        assert "Usage: ztfast" in section
        assert "Example" in section, section.split("\n")[0]


def test_the_page_is_up_to_date() -> None:
    if tuple(map(int, version("click").split(".")[:2])) < (8, 2):
        pytest.skip("click before 8.2 lays help out a little differently")
    # a process of its own: click keeps a command's help option as it was first asked for
    command = [sys.executable, "-m", "ztfast.cli.reference"]
    environment = {**os.environ, "PYTHONUTF8": "1"}
    made = subprocess.run(command, capture_output=True, check=True, env=environment)
    page = PAGE.read_text(encoding="utf-8")
    assert page == made.stdout.decode(), "run: python -m ztfast.cli.reference > docs/commands.md"
