"""The list of `ztfast filter`: each judged batch's frames on standard output, as they come.

Contract: called with each judged batch.  Where nobody reads standard output any more, the list
ends there: so does the run, unless files are written too.  Tested by tests/cli/test_filter_list.py.
"""

from __future__ import annotations

import sys
from typing import Any

from ztfast.cli.filter_report import say
from ztfast.cli.streams import settle_output
from ztfast.cli.terminal import width
from ztfast.engine.engine import Engine
from ztfast.model.policy import Policy
from ztfast.pipeline.frame_ends import Choice, read_end
from ztfast.pipeline.judge import Judgement
from ztfast.report.frame_list import FrameList


class Lister:
    """Prints the frames that the options choose; raises UsageError for a name that nobody has.

    Of a line in which no rule decides, and no macro's is included, a note says so.
    """

    def __init__(self, engine: Engine, options: dict[str, Any]) -> None:
        self._list = FrameList(
            engine, _choice(engine, options), as_json=options["jsonl"], width=width()
        )
        self._others = any(options[name] is not None for name in ("output", "split", "table"))
        self._closed = False
        for line in sorted({*options["lines"]} - _deciding_lines(engine.policy)):
            say(f"--line {line}: no rule decides in that line (name the line of its action)")

    @property
    def listed(self) -> int:
        """How many frames were listed."""
        return self._list.listed

    def __call__(self, item: Judgement, _: object = None) -> None:
        """Print a batch."""
        if self._closed:
            return
        try:
            for text in self._list.texts(item):
                sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            if not self._others:
                raise
            self._closed = True
            settle_output()


def _deciding_lines(policy: Policy) -> set[int]:
    """The lines of actions, and those that include a macro's."""
    found = set[int]()
    for rules in (policy.rules, *(capability.rules for capability in policy.capabilities)):
        for rule in rules:
            if str(rule.json.get("type")).startswith("ACTION_"):
                found |= {span.line for span in (rule.span, rule.parent) if span is not None}
    return found


def _choice(engine: Engine, options: dict[str, Any]) -> Choice:
    network, names = engine.network, None
    if network is not None and network.members:
        from ztfast.network.names import MemberNames

        names = MemberNames(network, everyone=True)
    return Choice(
        frozenset(options["verdicts"]),
        frozenset(options["lines"]),
        frozenset(read_end("--from", text, names) for text in options["senders"]),
        frozenset(read_end("--to", text, names) for text in options["receivers"]),
    )
