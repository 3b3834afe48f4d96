"""What each match says of one frame, in plain Python: docs/spec/evaluation.md sections 2 to 4, 6.

Contract: `match` gives the result before `not`, and adds to `Facts.reads` whatever the
match read without its being known: an evaluated match reads everything that it names,
without short cut (docs/exactness.md).  Bytes that were not captured, and bytes beyond
the payload, are zero.  Written to be read beside the spec, never to be fast; shares no
code with the native evaluator.  Tested by tests/engine/test_reference*.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from ztfast.engine.context import FrameContext
from ztfast.frames.frame import Frame
from ztfast.model.addresses import rfc4193_prefix, six_plane_prefix
from ztfast.model.kinds import Entry, Kind
from ztfast.model.reads import Reads
from ztfast.network.batch_context import EMULATES_6PLANE, EMULATES_RFC4193

ETHERTYPE_IPV4 = 0x0800
ETHERTYPE_ARP = 0x0806
ETHERTYPE_IPV6 = 0x86DD
PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_ICMP6 = 1, 6, 58
PORT_PROTOCOLS = frozenset((6, 17, 132, 136))
EXTENSION_HEADERS = frozenset((0, 43, 60, 135))
NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT = 135, 136
BROADCAST = 0xFFFFFFFFFFFF

INBOUND_BIT, MULTICAST_BIT, BROADCAST_BIT = 1 << 63, 1 << 62, 1 << 61
IPAUTH_BIT, MACAUTH_BIT = 1 << 60, 1 << 59
TCP_BITS = 0xFFF


class MatchResult(Enum):
    """What a match says; the hard ones are what holds *after* `not` (engine 1.14)."""

    NO = "no"
    YES = "yes"
    HARD_NO = "hardNo"
    HARD_YES = "hardYes"


@dataclass
class Facts:
    """What a match looks at, and what it leaves behind.

    `super_accept` is armed by the rule set; `skip_drop` a match may arm; `reads` collects.
    """

    frame: Frame
    context: FrameContext
    inbound: bool
    super_accept: bool = False
    skip_drop: bool = False
    reads: Reads = field(default_factory=lambda: Reads(0))

    def byte(self, offset: int, bit: Reads) -> int:
        """The payload byte at `offset`; one that exists but was not captured sets `bit`."""
        if offset < len(self.frame.payload):
            return self.frame.payload[offset]
        if offset < self.frame.length:
            self.reads |= bit
        return 0

    def word(self, first: int, count: int, bit: Reads) -> bytes:
        """The payload bytes from `first` on, each read as by `byte`."""
        return bytes(self.byte(offset, bit) for offset in range(first, first + count))

    def header(self, bit: Reads) -> None:
        """Note that a header field outside the payload is read."""
        self.reads |= self.frame.unknown & bit


def match(entry: Entry, facts: Facts, index: int) -> MatchResult:
    """The result of one match; `index` counts through base rules and all capabilities."""
    if entry.kind is Kind.MATCH_RANDOM:
        return _plain(facts.context.draw(index) <= _number(entry, 0))
    return MATCHES[entry.kind](entry, facts)


def _plain(holds: bool) -> MatchResult:
    return MatchResult.YES if holds else MatchResult.NO


def _number(entry: Entry, index: int) -> int:
    value = entry.value[index]
    assert value is not None  # only an ICMP code can be absent, and `_icmp` reads that itself
    return value


def _within(entry: Entry, value: int, first: int = 0) -> bool:
    """Is the value in the inclusive range that two fields of the entry give?"""
    return _number(entry, first) <= value <= _number(entry, first + 1)


# --- section 2: IP -------------------------------------------------------------------------


def _is_ipv4(facts: Facts) -> bool:
    facts.header(Reads.ETHERTYPE)
    return facts.frame.ethertype == ETHERTYPE_IPV4 and facts.frame.length >= 20


def _is_ipv6(facts: Facts) -> bool:
    facts.header(Reads.ETHERTYPE)
    return facts.frame.ethertype == ETHERTYPE_IPV6 and facts.frame.length >= 40


def _ipv4_address(offset: int, bit: Reads) -> Callable[[Entry, Facts], MatchResult]:
    """IPv4 compares the first `bits` bits; host bits in the rule do not matter."""

    def compare(entry: Entry, facts: Facts) -> MatchResult:
        if not _is_ipv4(facts):
            return MatchResult.HARD_NO
        address = int.from_bytes(facts.word(offset, 4, bit), "big")
        host_bits = 32 - _number(entry, 1)
        return _plain(address >> host_bits == _number(entry, 0) >> host_bits)

    return compare


def _ipv6_address(offset: int, bit: Reads) -> Callable[[Entry, Facts], MatchResult]:
    """IPv6 compares with the rule's *unmasked* address: host bits make it match nothing."""

    def compare(entry: Entry, facts: Facts) -> MatchResult:
        if not _is_ipv6(facts):
            return MatchResult.HARD_NO
        address = int.from_bytes(facts.word(offset, 16, bit), "big")
        host_bits = 128 - _number(entry, 1)
        return _plain(address >> host_bits << host_bits == _number(entry, 0))

    return compare


