"""One frame on its way: every judgement of it, from its sender's first pass to each recipient.

Contract: `Walk.passes` judges by the reference evaluator as it goes; `verdict` and `stopped` say
what became of the frame once all of them are through.  What becomes of it is what
`Engine.evaluate` says.  Tested by tests/explain/test_contexts.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ztfast.engine.context import FrameContext, Outcome
from ztfast.engine.reference import evaluate
from ztfast.explain.contexts import ContextResolver, FrameContexts, Receiver

_BEST = ("drop", "redirect", "accept")


class Pass(NamedTuple):
    """One judgement: direction "out" or "in", by the node of `context`.

    members: how many recipients it holds for.  recipient: for whom the sender judges again, else
    None.  outcome: None where the frame never got there.
    """

    direction: str
    context: FrameContext
    members: int
    recipient: int | None
    outcome: Outcome | None


class Walk:
    """A frame's judgements; of many recipients, one that gets the frame counts most.

    side: "both", or only the sender's ("out") or the receivers' ("in").
    """

    def __init__(self, resolver: ContextResolver, contexts: FrameContexts, side: str) -> None:
        self._views, self._contexts, self._side = resolver.views, contexts, side
        self._stopped = contexts.stopped if side != "in" or contexts.refused else ""
        self._goes_on = not contexts.refused
        self._fates: list[str] = []

    def passes(self) -> Iterator[Pass]:
        """Every judgement in its order; those that the frame did not come to, too."""
        if self._side != "in":
            yield self._first_pass()
        for receiver in self._contexts.receivers:
            yield from self._to(receiver)

    def verdict(self) -> str:
        """What becomes of the frame: "accept", "drop" or "redirect"."""
        return max(self._fates, key=_BEST.index, default="drop")

    def stopped(self) -> str:
        """Why it goes to nobody, whatever the rules say; "" where they decide."""
        if self._fates and not self._stopped:
            return ""
        return self._stopped or "there is nobody whom it could reach"

    def _first_pass(self) -> Pass:
        contexts = self._contexts
        first = self._judged(
            "out", contexts.sender, Receiver(contexts.sender), not contexts.stopped
        )
        fate = fate_of(first.outcome)
        self._goes_on = fate == "accept"
        if not self._goes_on or (self._side == "out" and not contexts.several):
            self._fates.append(fate)
        return first

    def _to(self, receiver: Receiver) -> Iterator[Pass]:
        """The sender's second pass for a recipient, if there is one; then its own judgement."""
        goes_on, last = self._goes_on, None
        if receiver.again is not None and self._side != "in" and goes_on:
            last = self._judged("out", receiver.again, receiver)
            yield last._replace(recipient=receiver.again.zt_dest)
            goes_on = fate_of(last.outcome) == "accept"
        if self._side != "out":
            own = self._judged("in", receiver.context, receiver, goes_on)
            last = own if goes_on else last
            yield own
        if last is not None:
            self._fates.append(fate_of(last.outcome))

    def _judged(
        self, direction: str, context: FrameContext, receiver: Receiver, reached: bool = True
    ) -> Pass:
        outcome = None
        if reached:
            frame = self._contexts.frame
            outcome = evaluate(self._views[direction], frame, context, want_steps=True)
        return Pass(direction, context, receiver.members, None, outcome)


def fate_of(outcome: Outcome | None) -> str:
    """What one judgement makes of the frame; a frame that is not judged is dropped."""
    if outcome is None or not outcome.accepted:
        return "drop"
    return "accept" if outcome.accept else "redirect"
