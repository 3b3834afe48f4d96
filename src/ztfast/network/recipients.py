"""Recipients of a multicast, grouped by what can make the rules judge them differently.

Contract: two members are in one class of a sender where every test of the rules that looks at the
recipient has one outcome for both: which of its tags it carries, what a tag match says of it and
the sender, whether a rule names its address, whether it is a bridge.  So one judgement stands for
a class, whatever the tags' values are.  Rules that draw see each member apart.
Classes are made once for all senders with the same tags, and up to `MOST_KEPT` of them are kept.
Tested by tests/network/test_recipients.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.model.kinds import Entry, Kind
from ztfast.model.view import View
from ztfast.network.batch_context import UNKNOWN_MEMBER, MemberTable
from ztfast.network.member_table import TAG_MATCHES

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Uint32s = npt.NDArray[np.uint32]
Bools = npt.NDArray[np.bool_]

MOST_KEPT = 1 << 20  # classes that are kept for the next batch
_CODES = 1 << 12  # outcomes of all tests are numbered anew where there are more
_NOBODY = np.iinfo(np.int32).max

_NAMING = (
    Kind.MATCH_DEST_ZEROTIER_ADDRESS,
    Kind.ACTION_TEE,
    Kind.ACTION_WATCH,
    Kind.ACTION_REDIRECT,
)
# What a match compares the recipient's tag with: the rule's value, or the sender's tag as well.
_OWN_VALUE = (Kind.MATCH_TAGS_EQUAL, Kind.MATCH_TAG_RECEIVER)
_OF_PAIRS = (
    Kind.MATCH_TAGS_DIFFERENCE,
    Kind.MATCH_TAGS_BITWISE_AND,
    Kind.MATCH_TAGS_BITWISE_OR,
    Kind.MATCH_TAGS_BITWISE_XOR,
)


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


class _TagColumn(NamedTuple):
    """One tag of all members."""

    present: Bools
    value: Uint32s


class _PairTest(NamedTuple):
    """A match of the sender's and the recipient's tag; groups: uint32[g], that of each group."""

    kind: Kind
    operand: int
    tag: _TagColumn
    groups: Uint32s

    def holds(self, sender: int) -> Bools:
        """bool[g]; False where the sender has no such tag."""
        if not self.tag.present[sender]:
            return np.zeros(len(self.groups), np.bool_)
        left, right, operand = self.tag.value[sender], self.groups, np.uint32(self.operand)
        if self.kind is Kind.MATCH_TAGS_DIFFERENCE:
            return _near(int(left), self.operand, right)
        found: Bools
        if self.kind is Kind.MATCH_TAGS_BITWISE_AND:
            found = (left & right) == operand
        elif self.kind is Kind.MATCH_TAGS_BITWISE_OR:
            found = (left | right) == operand
        else:
            found = right == (left ^ operand)
        return found


def _near(left: int, most: int, right: Uint32s) -> Bools:
    """|left − right| <= most, as one comparison of unsigned numbers."""
    low, high = max(left - most, 0), min(left + most, 0xFFFFFFFF)
    found: Bools = right - np.uint32(low) <= np.uint32(high - low)
    return found


class _Groups(NamedTuple):
    """Members that are alike to every sender, g groups in ascending order of their first member.

    of: int32[m], the group of each member, −1 for nobody known.  first, second: int32[g], the
    lowest members (`_NOBODY`: there is none).  weights: float64[g], members; None where each group
    is one.  base: int64[g], outcomes that do not depend on the sender, numbered; bases: how many
    there are.  descending: int64[g], the groups' numbers.
    """

    of: Int32s
    first: Int32s
    second: Int32s
    weights: npt.NDArray[np.float64] | None
    base: Int64s
    bases: int
    descending: Int64s


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
    members are active bridges.
    """

    def __init__(self, view: View, table: MemberTable, bridges: Bools) -> None:
        self._bridges = bridges
        rules = _Rules(view, table)
        self._groups = _groups(rules, bridges)
        pairs = rules.pair_tests()
        self._tests = [
            _PairTest(kind, operand, tag, tag.value[self._groups.first])
            for kind, operand, tag in pairs
        ]
        columns = [column for _, _, tag in pairs for column in tag]
        # senders whose tags are the same in all these tests are of one kind
        self._kind = _numbered(len(bridges), columns)
        kinds = self._kind[self._groups.first]
        self._by_kind = np.argsort(kinds, kind="stable")
        self._ordered_kinds = kinds[self._by_kind]
        self._example = np.unique(self._kind, return_index=True)[1]
        self._kept = self._nothing_kept()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": self._nothing_kept()}

    @property
    def portion(self) -> int:
        """How many senders to ask for at once, so that their classes fit into memory."""
        outcomes = self._groups.bases << min(len(self._tests), 32)
        return max(1, MOST_KEPT // max(1, min(len(self._groups.first), outcomes)))

    def classes(self, senders: Int32s) -> Classes:
        """The classes of some senders, member numbers."""
        kept, wanted = self._kept, np.unique(self._kind[senders])
        missing = wanted[kept.start[wanted] < 0]
        if len(missing):
            kept = self._kept = self._with(kept, missing, wanted)
        return self._without_senders(kept, senders)

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


def _classes(groups: _Groups, code: Int64s, codes: int) -> tuple[Int64s, Int32s, Int32s]:
    """Groups joined where their code is one: (class of each code; first member, size of each)."""
    size = np.bincount(code, groups.weights, codes)
    there = np.flatnonzero(size)
    number = np.zeros(codes, np.int64)
    number[there] = np.arange(len(there))
    leader = np.zeros(codes, np.int64)
    leader[code[::-1]] = groups.descending  # the last one stays: the lowest
    return number, groups.first[leader[there]], size[there].astype(np.int32)


def _second(groups: _Groups, code: Int64s, which: int) -> int:
    """The second member of the groups with one code, `_NOBODY` where there is none."""
    lowest = np.flatnonzero(code == which)[:2]
    others = groups.first[lowest[1:]].min(initial=_NOBODY)
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


# --- groups --------------------------------------------------------------------------------


class _Rules:
    """What rules ask of a recipient, each question once."""

    def __init__(self, view: View, table: MemberTable) -> None:
        self._table = table
        self._entries: dict[tuple[Any, ...], Entry] = {
            (entry.kind, *entry.value): entry
            for rules in (view.base, *view.capabilities)
            for entry in rules
        }
        self._draws = bool(self._of((Kind.MATCH_RANDOM,)))

    def own_columns(self) -> Iterator[npt.NDArray[Any]]:
        """Columns of all members: what does not depend on who the sender is."""
        address = self._table.address
        if self._draws:
            yield address  # each recipient has draws of its own
            return
        yield self._table.known
        if self._of((Kind.MATCH_CHARACTERISTICS,)):
            yield self._table.emulates  # a recipient's own answer to ipauth
        named = [entry.value[0] or 0 for entry in self._of(_NAMING)]
        yield np.where(np.isin(address, np.array(named, np.uint64)), address, np.uint64(0))
        for entry in self._of(TAG_MATCHES):
            yield self._tag(entry).present
        for entry in self._of(_OWN_VALUE):
            yield self._tag(entry).value == np.uint32(entry.value[1] or 0)

    def pair_tests(self) -> list[tuple[Kind, int, _TagColumn]]:
        """(kind, operand, tag) of the matches that compare two members."""
        pairs = [] if self._draws else self._of(_OF_PAIRS)
        return [(entry.kind, entry.value[1] or 0, self._tag(entry)) for entry in pairs]

    def _of(self, kinds: frozenset[Kind] | tuple[Kind, ...]) -> list[Entry]:
        return [entry for entry in self._entries.values() if entry.kind in kinds]

    def _tag(self, entry: Entry) -> _TagColumn:
        row = self._table.tag_ids.index(entry.value[0] or 0)
        return _TagColumn(self._table.tag_present[row], self._table.tag_value[row])


def _groups(rules: _Rules, bridges: Bools) -> _Groups:
    members = len(bridges)
    base = _numbered(members, [bridges, *rules.own_columns()])
    values = [tag.value for _, _, tag in rules.pair_tests()]
    found = _numbered(members, [base, *values])[UNKNOWN_MEMBER + 1 :]
    numbers, first, inverse = np.unique(found, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    of = np.concatenate([[-1], rank[inverse]]).astype(np.int32)
    lowest: Int32s = (first[order] + 1).astype(np.int32)
    second = np.full(len(numbers), _NOBODY, np.int32)
    rest = np.setdiff1d(np.arange(1, members, dtype=np.int32), lowest)[::-1]
    second[of[rest]] = rest  # the last one stays
    size = np.bincount(of[1:], minlength=len(numbers))
    return _Groups(
        of,
        lowest,
        second,
        None if len(numbers) == members - 1 else size.astype(np.float64),
        base[lowest],
        int(base.max(initial=0)) + 1,
        np.arange(len(numbers))[::-1],
    )


def _numbered(count: int, columns: Iterable[npt.NDArray[Any]]) -> Int64s:
    """A number for each row of some columns, the same where all their items are."""
    found = np.zeros(count, np.int64)
    for column in columns:
        values, inverse = np.unique(column, return_inverse=True)
        found = found * len(values) + inverse
        found = np.unique(found, return_inverse=True)[1].astype(np.int64)
    return found
