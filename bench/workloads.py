"""Named, seeded workloads: rule sets, frames and captures, the same on every machine.

`RULES` maps a name to rules text; `frames(count)` gives distinct Ethernet headers, half of
which a `half` rule set accepts; `capture(name)` makes the captures mix (2,000,000 IMIX
frames) and mix64 (5,000,000 frames of 64 bytes).
"""

from __future__ import annotations

import os
import random
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ztfast.network.members import Member, Network, make_network

DATA = Path(__file__).parent / "data"
SEED = 20261122
HOSTS = 64  # destinations 10.1.1.0 … 10.1.1.63
PORTS = (80, 443, 22, 53, 8080, 3389, 25, 123)

DEFAULT = """\
drop not ethertype ipv4 and not ethertype arp and not ethertype ipv6;
accept;
"""

# The shape of the rules that the DEF CON network published: a whitelist of IP, no services by
# members, anti-spoofing, a copy of new connections to a collector.
DEFCON = """\
drop not ethertype ipv4 and not ethertype arp and not ethertype ipv6;
drop ethertype ipv4 and not chr ipauth;
drop ipprotocol udp and dport 1900;
drop ipprotocol udp and dport 5353 and not chr multicast;
tee 128 8e30f50a25 chr tcp_syn and not chr tcp_ack;
drop chr tcp_syn and not chr tcp_ack and not dport 80 and not dport 443 and not dport 22;
drop ipprotocol tcp and dport 25;
accept;
"""

TAGGED = """\
tag role id 1000 default 0 enum 0 guest enum 1 staff flag 4 server;
cap admin id 1 default accept ipprotocol tcp and dport 22 or dport 3389; ;
drop not ethertype ipv4 and not ethertype arp and not ethertype ipv6;
accept tdiff role 0 and ipprotocol tcp;
drop treq role guest and dport 3389;
break chr tcp_syn and not chr tcp_ack;
accept;
"""

# TCP to one of 7 hosts, port 80 or 443; and what about half of the frames are.  The same in
# libpcap's words: the benchmarks check that both accept as many frames.
SEL = """\
accept dport 80 or dport 443 and ipprotocol tcp
       and ipdest 10.1.1.0/29 and not ipdest 10.1.1.0/32;
drop;
"""
SEL_BPF = "tcp and (dst port 80 or dst port 443) and dst net 10.1.1.0/29 and not dst host 10.1.1.0"
HALF = """\
accept dport 80 or dport 443 or dport 22 or dport 53 and ipprotocol tcp or ipprotocol udp;
drop;
"""
HALF_BPF = "(tcp and (dst port 80 or dst port 443 or dst port 22 or dst port 53)) or udp"
DEFCON_BPF = (
    "(ip or arp or ip6) and not (udp dst port 1900) and not (udp dst port 5353 and not multicast) "
    "and not (tcp[13] & 18 = 2 and not dst port 80 and not dst port 443 and not dst port 22) "
    "and not (tcp dst port 25)"
)


