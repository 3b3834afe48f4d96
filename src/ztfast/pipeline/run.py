"""`ztfast.run`: a whole capture judged, batch by batch, with the tally of what was judged.

Contract: a `Run` is iterated once; `tally` counts what was handed out so far.  It is as fast
as `ztfast filter`, which does the same with outputs (pipeline/job.py).
Tested by tests/pipeline/test_run.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ztfast.capture.many import Captures
from ztfast.capture.open import Capture
from ztfast.capture.packets import PacketBatch
from ztfast.engine.engine import Engine
from ztfast.pipeline.judge import Judgement, judgements
from ztfast.pipeline.tally import Tally


class Run:
    """One pass over a capture: an iterable of `Judgement`; `run` makes it."""

    def __init__(self, engine: Engine, judged: Iterator[Judgement]) -> None:
        self.tally = Tally(engine.policy)
        self._judged = judged

    def __iter__(self) -> Iterator[Judgement]:
        for part in self._judged:
            self.tally.count(part)
            yield part

    def finish(self) -> Tally:
        """Judge what is left and give the tally."""
        for _ in self:
            pass
        return self.tally


def run(
    engine: Engine,
    capture: Capture | Captures | Iterable[PacketBatch],
    *,
    vlan: str = "tag",
    threads: int = 1,
    counts: bool = False,
) -> Run:
    """Judge every frame of a capture: `for part in ztfast.run(engine, capture): …`.

    capture: what `open_capture` or `open_captures` gave, or any iterable of PacketBatch.
    vlan: "tag" (as a node reads its tap) or "decode".  threads: how many judge a batch.
    counts: only figures are wanted, as `ztfast.run(engine, capture, counts=True).finish()`;
    parts may then come without verdicts (`Judgement.counted`).

    Each part has `packets` (a PacketBatch), `frames` (a FrameBatch) and `verdicts` (Verdicts);
    `Run.tally` has frames and bytes by verdict and by rule.  Raises CaptureError where the
    capture is damaged, after every part before the damage.
    """
    return Run(engine, judgements(engine, capture, vlan=vlan, threads=threads, counts=counts))