def _ip_tos(entry: Entry, facts: Facts) -> MatchResult:
    if _is_ipv4(facts):
        tos = facts.byte(1, Reads.TOS)
    elif _is_ipv6(facts):
        first, second = facts.word(0, 2, Reads.TOS)
        tos = (first & 0x0F) << 4 | second >> 4
    else:
        return MatchResult.HARD_NO
    return _plain(_within(entry, tos & _number(entry, 0), 1))


def _walk(facts: Facts, bit: Reads) -> tuple[int, int] | None:
    """The IPv6 payload's (protocol, position), or None where the packet is invalid."""
    position, protocol = 40, facts.byte(6, bit)
    while position <= facts.frame.length:
        if protocol not in EXTENSION_HEADERS:
            return protocol, position
        if position + 8 > facts.frame.length:
            return None
        if position >= len(facts.frame.payload):
            # Nothing is captured from here on: zeros, each a header 0 that leads 8 bytes on,
            # until they run over.  Not walking them keeps a claimed length from costing time.
            facts.reads |= bit
            return None
        protocol, units = facts.word(position, 2, bit)
        position += (units + 1) * 8
    return None


def _ipv4_header_length(facts: Facts, bit: Reads) -> int:
    return 4 * (facts.byte(0, bit) & 0x0F)


def _ip_protocol(entry: Entry, facts: Facts) -> MatchResult:
    if _is_ipv4(facts):
        return _plain(facts.byte(9, Reads.PROTOCOL) == _number(entry, 0))
    if _is_ipv6(facts):
        found = _walk(facts, Reads.PROTOCOL)
        if found is not None:
            return _plain(found[0] == _number(entry, 0))
    return MatchResult.HARD_NO


def _port(offset: int, bit: Reads) -> Callable[[Entry, Facts], MatchResult]:
    """A port range; `offset` of the port behind the IP header is 0 (source) or 2."""

    def compare(entry: Entry, facts: Facts) -> MatchResult:
        if _is_ipv4(facts):
            protocol = facts.byte(9, bit)
            position = _ipv4_header_length(facts, bit) if protocol in PORT_PROTOCOLS else 0
            lowest = 0
        elif _is_ipv6(facts):
            found = _walk(facts, bit)
            if found is None:
                return MatchResult.HARD_NO
            protocol, position = found
            lowest = 1  # port 0 is no port in IPv6
        else:
            return MatchResult.HARD_NO
        if protocol not in PORT_PROTOCOLS or facts.frame.length <= position + 4:
            return MatchResult.NO
        port = int.from_bytes(facts.word(position + offset, 2, bit), "big")
        return _plain(port >= lowest and _within(entry, port))

    return compare


