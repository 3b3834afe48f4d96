"""The reference of commands says what the commands say of themselves."""

from __future__ import annotations

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
    page = PAGE.read_text(encoding="utf-8")
    assert page == markdown(), "run: python -m ztfast.cli.reference > docs/commands.md"
