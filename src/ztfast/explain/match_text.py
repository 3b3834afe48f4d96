"""What a match read of a frame and its circumstances, in words: `dport is 443`.

Contract: `MatchDescriber(...).describe(entry, ...)` gives one short phrase for any match, from the
frame's header and the FrameContext alone; the answer itself is the reference evaluator's.
Tested by tests/explain/test_match_text.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar

from ztfast.engine.context import FrameContext
from ztfast.engine.reference_matches import Facts, match
from ztfast.frames.frame import Frame
from ztfast.frames.headers import not_captured, read_header
from ztfast.frames.text import ethertype_text, flags_text, mac_text, protocol_text
from ztfast.model.kinds import Entry, Kind
from ztfast.model.names import CHARACTERISTICS
from ztfast.model.policy import Tag
from ztfast.model.reads import Reads
from ztfast.network.member_table import TAG_MATCHES

_BITS = {bit: name for name, bit in CHARACTERISTICS.items()}
_TCP = 0xFFF
_MACS = Reads.MAC_SOURCE | Reads.MAC_DEST
_VERSIONS = {
    Kind.MATCH_IPV4_SOURCE: 4,
    Kind.MATCH_IPV4_DEST: 4,
    Kind.MATCH_IPV6_SOURCE: 6,
    Kind.MATCH_IPV6_DEST: 6,
}
_READ_BY = {
    Kind.MATCH_MAC_SOURCE: Reads.MAC_SOURCE,
    Kind.MATCH_MAC_DEST: Reads.MAC_DEST,
    Kind.MATCH_ETHERTYPE: Reads.ETHERTYPE,
    Kind.MATCH_IPV4_SOURCE: Reads.IP_SOURCE,
    Kind.MATCH_IPV4_DEST: Reads.IP_DEST,
    Kind.MATCH_IPV6_SOURCE: Reads.IP_SOURCE,
    Kind.MATCH_IPV6_DEST: Reads.IP_DEST,
    Kind.MATCH_IP_TOS: Reads.TOS,
    Kind.MATCH_IP_PROTOCOL: Reads.PROTOCOL,
    Kind.MATCH_ICMP: Reads.ICMP,
    Kind.MATCH_IP_SOURCE_PORT_RANGE: Reads.SOURCE_PORT,
    Kind.MATCH_IP_DEST_PORT_RANGE: Reads.DEST_PORT,
}


class MatchDescriber:
    """Phrases about one frame on one side."""

    def __init__(
        self, frame: Frame, context: FrameContext, inbound: bool, tags: Iterable[Tag] = ()
    ) -> None:
        self.frame, self.context, self.inbound = frame, context, inbound
        self.header, self._missing = read_header(frame), not_captured(frame)
        self._tags = {tag.id: tag for tag in tags}

    def describe(self, entry: Entry, index: int, answer: str | None = None) -> str:
        """What this match read, in a phrase; `index` counts base rules, then all capabilities.

        answer: what it said before `not` ("no", "yes", "hardNo", "hardYes"), where known.
        """
        if entry.kind is Kind.MATCH_RANDOM:
            draw, limit = self.context.draw(index), entry.value[0] or 0
            return f"the draw is {draw / 0xFFFFFFFF:.4f}, the limit {limit / 0xFFFFFFFF:.4f}"
        if entry.kind in TAG_MATCHES:
            return self._tag(entry, answer)
        if entry.kind is Kind.MATCH_CHARACTERISTICS:
            return self._characteristics(entry)
        version = _VERSIONS.get(entry.kind, self.header.version)
        read = _READ_BY.get(entry.kind) if version == self.header.version else None
        return self._PHRASES[entry.kind](self, entry) + self._cut(read)

    def _cut(self, read: Reads | None) -> str:
        """That what a match read is not known; else nothing."""
        missing = self._missing & read if read is not None else None
        if not missing:
            return ""
        how = "not known" if missing & _MACS else "not captured"
        return f" ({how}: taken as zero)"

    # --- tags

    def _tag(self, entry: Entry, answer: str | None) -> str:
        number = entry.value[0] or 0
        ends = ("local", "remote") if not self.inbound else ("remote", "local")
        wanted = {
            Kind.MATCH_TAG_SENDER: ends[:1],
            Kind.MATCH_TAG_RECEIVER: ends[1:],
        }.get(entry.kind, ends)
        phrases = [
            f"the {'sender' if end == ends[0] else 'receiver'}'s {self._value(end, number)}"
            for end in wanted
        ]
        text = ", ".join(phrases)
        if answer == "hardYes":
            text += ": true for now (skipDrop is armed)"
        return text

    def _value(self, end: str, number: int) -> str:
        tag = self._tags.get(number)
        name = tag.name if tag is not None and tag.name is not None else f"tag {number}"
        held: Mapping[int, int] | None = (
            self.context.local_tags if end == "local" else self.context.remote_tags
        )
        known = self.context.local_tags_known if end == "local" else self.context.remote_tags_known
        if held is None:
            return f"{name} is unknown (its membership is not known here)"
        if number not in held:
            return f"{name} is not there" if known else f"{name} was not given: taken as not there"
        return f"{name} is {_named(tag, held[number])}"

    # --- characteristics

    def _characteristics(self, entry: Entry) -> str:
        mask = entry.value[0] or 0
        found = [
            self._bit_name(bit) for bit in range(63, -1, -1) if mask >> bit & 1 and self._has(bit)
        ]
        if found:
            return f"it is {', '.join(found)}"
        tcp = self.header.tcp_flags
        if mask & _TCP:
            has = "it has no TCP flags" if tcp is None else f"its TCP flags: {flags_text(tcp)}"
            has += self._cut(Reads.TCP_FLAGS)
            return f"none of these; {has}" if mask & ~_TCP else has
        return "it is none of these"

    def _bit_name(self, bit: int) -> str:
        known = self.context.assumed_ipauth is None or bit not in (59, 60)
        return _BITS.get(bit, f"bit {bit}") + ("" if known else " (assumed)")

    def _has(self, bit: int) -> bool:
        """Does the frame have this one characteristic?  The reference evaluator says so."""
        entry = Entry(Kind.MATCH_CHARACTERISTICS, value=(1 << bit,))
        return match(entry, Facts(self.frame, self.context, self.inbound), 0).value == "yes"

    # --- fields

    def _ip(self, version: int, source: bool) -> str:
        if self.header.version != version:
            return f"no IPv{version}: {self._kind()}"
        return f"{_end(source)} is {self.header.source if source else self.header.dest}"

    def _kind(self) -> str:
        if self.header.version:
            return f"it is IPv{self.header.version}"
        if self.frame.ethertype in (0x0800, 0x86DD):
            return f"{self.frame.length} bytes are too short for it"
        return f"the ethertype is {ethertype_text(self.frame.ethertype)}"

    def _tos(self, entry: Entry) -> str:
        if self.header.tos is None:
            return f"no IP: {self._kind()}"
        mask = entry.value[0] or 0
        return f"the TOS is {self.header.tos}, under the mask {self.header.tos & mask}"

    def _protocol(self, _: Entry) -> str:
        if not self.header.version:
            return f"no IP: {self._kind()}"
        return f"it is {protocol_text(self.header.protocol)}"

    def _port(self, source: bool) -> str:
        if not self.header.version:
            return f"no IP: {self._kind()}"
        port = self.header.source_port if source else self.header.dest_port
        if port is None:
            return f"no ports: {protocol_text(self.header.protocol)}"
        odd = " (no port in IPv6)" if port == 0 and self.header.version == 6 else ""
        return f"{'sport' if source else 'dport'} is {port}{odd}"

    def _icmp(self, _: Entry) -> str:
        if not self.header.version:
            return f"no IP: {self._kind()}"
        if self.header.icmp is None:
            return f"no ICMP: {protocol_text(self.header.protocol)}"
        return f"type is {self.header.icmp[0]}, code {self.header.icmp[1]}"

    def _zt(self, source: bool) -> str:
        address = self.context.zt_source if source else self.context.zt_dest
        if not self.context.addresses_known:
            return f"the {'sender' if source else 'receiver'}'s address was not given"
        if not address and not source:
            return "no one member: multicast, or behind a bridge"
        return f"the {'sender' if source else 'receiver'} is {address:010x}"

    def _integer(self, entry: Entry) -> str:
        return f"bits of the payload at byte {entry.value[2]}"

    def _own_value(self, entry: Entry) -> str:
        return f"the rule's own value decides: {entry.value[0]}"

    _PHRASES: ClassVar[dict[Kind, Callable[[MatchDescriber, Entry], str]]] = {
        Kind.MATCH_SOURCE_ZEROTIER_ADDRESS: lambda self, _: self._zt(True),
        Kind.MATCH_DEST_ZEROTIER_ADDRESS: lambda self, _: self._zt(False),
        Kind.MATCH_VLAN_ID: lambda self, _: f"the VLAN id is {self.frame.vlan}",
        Kind.MATCH_VLAN_PCP: _own_value,
        Kind.MATCH_VLAN_DEI: _own_value,
        Kind.MATCH_MAC_SOURCE: lambda self, _: f"the source is {mac_text(self.frame.mac_source)}",
        Kind.MATCH_MAC_DEST: lambda self, _: f"the destination is {mac_text(self.frame.mac_dest)}",
        Kind.MATCH_IPV4_SOURCE: lambda self, _: self._ip(4, True),
        Kind.MATCH_IPV4_DEST: lambda self, _: self._ip(4, False),
        Kind.MATCH_IPV6_SOURCE: lambda self, _: self._ip(6, True),
        Kind.MATCH_IPV6_DEST: lambda self, _: self._ip(6, False),
        Kind.MATCH_IP_TOS: _tos,
        Kind.MATCH_IP_PROTOCOL: _protocol,
        Kind.MATCH_ETHERTYPE: lambda self, _: (
            f"the ethertype is {ethertype_text(self.frame.ethertype)}"
        ),
        Kind.MATCH_ICMP: _icmp,
        Kind.MATCH_IP_SOURCE_PORT_RANGE: lambda self, _: self._port(True),
        Kind.MATCH_IP_DEST_PORT_RANGE: lambda self, _: self._port(False),
        Kind.MATCH_FRAME_SIZE_RANGE: lambda self, _: f"the payload has {self.frame.length} bytes",
        Kind.INTEGER_RANGE: _integer,
    }


def _end(source: bool) -> str:
    return "the source" if source else "the destination"


def _named(tag: Tag | None, value: int) -> str:
    if tag is not None:
        for name, number in (*tag.flags.items(), *tag.enums.items()):
            if number & 0xFFFFFFFF == value:
                return f"{name} ({value})"
    return str(value)
