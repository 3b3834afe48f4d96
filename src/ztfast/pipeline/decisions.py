"""What decided each frame, in words: verdict, side, capability, line and rule.

Contract: frames that the same entry decided share one `Decision`; a batch's frames are told apart
with whole columns, and only what is new is put into words.  Tested by
tests/pipeline/test_decisions.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.diagnostics.render import harmless
from ztfast.engine.network_verdicts import Action, Verdicts
from ztfast.model.policy import Policy
from ztfast.pipeline.tally import VERDICTS, Decider, decider_row
from ztfast.sinks.chosen import MOST_COMMENT, Comments


class Decision(NamedTuple):
    """A verdict (`accept`, `drop`, `redirect`) and whose it is: `sender` or `receiver`.

    capability: its name, None where the base rules decided.  line: None where no entry decided, or
    rules have no lines.  included: the line of the include that brought a macro's rule.  rule: its
    text; where no entry decided, why.
    """

    verdict: str
    side: str
    capability: str | None
    line: int | None
    rule: str
    included: int | None = None

    @property
    def place(self) -> str:
        """`48`, for a macro's rule `22 (64)`: its line and that of its include; `-` for none."""
        if self.line is None:
            return "-"
        return str(self.line) if self.included is None else f"{self.line} ({self.included})"

    @property
    def by(self) -> str:
        """Who decided: `sender`, or `sender, cap admin`."""
        return self.side if self.capability is None else f"{self.side}, cap {self.capability}"

    @property
    def text(self) -> str:
        """In one line: `drop by sender, line 48: drop ipprotocol tcp and dport 23`."""
        where = f", line {self.place}" if self.line is not None else ""
        return f"{self.verdict} by {self.by}{where}: {self.rule}"


class Decisions:
    """The decisions of one policy, as batches ask for them."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._known: dict[tuple[int, ...], Decision] = {}

    def of(self, verdicts: Verdicts) -> tuple[list[Decision], npt.NDArray[np.intp]]:
        """The decisions of a batch, and which of them is each frame's, intp[n]."""
        keys = np.empty((len(verdicts), 4), np.int64)
        keys[:, 0], keys[:, 1] = verdicts.action, verdicts.side
        keys[:, 2], keys[:, 3] = verdicts.capability, verdicts.entry
        if verdicts.unasked is not None:
            keys[:, 3] -= verdicts.unasked
        different, which = _unique_rows(keys)
        return [self._decision(*key) for key in different.tolist()], which

    def comments(self, verdicts: Verdicts) -> Comments:
        """Each frame's decision as a comment of its own: UTF-8 that steers no terminal."""
        decisions, which = self.of(verdicts)
        texts = np.empty(len(decisions), object)
        texts[:] = [_comment(one) for one in decisions]
        found: Comments = texts[which]
        return found

    def _decision(self, action: int, side: int, capability: int, entry: int) -> Decision:
        key = action, side, capability, entry
        if key not in self._known:
            by = ("sender", "receiver")[side]
            decider = Decider(VERDICTS[Action(action)], by, capability, entry)
            row = decider_row(self._policy, decider)
            names = ("capability", "line", "rule", "included")
            self._known[key] = Decision(decider.verdict, by, *(row[name] for name in names))
        return self._known[key]


def _comment(decision: Decision) -> bytes:
    text = harmless(decision.text, keep="").encode()
    return text[:MOST_COMMENT].decode(errors="ignore").encode()  # no letter is cut in two


def _unique_rows(
    keys: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.intp]]:
    """Rows that differ, and which of them each row is: few numbers are packed into one."""
    low = keys.min(axis=0, initial=0)
    spans = keys.max(axis=0, initial=0) - low + 1
    packed = np.zeros(len(keys), np.int64)
    for column in range(keys.shape[1]):
        packed = packed * spans[column] + keys[:, column] - low[column]
    _, first, which = np.unique(packed, return_index=True, return_inverse=True)
    return keys[first], which
