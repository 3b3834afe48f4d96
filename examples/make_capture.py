"""Makes office.pcap: a morning of the office's frames, the same bytes every time.

Every rule of office.ztrules decides some frame (tests/examples/test_office.py).  Frames
are whole on the wire and cut to 128 bytes in the capture, as with `tcpdump -s 128`.

Usage: python examples/make_capture.py [OUT]
"""

from __future__ import annotations

import random
import struct
import sys
from ipaddress import ip_address
from pathlib import Path

from ztfast import load_network

HERE = Path(__file__).parent
SNAPLEN = 128
START = 1_768_200_000  # seconds since 1970
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
BROADCAST = "broadcast"


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Office:
    """Builds frames between members by their names."""

    def __init__(self) -> None:
        network = load_network(HERE / "office.toml")
        self.macs = {member.name: network.mac(member) for member in network.members}
        self.ips = {
            member.name: {len(ip): ip_address(ip) for ip in member.ips}
            for member in network.members
        }
        self.random = random.Random(20)
        self.frames: list[bytes] = []

    def ethernet(self, source: str, dest: str, ethertype: int, payload: bytes) -> None:
        """Add a frame."""
        to = 0xFFFF_FFFF_FFFF if dest == BROADCAST else self.macs[dest]
        head = to.to_bytes(6, "big") + self.macs[source].to_bytes(6, "big")
        self.frames.append(head + struct.pack(">H", ethertype) + payload)

    def ipv4(
        self, source: str, dest: str, protocol: int, body: bytes, src: str = "", dst: str = ""
    ) -> None:
        """Add an IPv4 packet; `src` and `dst` replace the members' own addresses."""
        ends = [
            (ip_address(given) if given else self.ips[name][4]).packed
            for name, given in ((source, src), (dest, dst))
        ]
        if protocol in (TCP, UDP):
            pseudo = b"".join(ends) + struct.pack(">BBH", 0, protocol, len(body))
            at = 16 if protocol == TCP else 6
            body = body[:at] + struct.pack(">H", checksum(pseudo + body)) + body[at + 2 :]
        number = self.random.randrange(65536)
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), number, 0x4000, 64, protocol, 0)
        head = head[:10] + struct.pack(">H", checksum(head + b"".join(ends)))
        self.ethernet(source, dest, 0x0800, head + b"".join(ends) + body)

    def tcp(self, source: str, dest: str, ports: tuple[int, int], flags: int, size: int = 0,
            src: str = "", dst: str = "") -> None:
        """Add a TCP segment with `size` bytes of data."""
        sequence = self.random.getrandbits(32)
        head = struct.pack(">HHIIBBHHH", *ports, sequence, 0, 5 << 4, flags, 64240, 0, 0)
        self.ipv4(source, dest, TCP, head + self.random.randbytes(size), src, dst)

    def udp(self, source: str, dest: str, ports: tuple[int, int], data: bytes) -> None:
        """Add a UDP datagram."""
        head = struct.pack(">HHHH", *ports, 8 + len(data), 0)
        self.ipv4(source, dest, UDP, head + data)

    def lookup(self, client: str, server: str, name: str) -> None:
        """Add a DNS question for a name's address, and the answer."""
        labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
        question = labels + struct.pack(">BHH", 0, 1, 1)
        number, port = self.random.randrange(65536), self.random.randrange(32768, 61000)
        query = struct.pack(">6H", number, 0x0100, 1, 0, 0, 0) + question
        found = struct.pack(">HHHIH", 0xC00C, 1, 1, 300, 4) + self.ips[server][4].packed
        answer = struct.pack(">6H", number, 0x8180, 1, 1, 0, 0) + question + found
        self.udp(client, server, (port, 53), query)
        self.udp(server, client, (53, port), answer)

    def ping(self, source: str, dest: str) -> None:
        """Add an echo request and its answer."""
        for kind, one, other in ((8, source, dest), (0, dest, source)):
            body = struct.pack(">BBHHH", kind, 0, 0, 77, 1) + bytes(range(56))
            body = body[:2] + struct.pack(">H", checksum(body)) + body[4:]
            self.ipv4(one, other, ICMP, body)

    def arp(self, source: str, dest: str) -> None:
        """Add the question who has `dest`'s address."""
        own, wanted = self.ips[source][4].packed, self.ips[dest][4].packed
        mac = self.macs[source].to_bytes(6, "big")
        body = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + mac + own + b"\0" * 6 + wanted
        self.ethernet(source, BROADCAST, 0x0806, body)

    def neighbour(self, source: str, dest: str, kind: int) -> None:
        """Add an IPv6 neighbour solicitation (135) or advertisement (136)."""
        target = self.ips[dest if kind == 135 else source][16].packed
        ends = self.ips[source][16].packed + self.ips[dest][16].packed
        body = struct.pack(">BBHI", kind, 0, 0, 0) + target
        pseudo = ends + struct.pack(">II", len(body), ICMP6)
        body = body[:2] + struct.pack(">H", checksum(pseudo + body)) + body[4:]
        head = struct.pack(">IHBB", 6 << 28, len(body), ICMP6, 255)
        self.ethernet(source, dest, 0x86DD, head + ends + body)

    def connection(self, client: str, server: str, port: int, exchanges: int) -> None:
        """Add a whole connection: opening, data both ways, end."""
        ports = (self.random.randrange(32768, 61000), port)
        back = ports[::-1]
        self.tcp(client, server, ports, SYN)
        self.tcp(server, client, back, SYN | ACK)
        self.tcp(client, server, ports, ACK)
        for _ in range(exchanges):
            self.tcp(client, server, ports, PSH | ACK, self.random.randrange(40, 400))
            self.tcp(server, client, back, PSH | ACK, self.random.randrange(400, 1400))
        self.tcp(client, server, ports, FIN | ACK)
        self.tcp(server, client, back, FIN | ACK)


