"""What decided, in the page's words: `line 48: drop ipprotocol tcp and dport 23`.

Contract: plain texts, not yet escaped, of deciders or of their rows
(`pipeline.tally.decider_row`).
Tested by tests/report/test_page.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ztfast.model.policy import Policy
from ztfast.pipeline.tally import Decider, decider_row


def place_text(row: Mapping[str, Any]) -> str:
    """`48`, for a macro's rule `22 (64)`: its line and that of its include; `-` for none."""
    if row["line"] is None:
        return "-"
    return str(row["line"]) if row["included"] is None else f"{row['line']} ({row['included']})"


def by_text(row: Mapping[str, Any]) -> str:
    """`sender`, or `sender, cap admin`."""
    side: str = row["side"]
    return side if row["capability"] is None else f"{side}, cap {row['capability']}"


class DeciderWords:
    """A policy's deciders in words: `line 48: drop …`; of a capability `cap admin, line 16: …`.

    Where no rule decided they say why.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._known: dict[Decider, str] = {}

    def __call__(self, decider: Decider) -> str:
        """The words of one."""
        if decider not in self._known:
            self._known[decider] = _words(decider_row(self._policy, decider))
        return self._known[decider]


def _words(row: Mapping[str, Any]) -> str:
    if row["entry"] is None:
        return str(row["rule"])
    where = [f"cap {row['capability']}"] if row["capability"] is not None else []
    where += [f"line {place_text(row)}"] if row["line"] is not None else []
    return f"{', '.join(where)}: {row['rule']}" if where else str(row["rule"])
