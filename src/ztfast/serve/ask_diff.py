"""What the page's rules change against the deployed ones: edit by edit, and for members.

Contract: JSON-ready; the caller asks for one proof at a time (the solver is no place for two
threads), which the time limit of `ztfast diff` ends.  Where z3 is missing, that is said and the
change for members is still there.  Raises ZtfastError.  Tested by tests/serve/test_ask_diff.py.
"""

from __future__ import annotations

from typing import Any

from ztfast.errors import BackendError
from ztfast.model.policy import Policy
from ztfast.network.members import member_names
from ztfast.pipeline.reach_change import ways_between
from ztfast.report.reach_grid import change_lines
from ztfast.serve.settings import Settings

MOST_LINES = 50


def changes(settings: Settings, text: str) -> dict[str, Any]:
    """What the text does to frames that the deployed rules did not; `against`: their name."""
    old = settings.deployed
    if old is None:
        old = settings.policy(settings.rules.text)
    new = settings.policy(text)
    answer = {"against": settings.deployed_name, **_edits(settings, old, new)}
    return {**answer, "members": _members(settings, old, new)}


def _edits(settings: Settings, old: Policy, new: Policy) -> dict[str, Any]:
    """Each edit in a line, as `ztfast diff` says it."""
    from ztfast.proof.edit_effects import compare_edits
    from ztfast.proof.edit_formats import change_text
    from ztfast.proof.edit_lines import EditWriter

    try:
        report = compare_edits(old, new, usual=False)
    except BackendError as error:
        return {"lines": [], "closing": "", "missing": str(error), "same": None}
    names = {} if settings.network is None else member_names(settings.network.members)
    change = change_text(report, EditWriter(old, new, names), MOST_LINES, False)
    lines = [{"head": line.head, "body": line.body, "rule": line.rule} for line in change.lines]
    said = {"lines": lines, "closing": change.closing, "missing": report.incomplete}
    return {**said, "same": report.same}


def _members(settings: Settings, old: Policy, new: Policy) -> list[str]:
    """Who reaches whom now and did not, in lines; none where nobody is known."""
    ways = ways_between((old, new), settings.network)
    return [] if ways is None else [*change_lines(ways.old, ways.new), *ways.notes]
