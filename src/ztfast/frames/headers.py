"""What a frame's headers say, frame by frame in plain Python: addresses, protocol, ports, flags.

Contract: `read_header` reads a Frame as docs/spec/evaluation.md section 2 does (bytes that are
not there are zero) and never fails; `header_columns` gives the columns that a table of frames
shows, for installations without the compiled loops.  Both serve texts, tables, coverage and
witnesses, never a verdict: the reference evaluator (engine/reference_matches.py) decodes for
itself, so that neither hides the other's faults.
Tested by tests/frames/test_headers.py: against the evaluator's answers and the compiled decoder.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.frames.batch import FrameBatch
from ztfast.frames.build import (
    ETHERTYPE_ARP,
    ETHERTYPE_IPV4,
    ETHERTYPE_IPV6,
    ICMP,
    ICMP6,
    SCTP,
    TCP,
    UDP,
    UDPLITE,
)
from ztfast.frames.columns import Column, FrameKind, Missing, column_width
from ztfast.frames.frame import Frame
from ztfast.model.reads import Reads

EXTENSION_HEADERS = (0, 43, 60, 135)
PORT_PROTOCOLS = (TCP, UDP, SCTP, UDPLITE)


class Header(NamedTuple):
    """Header fields, None where the frame has none (or an IPv6 packet is invalid).

    version: 4, 6, or 0 for what is no IP.  source_ip, dest_ip: packed, 4 or 16 bytes.
    protocol: None too where the IPv6 extension headers run over.  position: of what stands
    behind the IP headers, in bytes of the payload.  tcp_flags: 12 bits, bit 0 is FIN.
    """

    version: int = 0
    source_ip: bytes | None = None
    dest_ip: bytes | None = None
    tos: int | None = None
    protocol: int | None = None
    position: int = 0
    source_port: int | None = None
    dest_port: int | None = None
    icmp: tuple[int, int] | None = None
    tcp_flags: int | None = None

    @property
    def source(self) -> str | None:
        """The source address as text."""
        return None if self.source_ip is None else str(ip_address(self.source_ip))

    @property
    def dest(self) -> str | None:
        """The destination address as text."""
        return None if self.dest_ip is None else str(ip_address(self.dest_ip))


# --- one frame -----------------------------------------------------------------------------


def read_header(frame: Frame) -> Header:
    """The header fields of a frame."""
    if frame.ethertype == ETHERTYPE_IPV4 and frame.length >= 20:
        return _with_transport(frame, _ipv4(frame))
    if frame.ethertype == ETHERTYPE_IPV6 and frame.length >= 40:
        return _with_transport(frame, _ipv6(frame))
    return Header()


def payload_bytes(frame: Frame, first: int, count: int) -> bytes:
    """`count` bytes of the payload from `first` on; those that are not there are zero."""
    return frame.payload[first : first + count].ljust(count, b"\0")


def payload_number(frame: Frame, first: int, count: int) -> int:
    """The same bytes as a number, the first byte highest."""
    return int.from_bytes(payload_bytes(frame, first, count), "big")


def _ipv4(frame: Frame) -> Header:
    head = payload_bytes(frame, 0, 20)
    return Header(4, head[12:16], head[16:20], head[1], head[9], 4 * (head[0] & 15))


def _ipv6(frame: Frame) -> Header:
    head = payload_bytes(frame, 0, 40)
    tos = (head[0] & 15) << 4 | head[1] >> 4
    protocol, position = _behind_extensions(frame, head[6])
    return Header(6, head[8:24], head[24:40], tos, protocol, position)


def _behind_extensions(frame: Frame, protocol: int) -> tuple[int | None, int]:
    """(protocol, position) behind the extension headers; no protocol where they run over."""
    position = 40
    while position <= frame.length and protocol in EXTENSION_HEADERS:
        # Behind the captured bytes everything is a header 0 that leads 8 bytes on, to the end.
        if position + 8 > frame.length or position >= len(frame.payload):
            return None, position
        protocol, units = payload_bytes(frame, position, 2)
        position += (units + 1) * 8
    return (protocol if position <= frame.length else None), position


def _with_transport(frame: Frame, header: Header) -> Header:
    position, protocol = header.position, header.protocol
    if protocol in PORT_PROTOCOLS and frame.length > position + 4:
        header = header._replace(
            source_port=payload_number(frame, position, 2),
            dest_port=payload_number(frame, position + 2, 2),
        )
    if protocol == (ICMP if header.version == 4 else ICMP6) and frame.length >= position + 2:
        icmp_type, icmp_code = payload_bytes(frame, position, 2)
        header = header._replace(icmp=(icmp_type, icmp_code))
    if protocol == TCP and (header.version == 4 or frame.length > position + 14):
        header = header._replace(tcp_flags=payload_number(frame, position + 12, 2) & 0xFFF)
    return header


def not_captured(frame: Frame) -> Reads:
    """The header fields that the frame had and that are not known; without the protocol none
    of those behind it is known."""
    header, captured, length = read_header(frame), len(frame.payload), frame.length
    missing = frame.unknown
    if header.version == 0:
        return missing
    tos, protocol, source, dest = (2, 10, 16, 20) if header.version == 4 else (2, 7, 24, 40)
    unsure = captured < protocol or (header.version == 6 and _walks_unseen(frame))
    ports, icmp = header.source_port is not None, header.icmp is not None
    flags = header.tcp_flags is not None
    flags_end, at = min(header.position + 14, length), header.position
    for bit, absent in (
        (Reads.TOS, captured < tos),
        (Reads.PROTOCOL, unsure),
        (Reads.IP_SOURCE, captured < source),
        (Reads.IP_DEST, captured < dest),
        (Reads.SOURCE_PORT, unsure or (ports and captured < at + 2)),
        (Reads.DEST_PORT, unsure or (ports and captured < at + 4)),
        (Reads.ICMP, unsure or (icmp and captured < at + 2)),
        (Reads.TCP_FLAGS, unsure or (flags and captured < flags_end and at + 12 < length)),
    ):
        missing |= bit if absent else Reads(0)
    return missing


def _walks_unseen(frame: Frame) -> bool:
    """Was an IPv6 extension header that leads on to the protocol not captured?"""
    protocol, position = payload_bytes(frame, 6, 1)[0], 40
    while protocol in EXTENSION_HEADERS and position + 8 <= frame.length:
        if position + 2 > len(frame.payload):
            return True
        protocol, units = payload_bytes(frame, position, 2)
        position += (units + 1) * 8
    return False


def ip_ends(frame: Frame) -> tuple[bytes | None, bytes | None]:
    """The packed source and destination of an IP or ARP frame, None where there are none."""
    for ethertype, least, source, dest, width in (
        (ETHERTYPE_IPV4, 20, 12, 16, 4),
        (ETHERTYPE_IPV6, 40, 8, 24, 16),
        (ETHERTYPE_ARP, 28, 14, 24, 4),
    ):
        if frame.ethertype == ethertype and len(frame.payload) >= least:
            return frame.payload[source : source + width], frame.payload[dest : dest + width]
    return None, None


# --- columns of many -----------------------------------------------------------------------

_COLUMNS = (
    Column.KIND,
    Column.MISSING,
    Column.MAC_SOURCE,
    Column.MAC_DEST,
    Column.ETHERTYPE,
    Column.VLAN,
    Column.PROTOCOL,
    Column.SOURCE_PORT,
    Column.DEST_PORT,
    Column.IP4_SOURCE,
    Column.IP4_DEST,
    Column.IP6_SOURCE_HIGH,
    Column.IP6_SOURCE_LOW,
    Column.IP6_DEST_HIGH,
    Column.IP6_DEST_LOW,
    Column.ICMP_TYPE,
    Column.ICMP_CODE,
    Column.TCP_FLAGS,
)


def header_columns(frames: FrameBatch) -> dict[int, npt.NDArray[Any]]:
    """KIND, MISSING (as `not_captured`), MACs, ethertype, VLAN, addresses, protocol, ports, more.

    Each by its Column, one item a frame, of the dtype that the compiled decoder gives it.
    """
    columns: dict[int, npt.NDArray[Any]] = {
        column: np.zeros(len(frames), f"u{column_width(column) // 8}") for column in _COLUMNS
    }
    for index in range(len(frames)):
        for column, value in _column_values(frames.frame(index)).items():
            columns[column][index] = value
    return columns


def _column_values(frame: Frame) -> dict[Column, int]:
    """One frame's values; columns that are left out are 0."""
    header = read_header(frame)
    return {
        Column.MISSING: _missing(frame, header),
        Column.MAC_SOURCE: frame.mac_source,
        Column.MAC_DEST: frame.mac_dest,
        Column.ETHERTYPE: frame.ethertype,
        Column.VLAN: frame.vlan,
        Column.KIND: int(_kind(header)),
        Column.PROTOCOL: header.protocol or 0,
        Column.SOURCE_PORT: header.source_port or 0,
        Column.DEST_PORT: header.dest_port or 0,
        Column.ICMP_TYPE: header.icmp[0] if header.icmp else 0,
        Column.ICMP_CODE: header.icmp[1] if header.icmp else 0,
        Column.TCP_FLAGS: header.tcp_flags or 0,
        **_address_values(header),
    }


