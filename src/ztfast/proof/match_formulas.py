"""What each match says, as sets: docs/spec/evaluation.md sections 2, 3, 4 and 6.

Contract: `said(entry, side, …)` gives an `Answer`, four sets over the fields of
`proof.frame_model` and of a `Side`; exact for every frame that `FrameSets.structure` allows.
Written from the spec, apart from both evaluators, which judge its witnesses.
Tested by tests/proof/test_symbolic.py: random frames through the reference evaluator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ztfast.model.kinds import Entry, Kind
from ztfast.proof.formula import FALSE, TRUE, Lit, Sets
from ztfast.proof.frame_model import BROADCAST, FrameSets

_UINT32 = 0xFFFFFFFF


class Answer(NamedTuple):
    """A match before `not`: hardNo outside `valid`, hardYes in `hard`, else `condition`.

    `arms` is where evaluating it arms skipDrop.
    """

    valid: Lit
    condition: Lit
    hard: Lit = FALSE
    arms: Lit = FALSE

    def after_not(self, sets: Sets, inverted: bool, engine: str) -> Lit:
        """The match's outcome; 1.12 knows no hard answers (section 9)."""
        if engine == "1.12":
            plain = sets.both(self.valid, sets.either(self.hard, self.condition))
            return -plain if inverted else plain
        condition = -self.condition if inverted else self.condition
        return sets.both(self.valid, sets.either(self.hard, condition))


class Side:
    """The fields of one side's evaluation that are not the frame's.

    direction: "out" or "in".  Tags are the sender's (`from`) and the receiver's (`to`); out,
    the sender may not know the receiver (`receiver_known`).  defaults: what a member without
    a tag has (tag id to value), where controllers are to be taken into account.
    """

    def __init__(
        self,
        sets: Sets,
        frame: FrameSets,
        direction: str,
        prefix: str = "",
        defaults: Mapping[int, int] | None = None,
        sender: str = "from",
        receiver: str = "to",
    ) -> None:
        self.sets, self.frame, self.direction = sets, frame, direction
        self.inbound = direction == "in"
        self.prefix = prefix
        self.defaults = defaults or {}
        self.sender, self.receiver = sender, receiver
        self.node = sets.field(f"{prefix}{direction}.node", 40)
        self.zt_source = sets.field(f"{prefix}zt_source", 40)
        self.zt_dest = sets.field(f"{prefix}{direction}.zt_dest", 40)
        self.receiver_known = sets.test(sets.field(f"{prefix}receiver_known", 1), 1)

    def draw(self, where: str, number: int, probability: int) -> Lit:
        """The `number`th random match of a rule set draws at most `probability`."""
        field = self.sets.field(f"{self.prefix}{self.direction}.draw.{where}.{number}", 32)
        return self.sets.test(field, 0, probability)

    def tag(self, number: int, local: bool) -> Tag:
        """One member's tag as this side sees it."""
        sender = local != self.inbound
        member = self.sender if sender else self.receiver
        known = TRUE if sender or self.inbound else self.receiver_known
        return Tag(self.sets, member, number, known, self.defaults.get(number))


class Tag:
    """A tag of a member: whether it is there, and tests of its value."""

    def __init__(
        self, sets: Sets, member: str, number: int, known: Lit, default: int | None
    ) -> None:
        self.sets, self.default = sets, default
        self.assigned = sets.test(sets.field(f"{member}.has.{number}", 1), 1)
        self.value = sets.field(f"{member}.tag.{number}", 32)
        self.known = known

    @property
    def present(self) -> Lit:
        """The tag is there."""
        return self.known if self.default is not None else self.sets.both(self.known, self.assigned)

    def equals(self, value: int) -> Lit:
        """The value where the tag is there (says nothing elsewhere)."""
        test = self.sets.test(self.value, value)
        if self.default is None:
            return test
        by_default = TRUE if self.default == value else FALSE
        return self.choose(test, by_default)

    def choose(self, assigned: Lit, by_default: Lit) -> Lit:
        """One set where the tag was assigned, another where the default holds."""
        return self.sets.either(
            self.sets.both(self.assigned, assigned), self.sets.both(-self.assigned, by_default)
        )


