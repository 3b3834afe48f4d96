"""Running test cases: what a policy does with each, compared with what was expected.

Contract: `run_suite` judges flows by the reference evaluator, which also gives each
failure its explanation and the coverage; captures by an Engine, with the reference beside
it only where coverage is wanted.  Tested by tests/suite/test_run.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

import numpy as np

from ztfast.engine.engine import Engine
from ztfast.engine.network_verdicts import Action
from ztfast.explain.contexts import ContextResolver
from ztfast.explain.explain import Explanation, explain
from ztfast.explain.walk import Walk
from ztfast.frames.batch import FrameBatch
from ztfast.frames.frame import Frame
from ztfast.model.policy import Policy
from ztfast.suite.coverage import Coverage
from ztfast.suite.file import CaptureCase, FlowCase, Suite
from ztfast.suite.resolution import unresolved

MOST_SHOWN = 5  # failures of one case with many frames
_COPY_FLAGS = frozenset((0x02, 0x16, 0x08, 0x1C))
_REDIRECT_FLAGS = frozenset((0x04, 0x0A))


class CaseResult(NamedTuple):
    """One case's outcome: `failures` says what is not as expected, empty where it passes.

    got: the verdict, or the counts of a capture.  explanations: of the frames that failed.
    unresolved: frames that pass though their ends cannot find each other by ARP, in words.
    """

    suite: str
    name: str
    place: str
    got: str
    failures: tuple[str, ...]
    explanations: tuple[Explanation, ...]
    unresolved: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """As expected?"""
        return not self.failures


# Gives the frames of a capture; the command line hands in the reader of capture files.
Batches = Callable[[str], Iterable[FrameBatch]]


def run_suite(
    suite: Suite,
    policy: Policy,
    batches: Batches,
    seed: int = 0,
    coverage: Coverage | None = None,
) -> Iterator[CaseResult]:
    """Run the cases of a file in order; `batches` reads captures, `coverage` is added to."""
    resolvers: dict[str, ContextResolver] = {}
    for _, cases in groupby(suite.cases, key=lambda case: case.place):
        results: list[CaseResult] = []
        for case in cases:
            if case.engine not in resolvers:
                known = suite.network
                resolvers[case.engine] = ContextResolver(policy, known, case.engine, seed=seed)
            resolver = resolvers[case.engine]
            if isinstance(case, CaptureCase):
                results.append(_run_capture(suite, case, resolver, batches, coverage))
            else:
                results.append(_run_flow(suite, case, resolver, coverage))
        yield _together(results)


def _together(results: list[CaseResult]) -> CaseResult:
    """The result of a case's frames: it passes where all of them do."""
    first = results[0]
    if len(results) == 1:
        return first
    failures = [failure for one in results for failure in one.failures]
    more = len(failures) - MOST_SHOWN
    shown = failures[:MOST_SHOWN] + [f"and {more} more"] * (more > 0)
    explained = next((one.explanations for one in results if one.explanations), ())
    verdicts = dict.fromkeys(one.got for one in results)
    unresolved = tuple(text for one in results for text in one.unresolved)
    got = f"{' or '.join(verdicts)} ({len(results)} frames)"
    return first._replace(
        got=got, failures=tuple(shown), explanations=explained, unresolved=unresolved
    )


# --- flows ---------------------------------------------------------------------------------


def _run_flow(
    suite: Suite, case: FlowCase, resolver: ContextResolver, coverage: Coverage | None
) -> CaseResult:
    there = _judge(resolver, case.frame, case.direction, coverage)
    failures = list(_flow_failures(case, there))
    explanations = [there] if failures else []
    got = there.verdict
    if case.reply is not None:
        back = _judge(resolver, case.reply, case.direction, coverage)
        got += f", reply {back.verdict}"
        if back.verdict != case.reply_expect:
            failures.append(f"the reply: expected {case.reply_expect}, got {back.verdict}")
            explanations.append(back)
    lost = () if failures else tuple(_unresolved(suite, case, resolver))
    named = [f"{case.label}: {failure}" if case.label else failure for failure in failures]
    found = (got, tuple(named), tuple(explanations), lost)
    return CaseResult(suite.name, case.name, case.place, *found)


def _unresolved(suite: Suite, case: FlowCase, resolver: ContextResolver) -> Iterator[str]:
    """A frame that gets through and would never be sent."""
    if case.expect != "accept" or case.direction != "both":
        return
    what = unresolved(resolver.policy, suite.network, case.engine, case.frame)
    if what:
        yield f"{case.text}: no ARP {what} gets through"


def _judge(
    resolver: ContextResolver, frame: Frame, side: str, coverage: Coverage | None
) -> Explanation:
    found = explain(resolver, resolver.contexts(frame), side)
    if coverage is not None:
        for note in found.sides:
            if note.outcome is not None:
                coverage.add(note.outcome.trials)
    return found


def _flow_failures(case: FlowCase, found: Explanation) -> Iterator[str]:
    if found.verdict != case.expect:
        yield f"expected {case.expect}, got {found.verdict}"
    sent = [copy for side in found.sides for copy in side.copies]
    if case.copies is not None:
        targets = {copy.to for copy in sent if copy.flags in _COPY_FLAGS}
        if targets != set(case.copies):
            yield f"expected copies to {_addresses(case.copies)}, got {_addresses(targets)}"
    if case.redirect is not None:
        targets = {copy.to for copy in sent if copy.flags in _REDIRECT_FLAGS}
        if targets != {case.redirect}:
            yield f"expected a redirect to {case.redirect:010x}, got {_addresses(targets)}"


def _addresses(targets: set[int] | tuple[int, ...]) -> str:
    return ", ".join(f"{target:010x}" for target in sorted(targets)) or "nobody"


# --- captures ------------------------------------------------------------------------------


def _run_capture(
    suite: Suite,
    case: CaptureCase,
    resolver: ContextResolver,
    batches: Batches,
    coverage: Coverage | None,
) -> CaseResult:
    counts = _count(case, resolver, batches, coverage)
    failures = tuple(
        f"expected {number} {what}, got {counts[what]}"
        for what, number in case.counts.items()
        if counts[what] != number
    )
    got = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
    return CaseResult(suite.name, case.name, case.place, got or "no frames", failures, ())


def _count(
    case: CaptureCase, resolver: ContextResolver, batches: Batches, coverage: Coverage | None
) -> dict[str, int]:
    engine = Engine(
        resolver.policy,
        network=resolver.network,
        side=case.side,
        engine=case.engine,
        seed=resolver.seed,
        assume_ipauth=resolver.assume_ipauth,
    )
    names = {Action.ACCEPT: "accepted", Action.DROP: "dropped", Action.REDIRECT: "redirected"}
    counts = {"frames": 0, **dict.fromkeys(names.values(), 0)}
    for batch in batches(case.path):
        first = counts["frames"]
        action = engine.evaluate(batch, first=first).action
        counts["frames"] += len(batch)
        for code, name in names.items():
            counts[name] += int(np.count_nonzero(action == code))
        if coverage is not None:
            _cover(resolver, batch, case.side, first, coverage)
    return counts


def _cover(
    resolver: ContextResolver, batch: FrameBatch, side: str, first: int, coverage: Coverage
) -> None:
    """The entries that a batch puts to the test: frame by frame, without words."""
    for index in range(len(batch)):
        contexts = resolver.contexts(batch.frame(index), first + index)
        for judged in Walk(resolver, contexts, side).passes():
            if judged.outcome is not None:
                coverage.add(judged.outcome.trials)
