"""Judging frames between members by number: does each arrive, and who refuses it, why.

Contract: a `PairJudge` judges a batch whose senders and receivers the caller knows, as
`pipeline.deliver` follows them: out, for multicasts again for the one recipient, in.
Tested by tests/pipeline/test_reach.py.
"""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.engine.engine import Engine
from ztfast.engine.side_verdicts import SideVerdicts
from ztfast.frames.batch import FrameBatch
from ztfast.model.kinds import Entry, Kind
from ztfast.model.names import CHARACTERISTICS
from ztfast.model.result import Result
from ztfast.model.view import View
from ztfast.network.batch_context import BatchContext, MemberTable
from ztfast.network.member_table import TAG_MATCHES
from ztfast.network.resolve import MEMBERSHIP_UNKNOWN

Int32s = npt.NDArray[np.int32]
Uint8s = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]
_OWNERSHIP = 1 << CHARACTERISTICS["ipauth"] | 1 << CHARACTERISTICS["macauth"]


class Why(IntEnum):
    """Why something does not arrive, or that it does."""

    OPEN = 0
    NO_ADDRESS = 1  # the two have no IP addresses of one family
    DROPPED = 2  # a rule drops it that asks for nothing of members
    TAG = 3  # a rule drops it that asks for tags
    OWNERSHIP = 4  # a rule drops it that asks who owns an address
    CAPABILITY = 5  # its sender holds no capability that would accept it; another one would
    NO_RULE = 6  # no rule accepts it
    REDIRECTED = 7
    NO_REPLY = 8
    NO_ARP = 9  # neither ARP nor neighbour discovery gets through


class Judged(NamedTuple):
    """What became of n frames: why; at: the member that refused it (0 none); line: its rule's.

    line: where nothing refused it, that of the receiver's rule that accepted it.
    """

    why: Uint8s
    at: Int32s
    line: Int32s


def nothing_refused(count: int) -> Judged:
    """What becomes of frames that nobody has judged yet: nothing is wrong with them."""
    return Judged(np.zeros(count, np.uint8), np.zeros(count, np.int32), np.zeros(count, np.int32))


class PairJudge:
    """An engine with members, and what its rules' entries are about."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.tables = {way: engine.members(way).table for way in ("out", "in")}
        view = engine.view("out")
        self._capable = bool(view.capabilities)
        self._words = _entry_words(view)

    def judge(
        self, batch: FrameBatch, sender: Int32s, receiver: Int32s, first: int, many: bool
    ) -> Judged:
        """Follow each frame from its sender to its receiver; `many`: they are multicasts."""
        found = nothing_refused(len(batch))
        passes = ["first", "again", "in"] if many else ["out", "in"]
        left = np.arange(len(batch))
        for number, name in enumerate(passes):
            part = batch.take(left)
            context = self._context(name, sender[left], receiver[left], first + left * 4 + number)
            verdicts = self.engine.evaluate_side(context.direction, part, context)
            passed = verdicts.accept > 0
            found.line[left] = self.engine.deciding_lines(verdicts)
            stopped = ~passed
            if stopped.any():
                found.why[left[stopped]] = self._why(verdicts, part, context)[stopped]
                found.at[left[stopped]] = context.local[stopped]
            left = left[passed]
        return found

    def _context(
        self, name: str, sender: Int32s, receiver: Int32s, numbers: npt.NDArray[np.int64]
    ) -> BatchContext:
        """Who is who in one pass."""
        inbound, first = name == "in", name == "first"
        table = self.tables["in" if inbound else "out"]
        local, remote = (receiver, sender) if inbound else (sender, receiver)
        count = len(sender)
        unknown = np.full(count, MEMBERSHIP_UNKNOWN, np.int32)
        return BatchContext(
            direction="in" if inbound else "out",
            members=table,
            local=local,
            remote=unknown if first else remote,
            sender=sender,
            node=table.address[local],
            zt_source=table.address[sender],
            zt_dest=np.zeros(count, np.uint64) if first else table.address[receiver],
            addresses_known=np.ones(count, np.bool_),
            no_tee=np.full(count, name == "again"),
            number=numbers.astype(np.int64),
        )

    # --- why not

    def _why(self, verdicts: SideVerdicts, batch: FrameBatch, context: BatchContext) -> Uint8s:
        """The reason where a frame was not let pass (of others it says nothing)."""
        # what is dropped was decided by a base entry; the last word is that of -1, the rules' end
        entries = np.where(verdicts.accepted, -1, verdicts.entry)
        words = np.where(verdicts.accepted, Why.REDIRECTED, self._words[entries]).astype(np.uint8)
        if self._capable:
            open_ = ~verdicts.accepted & (verdicts.result == Result.NO_MATCH)
            where = np.flatnonzero(open_)
            if len(where):
                words[where[self._granted(batch, context, where)]] = Why.CAPABILITY
        return words

    def _granted(
        self, batch: FrameBatch, context: BatchContext, where: npt.NDArray[np.intp]
    ) -> Bools:
        """Would it pass if its sender held all capabilities?"""
        some = BatchContext(
            direction=context.direction,
            members=_all_held(context.members),
            local=context.local[where],
            remote=context.remote[where],
            sender=context.sender[where],
            node=context.node[where],
            zt_source=context.zt_source[where],
            zt_dest=context.zt_dest[where],
            addresses_known=context.addresses_known[where],
            no_tee=context.no_tee[where],
            number=context.number[where],
        )
        verdicts = self.engine.evaluate_side(context.direction, batch.take(where), some)
        passed: Bools = verdicts.accept > 0
        return passed


def _all_held(table: MemberTable) -> MemberTable:
    return replace(table, capabilities=np.ones_like(table.capabilities), cache={})


def _entry_words(view: View) -> Uint8s:
    """For each base entry what its set of matches is about; and at the end, for no entry."""
    words: list[int] = []
    matches: list[Entry] = []
    for entry in view.base:
        if entry.kind.is_action:
            words += [_word(matches)] * (len(matches) + 1)
            matches = []
        else:
            matches.append(entry)
    words += [Why.NO_RULE] * (len(matches) + 1)
    return np.array(words, np.uint8)


def _word(matches: list[Entry]) -> Why:
    if any(entry.kind in TAG_MATCHES for entry in matches):
        return Why.TAG
    if any(_asks_ownership(entry) for entry in matches):
        return Why.OWNERSHIP
    return Why.DROPPED if matches else Why.NO_RULE


def _asks_ownership(entry: Entry) -> bool:
    is_chr = entry.kind is Kind.MATCH_CHARACTERISTICS
    return is_chr and bool((entry.value[0] or 0) & _OWNERSHIP)
