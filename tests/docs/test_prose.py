"""The pages' prose: short lines, and none of the wordings that were found hard to read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.pages import ROOT

LONGEST = 110
PAGES = sorted({ROOT / "README.md", *(ROOT / "docs").rglob("*.md")})
NOT_YET = {"exactness.md"}
BETTER = {
    "outside ZeroTier": "what it does: check, test and run flow rules",
    "at hand": "there, ready, captured",
    "talk on standard error": "messages",
    "really had": "original length",
    "be it only": "even if",
    "folds one over": "applies the rules to every frame",
    "know no connections": "stateless",
    "only their heads": "truncated",
    "proves itself": "the next valid record",
    "proved, not tried": "proved, not sampled",
    "layout of ours": "fmt only formats rules text",
}


def prose(text: str) -> list[str]:
    """Lines outside of blocks, tables and pictures."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [line for line in text.splitlines() if not line.startswith(("|", "!["))]


def test_what_prose_is() -> None:
    assert prose("a\n```sh\nb\n```\n| c |\n![d](e)\n- f") == ["a", "", "- f"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_lines_of_prose_are_short(page: Path) -> None:
    if page.name in NOT_YET:
        pytest.skip("its rows change with what is measured")
    long = [line for line in prose(page.read_text(encoding="utf-8")) if len(line) > LONGEST]
    assert long == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_words_that_were_settled(page: Path) -> None:
    text = " ".join(prose(page.read_text(encoding="utf-8")))
    assert {worse: better for worse, better in BETTER.items() if worse in text} == {}