def _icmp(entry: Entry, facts: Facts) -> MatchResult:
    position = _icmp_position(facts)
    if position is None or facts.frame.length < position + 2:
        return MatchResult.HARD_NO
    icmp_type, icmp_code = facts.word(position, 2, Reads.ICMP)
    if icmp_type != entry.value[0]:
        return MatchResult.HARD_NO
    if entry.value[1] is None:
        return MatchResult.HARD_YES
    return _plain(icmp_code == entry.value[1])


def _icmp_position(facts: Facts) -> int | None:
    """Where the ICMP header would start, or None where there is none."""
    if _is_ipv4(facts):
        if facts.byte(9, Reads.ICMP) == PROTOCOL_ICMP:
            return _ipv4_header_length(facts, Reads.ICMP)
    elif _is_ipv6(facts):
        found = _walk(facts, Reads.ICMP)
        if found is not None and found[0] == PROTOCOL_ICMP6:
            return found[1]
    return None


# --- section 3: other matches --------------------------------------------------------------


def _zt_source(entry: Entry, facts: Facts) -> MatchResult:
    note_addresses(facts)
    return _plain(facts.context.zt_source == _number(entry, 0))


def _zt_dest(entry: Entry, facts: Facts) -> MatchResult:
    note_addresses(facts)
    return _plain(facts.context.zt_dest == _number(entry, 0))


def note_addresses(facts: Facts) -> None:
    """Note that ZeroTier addresses are compared."""
    if not facts.context.addresses_known:
        facts.reads |= Reads.ASSUMED_ADDRESS


def _ethertype(entry: Entry, facts: Facts) -> MatchResult:
    facts.header(Reads.ETHERTYPE)
    return _plain(facts.frame.ethertype == _number(entry, 0))


def _mac_source(entry: Entry, facts: Facts) -> MatchResult:
    facts.header(Reads.MAC_SOURCE)
    return _plain(facts.frame.mac_source == _number(entry, 0))


def _mac_dest(entry: Entry, facts: Facts) -> MatchResult:
    facts.header(Reads.MAC_DEST)
    return _plain(facts.frame.mac_dest == _number(entry, 0))


def _vlan_id(entry: Entry, facts: Facts) -> MatchResult:
    """With VLAN tags decoded the id stands in front of the ethertype, and is missing with it."""
    facts.header(Reads.ETHERTYPE)
    return _plain(facts.frame.vlan == _number(entry, 0))


def _vlan_bits(entry: Entry, facts: Facts) -> MatchResult:
    """`vlanpcp`, `vlandei`: the rule's own value decides, the frame is not looked at."""
    return _plain(_number(entry, 0) == 0)


def _frame_size(entry: Entry, facts: Facts) -> MatchResult:
    return _plain(_within(entry, facts.frame.length))


def _integer_range(entry: Entry, facts: Facts) -> MatchResult:
    """An integer of the payload; one that is not wholly in it is 0, and nothing is read."""
    start, end, offset, raw_bits, little = (_number(entry, index) for index in range(5))
    bits = (raw_bits - 1 & 63) + 1
    count = (bits + 7) // 8
    first = offset if little else offset + 8 - count
    inside = first + count <= facts.frame.length
    data = facts.word(first, count, Reads.INTEGER) if inside else b""
    if little:
        integer = int.from_bytes(data, "little") >> (count * 8 - bits)
    else:
        integer = int.from_bytes(data, "big") & (1 << bits) - 1
    last = start + (end - start & 0xFFFFFFFF) & 0xFFFFFFFFFFFFFFFF
    return _plain(start <= integer <= last)


def _characteristics(entry: Entry, facts: Facts) -> MatchResult:
    """True where any bit of the mask is set; every part that the mask names is read."""
    mask = _number(entry, 0)
    found = INBOUND_BIT if facts.inbound else 0
    if mask & (MULTICAST_BIT | BROADCAST_BIT):
        found |= _destination_bits(facts)
    if mask & IPAUTH_BIT and _ipauth(facts):
        found |= IPAUTH_BIT
    if mask & MACAUTH_BIT and _macauth(facts):
        found |= MACAUTH_BIT
    if mask & TCP_BITS:
        found |= _tcp_bits(facts)
    return _plain(mask & found != 0)


