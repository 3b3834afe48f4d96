"""Imports run one way, as ARCHITECTURE.md's table says."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "ztfast"


def table() -> dict[str, set[str] | None]:
    """Package -> packages it may import (None: all of them), from ARCHITECTURE.md."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \| ([^|]+) \|$", text, re.MULTILINE)
    found: dict[str, set[str] | None] = {}
    for package, allowed in rows:
        if package == "package":
            continue
        names = set(re.findall(r"\w+", allowed))
        found[package] = None if names == {"everything"} else names
    return found


def native_users() -> set[str]:
    """Who may use the compiled loops: a sentence below the table."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    sentence = re.search(r"imports nothing of ours;(.*?)may\s+use it", text, re.DOTALL)
    assert sentence is not None
    return set(re.findall(r"`(\w+)`", sentence[1]))


TABLE = table()
NATIVE_USERS = native_users()


def package_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported(path: Path, modules: Collection[str] = ()) -> Iterator[tuple[int, str]]:
    """(line, module) of every import in a file, also inside functions and for types.

    modules: names that `from PACKAGE import NAME` means as modules.
    """
    module = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: a relative import"
            base = str(node.module)
            for name in node.names:  # `from ztfast import dispatch` names a module, not a value
                whole = f"{base}.{name.name}"
                yield node.lineno, whole if base == "ztfast" or whole in modules else base


def test_the_table_is_there_and_runs_one_way() -> None:
    assert set(TABLE) >= {"errors", "model", "lang", "engine", "cli"}
    seen: set[str] = set()
    for package, allowed in TABLE.items():
        assert allowed is None or allowed <= seen, f"{package} may import what stands below it"
        seen.add(package)


def test_every_package_is_in_the_table() -> None:
    packages = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists()}
    assert packages - set(TABLE) == set()


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: path.stem)
def test_imports_run_one_way(path: Path) -> None:
    package = package_of(path)
    allowed = TABLE.get(package)
    if package in ("__init__", "__main__", "dispatch"):
        return  # the public names, the entry point, and the choice of compiled loops
    wrong = []
    for line, module in imported(path):
        parts = module.split(".")
        if parts[0] != "ztfast" or len(parts) < 2:
            continue
        to = parts[1]
        if to == "dispatch":
            if package not in NATIVE_USERS:
                wrong.append(f"{path.name}:{line}: {package} uses the compiled loops")
        elif to.startswith("_core"):
            wrong.append(f"{path.name}:{line}: compiled loops are reached through ztfast.dispatch")
        elif allowed is not None and to in TABLE and to != package and to not in allowed:
            wrong.append(f"{path.name}:{line}: {package} imports {to}")
    assert not wrong


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")


def files() -> dict[str, set[str]]:
    """Module -> modules of ours that it imports anywhere: lazily and for types too."""
    paths = {module_name(path): path for path in SOURCE.rglob("*.py")}
    found: dict[str, set[str]] = {}
    for name, path in paths.items():
        found[name] = {to for _, to in imported(path, set(paths)) if to in paths} - {name, "ztfast"}
    del found["ztfast"]  # the public names
    return found


def circle(imports: dict[str, set[str]]) -> list[str]:
    """Modules that import each other around, in that order; none: []."""
    done: set[str] = set()

    def followed(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done or name not in imports:
            return []
        for to in sorted(imports[name]):
            found = followed(to, [*way, name])
            if found:
                return found
        done.add(name)
        return []

    return next(filter(None, (followed(name, []) for name in imports)), [])


def test_no_file_imports_itself_around() -> None:
    assert circle(files()) == []


@pytest.mark.parametrize(
    ("imports", "expected"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b", "c"}, "b": {"c"}, "c": {"d"}}, []),
        ({"a": {"b"}, "b": {"c"}, "c": {"b"}}, ["b", "c", "b"]),
        ({"a": {"a"}}, ["a", "a"]),
    ],
)
def test_circles_are_found(imports: dict[str, set[str]], expected: list[str]) -> None:
    assert circle(imports) == expected


def test_a_lazy_import_counts() -> None:
    assert "ztfast.pipeline.rows" in files()["ztfast.pipeline.outputs"]
