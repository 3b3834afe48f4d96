"""docs/adapters.md: each program on it prints what is shown below it."""

from __future__ import annotations

import io
import re
import warnings
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from tests import pages

PAGE = (pages.ROOT / "docs" / "adapters.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```\n\n```output\n(.*?)^```", PAGE, re.M | re.S)


@pytest.mark.parametrize(
    ("program", "output"), PROGRAMS, ids=[program.split("\n")[0] for program, _ in PROGRAMS]
)
@pytest.mark.filterwarnings("ignore")
def test_program(
    program: str, output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for library in ("scapy", "dpkt", "pyarrow", "pandas"):
        if library in program:
            pytest.importorskip(library, reason=f"{library} is not installed")
    pages.lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with warnings.catch_warnings(), redirect_stdout(printed):
        warnings.simplefilter("ignore")
        exec(compile(program, "adapters.md", "exec"), {})
    assert printed.getvalue() == output


def test_every_program_is_run() -> None:
    assert len(PROGRAMS) == PAGE.count("```python\n") == 5