def said(entry: Entry, side: Side, super_accept: Lit, draw: Lit) -> Answer:
    """The answer of a match; `super_accept`: where it is armed, `draw`: a random one's answer."""
    if entry.kind is Kind.MATCH_RANDOM:
        return Answer(TRUE, draw)
    if entry.kind in _TWO_SIDED:
        return _two_sided(entry, side, super_accept)
    if entry.kind in (Kind.MATCH_TAG_SENDER, Kind.MATCH_TAG_RECEIVER):
        return _one_sided(entry, side, super_accept)
    return _MATCHES[entry.kind](entry, side)


def _number(entry: Entry, index: int = 0) -> int:
    return entry.value[index] or 0


# --- tags


def _pair(how: str) -> Callable[[Side, Tag, Tag, int], Lit]:
    def compare(side: Side, local: Tag, remote: Tag, value: int) -> Lit:
        sets = side.sets
        plain = sets.pair(how, local.value, remote.value, value)
        if local.default is None or remote.default is None:
            return plain
        given = local.default
        return local.choose(
            remote.choose(plain, _with(sets, how, local.value, given, value)),
            remote.choose(
                _with(sets, how, remote.value, given, value),
                TRUE if _HOLDS[how](given, given, value) else FALSE,
            ),
        )

    return compare


_HOLDS: dict[str, Callable[[int, int, int], bool]] = {
    "difference": lambda a, b, v: abs(a - b) <= v,
    "and": lambda a, b, v: a & b == v,
    "or": lambda a, b, v: a | b == v,
    "xor": lambda a, b, v: a ^ b == v,
}


def _with(sets: Sets, how: str, field: str, given: int, value: int) -> Lit:
    """A comparison of a field with a number."""
    if how == "difference":
        return sets.test(field, max(0, given - value), min(_UINT32, given + value))
    if how == "xor":
        return sets.test(field, given ^ value)
    if how == "and":
        return FALSE if value & ~given else sets.test(field, value, mask=given)
    needed = value & ~given  # "or"
    return FALSE if given & ~value else sets.test(field, needed, mask=_UINT32 & ~given)


def _equal(side: Side, local: Tag, remote: Tag, value: int) -> Lit:
    return side.sets.both(local.equals(value), remote.equals(value))


_TWO_SIDED: dict[Kind, Callable[[Side, Tag, Tag, int], Lit]] = {
    Kind.MATCH_TAGS_DIFFERENCE: _pair("difference"),
    Kind.MATCH_TAGS_BITWISE_AND: _pair("and"),
    Kind.MATCH_TAGS_BITWISE_OR: _pair("or"),
    Kind.MATCH_TAGS_BITWISE_XOR: _pair("xor"),
    Kind.MATCH_TAGS_EQUAL: _equal,
}


def _two_sided(entry: Entry, side: Side, super_accept: Lit) -> Answer:
    sets = side.sets
    local, remote = side.tag(_number(entry), True), side.tag(_number(entry), False)
    lenient = super_accept if side.inbound else TRUE
    hard = sets.all((local.present, -remote.present, lenient))
    both = sets.both(local.present, remote.present)
    condition = _TWO_SIDED[entry.kind](side, local, remote, _number(entry, 1))
    return Answer(sets.either(both, hard), condition, hard, hard)


def _one_sided(entry: Entry, side: Side, super_accept: Lit) -> Answer:
    sets = side.sets
    local = (entry.kind is Kind.MATCH_TAG_SENDER) != side.inbound
    tag = side.tag(_number(entry), local)
    lenient = super_accept
    if entry.kind is Kind.MATCH_TAG_RECEIVER and not side.inbound:
        lenient = sets.either(lenient, -tag.present)
    return Answer(
        sets.either(tag.present, lenient), tag.equals(_number(entry, 1)), lenient, lenient
    )


# --- headers


def _plain(name: str) -> Callable[[Entry, Side], Answer]:
    return lambda entry, side: Answer(TRUE, side.frame.test(name, _number(entry)))


def _address4(name: str) -> Callable[[Entry, Side], Answer]:
    def answer(entry: Entry, side: Side) -> Answer:
        address, bits = _number(entry), _number(entry, 1)
        mask = (_UINT32 << (32 - bits)) & _UINT32
        return Answer(side.frame.ipv4, side.frame.test(name, address & mask, mask=mask))

    return answer


