"""View → Program: each match becomes tests over columns, each action one instruction.

Contract: `encode(view)` gives the plain table, correct and not optimised.  A match is
first put into one form (`Tests`): it holds where all `valid` tests hold and, after
`not`, all `conditions` do; hardNo of docs/spec/evaluation.md is a failed `valid`.
Before 1.14 there is no hardNo, so `valid` joins the conditions.  Tested by
tests/program/test_encode.py and against the reference by the differential tests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ztfast.model.kinds import Entry, Kind
from ztfast.model.reads import Reads
from ztfast.model.view import View
from ztfast.program.dnf import Comparison
from ztfast.program.opcodes import (
    FIRST_OWN_COLUMN,
    Chr,
    Column,
    Flag,
    FrameKind,
    Into,
    Missing,
    Op,
    Owned,
    TagTest,
)
from ztfast.program.program import (
    FACT_WIDTHS,
    Fact,
    IntegerKey,
    OwnColumn,
    Program,
    instructions,
    set_jumps,
)

_U64 = (1 << 64) - 1


class Tests(NamedTuple):
    """A match as tests: holds where all `valid` hold and (not) all `conditions` hold."""

    valid: tuple[Comparison, ...]
    conditions: tuple[Comparison, ...]
    inverted: bool = False


def encode(view: View) -> Program:
    """The plain program of a view."""
    encoder = _Encoder(view)
    encoder.section(view.base)
    starts = [0]
    number = len(view.base)
    for index, entries in enumerate(view.capabilities):
        starts.append(number)
        column = encoder.own(Fact.HOLDS, index)
        encoder.emit(Op.SECTION, column=column, other=index)
        encoder.section(entries, number)
        number += len(entries)
    encoder.emit(Op.END)  # the table's own end, behind the last section's
    table = set_jumps(instructions(encoder.rows))
    return Program(view, table, tuple(encoder.columns), tuple(starts))


class _Encoder:
    """Collects rows; knows the view's direction and engine."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.rows: list[tuple[int, ...]] = []
        self.columns: list[OwnColumn] = []
        self._numbers: dict[tuple[Fact, int | IntegerKey], int] = {}
        self._old = view.engine == "1.12"
        self._can_arm = False
        self._can_skip = False

    def section(self, entries: tuple[Entry, ...], first: int = 0) -> None:
        self._can_arm = self.view.direction == "in" and any(
            entry.kind in (Kind.ACTION_TEE, Kind.ACTION_WATCH, Kind.ACTION_REDIRECT)
            for entry in entries
        )
        self._can_skip = not self._old and any(entry.kind in _TAG_KINDS for entry in entries)
        for number, entry in enumerate(entries, first):
            if entry.kind.is_action:
                self._action(entry, number)
            else:
                self._match(entry, number)
        self.emit(Op.END)

    def emit(
        self,
        op: Op,
        flags: int = 0,
        column: int = 0,
        entry: int = -1,
        other: int = 0,
        mask: int = 0,
        low: int = 0,
        span: int = 0,
    ) -> None:
        self.rows.append((int(op), int(flags), column, entry, 0, other, mask, low, span))

    def own(self, fact: Fact, key: int | IntegerKey) -> int:
        """The number of one of the program's own columns, new or known."""
        number = self._numbers.get((fact, key))
        if number is None:
            number = FIRST_OWN_COLUMN + len(self.columns)
            self._numbers[fact, key] = number
            self.columns.append(OwnColumn(fact, key, FACT_WIDTHS[fact]))
        return number

    # actions

    def _action(self, entry: Entry, number: int) -> None:
        kind = entry.kind
        if kind in (Kind.ACTION_TEE, Kind.ACTION_WATCH, Kind.ACTION_REDIRECT):
            self.emit(Op.READ, Flag.ALTERNATIVE, Column.MISSING, number, mask=Missing.ADDRESSES)
            op = Op.REDIRECT if kind is Kind.ACTION_REDIRECT else Op.COPY
            self.emit(op, entry=number, low=entry.value[0] or 0)
        elif kind is Kind.ACTION_DROP:
            self.emit(Op.DROP, Flag.SKIPPABLE if self._can_skip else 0, entry=number)
        elif kind is Kind.ACTION_ACCEPT:
            self.emit(Op.ACCEPT, entry=number)
        elif kind is Kind.ACTION_BREAK:
            self.emit(Op.BREAK, entry=number)
        else:
            self.emit(Op.PRIORITY, entry=number)

    # matches

    def _match(self, entry: Entry, number: int) -> None:
        or_flag = Flag.ALTERNATIVE if entry.alternative else 0
        first = len(self.rows)
        self._match_rows(entry, number, or_flag)
        if or_flag:  # a jump may only land on the first of them
            self.rows[first:] = [(row[0], row[1] | or_flag, *row[2:]) for row in self.rows[first:]]

    def _match_rows(self, entry: Entry, number: int, or_flag: int) -> None:
        column, mask = self._reads(entry)
        if mask:
            self.emit(Op.READ, or_flag, column, number, mask=mask)
        if entry.kind in _TAG_KINDS:
            self._tag_match(entry, number, or_flag)
        elif entry.kind is Kind.MATCH_RANDOM:
            negate = Flag.NEGATE if entry.inverted else 0
            into = Into.OR_SET if entry.alternative else Into.AND_SET
            self.emit(Op.RANDOM, into | negate | or_flag, entry=number, span=entry.value[0] or 0)
        else:
            self._tests(self._form(entry), number, or_flag)

    def _form(self, entry: Entry) -> Tests:
        """The match as tests, after the engine's version has had its say."""
        if entry.kind is Kind.INTEGER_RANGE:
            form = self._integer(entry)
        elif entry.kind is Kind.MATCH_CHARACTERISTICS:
            form = _characteristics(entry.value[0] or 0, self.view.direction)
        else:
            form = _FORMS[entry.kind](entry.value)
        inverted = form.inverted != entry.inverted
        if self._old:
            return Tests((), form.valid + form.conditions, inverted)
        if entry.kind is Kind.MATCH_ICMP and not form.conditions:
            inverted = False  # hardYes: a matching type without a code is true whatever `not` says
        return Tests(form.valid, form.conditions, inverted)

    def _integer(self, entry: Entry) -> Tests:
        start, end = entry.value[0] or 0, entry.value[1] or 0
        high = (start + ((end - start) & 0xFFFFFFFF)) & _U64
        column = self.own(Fact.INTEGER, _integer_key(entry))
        return Tests((), (_between(column, start, high),))

    def _reads(self, entry: Entry) -> tuple[int, int]:
        """(column, mask) of what the match reads that may be missing."""
        if entry.kind is Kind.INTEGER_RANGE:
            return self.own(Fact.INTEGER_MISSING, _integer_key(entry)), Reads.INTEGER
        if entry.kind is Kind.MATCH_CHARACTERISTICS:
            return Column.MISSING, _characteristics_reads(entry.value[0] or 0)
        if entry.kind in (Kind.MATCH_TAG_SENDER, Kind.MATCH_TAG_RECEIVER):
            local = self._one_sided_is_local(entry)
            return Column.MISSING, Missing.LOCAL_TAGS if local else Missing.REMOTE_TAGS
        return Column.MISSING, _READS.get(entry.kind, 0)

    def _tests(self, form: Tests, number: int, or_flag: int) -> None:
        """Emit a match's tests so that they fold into the set."""
        conditions = form.conditions
        single = len(conditions) <= 1 or not form.inverted
        if not or_flag and single:
            for test in (*form.valid, *_negated(conditions, form.inverted)):
                self._test(test, number, Into.AND_SET)
            if not conditions and form.inverted:
                self.emit(Op.CONST, Into.AND_SET, entry=number, low=0)
            return
        tests = (*form.valid, *_negated(conditions, form.inverted)) if single else form.valid
        if or_flag and single and len(tests) == 1 and (conditions or not form.inverted):
            self._test(tests[0], number, Into.OR_SET, or_flag)
            return
        self._term(form, number)
        into = Into.OR_SET if or_flag else Into.AND_SET
        self.emit(Op.TERM, into | or_flag, entry=number)

    def _term(self, form: Tests, number: int) -> None:
        """Put the whole match into the term."""
        self.emit(Op.CONST, Into.TERM, entry=number, low=1)
        for test in form.conditions:
            self._test(test, number, Into.AND_TERM)
        if form.inverted:
            self.emit(Op.TERM, Into.TERM | Flag.NEGATE, entry=number)
        for test in form.valid:
            self._test(test, number, Into.AND_TERM)

    def _test(self, test: Comparison, number: int, into: Into, flags: int = 0) -> None:
        negate = Flag.NEGATE if test.negate else 0
        if test.span < 0:  # an empty range
            self.emit(Op.CONST, into | negate | flags, entry=number, low=0)
            return
        self.emit(
            Op.TEST, into | negate | flags, test.column, number, 0, test.mask, test.low, test.span
        )

    # tags

    def _one_sided_is_local(self, entry: Entry) -> bool:
        return (entry.kind is Kind.MATCH_TAG_SENDER) == (self.view.direction == "out")

    def _tag_match(self, entry: Entry, number: int, or_flag: int) -> None:
        """Spec section 6; the term ends as the match's outcome."""
        tag, value = entry.value[0] or 0, entry.value[1] or 0
        if entry.kind in (Kind.MATCH_TAG_SENDER, Kind.MATCH_TAG_RECEIVER):
            self._one_sided(entry, number, or_flag, tag, value)
        else:
            self._two_sided(entry, number, or_flag, tag, value)
        negate = Flag.NEGATE if self._old and entry.inverted else 0
        into = Into.OR_SET if or_flag else Into.AND_SET
        self.emit(Op.TERM, into | negate | or_flag, entry=number)

    def _presence(self, tag: int, local: bool, negate: bool = False) -> Comparison:
        bit = 1 if local else 2
        return Comparison(self.own(Fact.TAG_PRESENCE, tag), bit, bit, 0, negate)

    def _one_sided(self, entry: Entry, number: int, or_flag: int, tag: int, value: int) -> None:
        local = self._one_sided_is_local(entry)
        hard_yes_if_missing = entry.kind is Kind.MATCH_TAG_RECEIVER and not local
        if self._can_arm:
            self._arm_skip((Op.ARMED,), (), number, or_flag)
        if hard_yes_if_missing:
            self._arm_skip((), (self._presence(tag, local, negate=True),), number, or_flag)
        column = self.own(Fact.LOCAL_TAG if local else Fact.REMOTE_TAG, tag)
        negate = entry.inverted and not self._old
        self._test(Comparison(column, 0xFFFFFFFF, value, 0, negate), number, Into.TERM)
        if hard_yes_if_missing:
            self._test(self._presence(tag, local, negate=True), number, Into.OR_TERM)
        else:
            self._test(self._presence(tag, local), number, Into.AND_TERM)
        if self._can_arm:
            self.emit(Op.ARMED, Into.OR_TERM, entry=number)

    def _two_sided(self, entry: Entry, number: int, or_flag: int, tag: int, value: int) -> None:
        out = self.view.direction == "out"
        here, there = self._presence(tag, True), self._presence(tag, False)
        absent = self._presence(tag, False, negate=True)
        if out:
            self._arm_skip((), (here, absent), number, or_flag)
        elif self._can_arm:
            self._arm_skip((Op.ARMED,), (here, absent), number, or_flag)
            self.emit(Op.ARMED, Into.TERM, entry=number)
            self._test(absent, number, Into.AND_TERM)
            self.emit(Op.SAVE, entry=number)
        self._compare(entry.kind, tag, value, number)
        if entry.inverted and not self._old:
            self.emit(Op.TERM, Into.TERM | Flag.NEGATE, entry=number)
        if out:
            self._test(absent, number, Into.OR_TERM)
        else:
            self._test(there, number, Into.AND_TERM)
        if not out and self._can_arm:
            self.emit(Op.SAVED, Into.OR_TERM, entry=number)
        self._test(here, number, Into.AND_TERM)

    def _compare(self, kind: Kind, tag: int, value: int, number: int) -> None:
        local, remote = self.own(Fact.LOCAL_TAG, tag), self.own(Fact.REMOTE_TAG, tag)
        if kind is Kind.MATCH_TAGS_EQUAL:
            self._test(Comparison(local, 0xFFFFFFFF, value, 0), number, Into.TERM)
            self._test(Comparison(remote, 0xFFFFFFFF, value, 0), number, Into.AND_TERM)
            return
        how = _TAG_TESTS[kind]
        self.emit(Op.TAGS, Into.TERM, local, number, remote, mask=how, low=value)

    def _arm_skip(
        self, states: tuple[Op, ...], tests: tuple[Comparison, ...], number: int, or_flag: int
    ) -> None:
        """Arm skipDrop where the match is evaluated and all of these hold."""
        if self._old:
            return
        self.emit(Op.CONST, Into.TERM, entry=number, low=1)
        for state in states:
            self.emit(state, Into.AND_TERM, entry=number)
        for test in tests:
            self._test(test, number, Into.AND_TERM)
        self.emit(Op.ARM_SKIP, or_flag, entry=number)


