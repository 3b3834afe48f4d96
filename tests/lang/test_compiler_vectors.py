"""Every vector of the official compiler: the same JSON, an error where it fails."""

from __future__ import annotations

import json

import pytest

from tests.lang.vectors import vectors
from ztfast.errors import RulesError
from ztfast.lang import compile_text


@pytest.mark.parametrize(("name", "count"), [("compile", 2500), ("compile-edge", 550)])
def test_official_compiler(name: str, count: int) -> None:
    cases = vectors(name)
    assert len(cases) == count
    wrong = []
    for case in cases:
        try:
            output = json.dumps(compile_text(case["source"]).to_json())
        except RulesError as error:
            placed = all(found.span or found.severity == "note" for found in error.diagnostics)
            output = "error" if placed else "error without a place"
        expected = json.dumps(case["output"]) if "output" in case else "error"
        if output != expected:
            wrong.append((case["id"], case["source"], output, expected))
    assert not wrong, wrong[:3]


def test_errors_stand_where_the_official_ones_do() -> None:
    """Not required of us; watched, so that a change of places does not go unseen."""
    agree = total = 0
    for case in vectors("compile") + vectors("compile-edge"):
        if "error" not in case:
            continue
        total += 1
        line, column = case["error"]["line"], case["error"]["column"]
        try:
            compile_text(case["source"])
        except RulesError as error:
            # The official columns are one too high behind the first line.
            place = (line, column - (line > 1))
            agree += place in {(d.span.line, d.span.column) for d in error.diagnostics if d.span}
    assert total == 1234
    assert agree >= 1059  # a definition that is not closed is said at its name
