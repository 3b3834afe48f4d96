"""What a rule is about, as people say it: `telnet`, `TCP to port 8080 from 10.1.1.0/24`.

Contract: `frames_text` names the frames of a rule's matches, `members_text` who its matches on tags
and addresses mean (`between members of one department`).  What has no plain word stands in the
rules language.  Tested by tests/proof/test_rule_words.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from ztfast.frames.services import SERVICES
from ztfast.frames.text import ethertype_name, protocol_name
from ztfast.lang.printer import entry_printer
from ztfast.model.entries import read_entries
from ztfast.model.kinds import Entry, Kind
from ztfast.model.names import CHARACTERISTICS, PROTOCOLS
from ztfast.model.policy import Rule, Tag

_SERVICES = {(PROTOCOLS[word], port): name for name, (word, port) in SERVICES.items()}
_IPS = {
    Kind.MATCH_IPV4_SOURCE: ("from", 32),
    Kind.MATCH_IPV4_DEST: ("to", 32),
    Kind.MATCH_IPV6_SOURCE: ("from", 128),
    Kind.MATCH_IPV6_DEST: ("to", 128),
}
_MEMBER_KINDS = (
    Kind.MATCH_TAGS_DIFFERENCE,
    Kind.MATCH_TAGS_EQUAL,
    Kind.MATCH_TAG_SENDER,
    Kind.MATCH_TAG_RECEIVER,
    Kind.MATCH_SOURCE_ZEROTIER_ADDRESS,
    Kind.MATCH_DEST_ZEROTIER_ADDRESS,
)
_MESSAGES = {
    **{8: "ping", 128: "ping", 0: "ping replies", 129: "ping replies"},
    **{133: "router solicitations", 134: "router advertisements"},
    **{135: "neighbour solicitations", 136: "neighbour advertisements"},
}
_ETHERTYPES = {32: 0x0800, 128: 0x86DD}
_SYN, _ACK = 1 << CHARACTERISTICS["tcp_syn"], 1 << CHARACTERISTICS["tcp_ack"]


class RuleWords:
    """Words for the rules of policies whose tags and members have names.

    names: members' names by ZeroTier address.
    """

    def __init__(self, tags: Iterable[Tag], names: Mapping[int, str] | None = None) -> None:
        known = tuple(tags)
        self._tags = {tag.id: tag for tag in known}
        self._print = entry_printer(known)
        self._names = names or {}

    def member(self, address: int) -> str:
        """What the member of an address is called."""
        return self._names.get(address) or f"{address:010x}"

    def text(self, rules: Sequence[Rule]) -> str:
        """A rule in the rules language, in one line: `drop ipprotocol tcp and dport 23`."""
        *matches, action = rules
        if not str(action.json.get("type")).startswith("ACTION_"):
            matches, action = list(rules), Rule({})
        words = [self._print(action.json)] if action.json else []
        for number, match in enumerate(matches):
            word = self._print(match.json)
            joined = number == 0 or word.startswith("or ")
            words.append(word if joined else f"and {word}")
        return " ".join(words)

    def frames_text(self, rules: Sequence[Rule]) -> str:
        """The frames that a rule's matches mean: `telnet`, `ARP`, `every frame`."""
        parts = _Parts.of(rules)
        if parts is None:
            return f"frames of `{self.matches_text(rules)}`"
        kind = _kind_text(parts)
        if parts.opens:
            kind = f"new {kind} connections" if kind != "every frame" else "new connections"
        unsaid = [*parts.others, *_unsaid(parts)]
        texts = [f"`{self._print(rules[entry.rule].json)}`" for entry in unsaid]
        others = f" with {' and '.join(texts)}" if texts else ""
        ends = " and ".join(_ip_text(entry) for entry in parts.ips)
        return f"{kind} {ends}".rstrip() + others

    def members_text(self, rules: Sequence[Rule]) -> str:
        """Whom a rule's matches on members mean: `from guests`; empty where there are none."""
        parts = _Parts.of(rules)
        if parts is None:
            return ""
        return " ".join(self._member_text(entry) for entry in parts.members)

    def matches_text(self, rules: Sequence[Rule]) -> str:
        """A rule's matches in the rules language."""
        matches = [rule for rule in rules if str(rule.json.get("type")) not in _ACTIONS]
        return self.text([*matches, Rule({"type": "ACTION_ACCEPT"})]).partition(" ")[2]

    def _member_text(self, entry: Entry) -> str:
        number, value = entry.value[0] or 0, entry.value[-1] or 0
        if entry.kind is Kind.MATCH_SOURCE_ZEROTIER_ADDRESS:
            return f"from {self._not(entry)}{self.member(number)}"
        if entry.kind is Kind.MATCH_DEST_ZEROTIER_ADDRESS:
            return f"to {self._not(entry)}{self.member(number)}"
        tag = self._tags.get(number)
        name = tag.name if tag is not None and tag.name else f"tag {number}"
        if entry.kind is Kind.MATCH_TAGS_DIFFERENCE:
            if value:
                apart = "more than " if entry.inverted else "at most "
                return f"between members whose {name} differs by {apart}{value}"
            return f"between members of {'different ' if entry.inverted else 'one '}{name}"
        shown = _value_name(tag, value)
        whose = f"members whose {name} is {'not ' if entry.inverted else ''}{shown}"
        if entry.kind is Kind.MATCH_TAGS_EQUAL:
            return f"between {whose}" if not entry.inverted else f"not both ends being {whose}"
        return f"{'from' if entry.kind is Kind.MATCH_TAG_SENDER else 'to'} {whose}"

    @staticmethod
    def _not(entry: Entry) -> str:
        return "anybody but " if entry.inverted else ""


