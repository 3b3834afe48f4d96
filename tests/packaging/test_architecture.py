"""ARCHITECTURE.md names every file, and what it says of each is what the file says of itself."""

from __future__ import annotations

import pytest

from tests.packaging import file_table


def test_every_file_is_named() -> None:
    page = file_table.ROOT / "ARCHITECTURE.md"
    if not page.exists():
        pytest.skip("not in a source tree")
    text = page.read_text(encoding="utf-8")
    assert file_table.HEADING in text
    shown = file_table.HEADING + text.partition(file_table.HEADING)[2]
    assert shown == file_table.table(), "run: python -m tests.packaging.file_table"


def test_no_module_is_over_500_lines() -> None:
    long = {
        str(path.relative_to(file_table.SOURCE)): count
        for path in file_table.SOURCE.rglob("*.py")
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > 500
    }
    assert long == {}