def _destination_bits(facts: Facts) -> int:
    facts.header(Reads.MAC_DEST)
    multicast = facts.frame.mac_dest >> 40 & 1
    broadcast = facts.frame.mac_dest == BROADCAST
    return (MULTICAST_BIT if multicast else 0) | (BROADCAST_BIT if broadcast else 0)


def _tcp_bits(facts: Facts) -> int:
    bit = Reads.TCP_FLAGS
    if _is_ipv4(facts):
        if facts.byte(9, bit) != PROTOCOL_TCP:
            return 0
        position = _ipv4_header_length(facts, bit)
    elif _is_ipv6(facts):
        found = _walk(facts, bit)
        if found is None or found[0] != PROTOCOL_TCP or facts.frame.length <= found[1] + 14:
            return 0
        position = found[1]
    else:
        return 0
    high, low = facts.word(position + 12, 2, bit)
    return (high & 0x0F) << 8 | low


# --- section 4: ipauth, macauth ------------------------------------------------------------


def _ipauth(facts: Facts) -> bool:
    bit = Reads.AUTH_ADDRESS
    if _is_ipv4(facts):
        return _owns_ip(facts, facts.word(12, 4, bit))
    if _is_ipv6(facts):
        offset = _ipv6_auth_offset(facts)
        if offset is None:
            return True
        address = facts.word(offset, 16, bit)
        return _owns_ip(facts, address) or _is_emulated(facts, address)
    if facts.frame.ethertype == ETHERTYPE_ARP and facts.frame.length >= 28:
        return _owns_ip(facts, facts.word(14, 4, bit))
    return False


def _ipv6_auth_offset(facts: Facts) -> int | None:
    """Where the address is that has to be the sender's; None: any, a neighbour solicitation."""
    bit = Reads.AUTH_ADDRESS
    if facts.byte(6, bit) == PROTOCOL_ICMP6 and facts.frame.length >= 64:
        icmp_type = facts.byte(40, bit)
        if icmp_type == NEIGHBOUR_SOLICITATION:
            return None
        if icmp_type == NEIGHBOUR_ADVERTISEMENT:
            return 48
    return 8


def _is_emulated(facts: Facts, address: bytes) -> bool:
    """A receiver that answers for a scheme's addresses itself takes every one of them."""
    context = facts.context
    if not facts.inbound or context.network_id is None:
        return False
    if context.emulates & EMULATES_RFC4193 and address.startswith(
        rfc4193_prefix(context.network_id)
    ):
        return True
    by_6plane = bool(context.emulates & EMULATES_6PLANE)
    return by_6plane and address.startswith(six_plane_prefix(context.network_id))


def _owns_ip(facts: Facts, address: bytes) -> bool:
    assumed = facts.context.assumed_ipauth
    if assumed is None:
        return address in facts.context.owned_ips
    facts.reads |= Reads.ASSUMED_OWNERSHIP
    return assumed


def _macauth(facts: Facts) -> bool:
    facts.header(Reads.MAC_SOURCE)
    assumed = facts.context.assumed_macauth
    if assumed is None:
        return facts.frame.mac_source in facts.context.owned_macs
    facts.reads |= Reads.ASSUMED_OWNERSHIP
    return assumed


# --- section 6: tags -----------------------------------------------------------------------


def _local_tag(entry: Entry, facts: Facts) -> int | None:
    if not facts.context.local_tags_known:
        facts.reads |= Reads.ASSUMED_TAGS
    return facts.context.local_tags.get(_number(entry, 0))


def _remote_tag(entry: Entry, facts: Facts) -> int | None:
    if not facts.context.remote_tags_known:
        facts.reads |= Reads.ASSUMED_TAGS
    tags: Mapping[int, int] | None = facts.context.remote_tags
    return None if tags is None else tags.get(_number(entry, 0))


