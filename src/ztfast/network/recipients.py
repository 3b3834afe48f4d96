"""Recipients of a multicast, grouped by what can make the rules judge them differently.

Contract: two members are in one class of a sender where every test of the rules that looks at the
recipient has one outcome for both: which of its tags it carries, what a tag match says of it and
the sender, whether a rule names its address, whether it is a bridge.  So one judgement stands for
a class, whatever the tags' values are.  Rules that draw see each member apart.
Classes are made once for all senders with the same tags, and up to `MOST_KEPT` of them are kept.
Tested by tests/network/test_recipients.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.model.view import View
from ztfast.network.batch_context import MemberTable
from ztfast.network.recipient_groups import (
    NOBODY,
    Groups,
    PairTest,
    RecipientRules,
    numbered,
    recipient_groups,
)

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

MOST_KEPT = 1 << 20  # classes that are kept for the next batch
_CODES = 1 << 12  # outcomes of all tests are numbered anew where there are more


class Classes(NamedTuple):
    """The classes of k senders.

    start, counts: int64[k], where a sender's classes stand in the other columns.  member: int32,
    the first of a class.  size: int32, its members, never the sender.  bridge: bool, are they
    active bridges?
    """

    start: Int64s
    counts: Int64s
    member: Int32s
    size: Int32s
    bridge: Bools


class ClassColumns(NamedTuple):
    """All classes that are kept, the senders among them: what the compiled loops take.

    kind: int64[m], which kind of sender a member is.  group: int32[m], −1 none.  start, counts:
    int64[kinds], where a kind's classes stand in `member` and `size`.  own: int64[g], which class
    of its own kind a group is in; second: int32[g], the second member of that.  member: int32, the
    lowest of a class.  size: int32.  bridge: bool[m].
    """

    kind: Int64s
    group: Int32s
    start: Int64s
    counts: Int64s
    own: Int64s
    second: Int32s
    member: Int32s
    size: Int32s
    bridge: Bools


class _Kept(NamedTuple):
    """Classes made so far, the sender among them.

    start, counts: int64[kinds of senders], where their classes stand in the columns; start −1: not
    made.  own: int64[g], which class of its own kind a group is in; second: int32[g], the second
    member of that.  member: int32, the lowest of a class.  size: int32.
    """

    start: Int64s
    counts: Int64s
    own: Int64s
    second: Int32s
    member: Int32s
    size: Int32s


class Recipients:
    """A network's members as recipients, by sender; may be shared by threads.

    view: the rules, of either direction: both have the same entries.  bridges: bool[m], which
    members are active bridges.  relays: members of a class are also alike in what becomes of the
    copies that they send, as long as none of them owns an address that the frame is sent from.
    """

    def __init__(
        self, view: View, table: MemberTable, bridges: Bools, relays: bool = False
    ) -> None:
        self._bridges = bridges
        rules = RecipientRules(view, table)
        self._groups = recipient_groups(rules, bridges, relays)
        pairs = rules.pair_tests()
        self._tests = [
            PairTest(kind, operand, tag, tag.value[self._groups.first])
            for kind, operand, tag in pairs
        ]
        columns = [column for _, _, tag in pairs for column in tag]
        # senders whose tags are the same in all these tests are of one kind
        self._kind = numbered(len(bridges), columns)
        kinds = self._kind[self._groups.first]
        self._by_kind = np.argsort(kinds, kind="stable")
        self._ordered_kinds = kinds[self._by_kind]
        self._example = np.unique(self._kind, return_index=True)[1]
        self._kept = self._nothing_kept()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": self._nothing_kept()}

    @property
    def most(self) -> int:
        """At most so many classes has a sender."""
        return len(self._groups.first)

    @property
    def portion(self) -> int:
        """How many senders to ask for at once, so that their classes fit into memory."""
        outcomes = self._groups.bases << min(len(self._tests), 32)
        return max(1, MOST_KEPT // max(1, min(len(self._groups.first), outcomes)))

    def classes(self, senders: Int32s) -> Classes:
        """The classes of some senders, member numbers."""
        return self._without_senders(self._with_kinds(senders), senders)

    def columns(self, senders: Int32s) -> ClassColumns:
        """The classes of some senders, at most `portion` different ones, as they are kept."""
        kept = self._with_kinds(senders)
        return ClassColumns(self._kind, self._groups.of, *kept, self._bridges)

    def _with_kinds(self, senders: Int32s) -> _Kept:
        """What is kept, the classes of these senders among it."""
        kept, wanted = self._kept, np.flatnonzero(np.bincount(self._kind[senders]))
        missing = wanted[kept.start[wanted] < 0]
        if len(missing):
            kept = self._kept = self._with(kept, missing, wanted)
        return kept

    def _without_senders(self, kept: _Kept, senders: Int32s) -> Classes:
        """The classes of each sender's kind without the sender itself."""
        kinds, group = self._kind[senders], self._groups.of[senders]
        counts = kept.counts[kinds]
        row = joined_ranges(kept.start[kinds], counts)
        member, size = kept.member[row], kept.size[row]
        inside = np.flatnonzero(group >= 0)
        own = (np.cumsum(counts) - counts)[inside] + kept.own[group[inside]]
        size[own] -= 1
        led = member[own] == senders[inside]
        member[own[led]] = kept.second[group[inside[led]]]
        counts[inside] -= size[own] == 0
        there = np.flatnonzero(size)
        member = member[there]
        return Classes(
            np.cumsum(counts) - counts, counts, member, size[there], self._bridges[member]
        )

    def _nothing_kept(self) -> _Kept:
        start = np.full(len(self._example), -1, np.int64)
        none = np.zeros(0, np.int32)
        own = np.zeros(len(self._groups.first), np.int64)
        return _Kept(start, np.zeros_like(start), own, own.astype(np.int32), none, none)

    def _with(self, kept: _Kept, missing: Int64s, wanted: Int64s) -> _Kept:
        """What is kept and the missing kinds; where that is too much, only those asked for."""
        made = self._made(kept, missing)
        if len(made.member) > MOST_KEPT and len(kept.member):
            return self._made(self._nothing_kept(), wanted)
        return made

    def _made(self, kept: _Kept, kinds: Int64s) -> _Kept:
        """What is kept, and the classes of other kinds of senders behind it."""
        start, counts = kept.start.copy(), kept.counts.copy()
        own, second = kept.own.copy(), kept.second.copy()
        members, sizes, place = [kept.member], [kept.size], len(kept.member)
        for kind in kinds.tolist():
            code, codes = self._codes(int(self._example[kind]))
            number, member, size = _classes(self._groups, code, codes)
            for group in self._of_kind(kind).tolist():
                own[group] = number[code[group]]
                second[group] = _second(self._groups, code, int(code[group]))
            start[kind], counts[kind] = place, len(member)
            place += len(member)
            members.append(member)
            sizes.append(size)
        return _Kept(start, counts, own, second, np.concatenate(members), np.concatenate(sizes))

    def _of_kind(self, kind: int) -> Int64s:
        """The groups whose members are senders of one kind."""
        low, high = np.searchsorted(self._ordered_kinds, (kind, kind + 1))
        return self._by_kind[low:high]

    def _codes(self, sender: int) -> tuple[Int64s, int]:
        """(the outcomes of all tests as a number, int64[g]; numbers are below)."""
        codes = self._groups.bases
        most = 2 * max(codes, _CODES, len(self._groups.first))
        code = self._groups.base.astype(np.min_scalar_type(most))  # narrow: twice as quick
        for test in self._tests:
            code <<= 1
            code |= test.holds(sender)
            codes *= 2
            if codes > _CODES:
                code, codes = _renumbered(code, codes)
        return code.astype(np.int64), codes


