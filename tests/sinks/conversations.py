"""Frames that other programs make flows of: whole TCP connections and UDP, sums right."""

from __future__ import annotations

import struct

FLOWS = 20


def checksum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def ip(source: bytes, dest: bytes, protocol: int, body: bytes) -> bytes:
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 7, 0, 64, protocol, 0) + source + dest
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    macs = b"\x02\0\0\0" + dest[2:] + b"\x02\0\0\0" + source[2:]
    return macs + b"\x08\x00" + head + body


def transport(source: bytes, dest: bytes, protocol: int, body: bytes, at: int) -> bytes:
    pseudo = source + dest + struct.pack(">BBH", 0, protocol, len(body))
    body = body[:at] + struct.pack(">H", checksum(pseudo + body)) + body[at + 2 :]
    return ip(source, dest, protocol, body)


def tcp(source, dest, ports, seq, ack, flags, data=b""):
    options = b"\x02\x04\x05\xb4" if flags & 2 else b""
    words = (*ports, seq, ack, (20 + len(options)) << 2, flags, 8192, 0, 0)
    body = struct.pack(">HHIIBBHHH", *words) + options + data
    return transport(source, dest, 6, body, 16)


def conversations() -> list[bytes]:
    """For each client a whole TCP connection of six frames, and one UDP frame."""
    frames = []
    server = bytes((10, 0, 1, 1))
    for i in range(FLOWS):
        client, there, back = bytes((10, 0, 0, i + 1)), (40_000 + i, 80), (80, 40_000 + i)
        ask, answer = b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\nhello"
        frames += [
            tcp(client, server, there, 1000, 0, 2),
            tcp(server, client, back, 5000, 1001, 18),
            tcp(client, server, there, 1001, 5001, 16),
            tcp(client, server, there, 1001, 5001, 24, ask),
            tcp(server, client, back, 5001, 1001 + len(ask), 25, answer),
            tcp(client, server, there, 1001 + len(ask), 5002 + len(answer), 17),
        ]
        body = struct.pack(">HHHH", 50_000 + i, 9999, 10, 0) + b"xx"
        frames.append(transport(client, server, 17, body, 6))
    return frames


FRAMES = conversations()
