"""Every example of docs/language.md does what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ztfast.errors import Source
from ztfast.lang.format import format_text
from ztfast.lang.lint import check
from ztfast.model.names import (
    ACTION_WORDS,
    CHARACTERISTICS,
    ETHERTYPES,
    MATCH_WORDS,
    PROTOCOLS,
)

PAGE = (Path(__file__).parents[2] / "docs" / "language.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```rules ?([^\n]*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("mark", "text"), EXAMPLES, ids=range(len(EXAMPLES)))
def test_example(mark: str, text: str) -> None:
    policy, findings = check(Source("language.md", text))
    found = {(finding.severity, finding.code) for finding in findings}
    kind, _, code = mark.partition(" ")
    if kind == "refused":
        assert policy is None
        assert found == {("error", code)}
    elif kind == "warns":
        assert policy is not None
        assert ("warning", code) in found
    else:
        assert mark == ""
        assert found == set()


def test_there_are_examples_of_each_kind() -> None:
    kinds = [mark.partition(" ")[0] for mark, _ in EXAMPLES]
    assert len(kinds) == PAGE.count("```") / 2
    assert min(kinds.count("warns"), kinds.count("refused"), kinds.count("")) >= 6


def test_the_first_example_is_in_the_canonical_layout() -> None:
    assert format_text(EXAMPLES[0][1]) == EXAMPLES[0][1]


def test_every_word_is_on_the_page() -> None:
    words = {*ACTION_WORDS, *MATCH_WORDS, *CHARACTERISTICS, *ETHERTYPES, *PROTOCOLS}
    assert {word for word in words if not re.search(rf"\b{word}\b", PAGE)} == set()
