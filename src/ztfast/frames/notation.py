"""A frame in one line of text: `tcp 10.1.1.2:5555 > 10.1.1.7:443 syn`.

Contract: `parse_frame` gives the frame with real headers and valid checksums (frames.build),
and what the text says of ZeroTier addresses, or a FrameError whose span underlines the word
that is wrong.  The notation, which docs/explain.md shows by example:

    SPEC    = "hex:" DIGITS ("vlan" N | "zt" A ">" A)*   a whole Ethernet frame
            | PORTED HOST ">" HOST FLAG* OPTION*         tcp, udp, udplite, sctp
            | ("icmp" | "icmp6") NODE ">" NODE [MESSAGE] OPTION*   icmp6: by IPv6
            | "ping" NODE ">" NODE OPTION*
            | "ip" NODE ">" NODE "proto" NUMBER OPTION*
            | "arp" NODE (">" | "?") NODE ["request" | "reply"] OPTION*
            | "ethertype" (NUMBER | NAME) OPTION*
    NODE    = IP | the name or ZeroTier address of a member, where members are known;
              a name with spaces or `>` stands in double quotes
    HOST    = NODE [":" PORT] | "[" IPV6 "]:" PORT       (no port: 50000 > 80)
    PORT    = NUMBER | the name of a service (ssh, https, …; frames.services)
    MESSAGE = echo-request, echo-reply, … | "type" NUMBER ["code" NUMBER]
    FLAG    = syn | ack | fin | rst | psh | urg | ece | cwr | ns, also joined by commas
    OPTION  = "len" N | "tos" N | "ttl" N | "vlan" N | "data" HEX
            | "mac" MAC ">" MAC | "zt" ADDRESS ">" ADDRESS

Tested by tests/frames/test_notation.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import NamedTuple, NoReturn

from ztfast.errors import Diagnostic, FrameError, Source, Span
from ztfast.frames import build
from ztfast.frames.batch import ethernet_frame
from ztfast.frames.frame import Frame
from ztfast.frames.headers import ip_ends
from ztfast.frames.hosts import Hosts
from ztfast.frames.notation_words import FLAGS, MESSAGES, OPTIONS, PORTED
from ztfast.frames.services import service_port
from ztfast.model.addresses import parse_address, parse_mac
from ztfast.model.names import ETHERTYPES
from ztfast.model.reads import Reads

MAX_SPEC = 1 << 17
SOURCE_PORT, DEST_PORT = 50000, 80
_BESIDE_HEX = ("vlan", "zt")  # what the bytes of a frame do not say

_WORD = re.compile(r'>|(?:"[^"]*"?|[^\s>"])+')
_QUOTED = re.compile(r'"([^"]*)"(?::(.*))?')
_NUMBER = re.compile(r"0x[0-9a-fA-F]{1,8}|[0-9]{1,10}")


@dataclass(frozen=True)
class FrameSpec:
    """A frame and what its text said beside it.

    frame: MACs that were not written are 0 and marked as not known (`Frame.unknown`), save
    those of multicast, which follow from the address.  zt_source, zt_dest: ZeroTier
    addresses, None where not written.  source, dest: packed IP addresses where it is IP.
    """

    text: str
    frame: Frame
    zt_source: int | None = None
    zt_dest: int | None = None
    source: bytes | None = None
    dest: bytes | None = None


def parse_frame(text: str, hosts: Hosts | None = None) -> FrameSpec:
    """The frame that a text describes; raises FrameError with the place in the text.

    hosts: finds the members that the text may name; None: only addresses are understood.
    """
    if len(text) > MAX_SPEC:
        what = f"a frame's text may have at most {MAX_SPEC} characters"
        raise FrameError(Diagnostic("ZT414", what, help="use a capture"))
    return _Parser(text, hosts).parse()


@dataclass
class _Word:
    text: str
    start: int


class _End(NamedTuple):
    """One end as it was written: its word, its name, who it is, its addresses, its port."""

    word: _Word
    name: str
    address: int | None
    ips: tuple[bytes, ...]
    port: int


@dataclass
class _Parts:
    """What was read so far, before the frame is put together."""

    ethertype: int = 0
    source: bytes | None = None
    dest: bytes | None = None
    protocol: int = 0
    make_body: Callable[[bytes], bytes] | None = None
    operation: int = 0
    flags: int = 0
    numbers: dict[str, int] = field(default_factory=dict[str, int])
    len_word: _Word | None = None
    data: bytes = b""
    macs: tuple[int, int] | None = None
    zts: tuple[int | None, int | None] = (None, None)


class _Parser:
    """Reads the words from left to right; every refusal names one of them."""

    def __init__(self, text: str, hosts: Hosts | None) -> None:
        self.text, self.hosts = text, hosts
        self.words = [_Word(found.group(), found.start()) for found in _WORD.finditer(text)]
        self.at = 0
        self.parts = _Parts()

    def parse(self) -> FrameSpec:
        """The whole text."""
        first = self._next("a frame")
        if first.text.lower().startswith("hex:"):
            return self._hex(first)
        kind = first.text.lower()
        readers: dict[str, Callable[[], None]] = {
            "icmp": self._icmp,
            "icmp6": lambda: self._icmp((16,)),
            "ping": self._ping,
            "ip": self._ip,
            "arp": self._arp,
            "ethertype": self._ethertype,
        }
        if kind in PORTED:
            self._ported(PORTED[kind])
        elif kind in readers:
            readers[kind]()
        else:
            self._refuse(
                first,
                f"{kind!r:.40} is not a kind of frame",
                "tcp, udp, udplite, sctp, icmp, ping, ip, arp, ethertype, or hex:…",
            )
        while self.at < len(self.words):
            self._option()
        return self._made(first)

    # --- kinds

    def _hex(self, word: _Word) -> FrameSpec:
        while (last := self._peek()) is not None and last.text.lower() not in _BESIDE_HEX:
            self.at += 1
        digits = "".join(other.text for other in self.words[: self.at])[4:].replace(":", "")
        bad = re.search(r"[^0-9a-fA-F]", digits)
        if bad:
            at = self.text.find(bad.group(), word.start + 4)
            self._refuse(_Word(bad.group(), at), "not a hex digit", "give the frame's bytes in hex")
        if len(digits) % 2 or len(digits) < 28:
            self._refuse(
                word,
                f"{len(digits)} hex digits are not an Ethernet frame",
                "two digits per byte: both MACs (destination first), the ethertype, the payload",
            )
        data = bytes.fromhex(digits)
        frame = ethernet_frame(data, len(data))
        while self.at < len(self.words):
            self._beside_hex()
        frame = frame._replace(vlan=self.parts.numbers.get("vlan", frame.vlan))
        return FrameSpec(self.text, frame, *self.parts.zts, *ip_ends(frame))

    def _beside_hex(self) -> None:
        word = self.words[self.at]
        if word.text.lower() not in _BESIDE_HEX:
            self._refuse(word, f"{word.text!r:.40} is not understood here", "vlan N, zt A > B")
        self._option()

    def _ported(self, protocol: int) -> None:
        parts = self.parts
        parts.protocol = protocol
        source = self._host(SOURCE_PORT)
        self._arrow()
        dest = self._host(DEST_PORT)
        self._ends(source, dest)
        source_port, dest_port = source.port, dest.port
        if protocol == build.TCP:
            self._tcp_flags()
            parts.make_body = lambda data: build.tcp_body(source_port, dest_port, parts.flags, data)
        elif protocol == build.SCTP:
            parts.make_body = lambda data: build.sctp_body(source_port, dest_port, data)
        else:
            parts.make_body = lambda data: build.udp_body(source_port, dest_port, data)

    def _tcp_flags(self) -> None:
        while (word := self._peek()) is not None:
            names = re.split(r"[,+]", word.text.lower())
            if names[0] not in FLAGS:
                return
            for name in names:
                if name not in FLAGS:
                    self._refuse(word, f"{name!r:.20} is not a TCP flag", ", ".join(FLAGS))
                self.parts.flags |= FLAGS[name]
            self.at += 1

    def _icmp(self, widths: tuple[int, ...] = (4, 16)) -> None:
        self._two_addresses(widths)
        width = len(self.parts.source or b"")
        self.parts.protocol = build.ICMP if width == 4 else build.ICMP6
        icmp_type, icmp_code = self._message(width)
        self.parts.make_body = lambda data: build.icmp_body(icmp_type, icmp_code, data)

    def _ping(self) -> None:
        self._two_addresses()
        width = len(self.parts.source or b"")
        self.parts.protocol = build.ICMP if width == 4 else build.ICMP6
        icmp_type, icmp_code = MESSAGES[width]["echo-request"]
        self.parts.make_body = lambda data: build.icmp_body(icmp_type, icmp_code, data)

    def _message(self, width: int) -> tuple[int, int]:
        word = self._peek()
        named = MESSAGES[width]
        if word is not None and word.text.lower() in named:
            self.at += 1
            return named[word.text.lower()]
        if word is not None and word.text.lower() == "type":
            self.at += 1
            icmp_type = self._number("an ICMP type", 255)
            return icmp_type, self._number("an ICMP code", 255) if self._skip("code") else 0
        if word is not None and word.text.lower() not in OPTIONS:
            other = width == 4 and word.text.lower() in MESSAGES[16]
            help = "it is one of IPv6: write icmp6" if other else f"type N, or {', '.join(named)}"
            self._refuse(
                word, f"{word.text!r:.40} is not a message of IPv{6 if width > 4 else 4}", help
            )
        return named["echo-request"]

    def _ip(self) -> None:
        self._two_addresses()
        if not self._skip("proto"):
            self._refuse(self._peek() or self._end(), "no `proto NUMBER` here", "as: proto 47")
        self.parts.protocol = self._number("an IP protocol", 255)
        self.parts.make_body = lambda data: data

    def _arp(self) -> None:
        self._two_addresses((4,), (">", "?"))
        self.parts.ethertype = build.ETHERTYPE_ARP
        reply = self._skip("reply")
        if not reply:
            self._skip("request")
        self.parts.operation = build.ARP_REPLY if reply else build.ARP_REQUEST

    def _ethertype(self) -> None:
        word = self._peek()
        if word is not None and word.text.lower() in ETHERTYPES:
            self.at += 1
            self.parts.ethertype = ETHERTYPES[word.text.lower()]
        else:
            self.parts.ethertype = self._number("an ethertype", 0xFFFF)

    # --- options

    def _option(self) -> None:
        word = self._next("an option")
        name = word.text.lower()
        if name not in OPTIONS:
            self._refuse(word, f"{word.text!r:.40} is not understood here", _options_text())
        if name == "mac":
            self.parts.macs = self._pair(parse_mac, "a MAC address")
        elif name == "zt":
            self.parts.zts = self._pair(parse_address, "a ZeroTier address of 10 hex digits")
        elif name == "data":
            self.parts.data = self._data()
        else:
            if name in ("tos", "ttl") and self.parts.make_body is None:
                self._refuse(word, f"`{name}` needs an IP frame", "leave it out")
            self.parts.numbers[name] = self._number(*OPTIONS[name])
            if name == "len":
                end = self.words[self.at - 1]
                written = self.text[word.start : end.start + len(end.text)]
                self.parts.len_word = _Word(written, word.start)

    def _pair(self, read: Callable[[str], int | None], what: str) -> tuple[int, int]:
        first = self._read(read, what)
        self._arrow()
        return first, self._read(read, what)

    def _read(self, read: Callable[[str], int | None], what: str) -> int:
        word = self._next(what)
        value = read(word.text)
        if value is None:
            self._refuse(word, f"{word.text!r:.40} is not {what}")
        return value

    def _data(self) -> bytes:
        word = self._next("hex digits")
        if not re.fullmatch(r"([0-9a-fA-F]{2})+", word.text):
            self._refuse(word, f"{word.text!r:.40} is not hex", "two digits per byte")
        return bytes.fromhex(word.text)

    # --- words

    def _end(self) -> _Word:
        return _Word(" ", len(self.text))

    def _peek(self) -> _Word | None:
        return self.words[self.at] if self.at < len(self.words) else None

    def _next(self, what: str) -> _Word:
        word = self._peek()
        if word is None:
            self._refuse(self._end(), f"{what} is missing", "as: tcp 10.1.1.2 > 10.1.1.7:443 syn")
        self.at += 1
        return word

    def _skip(self, text: str) -> bool:
        word = self._peek()
        found = word is not None and word.text.lower() == text
        self.at += found
        return found

    def _arrow(self, arrows: tuple[str, ...] = (">",)) -> None:
        word = self._next("`>`")
        if word.text not in arrows:
            self._refuse(word, f"`>` is wanted here, not {word.text!r:.40}", "as: SOURCE > DEST")

    def _number(self, what: str, max_value: int) -> int:
        word = self._next(what)
        return self._number_in(word, word.text, what, max_value)

    def _number_in(self, word: _Word, text: str, what: str, max_value: int) -> int:
        value = int(text, 0 if text.startswith("0x") else 10) if _NUMBER.fullmatch(text) else None
        if value is None or value > max_value:
            self._refuse(word, f"{text!r:.40} is not {what}", f"a number from 0 to {max_value}")
        return value

    def _host(self, port: int) -> _End:
        """An end with its port."""
        word = self._next("an address")
        quoted = _QUOTED.fullmatch(word.text)
        found = quoted or re.fullmatch(r"\[([^\]]*)\](?::(.*))?", word.text)
        if found:
            node, given = found.group(1), found.group(2)
            node = f'"{node}"' if quoted else node
        elif word.text.count(":") == 1:
            node, _, given = word.text.partition(":")
        else:
            node, given = word.text, None
        return self._node(word, node, port if given is None else self._port(word, given))

    def _port(self, word: _Word, text: str) -> int:
        service = service_port(text)
        return self._number_in(word, text, "a port", 0xFFFF) if service is None else service

    def _node(self, word: _Word, text: str, port: int = 0) -> _End:
        """An end without a port: an IP address, or a member where members are known."""
        try:
            if "%" not in text:
                packed = (IPv6Address if ":" in text else IPv4Address)(text).packed
                return _End(word, text, None, (packed,), port)
        except AddressValueError:
            pass
        if self.hosts is None:
            help = "IPv6 with a port: [fd00::1]:443; members' names need --network"
            self._refuse(word, f"{text!r:.60} is not an IP address", help)
        quoted = _QUOTED.fullmatch(text)
        if quoted is None and '"' in text:
            self._refuse(word, "a quote is not closed", 'as: "two words":443')
        host = self.hosts.host(quoted[1] if quoted else text)
        if host is None:
            near = self.hosts.near(text.strip('"'))
            self._refuse(word, f"{text!r:.60} is neither a member nor an IP address", near)
        return _End(word, text, host.address, host.ips, port)

    def _two_addresses(
        self, widths: tuple[int, ...] = (4, 16), arrows: tuple[str, ...] = (">",)
    ) -> None:
        first = self._next("an address")
        source = self._node(first, first.text)
        self._arrow(arrows)
        second = self._next("an address")
        self._ends(source, self._node(second, second.text), widths)

    def _ends(self, source: _End, dest: _End, widths: tuple[int, ...] = (4, 16)) -> None:
        """The two ends, by addresses of one family: IPv4 where both have it."""
        parts = self.parts
        parts.zts = source.address, dest.address
        for width in widths:
            ips = [next((ip for ip in end.ips if len(ip) == width), None) for end in (source, dest)]
            if ips[0] is not None and ips[1] is not None:
                parts.source, parts.dest = ips
                four = width == 4
                parts.ethertype = build.ETHERTYPE_IPV4 if four else build.ETHERTYPE_IPV6
                return
        for end in (source, dest):
            if not end.ips:
                self._refuse(end.word, "this member has no IP addresses", "write one in its place")
        if len(widths) == 1:
            what = "ARP is for IPv4" if widths == (4,) else "icmp6 is for IPv6"
            self._refuse(source.word, what, f"use two {what[-4:]} addresses")
        if source.address is None and dest.address is None:
            self._refuse(dest.word, "one address is IPv4 and the other IPv6", "use one family")
        versions = (f"{end.name} IPv{4 if len(end.ips[0]) == 4 else 6}" for end in (source, dest))
        what = f"the two have no IP version in common: {', '.join(versions)}"
        self._refuse(dest.word, what, "write an address in the place of one of them")

    def _refuse(self, word: _Word, what: str, help: str | None = None) -> NoReturn:
        span = Span(word.start, word.start + max(1, len(word.text)), 1, word.start)
        raise FrameError(
            Diagnostic("ZT414", what, span=span, source=Source("<frame>", self.text), help=help)
        )

    # --- putting it together

    def _made(self, first: _Word) -> FrameSpec:
        parts = self.parts
        frame = self._frame(first)
        return FrameSpec(self.text, frame, *parts.zts, parts.source, parts.dest)

    def _frame(self, first: _Word) -> Frame:
        parts = self.parts
        unknown = Reads(0) if parts.macs else Reads.MAC_SOURCE
        source, dest = parts.macs or (0, self._group_mac())
        if not parts.macs and not dest:
            unknown |= Reads.MAC_DEST
        payload = self._payload(source, 0 if dest >> 40 & 1 else dest, parts.data)
        wanted = parts.numbers.get("len")
        if wanted is not None:
            if wanted < len(payload):
                self._refuse(
                    self.parts.len_word or first,
                    f"`len {wanted}` is less than the {len(payload)} bytes that there are",
                )
            more = bytes(wanted - len(payload))
            payload = self._payload(source, 0 if dest >> 40 & 1 else dest, parts.data + more)
        return Frame(
            payload,
            len(payload),
            parts.ethertype,
            parts.numbers.get("vlan", 0),
            source,
            dest,
            unknown,
        )

    def _group_mac(self) -> int:
        parts = self.parts
        if parts.operation == build.ARP_REQUEST:
            return build.BROADCAST_MAC
        if parts.dest is None or parts.operation:
            return 0
        return build.multicast_mac(parts.dest) or 0

    def _payload(self, source_mac: int, dest_mac: int, data: bytes) -> bytes:
        parts = self.parts
        if parts.source is None or parts.dest is None:
            return data
        if parts.operation:
            return (
                build.arp_packet(parts.operation, source_mac, parts.source, dest_mac, parts.dest)
                + data
            )
        assert parts.make_body is not None
        return build.ip_packet(
            parts.source,
            parts.dest,
            parts.protocol,
            parts.make_body(data),
            parts.numbers.get("tos", 0),
            parts.numbers.get("ttl", 64),
        )


def _options_text() -> str:
    return "options are len N, tos N, ttl N, vlan N, data HEX, mac A > B, zt A > B"
