"""Rules and captures to judge in several ways: records inside payloads, cut frames, members."""

from __future__ import annotations

import random
import struct

from tests.capture.building import block, interface, old_packet, packet, section, simple
from ztfast.network.members import Member, Network

RULES = {
    "ports": "accept dport 80 or dport 443 and ipprotocol tcp;\ndrop framesize 0-80;",
    "flags": "drop chr tcp_syn and not chr tcp_ack;\naccept chr multicast or ethertype arp;",
    "copies": "tee 64 8e30f50a25 ipprotocol tcp;\nwatch -1 1122334455 dport 53;\naccept vlan 0;",
    "nothing": "",
}

MEMBERS_RULES = """
tag role id 1 default 0;
cap web id 5 accept dport 80; ;
drop not ethertype ipv4 and not ethertype ipv6 and not ethertype arp;
tee 64 0000000003 dport 53;
redirect 0000000002 dport 22 and ipprotocol tcp;
accept ethertype arp;
accept tdiff role 1 and ipprotocol udp;
drop not chr ipauth and framesize 0-400;
break dport 80;
accept dport 443 or treq role 2;
"""


def record(seconds: int, frame: bytes, length: int | None = None) -> bytes:
    size = len(frame)
    return struct.pack("<IIII", seconds, 0, size, size if length is None else length) + frame


def random_frame(rng: random.Random, most: int) -> bytes:
    head = b"\x02" + rng.randbytes(11) + rng.choice([b"\x08\x00"] * 4 + [b"\x86\xdd", b"\x08\x06"])
    body = bytes([rng.choice([0x45, 0x45, 0x46, 0x60])]) + rng.randbytes(5)
    body += bytes([rng.choice([6, 17, 0, 58])]) + rng.randbytes(2) + bytes([rng.choice([6, 17, 1])])
    body += rng.randbytes(12) + struct.pack(">HH", rng.choice([80, 5000]), rng.choice([80, 53, 22]))
    frame = head + body + rng.randbytes(rng.randrange(most))
    return frame[: rng.randrange(len(frame))] if rng.random() < 0.05 else frame


def capture_of(rng: random.Random, frames: int, most: int) -> bytes:
    """A capture with records inside its payloads that look real, and some cut frames."""
    records = []
    for number in range(frames):
        frame = random_frame(rng, most)
        if rng.random() < 0.1:  # what a guess in the middle of the file may fall for
            frame += b"".join(record(1_700_000_000, bytes(20)) for _ in range(6))
        cut = len(frame) + rng.randrange(1, 900) if rng.random() < 0.1 else None
        records.append(record(1_700_000_000 + number // 1000, frame, cut))
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
    return header + b"".join(records)


def whole_capture(rng: random.Random, frames: int, most: int, order: str) -> bytes:
    """A capture of whole frames, with what a guess in the middle of the file may fall for."""
    records = []
    for number in range(frames):
        frame = b"\2" * 12 + b"\x08\x00\x45" + rng.randbytes(8)
        frame += bytes([rng.choice([6, 17])]) + rng.randbytes(10)
        frame += struct.pack(">HH", 5000, rng.choice([80, 53, 443]))
        frame += rng.randbytes(40 + rng.randrange(most))
        if rng.random() < 0.02:
            frame += b"".join(record(1, bytes(20)) for _ in range(6))
        size = len(frame)
        records.append(struct.pack(f"{order}IIII", number // 1000, number, size, size) + frame)
    header = struct.pack(f"{order}IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
    return header + b"".join(records)


def network_of(members: int) -> Network:
    """So many members, each with an address in 10.0.0.0/16 and a role."""
    return Network(
        id=0x8056C2E21C000001,
        members=tuple(
            Member(
                number,
                ips=(bytes((10, 0, number >> 8, number & 255)),),
                tags={1: number % 4},
                capabilities=frozenset((5,) if number % 3 else ()),
                bridge=number % 5 == 0,
            )
            for number in range(1, members + 1)
        ),
    )


def frames_between(rng: random.Random, network: Network, count: int) -> bytes:
    """A capture of frames of members, strangers, bridged MACs and groups; some are cut short."""
    macs = [mac for member in network.members[:40] if (mac := network.mac(member)) is not None]
    macs += [0x0200_0000_0001, 0x02AA_BBCC_DDEE]
    records = []
    for number in range(count):
        groups = [0xFFFF_FFFF_FFFF, 0x0100_5E00_00FB] * (rng.random() < 0.3)
        dest, source = rng.choice(groups or macs), rng.choice(macs)
        body = b"\x45" + rng.randbytes(8) + bytes([rng.choice([6, 17])]) + rng.randbytes(2)
        body += bytes((10, 0, 0, rng.randrange(1, 60))) + bytes((10, 0, 0, rng.randrange(1, 60)))
        body += struct.pack(">HH", 5000, rng.choice([80, 53, 443, 22, 9])) + rng.randbytes(30)
        kind = rng.choice([b"\x08\x00"] * 9 + [b"\x86\xdd", b"\x08\x06"])
        frame = dest.to_bytes(6, "big") + source.to_bytes(6, "big") + kind + body
        cut = rng.randrange(len(frame)) if rng.random() < 0.05 else len(frame)
        records.append(record(1_700_000_000 + number // 1000, frame[:cut], len(frame)))
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
    return header + b"".join(records)


# --- pcapng --------------------------------------------------------------------------------------


def blocks_of(rng: random.Random, frames: int, most: int, order: str) -> bytes:
    """A pcapng whose packets follow each other in runs, with all else that may come in between."""
    out = [section(order), interface(order=order)]
    known = 1
    while frames > 0:
        run = min(frames, rng.choice([1, 3, 200, 2000]))
        frames -= run
        out += [_packet(rng, most, known, order) for _ in range(run)]
        what = rng.randrange(9)
        if what == 0:
            out.append(block(5, bytes(12), order))  # statistics
        elif what == 1:
            out.append(interface(order=order, snaplen=rng.choice([0, 65535])))
            known += 1
        elif what == 2:
            out.append(simple(random_frame(rng, most), order=order))
        elif what == 3:
            out.append(old_packet(random_frame(rng, most), 0, 5, order))
        elif what == 4:
            order = rng.choice("<>")
            out += [section(order), interface(order=order)]
            known = 1
        elif what == 5 and rng.random() < 0.3:
            out.append(interface(rng.choice([101, 113]), order=order))
            known += 1
    return b"".join(out)


def _packet(rng: random.Random, most: int, known: int, order: str) -> bytes:
    data = random_frame(rng, most)
    if rng.random() < 0.01:
        data = packet(data, order=order) * 5  # a capture inside a frame
    pairs: list[tuple[int, bytes]] = []
    if rng.random() < 0.02:
        flags = rng.choice([0, 1, 4 << 5])  # the last one: four bytes of check sequence
        pairs = [(1, b"a comment"), (2, struct.pack(order + "I", flags))]
    number = rng.randrange(known) if rng.random() < 0.3 else 0
    return packet(data, number, 1_600_000_000_000_000, len(data) + 5, pairs, order)


def broken(rng: random.Random, data: bytes) -> bytes:
    """The same with some bytes changed, or cut."""
    damaged = bytearray(data)
    for _ in range(rng.choice([0, 1, 3])):
        at = rng.randrange(len(damaged))
        damaged[at] ^= 1 << rng.randrange(8)
    return bytes(damaged[: rng.choice([len(damaged), len(damaged) - rng.randrange(1, 60)])])
