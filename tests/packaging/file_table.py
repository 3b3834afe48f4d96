"""`python -m tests.packaging.file_table`: the list of files in ARCHITECTURE.md, from the files.

Contract: each module of src/ztfast with the first sentence of its docstring, package by package in
the order in which they may import; tests/packaging/test_architecture.py compares the page with it.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "ztfast"
HEADING = "## Every file"
_COMPILED = re.compile(r"(?:#[ :]*cython[^\n]*\n)*\s*(?:\"\"\"|# )(.*?)(?:\n|\"\"\")")


def first_sentence(path: Path) -> str:
    """What a file says of itself first."""
    text = path.read_text(encoding="utf-8")
    if path.suffix in (".pyx", ".pxi"):
        found = _COMPILED.match(text)
        assert found is not None, f"{path} does not say what it is"
        return found[1].strip()
    described = ast.get_docstring(ast.parse(text))
    assert described, f"{path} does not say what it is"
    return " ".join(described.split("\n\n")[0].split())


def packages() -> list[str]:
    """The packages and single modules, in the order of ARCHITECTURE.md's table."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \| [^|]+ \|$", text, re.MULTILINE)
    return [name for name in rows if name != "package"]


def table() -> str:
    """The section, from its heading on."""
    lines = [HEADING, "", "Made by `python -m tests.packaging.file_table`.", ""]
    single = [f"{name}.py" for name in packages() if (SOURCE / f"{name}.py").exists()]
    for name in ("__init__.py", "__main__.py", *single[:1], "dispatch.py", *single[1:]):
        lines.append(f"- `{name}`: {first_sentence(SOURCE / name)}")
    for name in ("_core.pyx", "_tap.pyx"):
        lines.append(f"- `{name}`: {first_sentence(SOURCE / name)}")
    for folder in ("_core", *packages()):
        files = sorted(
            path
            for suffix in ("py", "pxi")
            for path in (SOURCE / folder).rglob(f"*.{suffix}")
            if path != SOURCE / folder / "__init__.py"
        )
        if files:
            lines += ["", f"### {folder}/", ""]
        for path in files:
            name = path.relative_to(SOURCE / folder).as_posix()
            lines.append(f"- `{name}`: {first_sentence(path)}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(table(), end="")
