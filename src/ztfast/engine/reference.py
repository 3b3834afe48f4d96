"""The reference evaluator: what a node does with one frame, as docs/spec/evaluation.md reads.

Contract: `evaluate` interprets the rules of a View (not the encoded table) for one frame
in plain Python; it is never optimised and shares no code with the native evaluator,
which is compared with it column by column.  `evaluate_batch` runs it over a batch.
Time is linear in entries times the frame's length.
Tested by tests/engine/test_reference*.py and all of the eval vectors
(tests/engine/test_case_vectors.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ztfast.engine.context import (
    EntryStep,
    FrameContext,
    LogItem,
    Noted,
    Outcome,
    Sent,
    State,
    Trial,
)
from ztfast.engine.prng import draw
from ztfast.engine.reference_matches import Facts, MatchResult, match, note_addresses
from ztfast.engine.side_verdicts import SIDE_COLUMNS, SideVerdicts
from ztfast.frames.frame import Frame
from ztfast.model.kinds import Entry, Kind
from ztfast.model.reads import Reads
from ztfast.model.result import Result
from ztfast.model.view import View
from ztfast.network.batch_context import BatchContext, MemberTable

# Flags of what is sent (spec section 7): [direction in?] -> (tee, watch, redirect).
_FLAGS = {False: (0x02, 0x16, 0x04), True: (0x08, 0x1C, 0x0A)}
_FORWARDING = frozenset((Kind.ACTION_TEE, Kind.ACTION_WATCH, Kind.ACTION_REDIRECT))
_ACCEPTING = frozenset((Result.ACCEPT, Result.SUPER_ACCEPT, Result.REDIRECT))
_QOS_BUCKETS = 8
_QOS_OTHERWISE = 4


def _first_index(view: View, capability: int | None) -> int:
    """The number of a rule set's first entry, counting base rules, then all capabilities."""
    if capability is None:
        return 0
    return len(view.base) + sum(len(rules) for rules in view.capabilities[:capability])


class _RuleSet:
    """One evaluation of one rule set (spec sections 1 and 5), and what it found."""

    def __init__(
        self, view: View, capability: int | None, facts: Facts, want_steps: bool = False
    ) -> None:
        self.entries = view.base if capability is None else view.capabilities[capability]
        self.capability = capability
        self.first_index = _first_index(view, capability)
        self.facts = facts
        self.hard = view.engine != "1.12"
        self.matches = True
        self.destination = facts.context.zt_dest
        self.copy: Noted | None = None
        self.qos: int | None = None
        self.entry = -1
        self.result = Result.NO_MATCH
        self.log: list[LogItem] = [None] * len(self.entries)
        self.said: MatchResult | None = None
        self.steps: list[EntryStep] | None = [] if want_steps else None

    @property
    def accepts(self) -> bool:
        """Did this rule set let the frame, or its redirected self, pass?"""
        return self.result in _ACCEPTING

    @property
    def acceptance(self) -> int:
        """How an accepting rule set accepts: 2 super-accepts, which there is only in."""
        return 2 if self.facts.inbound and self.result is Result.SUPER_ACCEPT else 1

    def run(self) -> Result:
        """Fold the matches, take the actions; the end of the list is no match."""
        for index, entry in enumerate(self.entries):
            before = self._state() if self.steps is not None else None
            result = self._evaluate(index, entry)
            if before is not None:
                self._note_step(index, entry, before, result)
            if result is not None:
                self.entry = index
                return result
        return Result.NO_MATCH

    def _evaluate(self, index: int, entry: Entry) -> Result | None:
        """One entry; the result where it ends the rule set."""
        if not entry.kind.is_action:
            self._fold(index, entry)
            return None
        if entry.kind in _FORWARDING:
            note_addresses(self.facts)
        if self.matches:
            return self._act(index, entry)
        self._pass_over(entry)
        return None

    def _state(self) -> State:
        facts = self.facts
        return State(self.matches, facts.skip_drop, facts.super_accept, self.copy, facts.reads)

    def _note_step(self, index: int, entry: Entry, before: State, result: Result | None) -> None:
        assert self.steps is not None
        answer = matched = None
        log = self.log[index]
        if isinstance(log, list) and self.said is not None:
            answer, matched = self.said.value, bool(log[0]) != entry.inverted
        self.steps.append(EntryStep(index, before, self._state(), answer, matched, result))

    def _fold(self, index: int, entry: Entry) -> None:
        if not (self.matches or entry.alternative):
            self.log[index] = "S0"
            return
        said = self.said = match(entry, self.facts, self.first_index + index)
        before_not = self._before_not(said, entry.inverted)
        self.log[index] = [int(before_not), int(self.matches)]
        matched = before_not != entry.inverted
        self.matches = self.matches or matched if entry.alternative else self.matches and matched

    def _before_not(self, said: MatchResult, inverted: bool) -> bool:
        """A hard result is what `not` must arrive at, unless the engine knows none (section 9)."""
        if self.hard and said is MatchResult.HARD_NO:
            return inverted
        if self.hard and said is MatchResult.HARD_YES:
            return not inverted
        return said in (MatchResult.YES, MatchResult.HARD_YES)

    def _act(self, index: int, entry: Entry) -> Result | None:
        """Take an action whose set is true; None where evaluation goes on."""
        if entry.kind is Kind.ACTION_DROP:
            if self.hard and self.facts.skip_drop:
                self.facts.skip_drop = False
                return None
            return Result.DROP
        if entry.kind is Kind.ACTION_ACCEPT:
            return Result.SUPER_ACCEPT if self.facts.super_accept else Result.ACCEPT
        if entry.kind is Kind.ACTION_BREAK:
            return Result.NO_MATCH
        if entry.kind is Kind.ACTION_PRIORITY:
            bucket = entry.value[0] or 0
            self.qos = bucket if bucket <= _QOS_BUCKETS else _QOS_OTHERWISE
            return Result.ACCEPT
        return self._forward(index, entry)

    def _forward(self, index: int, entry: Entry) -> Result | None:
        """TEE, WATCH and REDIRECT whose set is true (section 5)."""
        context = self.facts.context
        target = entry.value[0] or 0
        if target == context.zt_source:
            return None
        if target == context.node:
            return Result.SUPER_ACCEPT if self.facts.inbound else None
        if target == self.destination:
            return None
        if entry.kind is Kind.ACTION_REDIRECT:
            self.destination = target
            return Result.REDIRECT
        self.copy = self._noted(index, entry, target) if target else None
        return None

    def _noted(self, index: int, entry: Entry, target: int) -> Noted:
        asked = entry.value[1] or self.facts.frame.length
        length = min(asked, self.facts.frame.length)
        return Noted(index, target, length, entry.kind is Kind.ACTION_WATCH)

    def _pass_over(self, entry: Entry) -> None:
        """An action whose set is false: a copy meant for this node arms super-accept."""
        for_us = entry.kind in _FORWARDING and entry.value[0] == self.facts.context.node
        if for_us and self.facts.inbound:
            self.facts.super_accept = True
        self.matches = True