def like(entries: int) -> str:
    """Sets of one shape, four entries each: protocol, destination, port, accept."""
    rng = random.Random(SEED + entries)
    lines = [
        f"accept ipprotocol {rng.choice(('tcp', 'udp'))} "
        f"and ipdest 10.{rng.randrange(1, 5)}.{rng.randrange(256)}.{rng.randrange(256)}/32 "
        f"and dport {rng.randrange(1, 65536)};"
        for _ in range(max(1, (entries - 1) // 4))
    ]
    return "\n".join([*lines, "drop;", ""])


def mixed(entries: int) -> str:
    """Sets of many shapes and lengths."""
    rng = random.Random(SEED - entries)
    made = 0
    lines: list[str] = []
    while made < entries - 1:
        count = min(rng.choice((1, 2, 3, 4)), entries - made - 2) or 1
        parts = [rng.choice(("", "not ")) + _match(rng) for _ in range(count)]
        lines.append(f"{rng.choice(('accept', 'drop'))} {' and '.join(parts)};")
        made += count + 1
    return "\n".join([*lines, "drop;", ""])


def _match(rng: random.Random) -> str:
    net = f"10.{rng.randrange(8)}.{rng.randrange(256)}"
    low = rng.randrange(1, 60000)
    return rng.choice(
        (
            f"ipsrc {net}.0/24",
            f"ipdest {net}.{rng.randrange(256)}/32",
            f"dport {low}-{low + rng.choice((0, 0, 10, 1000))}",
            f"sport {low}",
            f"ipprotocol {rng.choice(('tcp', 'udp', 'icmp4'))}",
            f"framesize {low % 1500}-1500",
            f"iptos 0xfc {rng.randrange(0, 200)}-255",
            "chr tcp_syn",
        )
    )


def classbench(sets: int) -> str:
    """ClassBench-like access lists: prefixes of many lengths, port ranges, protocols."""
    rng = random.Random(SEED + 7 * sets)
    lines = []
    for _ in range(sets):
        bits = [rng.choice((8, 12, 16, 20, 24, 28, 32)) for _ in range(2)]
        nets = [_network(rng, size) for size in bits]
        port = rng.choice(("dport 0-1023", "dport 1024-65535", f"dport {rng.randrange(65536)}"))
        protocol = rng.choice(("tcp", "udp"))
        lines.append(
            f"{rng.choice(('accept', 'drop'))} ipsrc {nets[0]} and ipdest {nets[1]} "
            f"and ipprotocol {protocol} and {port};"
        )
    return "\n".join([*lines, "drop;", ""])


def _network(rng: random.Random, bits: int) -> str:
    address = (10 << 24 | rng.getrandbits(24)) & (0xFFFFFFFF << (32 - bits)) & 0xFFFFFFFF
    return f"{'.'.join(str(byte) for byte in address.to_bytes(4, 'big'))}/{bits}"


RULES: dict[str, str] = {
    "default": DEFAULT,
    "defcon": DEFCON,
    "tags": TAGGED,
    "sel": SEL,
    "half": HALF,
    "like20": like(20),
    "like100": like(100),
    "like1000": like(1000),
    "mixed1000": mixed(1000),
    "classbench200": classbench(200),
}


# --- frames --------------------------------------------------------------------------------


def frames(count: int, width: int = 64, seed: int = SEED) -> npt.NDArray[np.uint8]:
    """`count` distinct headers, uint8[count, width]: IPv4 with TCP, UDP and ICMP."""
    rng = np.random.default_rng(seed)
    data = rng.integers(0, 256, (count, width), dtype=np.uint8)
    _headers(rng, data, np.full(count, width))
    return data


def spread(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The same headers with addresses all over 10.0.0.0/8 and every destination port."""
    rng, made = np.random.default_rng(SEED + 1), data.copy()
    for first, last in ((27, 30), (31, 34), (36, 38)):
        made[:, first:last] = rng.integers(0, 256, (len(data), last - first))
    return made


def _headers(
    rng: np.random.Generator, data: npt.NDArray[np.uint8], sizes: npt.NDArray[np.int64]
) -> None:
    """Write Ethernet, IPv4 and port fields into rows (or a strided view) of bytes."""
    count = len(data)

    def put(at: int, values: object, dtype: str) -> None:
        column = np.broadcast_to(np.asarray(values, dtype=dtype), (count,))
        width = np.dtype(dtype).itemsize
        data[:, at : at + width] = np.ascontiguousarray(column).view(np.uint8).reshape(-1, width)

    put(0, 0x02, "u1")
    put(6, 0x02, "u1")
    put(12, 0x0800, ">u2")
    put(14, 0x45, "u1")
    put(15, 0, "u1")
    put(16, sizes - 14, ">u2")
    put(20, 0x4000, ">u2")
    put(22, 64, "u1")
    put(23, rng.choice([6, 17, 1], count, p=[0.75, 0.2, 0.05]), "u1")
    put(26, 0x0A010000 + rng.integers(1, 65535, count), ">u4")
    put(30, 0x0A010100 + rng.integers(0, HOSTS, count), ">u4")
    put(34, rng.integers(1024, 65535, count), ">u2")
    put(36, rng.choice(PORTS, count), ">u2")
    put(46, 0x50, "u1")
    put(47, rng.choice([2, 16, 24, 18], count), "u1")


# Matches of both members' tags, of the recipient's, and of none.
PAIRS = """\
tag team id 1;
tag level id 2;
drop not tdiff team 100 and ipprotocol tcp;
accept teq level 3;
drop txor level 5;
accept tand team 1;
accept treq level 7;
accept;
"""


def network(members: int) -> Network:
    """Members that all have values of their own for the tags 1 and 2."""
    return make_network(
        [
            Member(0x1000000000 + n, tags={1: n * 37 % 65521, 2: n * 101 % 65521})
            for n in range(members)
        ],
        id=0x8056C2E21C000001,
    )


def members_frames(known: Network, count: int, multicast: bool) -> npt.NDArray[np.uint8]:
    """Headers as `frames` has them, from one member to another, or from one to all."""
    data = frames(count)
    _put_members(known, data, multicast)
    return data


def members_capture(known: Network, count: int) -> bytes:
    """A classic pcap of IMIX frames from one member to another."""
    return pcap_bytes(count, True, lambda heads: _put_members(known, heads, False))


def _put_members(known: Network, data: npt.NDArray[np.uint8], multicast: bool) -> None:
    """Write members' MACs into headers, uint8[n, 64]."""
    rng, count = np.random.default_rng(SEED), len(data)
    macs = np.array([known.mac(member) for member in known.members], ">u8")
    octets = macs.view(np.uint8).reshape(-1, 8)[:, 2:]
    source = rng.integers(0, len(macs), count)
    data[:, 6:12] = octets[source]
    other = source + rng.integers(1, len(macs), count)
    data[:, :6] = (1, 0, 0x5E, 0, 0, 1) if multicast else octets[other % len(macs)]


# --- captures ------------------------------------------------------------------------------

CAPTURES = {"mix": 2_000_000, "mix64": 5_000_000}


def capture(name: str) -> Path:
    """The capture mix or mix64 under bench/data, made when it is not there."""
    path = DATA / f"{name}.pcap"
    if not path.exists():
        DATA.mkdir(exist_ok=True)
        temporary = path.with_suffix(".part")
        write_capture(temporary, CAPTURES[name], name == "mix")
        temporary.rename(path)
    read_anew(path)
    return path


def read_anew(path: Path) -> None:
    """Have the file in memory as a first reader leaves it there, not as its writer did.

    The kernel keeps what it read in larger pieces than what was just written, and mapping a
    file costs by the piece; a capture fresh from its writer is no usual one.
    """
    with path.open("rb") as file:
        if hasattr(os, "posix_fadvise"):
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while file.read(1 << 22):
            pass


def write_capture(path: Path, count: int, imix: bool) -> None:
    """A classic pcap of `count` frames: IMIX (64, 594, 1518 at 58, 33, 9 %) or all of 64 bytes."""
    with path.open("wb") as file:
        for part in _parts(count, imix, lambda heads: None):
            file.write(part)


def pcap_bytes(count: int, imix: bool, change: Callable[[npt.NDArray[np.uint8]], None]) -> bytes:
    """As `write_capture` writes, with `change` made to the headers (uint8[n, 64]) of each part."""
    return b"".join(_parts(count, imix, change))


def _parts(
    count: int, imix: bool, change: Callable[[npt.NDArray[np.uint8]], None]
) -> Iterator[bytes]:
    rng = np.random.default_rng(SEED)
    yield struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
    for first in range(0, count, 100_000):
        yield _records(rng, first, min(100_000, count - first), imix, change).tobytes()


def _records(
    rng: np.random.Generator,
    first: int,
    count: int,
    imix: bool,
    change: Callable[[npt.NDArray[np.uint8]], None],
) -> npt.NDArray[np.uint8]:
    sizes = rng.choice([64, 594, 1518], count, p=[0.58, 0.33, 0.09]) if imix else np.full(count, 64)
    ends = np.cumsum(sizes + 16)
    out = rng.integers(0, 256, int(ends[-1]), dtype=np.uint8)
    heads = np.empty((count, 80), dtype=np.uint8)
    heads[:, 16:] = rng.integers(0, 256, (count, 64), dtype=np.uint8)
    _headers(rng, heads[:, 16:], sizes)
    change(heads[:, 16:])
    times = first + np.arange(count)
    fields = np.stack([1_700_000_000 + times // 1_000_000, times % 1_000_000, sizes, sizes], axis=1)
    heads[:, :16] = fields.astype("<u4").view(np.uint8).reshape(count, 16)
    starts = ends - sizes - 16
    out[starts[:, None] + np.arange(80)] = heads
    return out


if __name__ == "__main__":
    for wanted in sys.argv[1:] or list(CAPTURES):
        print(capture(wanted))
