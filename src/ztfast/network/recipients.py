"""Recipients of a multicast, grouped by what can make the rules judge them differently.

Contract: two members are in one class of a sender where every test of the rules that looks at the
recipient has one outcome for both: which of its tags it carries, what a tag match says of it and
the sender, whether a rule names its address, whether it is a bridge.  So one judgement stands for
a class, whatever the tags' values are.  Rules that draw see each member apart.
Classes are made for the senders that are asked for and kept, up to `MOST_KEPT` of them.
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
CELLS = 1 << 16  # pairs of sender and group of recipients that are looked at together
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

    start, counts: int64[k], where a sender's classes stand in the other columns, in ascending
    order of `member`: int32, the first of a class.  size: int32, its members, never the sender.
    bridge: bool, are they active bridges?
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

    def of(self, members: npt.NDArray[Any]) -> _TagColumn:
        return _TagColumn(self.present[members], self.value[members])


class _PairTest(NamedTuple):
    """A match of the sender's and the recipient's tag; tag: of all members, groups: of each."""

    kind: Kind
    operand: int
    tag: _TagColumn
    groups: _TagColumn

    def holds(self, senders: Int32s) -> Bools:
        """bool[senders, groups]; False where the sender has no such tag."""
        mine = self.tag.of(senders)
        left, right = mine.value[:, None], self.groups.value[None, :]
        operand = np.uint32(self.operand)
        if self.kind is Kind.MATCH_TAGS_DIFFERENCE:
            found = _near(mine.value, self.operand, right)
        elif self.kind is Kind.MATCH_TAGS_BITWISE_AND:
            found = (left & right) == operand
        elif self.kind is Kind.MATCH_TAGS_BITWISE_OR:
            found = (left | right) == operand
        else:
            found = right == (left ^ operand)
        return found if mine.present.all() else found & mine.present[:, None]


def _near(left: Uint32s, most: int, right: Uint32s) -> Bools:
    """|left − right| <= most, as one comparison of unsigned numbers."""
    low = np.maximum(left.astype(np.int64) - most, 0)
    high = np.minimum(left.astype(np.int64) + most, 0xFFFFFFFF)
    width = (high - low).astype(np.uint32)
    found: Bools = right - low.astype(np.uint32)[:, None] <= width[:, None]
    return found


class _Groups(NamedTuple):
    """Members that are alike to every sender, g groups in ascending order of their first member.

    of: int32[m], the group of each member, −1 for nobody known.  first, second: int32[g], the
    lowest members (`_NOBODY`: there is none).  size: int64[g].  base: int64[g], outcomes that
    do not depend on the sender, numbered; bases: how many there are.
    """

    of: Int32s
    first: Int32s
    second: Int32s
    size: Int64s
    base: Int64s
    bases: int


class _Kept(NamedTuple):
    """Classes made so far; place: int64[m], where each sender stands in them, −1 nowhere."""

    place: Int64s
    classes: Classes


class Recipients:
    """A network's members as recipients, by sender; may be shared by threads.

    view: the rules, of either direction: both have the same entries.  bridges: bool[m], which
    members are active bridges.
    """

    def __init__(self, view: View, table: MemberTable, bridges: Bools) -> None:
        self._bridges = bridges
        rules = _Rules(view, table)
        self._groups = _groups(rules, bridges)
        self._tests = [
            _PairTest(kind, operand, tag, tag.of(self._groups.first))
            for kind, operand, tag in rules.pair_tests()
        ]
        self._kept = self._nothing_kept()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": self._nothing_kept()}

    @property
    def portion(self) -> int:
        """How many senders to ask for at once, so that their classes fit into memory."""
        return max(1, MOST_KEPT // max(1, min(len(self._groups.size), self._outcomes)))

    @property
    def _outcomes(self) -> int:
        """At most so many outcomes can all tests together have."""
        return self._groups.bases << min(len(self._tests), 32)

    def classes(self, senders: Int32s) -> Classes:
        """The classes of different senders, member numbers."""
        kept = self._kept
        missing = senders[kept.place[senders] < 0]
        if len(missing):
            kept = self._kept = self._with(kept, missing, senders)
        place, classes = kept.place[senders], kept.classes
        return classes._replace(start=classes.start[place], counts=classes.counts[place])

    def _nothing_kept(self) -> _Kept:
        none = np.zeros(0, np.int64)
        number = np.zeros(0, np.int32)
        place = np.full(len(self._bridges), -1, np.int64)
        return _Kept(place, Classes(none, none, number, number, np.zeros(0, np.bool_)))

    def _with(self, kept: _Kept, missing: Int32s, senders: Int32s) -> _Kept:
        """What is kept and the missing senders; where that is too much, only those asked for."""
        made = self._made(missing)
        if len(kept.classes.member) + len(made.member) > MOST_KEPT and len(missing) < len(senders):
            made, missing = self._made(senders), senders
        if len(kept.classes.member) + len(made.member) > MOST_KEPT:
            kept = self._nothing_kept()
        place = kept.place.copy()
        place[missing] = len(kept.classes.start) + np.arange(len(missing))
        return _Kept(place, _joined([kept.classes, made]))

    def _made(self, senders: Int32s) -> Classes:
        rows = max(1, CELLS // max(len(self._groups.size), min(self._outcomes, _CODES)))
        parts = range(0, len(senders), rows)
        return _joined([self._part(senders[low : low + rows]) for low in parts])

    def _part(self, senders: Int32s) -> Classes:
        """Each sender's groups of recipients, joined where no outcome differs."""
        groups, count = self._groups, len(senders)
        code, codes = self._codes(senders)
        own = groups.of[senders]
        rows = np.flatnonzero(own >= 0)
        own, mine = own[rows], code[rows, own[rows]]
        code[rows, own] = codes  # the sender's own group, whose members are one less
        width = codes + 1
        key = code + np.arange(count)[:, None] * width
        size = np.bincount(key.ravel(), np.tile(groups.size, count), count * width)
        first = np.full(count * width, _NOBODY, np.int32)
        first[key[:, ::-1].ravel()] = np.tile(groups.first[::-1], count)  # the last one stays
        at = rows * width + mine
        size[at] += groups.size[own] - 1
        others = groups.first[own] == senders[rows]
        first[at] = np.minimum(first[at], np.where(others, groups.second[own], groups.first[own]))
        size[codes::width] = 0
        there = np.flatnonzero(size)
        found = np.bincount(there // width, minlength=count)
        there = there[np.lexsort((first[there], there // width))]
        member = first[there]
        sizes = size[there].astype(np.int32)
        return Classes(np.cumsum(found) - found, found, member, sizes, self._bridges[member])

    def _codes(self, senders: Int32s) -> tuple[Int64s, int]:
        """(the outcomes of all tests as a number, int64[senders, groups]; numbers are below)."""
        code = np.tile(self._groups.base, (len(senders), 1))
        codes = self._groups.bases
        for test in self._tests:
            code <<= 1
            code |= test.holds(senders)
            codes *= 2
            if codes > _CODES:
                code, codes = _renumbered(code, codes)
        return code, codes


def joined_ranges(start: Int64s, count: Int64s) -> Int64s:
    """The numbers from each start on, as many as each count says, one range behind the other."""
    ends = np.cumsum(count)
    total = int(ends[-1]) if len(ends) else 0
    found: Int64s = np.repeat(start - (ends - count), count) + np.arange(total)
    return found


def _joined(parts: list[Classes]) -> Classes:
    before = np.cumsum([0, *(len(part.member) for part in parts)])
    start = [part.start + low for part, low in zip(parts, before.tolist(), strict=False)]
    return Classes(
        np.concatenate(start),
        np.concatenate([part.counts for part in parts]),
        np.concatenate([part.member for part in parts]),
        np.concatenate([part.size for part in parts]),
        np.concatenate([part.bridge for part in parts]),
    )


def _renumbered(code: Int64s, codes: int) -> tuple[Int64s, int]:
    """Numbers below `codes` without those that do not occur, in the same order."""
    seen = np.zeros(codes, np.int64)
    seen[code.ravel()] = 1
    number = np.cumsum(seen) - 1
    return number[code], int(number[-1]) + 1


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
    size = np.bincount(of[1:], minlength=len(numbers)).astype(np.int64)
    return _Groups(of, lowest, second, size, base[lowest], int(base.max(initial=0)) + 1)


def _numbered(count: int, columns: Iterable[npt.NDArray[Any]]) -> Int64s:
    """A number for each row of some columns, the same where all their items are."""
    found = np.zeros(count, np.int64)
    for column in columns:
        values, inverse = np.unique(column, return_inverse=True)
        found = found * len(values) + inverse
        found = np.unique(found, return_inverse=True)[1].astype(np.int64)
    return found
