"""What `ztfast diff` says: by edit, or by class of frames, with members and captured frames.

Contract: `write` gives the whole text in a form; nothing is printed here.
Tested by tests/cli/test_diff.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ztfast.diagnostics.render import harmless_lines

if TYPE_CHECKING:
    from ztfast.model.policy import Policy
    from ztfast.network.members import Network
    from ztfast.pipeline.changes import ChangeCounts
    from ztfast.pipeline.reach_change import Ways
    from ztfast.proof.diff import Difference
    from ztfast.proof.edit_effects import EditReport
    from ztfast.proof.member_ends import MemberEnds

_MEMBERS, _CAPTURE = "For members", "On captured frames"


def _parts(counted: ChangeCounts | None, ways: Ways | None) -> Iterator[tuple[str, Sequence[str]]]:
    """The parts of a text that need no proof."""
    if ways is not None:
        from ztfast.report.reach_grid import change_lines

        yield _MEMBERS, [*change_lines(ways.old, ways.new), *ways.notes]
    if counted is not None:
        yield _CAPTURE, counted.lines()


def _document(document: dict[str, Any], counted: ChangeCounts | None, ways: Ways | None) -> str:
    """JSON with the same parts."""
    if counted is not None:
        document["capture"] = counted.as_json()
    if ways is not None:
        from ztfast.pipeline.reach import change_cells

        document["members"] = change_cells(ways.old, ways.new)
        document["services_left_out"] = list(ways.left_out)
    return json.dumps(document, indent=2) + "\n"


def _between(ends: MemberEnds | None) -> dict[str, Any]:
    """`{"from", "to"}` by address, where members were asked about."""
    if ends is None:
        return {}
    named = (("from", ends.sender), ("to", ends.receiver))
    return {word: member.label for word, member in named if member is not None}


class ByEdit:
    """A report of edits, to be written; `same`, `incomplete`: as the report's.

    ends: between whom the frames are that it is about.
    """

    def __init__(
        self,
        old: Policy,
        new: Policy,
        report: EditReport,
        limit: int,
        verbose: bool,
        ends: MemberEnds | None = None,
    ) -> None:
        self._policies, self._report = (old, new), report
        self._limit, self._verbose, self._ends = limit, verbose, ends
        self.same, self.incomplete = report.same, report.incomplete

    def write(
        self,
        form: str,
        counted: ChangeCounts | None,
        ways: Ways | None,
        network: Network | None,
    ) -> str:
        """In the form text, markdown, html or json."""
        from ztfast.network.members import member_names
        from ztfast.proof import edit_formats
        from ztfast.proof.edit_lines import EditWriter

        names = member_names(network.members) if network is not None else {}
        writer = EditWriter(*self._policies, names)
        if form == "json":
            document = edit_formats.report_json(self._report, writer)
            return _document(_between(self._ends) | document, counted, ways)
        change = edit_formats.change_text(
            self._report,
            writer,
            self._limit,
            self._verbose,
            list(_parts(counted, ways)),
            "" if self._ends is None else self._ends.text,
        )
        if form == "markdown":
            return edit_formats.markdown(change)
        if form == "html":
            return edit_formats.page(change)
        return harmless_lines(edit_formats.text_lines(change))


class ByClass:
    """A difference in classes of frames, to be written."""

    def __init__(self, found: Difference, ends: MemberEnds | None = None) -> None:
        self._found, self._ends = found, ends
        self.same = found.complete and not found.changes
        self.incomplete = "" if found.complete else found.incomplete

    def write(
        self,
        form: str,
        counted: ChangeCounts | None,
        ways: Ways | None,
        network: Network | None,
    ) -> str:
        """In the form text, markdown, html or json."""
        from ztfast.network.members import member_names
        from ztfast.proof.edit_formats import ChangeText, markdown, page
        from ztfast.proof.render import diff_json, diff_lines

        if form == "json":
            return _document(_between(self._ends) | diff_json(self._found), counted, ways)
        between = "" if self._ends is None else self._ends.text
        names = {} if network is None else member_names(network.members)
        lines, parts = diff_lines(self._found, between, names), list(_parts(counted, ways))
        if form == "text":
            for title, part in parts:
                lines += ["", title, *part]
            return harmless_lines(lines)
        closing = f"{len(self._found.changes)} classes of frames differ"
        change = ChangeText((), closing, (), [("Classes", lines), *parts], between)
        return markdown(change) if form == "markdown" else page(change)