def _negated(conditions: tuple[Comparison, ...], inverted: bool) -> tuple[Comparison, ...]:
    return tuple(test.inverse() for test in conditions) if inverted else conditions


def _between(column: int, low: int, high: int, mask: int = _U64) -> Comparison:
    """low <= column & mask <= high; an empty range has span −1."""
    return Comparison(column, mask, low, high - low if high >= low else -1)


def _equal(column: int, value: int, mask: int = _U64) -> Comparison:
    return Comparison(column, mask, value, 0)


def _has(column: int, bits: int) -> Comparison:
    """All of `bits` set (one bit in practice)."""
    return Comparison(column, bits, bits, 0)


def _any(column: int, bits: int) -> Comparison:
    return Comparison(column, bits, 0, 0, negate=True)


_IPV4 = _has(Column.KIND, FrameKind.IPV4)
_IPV6 = _has(Column.KIND, FrameKind.IPV6)
_IP = _any(Column.KIND, FrameKind.IPV4 | FrameKind.IPV6)
_PROTOCOL = _has(Column.KIND, FrameKind.PROTOCOL)

Value = tuple[int | None, ...]


def _plain(column: int) -> Callable[[Value], Tests]:
    return lambda value: Tests((), (_equal(column, value[0] or 0),))


def _constant_zero(value: Value) -> Tests:
    return Tests((), () if (value[0] or 0) == 0 else (Comparison(0, 0, 1, 0),))


