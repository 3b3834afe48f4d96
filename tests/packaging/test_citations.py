"""Whatever a docstring or comment cites is there: files, modules, sections of the specification."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packaging.citations import Missing, Tree, missing
from tests.pages import ROOT

SOURCES = (".py", ".pyx", ".pxi", ".pyi")
EXAMPLES = {"tests/packaging/test_citations.py"}  # cites on purpose what is missing


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A small repository: one package, one test, one page."""
    files = {
        "setup.py": "",
        "src/ztfast/__init__.py": "",
        "src/ztfast/_core.pyx": "",
        "src/ztfast/engine/__init__.py": "from ztfast.engine.prng import draw\n",
        "src/ztfast/engine/prng.py": "SEED: int = 1\nFIRST, LAST = 0, 9\n\ndef draw(): ...\n",
        "tests/engine/test_draws.py": "",
        "tests/engine/test_backends.py": "",
        "docs/spec/evaluation.md": "# A page\n\n## 1. Sets\n\n## 2. IP\n\n## What goes in\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Tree(tmp_path)


def cited(text: str, tree: Tree, name: str = "src/ztfast/engine/prng.py") -> list[str]:
    return [each.cited for each in missing(name, text, tree)]


@pytest.mark.parametrize(
    "text",
    [
        "tests/engine/test_draws.py",
        "tests/engine/test_*.py, tests/engine.",
        "tests/engine/test_draws.py and test_backends.py",
        "engine/prng.py",
        "prng.py of this folder, setup.py and _core.pyx",
        "engine.prng, engine.draw, engine.prng.SEED, engine.prng.LAST, ztfast.engine.prng",
        "docs/spec/evaluation.md sections 1 and 2",
        "docs/spec/evaluation.md\n  sections 1 to 2",
        "spec section 2",
        'docs/spec/evaluation.md, "What goes\n  in"',
        "https://example.org/tests/nothing.py and other.engine.nothing",
        "engine.evaluate(batch) is a call",
    ],
)
def test_what_is_there_is_not_reported(text: str, tree: Tree) -> None:
    assert cited(f'"""{text}\n"""', tree) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tests/engine/test_nothing.py.", ["tests/engine/test_nothing.py"]),
        ("tests/engine/test_no*.py", ["tests/engine/test_no*.py"]),
        ("tests/nothing, docs/nothing.md", ["tests/nothing", "docs/nothing.md"]),
        ("tests/engine/test_draws.py and test_nothing.py", ["test_nothing.py"]),
        ("engine/nothing.py", ["engine/nothing.py"]),
        ("NOTHING.md", ["NOTHING.md"]),
        ("engine.nothing", ["engine.nothing"]),
        ("ztfast.engine.prng.nothing", ["ztfast.engine.prng.nothing"]),
        ("docs/spec/evaluation.md section 3", ["docs/spec/evaluation.md section 3"]),
        ("docs/spec/evaluation.md sections 1 to 3", ["docs/spec/evaluation.md section 3"]),
        ("spec sections 1, 2 and\n 7", ["docs/spec/evaluation.md section 7"]),
        ('docs/spec/evaluation.md, "Sets"', ["docs/spec/evaluation.md, Sets"]),
    ],
)
def test_what_is_missing_is_reported(text: str, expected: list[str], tree: Tree) -> None:
    assert cited(f'"""{text}\n"""', tree) == expected


def test_a_missing_path_is_reported_with_file_and_line(tree: Tree) -> None:
    name = "src/ztfast/engine/prng.py"
    text = '''\
"""Draws.

Tested by tests/engine/test_gone.py.
"""

def draw():
    """As engine.gone does."""
    return "tests/engine/no_citation.py"  # see docs/gone.md
    # a comment of two lines: tests/engine/test_draws.py
    # and test_gone.py
'''
    assert missing(name, text, tree) == [
        Missing(name, 3, "tests/engine/test_gone.py"),
        Missing(name, 7, "engine.gone"),
        Missing(name, 8, "docs/gone.md"),
        Missing(name, 10, "test_gone.py"),
    ]


def test_cython_is_read_too(tree: Tree) -> None:
    text = '''\
"""The loops.

See engine/gone.py."""
cdef int x = 1  # docs/gone.md
y = "# docs/no_citation.md"
'''
    name = "src/ztfast/_core.pyx"
    assert missing(name, text, tree) == [
        Missing(name, 3, "engine/gone.py"),
        Missing(name, 4, "docs/gone.md"),
    ]


def sources() -> Iterator[str]:
    for folder in ("src/ztfast", "tests", "bench", "fuzz"):
        for path in sorted((ROOT / folder).rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            if path.suffix in SOURCES and name not in EXAMPLES:
                yield name
    yield "setup.py"


def test_every_citation_leads_somewhere() -> None:
    if not (ROOT / "MANIFEST.in").exists():
        pytest.skip("not in a source tree")
    tree = Tree(ROOT)
    names = list(sources())
    assert len(names) > 250
    found = [
        f"{each.file}:{each.line}: {each.cited}"
        for name in names
        for each in missing(name, (ROOT / name).read_text(encoding="utf-8"), tree)
    ]
    assert not found, "cited and not there:\n" + "\n".join(found)
