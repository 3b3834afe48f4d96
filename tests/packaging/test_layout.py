"""tests/ mirrors src/ztfast: a package's tests are in its folder, a module's under its name.

A module is tested by files of its name, with or without more behind it, a package as a whole by
files of its own name; a module that others' tests cover names them in its docstring.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packaging.citations import Tree, missing
from tests.pages import ROOT

SOURCE, TESTS = ROOT / "src" / "ztfast", ROOT / "tests"
PACKAGES = sorted(path.parent for path in SOURCE.rglob("__init__.py"))
MODULES = sorted(SOURCE.rglob("*.py"))
SMALL = 60
CITED = re.compile(r"\btests/\w[\w/.*]*")


def folder_of(package: Path) -> Path:
    return TESTS / package.relative_to(SOURCE)


def modules(package: Path) -> set[str]:
    """The names that tests of this package may have behind `test_`."""
    return {path.stem for path in package.glob("*.py")} | {package.name}


def names(test: str, module: str) -> bool:
    return test == f"test_{module}" or test.startswith(f"test_{module}_")


def stray(package: Path, tests: list[str]) -> Iterator[str]:
    """Those of no module of the package."""
    for test in tests:
        if not any(names(test, module) for module in modules(package)):
            yield test


def test_a_name_says_which_module() -> None:
    package = SOURCE / "capture"
    assert not list(stray(package, ["test_open", "test_pcap_scan", "test_many", "test_capture"]))
    assert list(stray(package, ["test_opening", "test_scan", "test_open_hostile"])) == [
        "test_opening",
        "test_scan",
    ]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_a_packages_folder_holds_tests_of_its_modules_only(package: Path) -> None:
    folder = folder_of(package)
    assert folder.is_dir()
    found = [path.stem for path in folder.glob("test_*.py")]
    assert found
    assert list(stray(package, found)) == []


def test_every_module_of_some_weight_is_named_by_a_test_or_names_one() -> None:
    tree, without = Tree(ROOT), []
    assert len(MODULES) > 100
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        if text.count("\n") <= SMALL:
            continue
        module = path.parent.name if path.stem == "__init__" else path.stem
        own = [test.stem for test in folder_of(path.parent).glob("test_*.py")]
        if any(names(test, module) for test in own):
            continue
        page = ast.get_docstring(ast.parse(text)) or ""
        name = path.relative_to(ROOT).as_posix()
        gone = {each.cited for each in missing(name, f'"""{page}"""', tree)}
        cited = {found.rstrip(".") for found in CITED.findall(page)}
        if not cited - gone:
            without.append(name)
    assert not without, "no test of its name, and no `Tested by tests/…` in its docstring"


def test_no_test_imports_a_test() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {line}"
        for path in TESTS.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.match(r"\s*(from|import) tests\.(\w+\.)*test_", line)
    ]
    assert not found, "what both need stands beside them, without `test_` in its name"
