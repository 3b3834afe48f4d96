"""The cases of the tests, run on the page's rules, and which lines no case puts to the test.

Contract: JSON-ready, with the files read anew each time; raises ZtfastError.
Tested by tests/serve/test_ask_tests.py.
"""

from __future__ import annotations

from typing import Any

from ztfast.errors import usage
from ztfast.explain.render import to_text
from ztfast.pipeline.read import frame_batches
from ztfast.serve.settings import Settings
from ztfast.suite.coverage import Coverage
from ztfast.suite.file import read_suite
from ztfast.suite.render import case_object
from ztfast.suite.run import CaseResult, run_suite


def test_results(settings: Settings, text: str) -> dict[str, Any]:
    """Each case's outcome, and the coverage by line."""
    if not settings.tests:
        raise usage("there are no tests", "name files of cases: ztfast serve … --tests FILE")
    policy = settings.policy(text)
    coverage = Coverage(policy)
    results: list[CaseResult] = []
    for name in settings.tests:
        suite = read_suite(name, policy, settings.network)
        results += run_suite(suite, policy, frame_batches, 0, coverage)
    covered, every = coverage.outcomes()
    return {
        "cases": [_case(result) for result in results],
        "passed": sum(result.passed for result in results),
        "percent": round(coverage.percent, 1),
        "covered": covered,
        "outcomes": every,
        "lines": _lines(coverage),
    }


def _case(result: CaseResult) -> dict[str, Any]:
    return {
        **case_object(result),
        "explanation": to_text(result.explanations[0], True) if result.explanations else "",
        "unresolved": list(result.unresolved),
    }


def _lines(coverage: Coverage) -> dict[int, dict[str, Any]]:
    """For each line with entries: are all, some or none of its outcomes covered; what is not."""
    found: dict[int, dict[str, Any]] = {}
    for entry in coverage.entries():
        if entry.span is None:
            continue
        line = found.setdefault(entry.span.line, {"state": "", "missing": []})
        outcomes = 1 if entry.action else 2
        missing = len(entry.missing)
        state = "all" if not missing else "none" if missing == outcomes else "some"
        line["state"] = state if line["state"] in ("", state) else "some"
        line["missing"] += [f"{entry.text}: never {outcome}" for outcome in entry.missing]
    return found
