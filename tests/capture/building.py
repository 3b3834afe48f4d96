"""Small captures made by hand: the bytes of a pcap or pcapng from plain values."""

from __future__ import annotations

import random
import struct
from pathlib import Path

DATA = Path(__file__).parent.parent / "data" / "captures"


def frame(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


def pcap(
    frames: list[bytes],
    *,
    order: str = "<",
    magic: int = 0xA1B2_C3D4,
    linktype: int = 1,
    snaplen: int = 262_144,
    times: list[int] | None = None,
    lengths: list[int] | None = None,
) -> bytes:
    """A classic pcap; `times` are nanoseconds."""
    nano = magic == 0xA1B2_3C4D
    extra = b"\0" * 8 if magic == 0xA1B2_CD34 else b""
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, linktype)]
    for i, body in enumerate(frames):
        time = times[i] if times else 1_600_000_000_000_000_000 + i * 1_000_000
        seconds, rest = divmod(time, 1_000_000_000)
        length = lengths[i] if lengths else len(body)
        rest = rest if nano else rest // 1000
        out += [struct.pack(order + "IIII", seconds, rest, len(body), length), extra, body]
    return b"".join(out)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += b"\0" * (-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def section(order: str = "<", length: int = -1) -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, length), order)


def options(pairs: list[tuple[int, bytes]], order: str = "<") -> bytes:
    out = [struct.pack(order + "HH", c, len(v)) + v + b"\0" * (-len(v) % 4) for c, v in pairs]
    return b"".join(out) + (b"\0\0\0\0" if pairs else b"")


def interface(
    linktype: int = 1,
    snaplen: int = 0,
    pairs: list[tuple[int, bytes]] | None = None,
    order: str = "<",
) -> bytes:
    body = struct.pack(order + "HHI", linktype, 0, snaplen) + options(pairs or [], order)
    return block(1, body, order)


def packet(
    data: bytes,
    number: int = 0,
    units: int = 0,
    length: int | None = None,
    pairs: list[tuple[int, bytes]] | None = None,
    order: str = "<",
) -> bytes:
    length = len(data) if length is None else length
    head = struct.pack(order + "IIIII", number, units >> 32, units & 0xFFFFFFFF, len(data), length)
    body = head + data + b"\0" * (-len(data) % 4) + options(pairs or [], order)
    return block(6, body, order)


def simple(data: bytes, length: int | None = None, order: str = "<") -> bytes:
    return block(3, struct.pack(order + "I", len(data) if length is None else length) + data, order)


def old_packet(data: bytes, number: int, units: int, order: str = "<") -> bytes:
    head = struct.pack(
        order + "HHIIII", number, 7, units >> 32, units & 0xFFFFFFFF, len(data), len(data)
    )
    return block(2, head + data, order)