def _ipv4(column: int) -> Callable[[Value], Tests]:
    def form(value: Value) -> Tests:
        address, bits = value[0] or 0, value[1] or 0
        mask = (0xFFFFFFFF << (32 - bits)) & 0xFFFFFFFF
        return Tests((_IPV4,), (_equal(column, address & mask, mask),))

    return form


def _ipv6(high: int, low: int) -> Callable[[Value], Tests]:
    def form(value: Value) -> Tests:
        address, bits = value[0] or 0, value[1] or 0
        mask = (((1 << 128) - 1) << (128 - bits)) & ((1 << 128) - 1)
        return Tests(
            (_IPV6,),
            (
                _equal(high, address >> 64, mask >> 64),
                _equal(low, address & _U64, mask & _U64),
            ),
        )

    return form


def _tos(value: Value) -> Tests:
    mask, start, end = (item or 0 for item in value)
    return Tests((_IP,), (_between(Column.TOS, start, end, mask),))


def _protocol(value: Value) -> Tests:
    return Tests((_PROTOCOL,), (_equal(Column.PROTOCOL, value[0] or 0),))


def _port(column: int, bit: FrameKind) -> Callable[[Value], Tests]:
    def form(value: Value) -> Tests:
        start, end = (item or 0 for item in value)
        return Tests((_PROTOCOL,), (_has(Column.KIND, bit), _between(column, start, end)))

    return form