def _classes(groups: Groups, code: Int64s, codes: int) -> tuple[Int64s, Int32s, Int32s]:
    """Groups joined where their code is one: (class of each code; first member, size of each)."""
    size = np.bincount(code, groups.weights, codes)
    there = np.flatnonzero(size)
    number = np.zeros(codes, np.int64)
    number[there] = np.arange(len(there))
    leader = np.zeros(codes, np.int64)
    leader[code[::-1]] = groups.descending  # the last one stays: the lowest
    return number, groups.first[leader[there]], size[there].astype(np.int32)


def _second(groups: Groups, code: Int64s, which: int) -> int:
    """The second member of the groups with one code, `NOBODY` where there is none."""
    lowest = np.flatnonzero(code == which)[:2]
    others = groups.first[lowest[1:]].min(initial=NOBODY)
    return int(min(others, groups.second[lowest[0]]))


def joined_ranges(start: Int64s, count: Int64s) -> Int64s:
    """The numbers from each start on, as many as each count says, one range behind the other."""
    ends = np.cumsum(count)
    total = int(ends[-1]) if len(ends) else 0
    found: Int64s = np.repeat(start - (ends - count), count) + np.arange(total)
    return found


def _renumbered(code: npt.NDArray[Any], codes: int) -> tuple[npt.NDArray[Any], int]:
    """Numbers below `codes` without those that do not occur, in the same order."""
    seen = np.zeros(codes, np.bool_)
    seen[code] = True
    number = np.cumsum(seen) - 1
    return number.astype(code.dtype)[code], int(number[-1]) + 1
