"""The table of codes: each example gives its code, each code that is used is explained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ztfast
from ztfast.diagnostics.codes import CODES, EVERY, explain, markdown
from ztfast.errors import Source
from ztfast.lang.lint import check

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("code", [code for code in CODES if CODES[code].example is not None])
def test_the_example_gives_the_code(code: str) -> None:
    _, found = check(Source("example", CODES[code].example or ""))
    assert code in {finding.code for finding in found}
    if code.startswith("ZT1"):
        assert {finding.severity for finding in found} == {"warning"}
        assert all(finding.help for finding in found)


def test_every_code_is_explained() -> None:
    used: set[str] = set()
    folder = Path(ztfast.__file__).parent
    for path in folder.rglob("*.py"):
        if not path.name.startswith("codes"):
            used.update(re.findall(r'"(ZT[0-9]{3})"', path.read_text(encoding="utf-8")))
    assert used - set(CODES) == set(), "explain them in ztfast/lang/codes_*.py"
    assert set(CODES) - used == set()
    assert len(CODES) == len(EVERY), "a code stands twice in the table"
    assert all(re.fullmatch(r"ZT[0-9]{3}", code) for code in CODES)


def test_explanations_are_prose() -> None:
    for code in CODES.values():
        assert code.text.endswith("."), code
        assert not code.title.endswith(".")
        assert explain(code).startswith(f"{code.code}: {code.title}\n\n")


def test_the_page_is_current() -> None:
    page = (ROOT / "docs" / "codes.md").read_text(encoding="utf-8")
    assert page == markdown(), "run: python -m ztfast.diagnostics.codes > docs/codes.md"
