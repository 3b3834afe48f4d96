"""docs/api.md: every public name has an entry and an example that prints what stands below it."""

from __future__ import annotations

import importlib
import io
import re
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

import ztfast
from tests import pages
from tests.needs import needs_loops
from ztfast import archive

PAGE = (pages.ROOT / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"^```python\n(.*?)^```\n\n```output\n(.*?)^```", re.M | re.S)
ENTRIES = re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", PAGE, re.M | re.S)
SHOWN = re.findall(r"^::: (\S+)$", PAGE, re.M)


def errors() -> set[str]:
    found = {name for name in ztfast.__all__ if name.endswith("Error")}
    return {*found, "Diagnostic", "simd"}  # told together; the older name of simd_level


def test_every_public_name_has_an_entry_with_an_example() -> None:
    documented = {name for name, text in ENTRIES if "```py" in text}
    missing = {*ztfast.__all__} - errors() - documented
    assert missing == set()
    assert {name for name in dir(archive) if name.endswith("Workers")} <= documented
    assert [name for name, text in ENTRIES if f"{name}" not in text] == []


@pytest.mark.parametrize("path", SHOWN)
def test_what_is_shown_is_there(path: str) -> None:
    parts = path.split(".")
    for split in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:split]))
        except ModuleNotFoundError:
            continue
        for name in parts[split:]:
            found = getattr(found, name)
        assert found.__doc__
        return
    raise AssertionError(path)


@needs_loops
def test_each_example_prints_what_stands_below_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = EXAMPLE.findall(PAGE)
    assert len(examples) == PAGE.count("```python\n") == PAGE.count("```output\n")
    pages.lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    for program, output in examples:
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(compile(program, "api.md", "exec"), names)
        assert printed.getvalue() == output, program
