"""What each match says, as formulas: docs/spec/evaluation.md sections 2, 3, 4 and 6.

Contract: `match_formula(entry, fields, …)` gives a `MatchFormula`, four formulas over the fields of
`proof.frame_model` and of a `SideFields`; exact for every frame that `FrameFormulas.structure`
allows.
Written from the spec, apart from both evaluators, which judge its witnesses.
Tested by tests/proof/test_symbolic.py: random frames through the reference evaluator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ztfast.model.kinds import Entry, Kind
from ztfast.proof.formula import COMPARISONS, FALSE, TRUE, Formulas, Literal
from ztfast.proof.frame_model import BROADCAST, FrameFormulas

_UINT32 = 0xFFFFFFFF


class MatchFormula(NamedTuple):
    """A match before `not`: hardNo outside `valid`, hardYes in `hard`, else `condition`.

    `arms` is where evaluating it arms skipDrop.
    """

    valid: Literal
    condition: Literal
    hard: Literal = FALSE
    arms: Literal = FALSE

    def after_not(self, formulas: Formulas, inverted: bool, engine: str) -> Literal:
        """The match's outcome; 1.12 knows no hard answers (section 9)."""
        if engine == "1.12":
            plain = formulas.both(self.valid, formulas.either(self.hard, self.condition))
            return -plain if inverted else plain
        condition = -self.condition if inverted else self.condition
        return formulas.both(self.valid, formulas.either(self.hard, condition))


class SideFields:
    """The fields of one side's evaluation that are not the frame's.

    direction: "out" or "in".  Tags are the sender's (`from`) and the receiver's (`to`); out,
    the sender may not know the receiver (`receiver_known`).  defaults: what a member without
    a tag has (tag id to value), where controllers are to be taken into account.
    again: the sender's second pass over a frame without one receiver, for each that gets it.
    """

    def __init__(
        self,
        formulas: Formulas,
        frame: FrameFormulas,
        direction: str,
        prefix: str = "",
        defaults: Mapping[int, int] | None = None,
        sender: str = "from",
        receiver: str = "to",
        again: bool = False,
    ) -> None:
        self.formulas, self.frame, self.direction = formulas, frame, direction
        self.inbound = direction == "in"
        self.prefix = prefix
        self.defaults = defaults or {}
        self.sender, self.receiver = sender, receiver
        self.node = formulas.field(f"{prefix}{direction}.node", 40)
        self.zt_source = formulas.field(f"{prefix}zt_source", 40)
        self.draws = f"{prefix}again" if again else f"{prefix}{direction}"
        dest = "in.node" if again else f"{direction}.zt_dest"
        self.zt_dest = formulas.field(prefix + dest, 40)
        known = formulas.test(formulas.field(f"{prefix}receiver_known", 1), 1)
        self.receiver_known = TRUE if again else known

    def holds(self, number: int) -> Literal:
        """The sender holds the capability with this id."""
        return self.formulas.test(self.formulas.field(f"{self.sender}.holds.{number}", 1), 1)

    def draw(self, where: str, number: int, probability: int) -> Literal:
        """The `number`th random match of a rule set draws at most `probability`."""
        field = self.formulas.field(f"{self.draws}.draw.{where}.{number}", 32)
        return self.formulas.test(field, 0, probability)

    def tag(self, number: int, local: bool) -> MemberTag:
        """One member's tag as this side sees it."""
        sender = local != self.inbound
        member = self.sender if sender else self.receiver
        known = TRUE if sender or self.inbound else self.receiver_known
        return MemberTag(self.formulas, member, number, known, self.defaults.get(number))


class MemberTag:
    """A tag of a member: whether it is there, and tests of its value."""

    def __init__(
        self, formulas: Formulas, member: str, number: int, known: Literal, default: int | None
    ) -> None:
        self.formulas, self.default = formulas, default
        self.assigned = formulas.test(formulas.field(f"{member}.has.{number}", 1), 1)
        self.value = formulas.field(f"{member}.tag.{number}", 32)
        self.known = known

    @property
    def present(self) -> Literal:
        """The tag is there."""
        if self.default is not None:
            return self.known
        return self.formulas.both(self.known, self.assigned)

    def equals(self, value: int) -> Literal:
        """The value where the tag is there (says nothing elsewhere)."""
        test = self.formulas.test(self.value, value)
        if self.default is None:
            return test
        by_default = TRUE if self.default == value else FALSE
        return self.if_assigned(test, by_default)

    def if_assigned(self, assigned: Literal, by_default: Literal) -> Literal:
        """One formula where the tag was assigned, another where the default holds."""
        return self.formulas.either(
            self.formulas.both(self.assigned, assigned),
            self.formulas.both(-self.assigned, by_default),
        )


