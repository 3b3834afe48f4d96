"""What docstrings and comments cite: paths, modules and sections, and which of them are missing.

Contract: `missing(name, text, tree)` gives every citation of a file's docstrings and comments
that leads nowhere in `tree`, with its line.  A citation is one of these:

- a path from the root (`tests/engine/test_reference*.py`, `docs/…`): a file, a folder, or a
  pattern that some file fits;
- a path below the package (`engine/backends.py`), when it begins with a package of ours;
- a bare file name (`tree.py`): a file of the folder that was cited just before, of the
  citing file's own folder, of the root or of the package;
- a module (`capture.pcap_scan`, `ztfast.diagnostics.render`, `model.reads.Reads`);
- a section or a heading, in quotes, of a page in docs (`section 10`, `sections 2 to 4, 6`).

Tested by tests/packaging/test_citations.py.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

# The short form "spec section 7" is of the page that the evaluators follow.
SHORT_SPEC = "docs/spec/evaluation.md"
# Not in the repository before something makes it.
MADE = {"bench/data"}

_ROOTS = r"tests|docs|bench|fuzz|src|examples|\.ci|\.github"
_PATH = re.compile(rf"(?<![\w./-])(?:{_ROOTS})/[\w./*-]*")
_BARE = re.compile(r"(?<![\w./*-])(?:[\w*]+\.(?:pyx?|pxi|pyi|sh)|[a-z-]+\.md|[A-Z]+\.md)\b(?![/(])")
_LIST = r"\d+(?:(?:,|\s+and|\s+to|,\s+and)\s+\d+)*"
_SECTIONS = re.compile(rf"(docs/spec/[\w-]+\.md|\bspec),?\s+sections?\s+({_LIST})")
_HEADING = re.compile(r'(docs/[\w/-]+\.md),\s+"([^"]+)"')
_COMPILED = re.compile(r'"""(?P<doc>.*?)"""|"[^"\n]*"|\'[^\'\n]*\'|#(?P<comment>[^\n]*)', re.DOTALL)


class Missing(NamedTuple):
    """A citation that leads nowhere: the citing file, the line, and what it cites."""

    file: str
    line: int
    cited: str


class Note(NamedTuple):
    """A docstring or a comment, and the line that it starts in."""

    line: int
    text: str


class Tree:
    """A repository's folder, as citations see it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.package = root / "src" / "ztfast"

    @cached_property
    def packages(self) -> list[str]:
        return sorted(path.parent.name for path in self.package.glob("*/__init__.py"))

    @cached_property
    def short_path(self) -> re.Pattern[str]:
        return re.compile(rf"(?<![\w./-])(?:{'|'.join(self.packages)})/[\w./*]+\.pyx?")

    @cached_property
    def module(self) -> re.Pattern[str]:
        names = "|".join(self.packages)
        return re.compile(rf"(?<![\w./])(?:ztfast\.)?(?:{names})\.[a-z_]+\b(?:\.\w+)*(?![\w(])")

    def has(self, folder: Path, name: str) -> bool:
        """A file or folder, or with `*` some file, of that name."""
        return any(folder.glob(name)) if "*" in name else (folder / name).exists()

    def knows(self, dotted: str) -> bool:
        """A package's module, or what a package or module defines."""
        first, *rest = dotted.removeprefix("ztfast.").split(".")
        place = self.package / first
        while rest and (place / rest[0]).is_dir():
            place /= rest.pop(0)
        if rest and (place / f"{rest[0]}.py").exists():
            place /= f"{rest.pop(0)}.py"
        file = place / "__init__.py" if place.is_dir() else place
        return not rest or rest[0] in _defined(file.read_text(encoding="utf-8"))

    def headings(self, page: str) -> list[str]:
        path = self.root / page
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return re.findall(r"^#+ (.*)$", text, re.MULTILINE)

    def sections(self, page: str) -> set[int]:
        """The numbers of a page's sections: `## 7. Title`."""
        numbers = (re.match(r"(\d+)\. ", heading) for heading in self.headings(page))
        return {int(number[1]) for number in numbers if number}