def _missing(frame: Frame, header: Header) -> int:
    """What was not captured as the decoder's bits, which are others for IPv6 addresses."""
    found = int(not_captured(frame))
    if header.version == 6:
        for read, bit in (
            (Reads.IP_SOURCE, Missing.IP6_SOURCE),
            (Reads.IP_DEST, Missing.IP6_DEST),
        ):
            found = found & ~int(read) | int(bit) if found & read else found
    return found


def _kind(header: Header) -> FrameKind:
    kind = {0: FrameKind(0), 4: FrameKind.IPV4, 6: FrameKind.IPV6}[header.version]
    if header.protocol is not None:
        kind |= FrameKind.PROTOCOL
    for port, bit in (
        (header.source_port, FrameKind.SOURCE_PORT),
        (header.dest_port, FrameKind.DEST_PORT),
    ):
        if port or (port == 0 and header.version == 4):  # port 0 is none in IPv6
            kind |= bit
    return kind if header.icmp is None else kind | FrameKind.ICMP


def _address_values(header: Header) -> dict[Column, int]:
    source, dest = header.source_ip, header.dest_ip
    if source is None or dest is None:
        return {}
    if header.version == 4:
        return {
            Column.IP4_SOURCE: int.from_bytes(source, "big"),
            Column.IP4_DEST: int.from_bytes(dest, "big"),
        }
    return {
        Column.IP6_SOURCE_HIGH: int.from_bytes(source[:8], "big"),
        Column.IP6_SOURCE_LOW: int.from_bytes(source[8:], "big"),
        Column.IP6_DEST_HIGH: int.from_bytes(dest[:8], "big"),
        Column.IP6_DEST_LOW: int.from_bytes(dest[8:], "big"),
    }
