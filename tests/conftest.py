"""What holds for every test: one fixture names the evaluators; what tests start can be interrupted.

A shell that starts a job with `&` lets it ignore SIGINT, nohup lets it ignore SIGHUP, and so would
every program that the tests start.
"""

from __future__ import annotations

import signal
from collections import Counter, defaultdict

import pytest

from tests.needs import needs_loops

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    # the suite itself still outlives its terminal; what it starts has the default again
    signal.signal(signal.SIGHUP, lambda number, stack: None)


@pytest.fixture(params=[pytest.param("native", marks=needs_loops), "reference"])
def backend(request: pytest.FixtureRequest) -> str:
    """Each evaluator in turn; a test that compares them takes tests.needs.BACKENDS instead."""
    name: str = request.param
    return name


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked `slow` come last, so that what fails at once is seen at once."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Seconds by folder, so that what takes long is seen where it is."""
    seconds: defaultdict[str, float] = defaultdict(float)
    tests: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                folder = report.nodeid.partition("::")[0].rpartition("/")[0]
                seconds[folder] += report.duration
                tests[folder] += report.when == "call"
    if len(tests) > 1:
        terminalreporter.section("seconds by folder")
        for folder, took in sorted(seconds.items(), key=lambda each: -each[1]):
            terminalreporter.line(f"{took:6.1f}  {folder} ({tests[folder]} tests)")