def match_formula(
    entry: Entry, fields: SideFields, super_accept: Literal, draw: Literal
) -> MatchFormula:
    """What a match says; `super_accept`: where it is armed, `draw`: what a random one says."""
    if entry.kind is Kind.MATCH_RANDOM:
        return MatchFormula(TRUE, draw)
    if entry.kind in _TWO_SIDED:
        return _two_sided(entry, fields, super_accept)
    if entry.kind in (Kind.MATCH_TAG_SENDER, Kind.MATCH_TAG_RECEIVER):
        return _one_sided(entry, fields, super_accept)
    return _MATCHES[entry.kind](entry, fields)


def _number(entry: Entry, index: int = 0) -> int:
    return entry.value[index] or 0


# --- tags


def _pair(operator: str) -> Callable[[SideFields, MemberTag, MemberTag, int], Literal]:
    def compare(fields: SideFields, local: MemberTag, remote: MemberTag, value: int) -> Literal:
        formulas = fields.formulas
        plain = formulas.compare(operator, local.value, remote.value, value)
        if local.default is None or remote.default is None:
            return plain
        default = local.default
        return local.if_assigned(
            remote.if_assigned(
                plain, _with_number(formulas, operator, local.value, default, value)
            ),
            remote.if_assigned(
                _with_number(formulas, operator, remote.value, default, value),
                TRUE if COMPARISONS[operator](default, default, value) else FALSE,
            ),
        )

    return compare


def _with_number(
    formulas: Formulas, operator: str, field: str, default: int, value: int
) -> Literal:
    """A comparison of a field with a number."""
    if operator == "difference":
        return formulas.test(field, max(0, default - value), min(_UINT32, default + value))
    if operator == "xor":
        return formulas.test(field, default ^ value)
    if operator == "and":
        return FALSE if value & ~default else formulas.test(field, value, mask=default)
    needed = value & ~default  # "or"
    return FALSE if default & ~value else formulas.test(field, needed, mask=_UINT32 & ~default)


def _equal(fields: SideFields, local: MemberTag, remote: MemberTag, value: int) -> Literal:
    return fields.formulas.both(local.equals(value), remote.equals(value))


_TWO_SIDED: dict[Kind, Callable[[SideFields, MemberTag, MemberTag, int], Literal]] = {
    Kind.MATCH_TAGS_DIFFERENCE: _pair("difference"),
    Kind.MATCH_TAGS_BITWISE_AND: _pair("and"),
    Kind.MATCH_TAGS_BITWISE_OR: _pair("or"),
    Kind.MATCH_TAGS_BITWISE_XOR: _pair("xor"),
    Kind.MATCH_TAGS_EQUAL: _equal,
}


# what asks for the tags of a frame's receiver
RECEIVERS_TAGS = frozenset((*_TWO_SIDED, Kind.MATCH_TAG_RECEIVER))


def _two_sided(entry: Entry, fields: SideFields, super_accept: Literal) -> MatchFormula:
    formulas = fields.formulas
    local, remote = fields.tag(_number(entry), True), fields.tag(_number(entry), False)
    lenient = super_accept if fields.inbound else TRUE
    hard = formulas.all((local.present, -remote.present, lenient))
    both = formulas.both(local.present, remote.present)
    condition = _TWO_SIDED[entry.kind](fields, local, remote, _number(entry, 1))
    return MatchFormula(formulas.either(both, hard), condition, hard, hard)