def _icmp(value: Value) -> Tests:
    kind, code = value
    valid = (_has(Column.KIND, FrameKind.ICMP), _equal(Column.ICMP_TYPE, kind or 0))
    return Tests(valid, () if code is None else (_equal(Column.ICMP_CODE, code),))


def _frame_size(value: Value) -> Tests:
    start, end = (item or 0 for item in value)
    return Tests((), (_between(Column.LENGTH, start, end),))


def _characteristics(mask: int, direction: str) -> Tests:
    """ANY bit: not (no bit of each part)."""
    if mask >> 63 & 1 and direction == "in":
        return Tests((), ())
    frame = (Chr.MULTICAST if mask >> 62 & 1 else 0) | (Chr.BROADCAST if mask >> 61 & 1 else 0)
    owned = (Owned.IP if mask >> 60 & 1 else 0) | (Owned.MAC if mask >> 59 & 1 else 0)
    parts = [
        Comparison(column, bits, 0, 0)
        for column, bits in (
            (Column.CHARACTERISTICS, frame),
            (Column.TCP_FLAGS, mask & 0xFFF),
            (Column.OWNERSHIP, owned),
        )
        if bits
    ]
    return Tests((), tuple(parts), inverted=True)


def _integer_key(entry: Entry) -> IntegerKey:
    _, _, index, bits, little = (item or 0 for item in entry.value)
    return IntegerKey(index, ((bits - 1) & 63) + 1, bool(little))


