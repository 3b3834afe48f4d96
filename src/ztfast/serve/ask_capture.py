"""What the page's rules do with a capture: figures by rule, who lost most, the first lost frames.

Contract: JSON-ready; frames are read in batches, and no more than a few thousand pairs of members
and `MOST_FRAMES` frames are kept.  What was judged before damage counts, the damage is said.
Tested by tests/serve/test_ask_capture.py.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np

from ztfast.capture.many import open_captures
from ztfast.engine.engine import Engine
from ztfast.engine.network_verdicts import Action
from ztfast.errors import CaptureError
from ztfast.network.members import member_names
from ztfast.pipeline.frame_ends import Choice, FrameEnds
from ztfast.pipeline.judge import Judgement
from ztfast.pipeline.run import run
from ztfast.report.frame_list import FrameList
from ztfast.serve.settings import Settings

MOST_FRAMES, MOST_PAIRS = 200, 10
_PAIRS_KEPT = 10_000
_SHOWN = ("number", "time", "from_name", "to_name", "source", "dest", "frame", "line", "rule")


def capture_report(settings: Settings, text: str, path: str) -> dict[str, Any]:
    """The report of one capture."""
    engine = Engine(settings.policy(text), network=settings.network)
    lost, problems = _Lost(engine), list[str]()
    with open_captures([path]) as source:
        judged = run(engine, source)
        try:
            for item in judged:
                lost.add(item)
        except CaptureError as error:
            if not judged.tally.total.frames:
                raise
            problems = [diagnostic.message for diagnostic in error.diagnostics]
    tally = judged.tally.to_json()
    names = {} if engine.network is None else member_names(engine.network.members)
    for copy in tally["copies"]:
        copy["name"] = names.get(int(copy["to"], 16))
    kept = ("frames", "bytes", "verdicts", "rules", "copies", "uncertain")
    unjudged = sum(row["frames"] for row in tally["unjudged"])
    return {
        **{name: tally[name] for name in kept},
        "unjudged": unjudged,
        "pairs": lost.pairs(names),
        "dropped": lost.frames,
        "problems": problems,
    }


class _Lost:
    """What was dropped: how much between whom, and the first frames."""

    def __init__(self, engine: Engine) -> None:
        self.frames: list[dict[str, Any]] = []
        self._list = FrameList(engine, Choice(verdicts=frozenset({"drop"})), as_json=True)
        self._ends = FrameEnds(engine)
        self._pairs: Counter[tuple[int, int]] = Counter()

    def add(self, item: Judgement) -> None:
        """Count a batch."""
        if item.frames is None or item.verdicts is None:
            return
        dropped = np.flatnonzero(item.verdicts.action == Action.DROP)
        if not len(dropped):
            return
        self._count(*(column[dropped] for column in self._ends(item.frames)))
        if len(self.frames) < MOST_FRAMES:
            self._show(item)

    def _count(self, senders: Any, receivers: Any) -> None:
        ends = np.stack([senders, receivers], axis=1)
        different, counts = np.unique(ends, axis=0, return_counts=True)
        for (sender, receiver), count in zip(different.tolist(), counts.tolist(), strict=True):
            pair = int(sender), int(receiver)
            if pair in self._pairs or len(self._pairs) < _PAIRS_KEPT:
                self._pairs[pair] += count

    def _show(self, item: Judgement) -> None:
        for texts in self._list.texts(item):
            for line in texts.splitlines()[: MOST_FRAMES - len(self.frames)]:
                frame = json.loads(line)
                self.frames.append({name: frame[name] for name in _SHOWN})
            if len(self.frames) >= MOST_FRAMES:
                return

    def pairs(self, names: dict[int, str]) -> list[dict[str, Any]]:
        """Who lost most to whom, of those whose both ends are members."""
        known = (
            (ends, count)
            for ends, count in self._pairs.most_common()
            if ends[0] in names and ends[1] in names
        )
        return [
            {"from": names[ends[0]], "to": names[ends[1]], "frames": count}
            for (ends, count), _ in zip(known, range(MOST_PAIRS), strict=False)
        ]