def _one_sided(entry: Entry, fields: SideFields, super_accept: Literal) -> MatchFormula:
    formulas = fields.formulas
    local = (entry.kind is Kind.MATCH_TAG_SENDER) != fields.inbound
    tag = fields.tag(_number(entry), local)
    lenient = super_accept
    if entry.kind is Kind.MATCH_TAG_RECEIVER and not fields.inbound:
        lenient = formulas.either(lenient, -tag.present)
    return MatchFormula(
        formulas.either(tag.present, lenient), tag.equals(_number(entry, 1)), lenient, lenient
    )


# --- headers


def _plain(name: str) -> Callable[[Entry, SideFields], MatchFormula]:
    return lambda entry, fields: MatchFormula(TRUE, fields.frame.test(name, _number(entry)))


def _address4(name: str) -> Callable[[Entry, SideFields], MatchFormula]:
    def answer(entry: Entry, fields: SideFields) -> MatchFormula:
        address, bits = _number(entry), _number(entry, 1)
        mask = (_UINT32 << (32 - bits)) & _UINT32
        return MatchFormula(fields.frame.ipv4, fields.frame.test(name, address & mask, mask=mask))

    return answer


def _address6(name: str) -> Callable[[Entry, SideFields], MatchFormula]:
    def answer(entry: Entry, fields: SideFields) -> MatchFormula:
        address, bits = _number(entry), _number(entry, 1)
        full = (1 << 128) - 1
        mask = (full << (128 - bits)) & full
        if address & ~mask:
            return MatchFormula(fields.frame.ipv6, FALSE)
        return MatchFormula(fields.frame.ipv6, fields.frame.test(name, address, mask=mask))

    return answer


def _tos(entry: Entry, fields: SideFields) -> MatchFormula:
    mask, start, end = (_number(entry, index) for index in range(3))
    return MatchFormula(fields.frame.ip, fields.frame.test("tos", start, end, mask))


def _protocol(entry: Entry, fields: SideFields) -> MatchFormula:
    return MatchFormula(fields.frame.transport, fields.frame.test("protocol", _number(entry)))


def _port(name: str) -> Callable[[Entry, SideFields], MatchFormula]:
    return lambda entry, fields: MatchFormula(
        fields.frame.transport, fields.frame.port(name, _number(entry), _number(entry, 1))
    )


def _icmp(entry: Entry, fields: SideFields) -> MatchFormula:
    frame = fields.frame
    valid = fields.formulas.both(frame.has_icmp, frame.test("icmp_type", _number(entry)))
    if entry.value[1] is None:
        return MatchFormula(valid, TRUE, TRUE)
    return MatchFormula(valid, frame.test("icmp_code", entry.value[1]))


def _size(entry: Entry, fields: SideFields) -> MatchFormula:
    return MatchFormula(TRUE, fields.frame.test("length", _number(entry), _number(entry, 1)))


def _zero(entry: Entry, fields: SideFields) -> MatchFormula:
    return MatchFormula(TRUE, TRUE if _number(entry) == 0 else FALSE)


def _zt(which: str) -> Callable[[Entry, SideFields], MatchFormula]:
    return lambda entry, fields: MatchFormula(
        TRUE, fields.formulas.test(getattr(fields, which), _number(entry))
    )


def _characteristics(entry: Entry, fields: SideFields) -> MatchFormula:
    mask, frame = _number(entry), fields.frame
    bits = (
        (1 << 63, TRUE if fields.inbound else FALSE),
        (1 << 62, frame.test("mac_dest", 1 << 40, mask=1 << 40)),
        (1 << 61, frame.test("mac_dest", BROADCAST)),
        (1 << 60, frame.ipauth),
        (1 << 59, frame.macauth),
    )
    named = [literal for bit, literal in bits if mask & bit]
    if mask & 0xFFF:
        named.append(frame.tcp_bits(mask & 0xFFF))
    return MatchFormula(TRUE, fields.formulas.any(named))


def _integer(entry: Entry, fields: SideFields) -> MatchFormula:
    start, end, offset, bits, little = (_number(entry, index) for index in range(5))
    name = fields.frame.integer(offset, (bits - 1 & 63) + 1, bool(little))
    last = start + (end - start & _UINT32) & 0xFFFFFFFFFFFFFFFF
    return MatchFormula(TRUE, fields.frame.test(name, start, last))


_MATCHES: dict[Kind, Callable[[Entry, SideFields], MatchFormula]] = {
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