def _characteristics_reads(mask: int) -> int:
    bits = 0
    if mask >> 61 & 3:
        bits |= Reads.MAC_DEST
    if mask >> 60 & 1:
        bits |= Reads.ETHERTYPE | Reads.AUTH_ADDRESS | Missing.OWNED_IP
    if mask >> 59 & 1:
        bits |= Reads.MAC_SOURCE | Missing.OWNED_MAC
    if mask & 0xFFF:
        bits |= Reads.ETHERTYPE | Reads.TCP_FLAGS
    return bits


_FORMS: dict[Kind, Callable[[Value], Tests]] = {
    Kind.MATCH_SOURCE_ZEROTIER_ADDRESS: _plain(Column.ZT_SOURCE),
    Kind.MATCH_DEST_ZEROTIER_ADDRESS: _plain(Column.ZT_DEST),
    Kind.MATCH_VLAN_ID: _plain(Column.VLAN),
    Kind.MATCH_VLAN_PCP: _constant_zero,
    Kind.MATCH_VLAN_DEI: _constant_zero,
    Kind.MATCH_MAC_SOURCE: _plain(Column.MAC_SOURCE),
    Kind.MATCH_MAC_DEST: _plain(Column.MAC_DEST),
    Kind.MATCH_IPV4_SOURCE: _ipv4(Column.IP4_SOURCE),
    Kind.MATCH_IPV4_DEST: _ipv4(Column.IP4_DEST),
    Kind.MATCH_IPV6_SOURCE: _ipv6(Column.IP6_SOURCE_HIGH, Column.IP6_SOURCE_LOW),
    Kind.MATCH_IPV6_DEST: _ipv6(Column.IP6_DEST_HIGH, Column.IP6_DEST_LOW),
    Kind.MATCH_IP_TOS: _tos,
    Kind.MATCH_IP_PROTOCOL: _protocol,
    Kind.MATCH_ETHERTYPE: _plain(Column.ETHERTYPE),
    Kind.MATCH_ICMP: _icmp,
    Kind.MATCH_IP_SOURCE_PORT_RANGE: _port(Column.SOURCE_PORT, FrameKind.SOURCE_PORT),
    Kind.MATCH_IP_DEST_PORT_RANGE: _port(Column.DEST_PORT, FrameKind.DEST_PORT),
    Kind.MATCH_FRAME_SIZE_RANGE: _frame_size,
}

_TAG_TESTS = {
    Kind.MATCH_TAGS_DIFFERENCE: TagTest.DIFFERENCE,
    Kind.MATCH_TAGS_BITWISE_AND: TagTest.AND,
    Kind.MATCH_TAGS_BITWISE_OR: TagTest.OR,
    Kind.MATCH_TAGS_BITWISE_XOR: TagTest.XOR,
}
_TAG_KINDS = frozenset(
    (*_TAG_TESTS, Kind.MATCH_TAGS_EQUAL, Kind.MATCH_TAG_SENDER, Kind.MATCH_TAG_RECEIVER)
)

_IP_READ: dict[Kind, int] = {
    Kind.MATCH_IPV4_SOURCE: Reads.IP_SOURCE,
    Kind.MATCH_IPV6_SOURCE: Missing.IP6_SOURCE,
    Kind.MATCH_IPV4_DEST: Reads.IP_DEST,
    Kind.MATCH_IPV6_DEST: Missing.IP6_DEST,
    Kind.MATCH_IP_TOS: Reads.TOS,
    Kind.MATCH_IP_PROTOCOL: Reads.PROTOCOL,
    Kind.MATCH_ICMP: Reads.ICMP,
    Kind.MATCH_IP_SOURCE_PORT_RANGE: Reads.SOURCE_PORT,
    Kind.MATCH_IP_DEST_PORT_RANGE: Reads.DEST_PORT,
}
_READS: dict[Kind, int] = {
    **{kind: int(read) | Reads.ETHERTYPE for kind, read in _IP_READ.items()},
    Kind.MATCH_ETHERTYPE: Reads.ETHERTYPE,
    Kind.MATCH_VLAN_ID: Reads.ETHERTYPE,  # a decoded tag stands in front of it
    Kind.MATCH_MAC_SOURCE: Reads.MAC_SOURCE,
    Kind.MATCH_MAC_DEST: Reads.MAC_DEST,
    Kind.MATCH_SOURCE_ZEROTIER_ADDRESS: Missing.ADDRESSES,
    Kind.MATCH_DEST_ZEROTIER_ADDRESS: Missing.ADDRESSES,
    **dict.fromkeys(_TAG_KINDS, Missing.LOCAL_TAGS | Missing.REMOTE_TAGS),
}
