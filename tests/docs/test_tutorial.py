"""The tutorial, top to bottom; the packaging check runs the same with the wheel alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.packaging import tutorial
from tests.pages import ROOT

pytest.importorskip("z3", reason="z3-solver (the extra `analysis`) is not installed")


def test_every_command_prints_what_is_shown(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    ran = 0
    for command, shown, found in tutorial.walk(page, tmp_path):
        assert found == shown, command
        ran += 1
    assert ran >= 10


def test_a_difference_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ python -c 'print(1)'\n2\n```\n")
    with pytest.raises(SystemExit, match=r"--- printed\n1"):
        tutorial.main(page, tmp_path)