def _defined(source: str) -> set[str]:
    """The names that a module's top level binds."""
    found: set[str] = set()
    for node in ast.parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found.update(name.asname or name.name for name in node.names)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = (part for target in targets for part in ast.walk(target))
            found.update(part.id for part in names if isinstance(part, ast.Name))
    return found


def notes(name: str, text: str) -> list[Note]:
    """The docstrings and comments of a Python or Cython source."""
    if name.endswith((".pyx", ".pxi")):
        return _joined(_of_cython(text))
    return [*_docstrings(text), *_joined(_comments(text))]


def _docstrings(text: str) -> Iterator[Note]:
    waiting: list[ast.AST] = [ast.parse(text)]
    while waiting:
        node = waiting.pop()
        waiting += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            found = ast.get_docstring(node, clean=False)
            if found is not None:
                yield Note(node.body[0].lineno, found)


def _comments(text: str) -> Iterator[Note]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield Note(token.start[0], token.string[1:])


def _of_cython(text: str) -> Iterator[Note]:
    for found in _COMPILED.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        if found["doc"] is not None:
            yield Note(line, found["doc"])
        elif found["comment"] is not None:
            yield Note(line, found["comment"])


def _joined(found: Iterator[Note]) -> list[Note]:
    """Comments of lines that follow one another are one text."""
    joined: list[Note] = []
    for note in found:
        last = joined[-1] if joined else None
        if last is not None and last.line + last.text.count("\n") + 1 == note.line:
            joined[-1] = Note(last.line, f"{last.text}\n{note.text}")
        else:
            joined.append(note)
    return joined


def missing(name: str, text: str, tree: Tree) -> list[Missing]:
    """What the file `name` (from the root) cites and `tree` does not have, by line."""
    found = [
        Missing(name, note.line + note.text.count("\n", 0, offset), cited)
        for note in notes(name, text)
        for offset, cited in _unknown(note.text, (tree.root / name).parent, tree)
    ]
    return sorted(found, key=lambda each: each.line)


def _unknown(text: str, own: Path, tree: Tree) -> Iterator[tuple[int, str]]:
    yield from _unknown_files(text, own, tree)
    for match in tree.module.finditer(text):
        if not tree.knows(match[0]):
            yield match.start(), match[0]
    for match in _SECTIONS.finditer(text):
        page = SHORT_SPEC if match[1] == "spec" else match[1]
        for number in sorted(_numbers(match[2]) - tree.sections(page)):
            yield match.start(2), f"{page} section {number}"
    for match in _HEADING.finditer(text):
        heading = " ".join(match[2].split())
        if heading not in tree.headings(match[1]):
            yield match.start(2), f"{match[1]}, {heading}"


def _unknown_files(text: str, own: Path, tree: Tree) -> Iterator[tuple[int, str]]:
    """In the order of the text, since a bare name is of the folder that came before it."""
    before = own
    forms = [(_PATH, tree.root), (tree.short_path, tree.package), (_BARE, None)]
    cited = [
        (match.start(), match[0].rstrip("./-"), folder)
        for form, folder in forms
        for match in form.finditer(text)
    ]
    for offset, path, folder in sorted(cited, key=lambda each: each[0]):
        if folder is None:
            if not any(tree.has(at, path) for at in (before, own, tree.root, tree.package)):
                yield offset, path
            continue
        if path not in MADE and not tree.has(folder, path):
            yield offset, path
        before = (folder / path).parent


def _numbers(text: str) -> set[int]:
    """The sections of `2, 3 and 5` or `2 to 4, 6`."""
    found: set[int] = set()
    for first, last in re.findall(r"(\d+)(?:\s+to\s+(\d+))?", text):
        found.update(range(int(first), int(last or first) + 1))
    return found
