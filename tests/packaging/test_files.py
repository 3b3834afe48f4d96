"""What a contributor relies on: the page of each part, make's help, frozen actions, the stub."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_page_is_in_the_navigation() -> None:
    if not (ROOT / "mkdocs.yml").exists():
        pytest.skip("not in a source tree")
    named = set(re.findall(r"- ([\w/-]+\.md)$", text("mkdocs.yml"), re.MULTILINE))
    docs = ROOT / "docs"
    assert named == {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")}


def test_help_lists_every_target() -> None:
    makefile = text("Makefile")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    described = re.findall(r"^([a-z-]+):.*## \S", makefile, re.MULTILINE)
    targets = re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE)
    assert sorted(described) == sorted(targets) == sorted(phony.split())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_frozen(path: Path) -> None:
    used = re.findall(r"uses: (\S+)(.*)", path.read_text(encoding="utf-8"))
    assert used
    for action, comment in used:
        assert re.search(r"@[0-9a-f]{40}$", action), action
        assert re.search(r"# v\d+\.\d+\.\d+$", comment), f"{action}: say which version that is"


def test_each_dependency_is_justified() -> None:
    if not (ROOT / "CONTRIBUTING.md").exists():
        pytest.skip("not in a source tree")
    page = text("CONTRIBUTING.md").partition("## Dependencies")[2].partition("\n## ")[0]
    project = text("pyproject.toml").partition("[project.scripts]")[0]
    names = set(re.findall(r'"([a-zA-Z0-9-]+)>=', project)) - {"python"}
    assert len(names) > 20
    missing = [name for name in sorted(names) if f"`{name}`" not in page]
    assert not missing


def test_where_to_add_a_match_type_exists() -> None:
    if not (ROOT / "CONTRIBUTING.md").exists():
        pytest.skip("not in a source tree")
    page = text("CONTRIBUTING.md").partition("## A new type of match")[2].partition("\n## ")[0]
    named = re.findall(r"`((?:src|tests|docs)/[\w/.-]+)`", page)
    assert len(named) >= 8
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_part_of_the_compiled_loops_is_included_once() -> None:
    source = ROOT / "src" / "ztfast"
    if not (source / "_core.pyx").exists():
        pytest.skip("not in a source tree")
    included = re.findall(r'^include "(.*)"$', text("src/ztfast/_core.pyx"), re.MULTILINE)
    parts = [path.relative_to(source).as_posix() for path in (source / "_core").iterdir()]
    assert sorted(included) == sorted(parts)


def test_long_tests_come_last() -> None:
    files = ("tests/proof/test_findings.py", "tests/lang/test_format.py")
    command = [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:cacheprovider", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    names = re.findall(r"^tests/\S+?::(\w+)", done.stdout, re.MULTILINE)
    assert names[-2:] == ["test_a_full_policy_is_analysed", "test_every_vector_keeps_its_meaning"]
    assert len(names) > 20
