"""Results of test cases and their coverage: a table, JSON, JUnit XML.

Contract: pure functions from results to text.  Tested by tests/cli/test_test.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from ztfast.diagnostics.formats import xml_text
from ztfast.diagnostics.render import harmless
from ztfast.explain.render import to_object, to_text
from ztfast.model.policy import included_text
from ztfast.suite.coverage import Coverage, EntryCoverage
from ztfast.suite.run import CaseResult

_MAX_WIDTH = 60
_COLOURS = {"PASS": "\x1b[32m", "FAIL": "\x1b[31;1m"}


# --- text


def cases_text(
    results: Sequence[CaseResult], coverage: Coverage | None = None, colour: bool = False
) -> str:
    """A line a case, each failure with its explanation, a summary, the coverage."""
    lines: list[str] = []
    wide = min(_MAX_WIDTH, max((len(result.name) for result in results), default=0))
    for suite, found in groupby(results, key=lambda result: result.suite):
        lines.append(harmless(suite, keep=""))
        for result in found:
            lines += _case_lines(result, wide, colour)
    lines += ["", _summary(results)]
    if coverage is not None:
        lines += ["", *(harmless(line, keep="") for line in _coverage_lines(coverage))]
    return "\n".join(lines) + "\n"


def _case_lines(result: CaseResult, wide: int, colour: bool) -> Iterator[str]:
    mark = "PASS" if result.passed else "FAIL"
    shown = f"{_COLOURS[mark]}{mark}\x1b[0m" if colour else mark
    text = result.got if result.passed else "; ".join(result.failures)
    yield f"  {shown}  {_clean(result.name):<{wide}}  {text}"
    for explanation in result.explanations:
        for line in to_text(explanation, brief=True).splitlines():
            yield f"          {line}".rstrip()


def _clean(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)


def _summary(results: Sequence[CaseResult]) -> str:
    failed = sum(not result.passed for result in results)
    cases = f"{len(results)} case{'s' * (len(results) != 1)}"
    return f"{cases}: {len(results) - failed} passed, {failed} failed"


def _coverage_lines(coverage: Coverage) -> Iterator[str]:
    covered, every = coverage.outcomes()
    reached, entries = coverage.reached()
    yield (
        f"coverage: {coverage.percent:.1f} %: {covered} of {every} outcomes, "
        f"{reached} of {entries} entries evaluated"
    )
    for entry in coverage.entries():
        if entry.missing:
            yield f"  {_where(entry, coverage)}: `{entry.text}` {_missing(entry)}"


def _where(entry: EntryCoverage, coverage: Coverage) -> str:
    if entry.span is None:
        return f"{entry.rule_set}, entry {entry.entry}"
    name = coverage.policy.source.name if coverage.policy.source is not None else "line"
    return f"{name}:{entry.span.line}{included_text(entry.parent)}"


def _missing(entry: EntryCoverage) -> str:
    if entry.action:
        return "was never taken"
    if len(entry.missing) == 2:
        return "was never evaluated"
    return f"was never {entry.missing[0]}"


# --- JSON


def case_object(result: CaseResult) -> dict[str, Any]:
    """What a case is and how it went, for JSON, without its explanations."""
    return {
        "file": result.suite,
        "name": result.name,
        "place": result.place,
        "passed": result.passed,
        "got": result.got,
        "failures": list(result.failures),
    }


def cases_json(results: Sequence[CaseResult], coverage: Coverage | None = None) -> str:
    """`{"version", "passed", "failed", "cases", "coverage"}` (coverage null where not asked)."""
    failed = sum(not result.passed for result in results)
    made: dict[str, Any] = {
        "version": 1,
        "passed": len(results) - failed,
        "failed": failed,
        "cases": [
            {
                **case_object(result),
                "explanations": [to_object(found) for found in result.explanations],
            }
            for result in results
        ],
        "coverage": None if coverage is None else _coverage_object(coverage),
    }
    return json.dumps(made, indent=2) + "\n"


def _coverage_object(coverage: Coverage) -> dict[str, Any]:
    covered, every = coverage.outcomes()
    return {
        "percent": round(coverage.percent, 2),
        "covered": covered,
        "outcomes": every,
        "entries": [
            {
                "rule_set": entry.rule_set,
                "entry": entry.entry,
                "line": None if entry.span is None else entry.span.line,
                "included": None if entry.parent is None else entry.parent.line,
                "text": entry.text,
                "true": entry.true,
                "false": entry.false,
                "missing": list(entry.missing),
            }
            for entry in coverage.entries()
        ],
    }


# --- JUnit


def cases_junit(results: Sequence[CaseResult], coverage: Coverage | None = None) -> str:
    """JUnit XML: a suite a file; a failure's text is its explanation; coverage as a property."""
    failed = sum(not result.passed for result in results)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="ztfast test" tests="{len(results)}" failures="{failed}">',
    ]
    for suite, found in groupby(results, key=lambda result: result.suite):
        lines += _suite_lines(suite, list(found), coverage)
    return "\n".join([*lines, "</testsuites>"]) + "\n"


def _suite_lines(
    suite: str, results: Sequence[CaseResult], coverage: Coverage | None
) -> Iterator[str]:
    name = quoteattr(xml_text(suite))
    failed = sum(not result.passed for result in results)
    yield f'  <testsuite name={name} tests="{len(results)}" failures="{failed}">'
    if coverage is not None:
        percent = f'<property name="coverage" value="{coverage.percent:.2f}"/>'
        yield f"    <properties>{percent}</properties>"
    for result in results:
        head = f"    <testcase classname={name} name={quoteattr(xml_text(result.name))}"
        if result.passed:
            yield f"{head}/>"
            continue
        message = quoteattr(xml_text("; ".join(result.failures)))
        text = "\n".join(to_text(found, brief=True) for found in result.explanations)
        yield f"{head}>"
        yield f"      <failure message={message}>{escape(xml_text(text))}</failure>"
        yield "    </testcase>"
    yield "  </testsuite>"


FORMATS = {"json": cases_json, "junit": cases_junit}