_ACTIONS = frozenset(kind.name for kind in Kind if kind.is_action)


class _Parts(NamedTuple):
    """A rule's matches, by what they are about; `opens`: TCP frames that open a connection."""

    protocol: Entry | None
    ethertype: Entry | None
    icmp: Entry | None
    ports: list[Entry]
    ips: list[Entry]
    members: list[Entry]
    opens: bool
    others: list[Entry]

    @classmethod
    def of(cls, rules: Sequence[Rule]) -> _Parts | None:
        """The parts of a rule whose matches must all hold; None where one may do for another."""
        entries = [e for e in read_entries(rule.json for rule in rules) if not e.kind.is_action]
        if any(entry.alternative for entry in entries[1:]):
            return None
        rest = entries
        opens, rest = _take_opening(rest)
        members, rest = _split(rest, lambda e: e.kind in _MEMBER_KINDS)
        protocols, rest = _split(rest, _plain(Kind.MATCH_IP_PROTOCOL))
        ethertypes, rest = _split(rest, _plain(Kind.MATCH_ETHERTYPE))
        icmps, rest = _split(rest, _plain(Kind.MATCH_ICMP))
        both = (Kind.MATCH_IP_SOURCE_PORT_RANGE, Kind.MATCH_IP_DEST_PORT_RANGE)
        ports, rest = _split(rest, _plain(*both))
        ips, rest = _split(rest, _plain(*_IPS))
        one = [found[0] if found else None for found in (protocols, ethertypes, icmps)]
        spare = [entry for found in (protocols, ethertypes, icmps) for entry in found[1:]]
        return cls(one[0], one[1], one[2], ports, ips, members, opens, rest + spare)


def _split(
    entries: Sequence[Entry], wanted: Callable[[Entry], bool]
) -> tuple[list[Entry], list[Entry]]:
    return [e for e in entries if wanted(e)], [e for e in entries if not wanted(e)]


def _plain(*kinds: Kind) -> Callable[[Entry], bool]:
    return lambda entry: entry.kind in kinds and not entry.inverted


def _take_opening(entries: Sequence[Entry]) -> tuple[bool, list[Entry]]:
    """`chr tcp_syn and not chr tcp_ack`, the way in which rules tell who opens a connection."""
    flags = [e for e in entries if e.kind is Kind.MATCH_CHARACTERISTICS]
    masks = {(entry.value[0], entry.inverted) for entry in flags}
    if masks != {(_SYN, False), (_ACK, True)}:
        return False, list(entries)
    return True, [entry for entry in entries if entry not in flags]


def _kind_text(parts: _Parts) -> str:
    """Protocol, service and ports: `ssh`, `TCP to port 8080`, `answers of https`."""
    protocol = parts.protocol.value[0] if parts.protocol is not None else None
    if parts.icmp is not None:
        number, code = parts.icmp.value[0] or 0, parts.icmp.value[1]
        plain = f"ICMP type {number}" + ("" if code is None else f" code {code}")
        return _MESSAGES.get(number, plain) if code in (None, 0) else plain
    service = _service(parts)
    if service:
        return service
    base = protocol_name(protocol) if protocol is not None else ""
    if not base and parts.ethertype is not None:
        base = ethertype_name(parts.ethertype.value[0] or 0)
    texts = [_port_text(port) for port in parts.ports]
    return " ".join([base or "frames", *texts]) if base or texts else "every frame"


def _service(parts: _Parts) -> str:
    """`ssh`, `answers of ssh`, or empty where one port does not say it."""
    if len(parts.ports) != 1 or parts.protocol is None:
        return ""  # a port alone is UDP's, too
    (port,), protocol = parts.ports, parts.protocol.value[0]
    low, high = port.value[0] or 0, port.value[1] or 0
    service = _SERVICES.get((protocol or 0, low)) if low == high else None
    if service is None:
        return ""
    to = port.kind is Kind.MATCH_IP_DEST_PORT_RANGE
    return service if to else f"answers of {service}"


def _unsaid(parts: _Parts) -> list[Entry]:
    """What the words for the kind leave out: `ethertype ipv6` of `ssh`, ports of `ping`."""
    found = parts.ports if parts.icmp is not None else []
    kind = parts.icmp or parts.protocol or _service(parts)
    said = {_ETHERTYPES[_IPS[entry.kind][1]] for entry in parts.ips}
    one = parts.ethertype
    return [*found, one] if one is not None and kind and one.value[0] not in said else found


def _port_text(entry: Entry) -> str:
    low, high = entry.value[0] or 0, entry.value[1] or 0
    way = "to" if entry.kind is Kind.MATCH_IP_DEST_PORT_RANGE else "from"
    return f"{way} port {low}" if low == high else f"{way} ports {low}-{high}"


def _ip_text(entry: Entry) -> str:
    way, width = _IPS[entry.kind]
    make = IPv4Address if width == 32 else IPv6Address
    address, bits = make(entry.value[0] or 0), entry.value[1] or 0
    return f"{way} {address}" if bits == width else f"{way} {address}/{bits}"


def _value_name(tag: Tag | None, value: int) -> str:
    names = [name for name, number in tag.enums.items() if number == value] if tag else []
    return names[0] if names else str(value)