def _address6(name: str) -> Callable[[Entry, Side], Answer]:
    def answer(entry: Entry, side: Side) -> Answer:
        address, bits = _number(entry), _number(entry, 1)
        full = (1 << 128) - 1
        mask = (full << (128 - bits)) & full
        if address & ~mask:
            return Answer(side.frame.ipv6, FALSE)
        return Answer(side.frame.ipv6, side.frame.test(name, address, mask=mask))

    return answer


def _tos(entry: Entry, side: Side) -> Answer:
    mask, start, end = (_number(entry, index) for index in range(3))
    return Answer(side.frame.ip, side.frame.test("tos", start, end, mask))


def _protocol(entry: Entry, side: Side) -> Answer:
    return Answer(side.frame.transport, side.frame.test("protocol", _number(entry)))


def _port(name: str) -> Callable[[Entry, Side], Answer]:
    return lambda entry, side: Answer(
        side.frame.transport, side.frame.port(name, _number(entry), _number(entry, 1))
    )


def _icmp(entry: Entry, side: Side) -> Answer:
    frame = side.frame
    valid = side.sets.both(frame.has_icmp, frame.test("icmp_type", _number(entry)))
    if entry.value[1] is None:
        return Answer(valid, TRUE, TRUE)
    return Answer(valid, frame.test("icmp_code", entry.value[1]))


def _size(entry: Entry, side: Side) -> Answer:
    return Answer(TRUE, side.frame.test("length", _number(entry), _number(entry, 1)))


def _zero(entry: Entry, side: Side) -> Answer:
    return Answer(TRUE, TRUE if _number(entry) == 0 else FALSE)


def _zt(which: str) -> Callable[[Entry, Side], Answer]:
    return lambda entry, side: Answer(TRUE, side.sets.test(getattr(side, which), _number(entry)))


def _characteristics(entry: Entry, side: Side) -> Answer:
    mask, frame = _number(entry), side.frame
    bits = (
        (1 << 63, TRUE if side.inbound else FALSE),
        (1 << 62, frame.test("mac_dest", 1 << 40, mask=1 << 40)),
        (1 << 61, frame.test("mac_dest", BROADCAST)),
        (1 << 60, frame.ipauth),
        (1 << 59, frame.macauth),
    )
    named = [literal for bit, literal in bits if mask & bit]
    if mask & 0xFFF:
        named.append(frame.tcp_bits(mask & 0xFFF))
    return Answer(TRUE, side.sets.any(named))


def _integer(entry: Entry, side: Side) -> Answer:
    start, end, offset, bits, little = (_number(entry, index) for index in range(5))
    name = side.frame.integer(offset, (bits - 1 & 63) + 1, bool(little))
    last = start + (end - start & _UINT32) & 0xFFFFFFFFFFFFFFFF
    return Answer(TRUE, side.frame.test(name, start, last))


_MATCHES: dict[Kind, Callable[[Entry, Side], Answer]] = {
    Kind.MATCH_SOURCE_ZEROTIER_ADDRESS: _zt("zt_source"),
    Kind.MATCH_DEST_ZEROTIER_ADDRESS: _zt("zt_dest"),
    Kind.MATCH_VLAN_ID: _plain("vlan"),
    Kind.MATCH_VLAN_PCP: _zero,
    Kind.MATCH_VLAN_DEI: _zero,
    Kind.MATCH_MAC_SOURCE: _plain("mac_source"),
    Kind.MATCH_MAC_DEST: _plain("mac_dest"),
    Kind.MATCH_IPV4_SOURCE: _address4("source4"),
    Kind.MATCH_IPV4_DEST: _address4("dest4"),
    Kind.MATCH_IPV6_SOURCE: _address6("source6"),
    Kind.MATCH_IPV6_DEST: _address6("dest6"),
    Kind.MATCH_IP_TOS: _tos,
    Kind.MATCH_IP_PROTOCOL: _protocol,
    Kind.MATCH_ETHERTYPE: _plain("ethertype"),
    Kind.MATCH_ICMP: _icmp,
    Kind.MATCH_IP_SOURCE_PORT_RANGE: _port("sport"),
    Kind.MATCH_IP_DEST_PORT_RANGE: _port("dport"),
    Kind.MATCH_CHARACTERISTICS: _characteristics,
    Kind.MATCH_FRAME_SIZE_RANGE: _size,
    Kind.INTEGER_RANGE: _integer,
}