def evaluate(
    view: View,
    frame: Frame,
    context: FrameContext,
    want_log: bool = False,
    want_steps: bool = False,
) -> Outcome:
    """What one side does with one frame: base rules, then capabilities (section 7).

    want_steps: also give every entry that was evaluated, in `Outcome.trials`.
    """
    base = _run(view, None, frame, context, want_steps)
    tried: list[_RuleSet] = []
    if base.result is Result.NO_MATCH:
        for capability in context.held:
            tried.append(_run(view, capability, frame, context, want_steps))
            if tried[-1].accepts:
                break
    return _outcome(base, tried, want_log)


def _run(
    view: View, capability: int | None, frame: Frame, context: FrameContext, want_steps: bool
) -> _RuleSet:
    """A fresh evaluation of the base rules (None) or one capability; nothing earlier counts."""
    rule_set = _RuleSet(view, capability, Facts(frame, context, view.direction == "in"), want_steps)
    rule_set.result = rule_set.run()
    return rule_set


def _outcome(base: _RuleSet, tried: Sequence[_RuleSet], want_log: bool) -> Outcome:
    """The verdict out of the base rules' evaluation and those of the capabilities tried."""
    inbound, context = base.facts.inbound, base.facts.context
    last = tried[-1] if tried else base
    accepting = last if last.accepts else None
    destination = context.zt_dest if accepting is None else accepting.destination
    redirected = destination not in (context.zt_dest, 0)
    silent = accepting is None or (context.no_tee and not inbound)
    copy = None if silent else base.copy
    of_capability = None if silent or last is base else last.copy
    return Outcome(
        result=base.result,
        accept=0 if accepting is None or redirected else accepting.acceptance,
        accepted=accepting is not None,
        destination=destination,
        capability=None if accepting is None else accepting.capability,
        entry=(accepting or base).entry,
        copies=sent_copies(
            inbound,
            of_capability,
            copy,
            destination if redirected else None,
            length=base.facts.frame.length,
        ),
        copy=copy,
        capability_copy=of_capability,
        qos=_last_bucket((base, *tried), 255 if inbound else 0),
        reads=_union((base, *tried)),
        log=base.log if want_log else None,
        trials=_trials((base, *tried)),
    )


def _trials(evaluated: Sequence[_RuleSet]) -> tuple[Trial, ...]:
    return tuple(
        Trial(rules.capability, rules.result, tuple(rules.steps))
        for rules in evaluated
        if rules.steps is not None
    )


def _last_bucket(evaluated: Sequence[_RuleSet], start: int) -> int:
    return next((rules.qos for rules in reversed(evaluated) if rules.qos is not None), start)


