"""README and the pages of filter: every command shown is run and prints what is shown."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from tests import pages
from tests.needs import needs


@pytest.mark.parametrize(
    "page",
    [
        *("README.md", "docs/archive.md", "docs/deliver.md"),
        pytest.param("docs/filter.md", marks=needs("pyarrow")),
    ],
)
def test_commands(page: str, tmp_path: Path) -> None:
    pages.lay_out(tmp_path)
    shown = pages.commands(page)
    assert shown
    for command, output in shown:
        assert pages.run(command, tmp_path) == output, command


def test_demo_is_what_make_demo_runs() -> None:
    makefile = (pages.ROOT / "Makefile").read_text(encoding="utf-8")
    demo = re.search(r"^\t\$\(DEMO\)/bin/(ztfast filter .*)$", makefile, re.MULTILINE)
    assert demo is not None
    assert demo[1] in [command for command, _ in pages.commands("README.md")]


def test_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages.lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)
    (program,) = pages.blocks("README.md", "python")
    (expected,) = pages.blocks("README.md", "output")
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(program, "README.md", "exec"), {})
    assert printed.getvalue() == expected


@pytest.mark.parametrize("page", ["README.md", "docs/recipes-ids.md", "docs/captures.md"])
def test_recipes(page: str, tmp_path: Path) -> None:
    """The `ztfast` commands of recipes, with a capture where tcpdump stands."""
    pages.lay_out(tmp_path)
    ran = 0
    for line in "".join(pages.blocks(page, "sh")).splitlines():
        command = line.replace("tcpdump -i zt0 -U -w -", "cat capture.pcap")
        if "ztfast filter" not in command:
            continue
        (tmp_path / "out").mkdir(exist_ok=True)
        output = pages.run(f"({command}) && echo fine", tmp_path)
        assert output.endswith("fine\n"), output
        ran += 1
    assert ran
    assert (tmp_path / "out" / "tee-8e30f50a25.pcapng").exists()


LINKED = ["README.md", *(f"docs/{name}.md" for name in (
    "filter", "archive", "deliver", "recipes-ids", "captures"
))]  # fmt: skip


@pytest.mark.parametrize("page", LINKED)
def test_links(page: str) -> None:
    text = (pages.ROOT / page).read_text(encoding="utf-8")
    here = (pages.ROOT / page).parent
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
    missing = [link for link in links if not (here / link).exists()]
    assert not missing


@needs("pandas")
def test_a_capture_as_a_dataframe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages.lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)
    (program,) = pages.blocks("README.md", "py")
    found: dict[str, Any] = {}
    exec(compile(program, "README.md", "exec"), found)
    assert len([line for line in program.splitlines() if line]) <= 4
    assert (len(found["table"]), int(found["table"].accepted.sum())) == (221, 210)