def morning(office: Office) -> None:
    """What happens: every rule of office.ztrules is met."""
    for name in ("anna", "ben", "carla", "visitor"):
        office.arp(name, "files")
        office.lookup(name, "files", "files.office.example")
    office.neighbour("carla", "files", 135)
    office.neighbour("files", "carla", 136)
    office.ping("anna", "printer")
    for client, exchanges in (("anna", 12), ("ben", 30), ("carla", 7)):
        office.connection(client, "files", 445, exchanges)
    office.connection("visitor", "printer", 631, 6)
    office.connection("ben", "carla", 8080, 9)  # one department
    office.connection("carla", "files", 22, 5)  # by capability
    office.connection("carla", "anna", 3389, 8)
    for flags in (SYN, SYN):
        office.tcp("ben", "files", (40022, 22), flags)  # no capability
    for _ in range(5):
        office.udp("ben", "anna", (5004, 5004), office.random.randbytes(172))  # a call
    office.udp("anna", "ben", (40000, 161), office.random.randbytes(40))
    for size in (0, 180, 320):
        flags = PSH | ACK if size else SYN
        office.tcp("anna", "files", (41000, 80), flags, size, dst="93.184.216.34")
    office.tcp("visitor", "files", (42000, 445), SYN)
    office.tcp("visitor", "files", (42001, 23), SYN)
    office.tcp("visitor", "printer", (42002, 631), SYN, src="10.147.20.11")  # spoofed
    office.tcp("visitor", "sensor", (42003, 7), SYN | FIN)
    office.ethernet("printer", BROADCAST, 0x88CC, bytes(46))  # LLDP


def write(path: Path, frames: list[bytes], pauses: random.Random) -> None:
    """Write a classic pcap, cut to the snap length."""
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, SNAPLEN, 1)]
    time = 0
    for frame in frames:
        time += pauses.randrange(100, 40_000)
        kept = frame[:SNAPLEN]
        seconds, micros = divmod(time, 1_000_000)
        out.append(struct.pack("<IIII", START + seconds, micros, len(kept), len(frame)))
        out.append(kept)
    path.write_bytes(b"".join(out))


def main(arguments: list[str]) -> None:
    """Make the capture."""
    office = Office()
    morning(office)
    path = Path(arguments[0]) if arguments else HERE / "office.pcap"
    write(path, office.frames, random.Random(4))
    print(f"{path}: {len(office.frames)} frames")


if __name__ == "__main__":
    main(sys.argv[1:])
