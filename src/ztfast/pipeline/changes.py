"""What a change of rules does to captured traffic: counts, by old and new verdict.

Contract: both engines judge every frame, and count those that were chosen; memory does not grow
with the capture.
Tested by tests/cli/test_diff.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ztfast.engine.engine import Engine
from ztfast.engine.network_verdicts import Action, Verdicts
from ztfast.engine.side_verdicts import SideVerdicts
from ztfast.frames.batch import FrameBatch
from ztfast.pipeline.decisions import Decisions
from ztfast.pipeline.frame_ends import Choice, FrameEnds

_WORDS = {Action.DROP: "dropped", Action.ACCEPT: "accepted", Action.REDIRECT: "redirected"}
_SENT = (
    "copy_target",
    "copy_length",
    "copy_watch",
    "capability_copy_target",
    "capability_copy_length",
    "capability_copy_watch",
)


@dataclass
class ChangeCounts:
    """Frames judged, how many changed, and how: by (old verdict, new verdict), most first."""

    frames: int = 0
    changed: int = 0
    by_verdict: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])

    def lines(self) -> list[str]:
        """For people."""
        head = f"of {self.frames:,} captured frames {self.changed:,} change"
        each = self.by_verdict.items()
        head += ":" if each else ""
        return [head, *(f"  {count:,} {old} → {new}" for (old, new), count in each)]

    def as_json(self) -> dict[str, Any]:
        """For programs: `{"frames", "changed", "by_verdict"}`."""
        return {
            "frames": self.frames,
            "changed": self.changed,
            "by_verdict": [
                {"old": old, "new": new, "frames": count}
                for (old, new), count in self.by_verdict.items()
            ],
        }


def count_changes(
    old: Engine, new: Engine, packets: Iterable[object], choice: Choice | None = None
) -> ChangeCounts:
    """Judge the batches of a capture (`capture.open_capture`) by both engines.

    choice: by their senders and receivers, which frames are counted; None: all.
    """
    found, counts = ChangeCounts(), Counter[tuple[str, str]]()
    ends, decisions, first = FrameEnds(new), Decisions(new.policy), 0
    for packet_batch in packets:
        batch = FrameBatch.from_packets(packet_batch)
        pair = [engine.evaluate(batch, first=first) for engine in (old, new)]
        first += len(batch)
        before, after = (verdicts.action for verdicts in pair)
        changed = changed_frames(*pair)
        chosen = np.full(len(batch), choice is None)
        if choice is not None:
            chosen[choice.of(batch, pair[1], ends(batch), decisions.of(pair[1]))] = True
        changed &= chosen
        found.frames += int(chosen.sum())
        found.changed += int(changed.sum())
        codes, each = np.unique(
            before[changed].astype(np.int64) * 256 + after[changed], return_counts=True
        )
        for code, count in zip(codes.tolist(), each.tolist(), strict=True):
            counts[in_words(code // 256, code % 256)] += count
    found.by_verdict = dict(counts.most_common())
    return found


def changed_frames(old: Verdicts, new: Verdicts) -> npt.NDArray[np.bool_]:
    """Which frames get another verdict, or send other copies or another way; bool[n]."""
    changed: npt.NDArray[np.bool_] = (old.action != new.action) | _other_copies(old, new)
    return changed


def in_words(old: int, new: int) -> tuple[str, str]:
    """An old and a new `Action` of a frame that changed."""
    words = _WORDS[Action(old)], _WORDS[Action(new)]
    return words if old != new else (words[0], f"{words[1]} with other copies or another way")


def _other_copies(old: Verdicts, new: Verdicts) -> npt.NDArray[np.bool_]:
    """Where what is sent beside the frame, or where the frame goes, is not the same."""
    differs = np.zeros(len(old), dtype=np.bool_)
    for name in ("sender", "receiver"):
        one, other = getattr(old, name), getattr(new, name)
        if one is None or other is None:
            continue
        reached = np.ones(len(old), dtype=np.bool_)
        if name == "receiver":
            reached = old.delivered_to_receiver & new.delivered_to_receiver
        differs |= reached & _side_differs(one, other)
    return differs


def _side_differs(one: SideVerdicts, other: SideVerdicts) -> npt.NDArray[np.bool_]:
    differs = np.zeros(len(one), dtype=np.bool_)
    for name in _SENT:
        differs |= getattr(one, name) != getattr(other, name)
    moved = (one.accepted & (one.accept == 0)) | (other.accepted & (other.accept == 0))
    moved &= one.destination != other.destination
    both = one.accepted & other.accepted
    found: npt.NDArray[np.bool_] = (both & (differs | moved)) | (
        differs & (one.accepted != other.accepted)
    )
    return found
