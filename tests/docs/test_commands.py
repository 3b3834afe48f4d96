"""The pages of commands: every command on them is run and prints what the page shows."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.needs import needs

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```(file|console)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(text: str) -> list[tuple[str, str]]:
    """(command, output) of a console block."""
    parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


PAGES = (
    *("compile", "check", "fmt", "explain", "reach", "test", "init"),
    pytest.param("policies-in-git", marks=needs("yaml", "z3")),
    *(pytest.param(page, marks=needs("z3")) for page in ("diff", "search", "analysis", "settings")),
)


@pytest.mark.parametrize("page", PAGES)
def test_page(page: str, tmp_path: Path) -> None:
    ran = 0
    if page == "policies-in-git":
        shutil.copytree(DOCS.parent / "examples" / "policy-repo", tmp_path, dirs_exist_ok=True)
    for kind, name, body in BLOCK.findall((DOCS / f"{page}.md").read_text(encoding="utf-8")):
        if kind == "file":
            (tmp_path / name.strip()).write_text(body, encoding="utf-8")
            continue
        for command, output in commands(body):
            words = shlex.split(command)
            assert words[0] == "ztfast"
            done = subprocess.run(
                [sys.executable, "-m", *words],
                cwd=tmp_path,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                check=False,
            )
            assert done.stdout == output, command
            ran += 1
    assert ran > 0