def _union(evaluated: Sequence[_RuleSet]) -> Reads:
    reads = Reads(0)
    for rules in evaluated:
        reads |= rules.facts.reads
    return reads


def sent_copies(
    inbound: bool,
    capability_copy: Noted | None,
    copy: Noted | None,
    redirect: int | None,
    length: int,
) -> tuple[Sent, ...]:
    """What is sent beside the frame itself, in order: the copies, then the redirected frame."""
    tee_flags, watch_flags, redirect_flags = _FLAGS[inbound]
    copies = [
        Sent(noted.target, watch_flags if noted.watch else tee_flags, noted.length)
        for noted in (capability_copy, copy)
        if noted is not None
    ]
    if redirect is not None:
        copies.append(Sent(redirect, redirect_flags, length))
    return tuple(copies)


# --- whole batches -------------------------------------------------------------------------


class Frames(Protocol):
    """What `evaluate_batch` needs of a batch (frames.batch.FrameBatch, or a list's wrapper)."""

    def __len__(self) -> int:
        """The number of frames."""
        ...

    def frame(self, index: int, /) -> Frame:
        """One frame as a plain value."""
        ...


def evaluate_batch(
    view: View, batch: Frames, batch_context: BatchContext, seed: int = 0
) -> SideVerdicts:
    """The verdicts of one side on each frame of a batch: every column of `SIDE_COLUMNS`."""
    contexts = _Contexts(batch_context, len(batch), seed)
    outcomes = [
        evaluate(view, batch.frame(index), contexts.context(index)) for index in range(len(batch))
    ]
    rows = [_row(outcome) for outcome in outcomes]
    columns = {
        name: np.array([row[name] for row in rows], dtype=dtype)
        for name, (dtype, _) in SIDE_COLUMNS.items()
    }
    return SideVerdicts(view.direction, columns)


def _row(outcome: Outcome) -> dict[str, int | bool]:
    row: dict[str, int | bool] = {
        "result": int(outcome.result),
        "accept": outcome.accept,
        "accepted": outcome.accepted,
        "capability": -1 if outcome.capability is None else outcome.capability,
        "entry": outcome.entry,
        "destination": outcome.destination,
        "qos": outcome.qos,
        "reads": int(outcome.reads),
    }
    for prefix, noted in (("", outcome.copy), ("capability_", outcome.capability_copy)):
        entry, target, length, watch = noted or Noted(-1, 0, 0, False)
        row[f"{prefix}copy_entry"] = entry
        row[f"{prefix}copy_target"] = target
        row[f"{prefix}copy_length"] = length
        row[f"{prefix}copy_watch"] = watch
    return row


def context_of(batch_context: BatchContext, index: int, count: int, seed: int = 0) -> FrameContext:
    """The circumstances of frame `index` of a BatchContext of `count` frames."""
    return _Contexts(batch_context, count, seed).context(index)


class _Contexts:
    """The Contexts of a batch's frames, out of the columns of a BatchContext."""

    def __init__(self, batch_context: BatchContext, count: int, seed: int) -> None:
        self.members = batch_context.members
        self.seed = seed
        self.columns: dict[str, npt.NDArray[Any]] = {
            name: np.broadcast_to(getattr(batch_context, name), (count,))
            for name in (
                "local",
                "remote",
                "sender",
                "node",
                "zt_source",
                "zt_dest",
                "addresses_known",
                "no_tee",
                "number",
            )
        }
        self.tags: dict[int, dict[int, int]] = {}

    def context(self, index: int) -> FrameContext:
        """The circumstances of one frame."""
        at = {name: column[index].item() for name, column in self.columns.items()}
        members, local, remote, sender = self.members, at["local"], at["remote"], at["sender"]
        known = bool(members.known[sender])
        return FrameContext(
            node=at["node"],
            zt_source=at["zt_source"],
            zt_dest=at["zt_dest"],
            local_tags=self._tags_of(local),
            remote_tags=None if remote < 0 else self._tags_of(remote),
            owned_ips=members.ips[sender],
            owned_macs=members.macs[sender],
            emulates=int(members.emulates[local]),
            network_id=members.network_id,
            held=tuple(np.flatnonzero(members.capabilities[:, sender]).tolist()),
            no_tee=at["no_tee"],
            draw=partial(draw, self.seed, at["number"]),
            assumed_ipauth=None if known else members.assumed_ipauth,
            assumed_macauth=None if known else members.assumed_macauth,
            local_tags_known=bool(members.known[local]),
            remote_tags_known=remote < 0 or bool(members.known[remote]),
            addresses_known=at["addresses_known"],
        )

    def _tags_of(self, member: int) -> dict[int, int]:
        if member not in self.tags:
            self.tags[member] = _tags(self.members, member)
        return self.tags[member]


def _tags(members: MemberTable, member: int) -> dict[int, int]:
    return {
        tag: int(members.tag_value[row, member])
        for row, tag in enumerate(members.tag_ids)
        if members.tag_present[row, member]
    }
