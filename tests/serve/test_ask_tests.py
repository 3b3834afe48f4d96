from __future__ import annotations

from pathlib import Path

import pytest

from tests.serve.places import settings
from ztfast.errors import UsageError
from ztfast.serve.ask_tests import test_results as results  # its name is no test's

RULES = "accept\n  ipprotocol tcp\n  and dport 443;\ndrop;\n"
CASES = """
[[case]]
name = "https is open"
from = "anna"
to = "files"
proto = "tcp"
port = 443
expect = "accept"

[[case]]
name = "ssh is open"
from = "anna"
to = "files"
proto = "tcp"
port = 22
expect = "accept"
"""


def test_cases_are_run_and_lines_covered(tmp_path: Path) -> None:
    cases = tmp_path / "cases.toml"
    cases.write_text(CASES, encoding="utf-8")
    found = results(settings(RULES, tests=(str(cases),)), RULES)
    assert [(case["name"], case["passed"]) for case in found["cases"]] == [
        ("https is open", True),
        ("ssh is open", False),
    ]
    failed = found["cases"][1]
    assert failed["failures"] == ["expected accept, got drop"]
    assert "dropped by the sender: line 4" in failed["explanation"]
    assert found["passed"] == 1
    assert {line: one["state"] for line, one in found["lines"].items()} == {
        **{1: "all", 2: "some", 3: "all", 4: "all"}
    }
    assert found["lines"][2]["missing"] == ["ipprotocol tcp: never false"]


def test_the_files_are_read_anew(tmp_path: Path) -> None:
    cases = tmp_path / "cases.toml"
    asked = settings(RULES, tests=(str(cases),))
    for text, count in ((CASES, 2), (CASES[: CASES.rindex("[[case]]")], 1)):
        cases.write_text(text, encoding="utf-8")
        assert len(results(asked, RULES)["cases"]) == count


def test_without_cases_there_is_a_way_to_some() -> None:
    with pytest.raises(UsageError, match="no tests"):
        results(settings(), RULES)
