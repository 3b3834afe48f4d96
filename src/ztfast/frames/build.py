"""Building frames that a network could carry: headers with true lengths and checksums.

Contract: pure functions from values to bytes; addresses are packed (4 or 16 bytes), MACs
48-bit integers.  `ip_packet` fills in the checksum of the body that it is given, by
protocol.  Used by explanations, test cases and witnesses; sources: RFC 791, 8200, 9293,
768, 3828, 9260, 792, 4443, 826.  Tested by tests/frames/test_build.py (against scapy).
"""

from __future__ import annotations

import struct

from ztfast.frames.frame import Frame

ETHERTYPE_IPV4, ETHERTYPE_ARP, ETHERTYPE_IPV6 = 0x0800, 0x0806, 0x86DD
ICMP, TCP, UDP, ICMP6, SCTP, UDPLITE = 1, 6, 17, 58, 132, 136
ARP_REQUEST, ARP_REPLY = 1, 2
BROADCAST_MAC = 0xFFFFFFFFFFFF

# Where the checksum of 16 bits stands in a body of this protocol.
_CHECKSUM_AT = {ICMP: 2, TCP: 16, UDP: 6, ICMP6: 2, UDPLITE: 6}
_MAX_LENGTH = 0xFFFF


def internet_checksum(data: bytes) -> int:
    """The ones' complement checksum of RFC 1071, 16 bits."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _crc32c_table() -> tuple[int, ...]:
    table: list[int] = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)  # noqa: PLW2901 - the register
        table.append(byte)
    return tuple(table)


_CRC32C = _crc32c_table()


def crc32c(data: bytes) -> int:
    """The CRC of SCTP (RFC 9260, appendix A), 32 bits."""
    register = 0xFFFFFFFF
    for byte in data:
        register = register >> 8 ^ _CRC32C[(register ^ byte) & 0xFF]
    return register ^ 0xFFFFFFFF


# --- bodies, whose checksums `ip_packet` fills in ------------------------------------------


def tcp_body(source_port: int, dest_port: int, flags: int = 0, data: bytes = b"") -> bytes:
    """A TCP segment: `flags` are 12 bits, as `chr` counts them (bit 0 FIN, 1 SYN, … 8 NS)."""
    offset_and_flags = 5 << 12 | flags & 0xFFF
    head = struct.pack(">HHIIHHHH", source_port, dest_port, 0, 0, offset_and_flags, 0xFFFF, 0, 0)
    return head + data


def udp_body(source_port: int, dest_port: int, data: bytes = b"") -> bytes:
    """A UDP datagram; as UDP-Lite, its length field says that the checksum covers all."""
    return struct.pack(">HHHH", source_port, dest_port, min(8 + len(data), _MAX_LENGTH), 0) + data


def sctp_body(source_port: int, dest_port: int, data: bytes = b"") -> bytes:
    """An SCTP packet: the common header and whatever chunks `data` holds."""
    return struct.pack(">HHII", source_port, dest_port, 0, 0) + data


def icmp_body(icmp_type: int, icmp_code: int = 0, data: bytes = b"") -> bytes:
    """An ICMP or ICMPv6 message; the four bytes behind the checksum are zero."""
    return struct.pack(">BBHI", icmp_type, icmp_code, 0, 0) + data


# --- packets -------------------------------------------------------------------------------


def ip_packet(
    source: bytes, dest: bytes, protocol: int, body: bytes = b"", tos: int = 0, ttl: int = 64
) -> bytes:
    """An IPv4 or IPv6 packet (by the addresses' length) around a body, checksums valid.

    tos: IPv4 TOS or IPv6 traffic class.  Raises ValueError for addresses of two families.
    """
    if len(source) != len(dest) or len(source) not in (4, 16):
        raise ValueError("source and destination must both be 4 or both be 16 bytes")
    body = _with_checksum(source, dest, protocol, body)
    if len(source) == 16:
        first = 6 << 28 | tos << 20
        head = struct.pack(">IHBB", first, min(len(body), _MAX_LENGTH), protocol, ttl)
        return head + source + dest + body
    length = min(20 + len(body), _MAX_LENGTH)
    head = struct.pack(">BBHIBBH", 0x45, tos, length, 0, ttl, protocol, 0) + source + dest
    checksum = internet_checksum(head)
    return head[:10] + checksum.to_bytes(2, "big") + head[12:] + body


def _with_checksum(source: bytes, dest: bytes, protocol: int, body: bytes) -> bytes:
    if protocol == SCTP and len(body) >= 12:
        clean = body[:8] + bytes(4) + body[12:]
        return body[:8] + crc32c(clean).to_bytes(4, "little") + body[12:]
    at = _CHECKSUM_AT.get(protocol)
    if at is None or len(body) < at + 2 or (protocol == ICMP6 and len(source) == 4):
        return body
    clean = body[:at] + b"\0\0" + body[at + 2 :]
    pseudo = b"" if protocol == ICMP else _pseudo_header(source, dest, protocol, len(body))
    checksum = internet_checksum(pseudo + clean)
    if checksum == 0 and protocol in (UDP, UDPLITE):
        checksum = 0xFFFF  # zero says "no checksum" there
    return clean[:at] + checksum.to_bytes(2, "big") + clean[at + 2 :]


def _pseudo_header(source: bytes, dest: bytes, protocol: int, length: int) -> bytes:
    if len(source) == 4:
        return source + dest + struct.pack(">BBH", 0, protocol, length & _MAX_LENGTH)
    return source + dest + struct.pack(">II", length, protocol)


def arp_packet(
    operation: int, sender_mac: int, sender_ip: bytes, target_mac: int, target_ip: bytes
) -> bytes:
    """An ARP packet for Ethernet and IPv4 (RFC 826), 28 bytes."""
    head = struct.pack(">HHBBH", 1, ETHERTYPE_IPV4, 6, 4, operation)
    ends = sender_mac.to_bytes(6, "big") + sender_ip + target_mac.to_bytes(6, "big") + target_ip
    return head + ends


# --- frames --------------------------------------------------------------------------------


def multicast_mac(address: bytes) -> int | None:
    """The MAC that a multicast or broadcast IP address is sent to, None for others."""
    if len(address) == 4:
        if address == b"\xff\xff\xff\xff":
            return BROADCAST_MAC
        if address[0] >> 4 == 0xE:
            return 0x01005E << 24 | int.from_bytes(address[1:], "big") & 0x7FFFFF
        return None
    return 0x3333 << 32 | int.from_bytes(address[12:], "big") if address[0] == 0xFF else None


def ethernet_bytes(frame: Frame) -> bytes:
    """A Frame as the bytes of an Ethernet frame: both MACs, the ethertype, the payload."""
    macs = frame.mac_dest.to_bytes(6, "big") + frame.mac_source.to_bytes(6, "big")
    return macs + frame.ethertype.to_bytes(2, "big") + frame.payload
