"""What a frame's headers say, as values for people: addresses, ports, flags.

Contract: `read_header` reads a Frame as docs/spec/evaluation.md section 2 does (bytes that are
not there are zero) and never fails.  It serves words and coverage, never a verdict.
Tested by tests/explain/test_match_text.py, which compares it with the evaluator's answers.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import NamedTuple

from ztfast.frames.build import ETHERTYPE_IPV4, ETHERTYPE_IPV6, ICMP, ICMP6, TCP
from ztfast.frames.frame import Frame
from ztfast.model.names import ETHERTYPES, PROTOCOLS

_EXTENSIONS = (0, 43, 60, 135)
_PORTED = (6, 17, 132, 136)
_ETHERTYPE_NAMES = {number: name for name, number in ETHERTYPES.items()}
_PROTOCOL_NAMES = {**{number: name for name, number in PROTOCOLS.items()}, 1: "icmp", 58: "icmp6"}
_TCP_FLAGS = ("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns", "rs2", "rs1", "rs0")


class Header(NamedTuple):
    """Header fields, None where the frame has none (or an IPv6 packet is invalid).

    version: 4, 6, or 0 for what is no IP.  position: of what stands behind the IP headers.
    """

    version: int = 0
    source: str | None = None
    dest: str | None = None
    tos: int | None = None
    protocol: int | None = None
    position: int = 0
    source_port: int | None = None
    dest_port: int | None = None
    icmp: tuple[int, int] | None = None
    tcp_flags: int | None = None


def read_header(frame: Frame) -> Header:
    """The header fields of a frame."""
    if frame.ethertype == ETHERTYPE_IPV4 and frame.length >= 20:
        head = _part(frame, 0, 20)
        return _behind(
            frame,
            Header(
                4,
                str(ip_address(head[12:16])),
                str(ip_address(head[16:20])),
                head[1],
                head[9],
                4 * (head[0] & 15),
            ),
        )
    if frame.ethertype == ETHERTYPE_IPV6 and frame.length >= 40:
        head = _part(frame, 0, 40)
        tos = (head[0] & 15) << 4 | head[1] >> 4
        source, dest = str(ip_address(head[8:24])), str(ip_address(head[24:40]))
        protocol, position = _walk(frame, head[6])
        return _behind(frame, Header(6, source, dest, tos, protocol, position))
    return Header()


def _part(frame: Frame, first: int, count: int) -> bytes:
    return frame.payload[first : first + count].ljust(count, b"\0")


def _walk(frame: Frame, protocol: int) -> tuple[int | None, int]:
    position = 40
    while position <= frame.length and protocol in _EXTENSIONS:
        if position + 8 > frame.length or position >= len(frame.payload):
            return None, position
        protocol, units = _part(frame, position, 2)
        position += (units + 1) * 8
    return (protocol if position <= frame.length else None), position


def _behind(frame: Frame, header: Header) -> Header:
    position, protocol = header.position, header.protocol
    if protocol in _PORTED and frame.length > position + 4:
        first, second = _part(frame, position, 2), _part(frame, position + 2, 2)
        header = header._replace(
            source_port=int.from_bytes(first, "big"), dest_port=int.from_bytes(second, "big")
        )
    if protocol == (ICMP if header.version == 4 else ICMP6) and frame.length >= position + 2:
        icmp_type, icmp_code = _part(frame, position, 2)
        header = header._replace(icmp=(icmp_type, icmp_code))
    if protocol == TCP and (header.version == 4 or frame.length > position + 14):
        high, low = _part(frame, position + 12, 2)
        header = header._replace(tcp_flags=(high & 15) << 8 | low)
    return header


# --- words ---------------------------------------------------------------------------------


def ethertype_text(ethertype: int) -> str:
    """`ipv4`, or `0x88cc` where there is no name."""
    return _ETHERTYPE_NAMES.get(ethertype, f"0x{ethertype:04x}")


def protocol_text(protocol: int | None) -> str:
    """`tcp`, or `protocol 99` where there is no name."""
    if protocol is None:
        return "an invalid chain of headers"
    return _PROTOCOL_NAMES.get(protocol, f"protocol {protocol}")


def flags_text(flags: int) -> str:
    """`syn,ack`, or `none`."""
    return ",".join(name for bit, name in enumerate(_TCP_FLAGS) if flags >> bit & 1) or "none"


def mac_text(mac: int) -> str:
    """A MAC as aa:bb:cc:dd:ee:ff."""
    return ":".join(f"{byte:02x}" for byte in mac.to_bytes(6, "big"))


def frame_text(frame: Frame) -> str:
    """A frame in one line: `tcp 10.1.1.2:5555 > 10.1.1.7:443 syn, 40 bytes`."""
    header = read_header(frame)
    size = f"{frame.length} bytes"
    if header.version == 0:
        ends = f"{mac_text(frame.mac_source)} > {mac_text(frame.mac_dest)}"
        return f"ethertype {ethertype_text(frame.ethertype)}, {ends}, {size}"
    ends = f"{header.source} > {header.dest}"
    more = ""
    if header.source_port is not None:
        form = "[{}]:{}" if header.version == 6 else "{}:{}"
        source = form.format(header.source, header.source_port)
        ends = f"{source} > {form.format(header.dest, header.dest_port)}"
        if header.tcp_flags is not None and header.tcp_flags:
            more = f" {flags_text(header.tcp_flags)}"
    elif header.icmp is not None:
        more = f" type {header.icmp[0]} code {header.icmp[1]}"
    return f"{protocol_text(header.protocol)} {ends}{more}, {size}"
