"""What rules ask of a recipient, and the members that are alike to every sender.

Contract: a question stands once, however often rules ask it.  Its answer depends on the recipient
alone, or (`PairTest`) on the sender's tag as well; members with one answer to all of the first
and the same tags in the second are one group.  Recipients whose copies are followed are alike
only where the copies' targets cannot tell them apart either (`relay_columns`), but for addresses
that one of them owns.  Tested by tests/network/test_recipients.py and
tests/pipeline/test_deliver.py.
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

NOBODY = np.iinfo(np.int32).max  # no member's number

_SENDING = (Kind.ACTION_TEE, Kind.ACTION_WATCH, Kind.ACTION_REDIRECT)
_NAMING = (Kind.MATCH_DEST_ZEROTIER_ADDRESS, *_SENDING)
_MOST_OUTCOMES = 64  # columns of what targets say of tags; where there are more, the tags are taken
# What a match compares the recipient's tag with: the rule's value, or the sender's tag as well.
_OWN_VALUE = (Kind.MATCH_TAGS_EQUAL, Kind.MATCH_TAG_RECEIVER)
_OF_PAIRS = (
    Kind.MATCH_TAGS_DIFFERENCE,
    Kind.MATCH_TAGS_BITWISE_AND,
    Kind.MATCH_TAGS_BITWISE_OR,
    Kind.MATCH_TAGS_BITWISE_XOR,
)


class TagColumn(NamedTuple):
    """One tag of all members."""

    present: Bools
    value: Uint32s


class PairTest(NamedTuple):
    """A match of the sender's and the recipient's tag; groups: uint32[g], that of each group."""

    kind: Kind
    operand: int
    tag: TagColumn
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


class RecipientRules:
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
        if self.asks_ownership:
            yield self._table.emulates  # a recipient's own answer to ipauth
        yield self._named(_NAMING)
        for entry in self._of(TAG_MATCHES):
            yield self._tag(entry).present
        for entry in self._of(_OWN_VALUE):
            yield self._tag(entry).value == np.uint32(entry.value[1] or 0)

    def relay_columns(self) -> Iterator[npt.NDArray[Any]]:
        """Columns of all members: what else tells them apart as senders of copies."""
        yield from np.packbits(self._table.capabilities, axis=0)
        yield self._named((Kind.MATCH_SOURCE_ZEROTIER_ADDRESS,))
        for entry in self._of((Kind.MATCH_TAG_SENDER,)):
            yield self._tag(entry).value == np.uint32(entry.value[1] or 0)
        targets = np.flatnonzero(self._is_named(_SENDING)).tolist()
        tests = self.pair_tests()
        if len(tests) * len(targets) > _MOST_OUTCOMES:
            yield from (tag.value for _, _, tag in tests)
            return
        for kind, operand, tag in tests:  # each is the same whichever of the two is the sender
            test = PairTest(kind, operand, tag, tag.value)
            yield from (test.holds(target) for target in targets)

    @property
    def draws(self) -> bool:
        """Does a rule draw, so that no two recipients are alike?"""
        return self._draws

    @property
    def asks_ownership(self) -> bool:
        """May a rule ask who owns the addresses that a frame is sent from?"""
        return bool(self._of((Kind.MATCH_CHARACTERISTICS,)))

    def _named(self, kinds: tuple[Kind, ...]) -> npt.NDArray[np.uint64]:
        """The addresses that rules name by these kinds, 0 for other members."""
        return np.where(self._is_named(kinds), self._table.address, np.uint64(0))

    def _is_named(self, kinds: frozenset[Kind] | tuple[Kind, ...]) -> Bools:
        """Which members' addresses stand in rules of these kinds."""
        named = np.array(sorted({entry.value[0] or 0 for entry in self._of(kinds)}), np.uint64)
        # Both are unique: numpy would load its masked arrays to find that out, in 30 ms
        return np.isin(self._table.address, named, assume_unique=True)

    def pair_tests(self) -> list[tuple[Kind, int, TagColumn]]:
        """(kind, operand, tag) of the matches that compare two members."""
        pairs = [] if self._draws else self._of(_OF_PAIRS)
        return [(entry.kind, entry.value[1] or 0, self._tag(entry)) for entry in pairs]

    def _of(self, kinds: frozenset[Kind] | tuple[Kind, ...]) -> list[Entry]:
        return [entry for entry in self._entries.values() if entry.kind in kinds]

    def _tag(self, entry: Entry) -> TagColumn:
        row = self._table.tag_ids.index(entry.value[0] or 0)
        return TagColumn(self._table.tag_present[row], self._table.tag_value[row])


class Groups(NamedTuple):
    """Members that are alike to every sender, g groups in ascending order of their first member.

    of: int32[m], the group of each member, −1 for nobody known.  first, second: int32[g], the
    lowest members (`NOBODY`: there is none).  weights: float64[g], members; None where each group
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


def recipient_groups(rules: RecipientRules, bridges: Bools, relays: bool = False) -> Groups:
    """The members that are alike to every sender; bridges: bool[m]; relays: as senders, too."""
    members = len(bridges)
    more = rules.relay_columns() if relays else ()
    base = numbered(members, [bridges, *rules.own_columns(), *more])
    values = [tag.value for _, _, tag in rules.pair_tests()]
    found = numbered(members, [base, *values])[UNKNOWN_MEMBER + 1 :]
    numbers, first, inverse = np.unique(found, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    of = np.concatenate([[-1], rank[inverse]]).astype(np.int32)
    lowest: Int32s = (first[order] + 1).astype(np.int32)
    second = np.full(len(numbers), NOBODY, np.int32)
    rest = np.ones(members, np.bool_)
    rest[lowest] = rest[UNKNOWN_MEMBER] = False
    others = np.flatnonzero(rest)[::-1]
    second[of[others]] = others  # the last one stays
    size = np.bincount(of[1:], minlength=len(numbers))
    return Groups(
        of,
        lowest,
        second,
        None if len(numbers) == members - 1 else size.astype(np.float64),
        base[lowest],
        int(base.max(initial=0)) + 1,
        np.arange(len(numbers))[::-1],
    )


def numbered(count: int, columns: Iterable[npt.NDArray[Any]]) -> Int64s:
    """A number for each row of some columns, the same where all their items are."""
    found = np.zeros(count, np.int64)
    for column in columns:
        values, inverse = np.unique(column, return_inverse=True)
        found = found * len(values) + inverse
        found = np.unique(found, return_inverse=True)[1].astype(np.int64)
    return found