def _lenient(facts: Facts) -> MatchResult:
    """A tag that cannot be known yet: true, and the next matching DROP is passed over."""
    facts.skip_drop = True
    return MatchResult.HARD_YES


def _tag_pair(holds: Callable[[int, int, int], bool]) -> Callable[[Entry, Facts], MatchResult]:
    """A match of the local and the remote tag; `holds` gets them and the rule's value."""

    def compare(entry: Entry, facts: Facts) -> MatchResult:
        local, remote = _local_tag(entry, facts), _remote_tag(entry, facts)
        if local is None:
            return MatchResult.HARD_NO
        if remote is None:
            strict = facts.inbound and not facts.super_accept
            return MatchResult.HARD_NO if strict else _lenient(facts)
        return _plain(holds(local, remote, _number(entry, 1)))

    return compare


def _tag_sender(entry: Entry, facts: Facts) -> MatchResult:
    tag = _remote_tag(entry, facts) if facts.inbound else _local_tag(entry, facts)
    if facts.super_accept:
        return _lenient(facts)
    return MatchResult.HARD_NO if tag is None else _plain(tag == _number(entry, 1))


def _tag_receiver(entry: Entry, facts: Facts) -> MatchResult:
    tag = _local_tag(entry, facts) if facts.inbound else _remote_tag(entry, facts)
    if facts.super_accept:
        return _lenient(facts)
    if tag is None:
        return MatchResult.HARD_NO if facts.inbound else _lenient(facts)
    return _plain(tag == _number(entry, 1))


MATCHES: dict[Kind, Callable[[Entry, Facts], MatchResult]] = {
    Kind.MATCH_SOURCE_ZEROTIER_ADDRESS: _zt_source,
    Kind.MATCH_DEST_ZEROTIER_ADDRESS: _zt_dest,
    Kind.MATCH_VLAN_ID: _vlan_id,
    Kind.MATCH_VLAN_PCP: _vlan_bits,
    Kind.MATCH_VLAN_DEI: _vlan_bits,
    Kind.MATCH_MAC_SOURCE: _mac_source,
    Kind.MATCH_MAC_DEST: _mac_dest,
    Kind.MATCH_IPV4_SOURCE: _ipv4_address(12, Reads.IP_SOURCE),
    Kind.MATCH_IPV4_DEST: _ipv4_address(16, Reads.IP_DEST),
    Kind.MATCH_IPV6_SOURCE: _ipv6_address(8, Reads.IP_SOURCE),
    Kind.MATCH_IPV6_DEST: _ipv6_address(24, Reads.IP_DEST),
    Kind.MATCH_IP_TOS: _ip_tos,
    Kind.MATCH_IP_PROTOCOL: _ip_protocol,
    Kind.MATCH_ETHERTYPE: _ethertype,
    Kind.MATCH_ICMP: _icmp,
    Kind.MATCH_IP_SOURCE_PORT_RANGE: _port(0, Reads.SOURCE_PORT),
    Kind.MATCH_IP_DEST_PORT_RANGE: _port(2, Reads.DEST_PORT),
    Kind.MATCH_CHARACTERISTICS: _characteristics,
    Kind.MATCH_FRAME_SIZE_RANGE: _frame_size,
    Kind.MATCH_TAGS_DIFFERENCE: _tag_pair(lambda local, remote, v: abs(local - remote) <= v),
    Kind.MATCH_TAGS_BITWISE_AND: _tag_pair(lambda local, remote, v: local & remote == v),
    Kind.MATCH_TAGS_BITWISE_OR: _tag_pair(lambda local, remote, v: local | remote == v),
    Kind.MATCH_TAGS_BITWISE_XOR: _tag_pair(lambda local, remote, v: local ^ remote == v),
    Kind.MATCH_TAGS_EQUAL: _tag_pair(lambda local, remote, v: local == v and remote == v),
    Kind.MATCH_TAG_SENDER: _tag_sender,
    Kind.MATCH_TAG_RECEIVER: _tag_receiver,
    Kind.INTEGER_RANGE: _integer_range,
}
