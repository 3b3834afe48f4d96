"""The header fields of a frame as fields of `Formulas`, and what makes every assignment a frame.

Contract: `FrameFormulas` has a formula for each thing that a match asks of a frame, and
`structure()`, which those assignments satisfy that some frame of up to 65,535 payload bytes
has; every frame satisfies it.  Oddities are in: IPv4 headers that say they are shorter
than 20 bytes (ports then overlap addresses), IPv6 extension headers, cut headers.
Source: docs/spec/evaluation.md sections 2 to 4.  Tested by tests/proof/test_symbolic.py,
which reads random frames back into assignments.
"""

from __future__ import annotations

from ztfast.frames.headers import EXTENSION_HEADERS, PORT_PROTOCOLS
from ztfast.proof.formula import TRUE, Formulas, Literal

IPV4, IPV6, ARP = 0x0800, 0x86DD, 0x0806
MAX_LENGTH = 0xFFFF  # more payload bytes than any network carries; ZeroTier's limit is 10,000
BROADCAST = (1 << 48) - 1

WIDTHS = {
    "ethertype": 16,
    "vlan": 16,
    "mac_source": 48,
    "mac_dest": 48,
    "length": 16,
    "position": 16,  # of what stands behind the IP header and its extension headers
    "chain_valid": 1,  # the IPv6 extension headers lead to a protocol
    "protocol": 8,
    "tos": 8,
    "source4": 32,
    "dest4": 32,
    "source6": 128,
    "dest6": 128,
    "sport": 16,
    "dport": 16,
    "icmp_type": 8,
    "icmp_code": 8,
    "tcp": 12,
    "owns_ip": 1,  # the address that ipauth looks at was given to the sender
    "owns_mac": 1,
}

# (position, field there, its lowest bit, field of the IPv4 header, its bit, how many): where
# an IPv4 header says it is shorter than 20 bytes, what stands "behind" it is part of it.
_OVERLAPS = (
    (0, "sport", 0, "tos", 0, 8),
    (0, "icmp_code", 0, "tos", 0, 8),
    (0, "tcp", 0, "source4", 16, 12),
    (4, "tcp", 0, "dest4", 16, 12),
    (8, "sport", 0, "protocol", 0, 8),
    (8, "icmp_code", 0, "protocol", 0, 8),
    (12, "sport", 0, "source4", 16, 16),
    (12, "dport", 0, "source4", 0, 16),
    (12, "icmp_type", 0, "source4", 24, 8),
    (12, "icmp_code", 0, "source4", 16, 8),
    (16, "sport", 0, "dest4", 16, 16),
    (16, "dport", 0, "dest4", 0, 16),
    (16, "icmp_type", 0, "dest4", 24, 8),
    (16, "icmp_code", 0, "dest4", 16, 8),
)


class FrameFormulas:
    """The formulas that matches are made of, over one frame; `prefix`: of its fields' names."""

    def __init__(self, formulas: Formulas, prefix: str = "") -> None:
        self.formulas = formulas
        self.prefix = prefix
        self._integers: dict[tuple[int, int, bool], str] = {}
        self.payload_bytes: set[int] = set()
        for name, width in WIDTHS.items():
            formulas.field(prefix + name, width)
        self.ipv4 = formulas.both(self.test("ethertype", IPV4), self.test("length", 20, MAX_LENGTH))
        self.ipv6 = formulas.both(self.test("ethertype", IPV6), self.test("length", 40, MAX_LENGTH))
        self.ipv6_valid = formulas.both(self.ipv6, self.test("chain_valid", 1))
        # What asks for a protocol needs this, or is false whatever `not` says.
        self.transport = formulas.either(self.ipv4, self.ipv6_valid)
        self.ip = formulas.either(self.ipv4, self.ipv6)
        self.has_ports = formulas.all(
            (
                self.transport,
                formulas.any(self.test("protocol", number) for number in PORT_PROTOCOLS),
                self.reaches(5),
            )
        )
        icmp = formulas.either(
            formulas.both(self.ipv4, self.test("protocol", 1)),
            formulas.both(self.ipv6_valid, self.test("protocol", 58)),
        )
        self.has_icmp = formulas.both(icmp, self.reaches(2))
        self.has_tcp_bits = formulas.both(
            self.test("protocol", 6),
            formulas.either(self.ipv4, formulas.both(self.ipv6_valid, self.reaches(15))),
        )
        self.ipauth = self._ipauth()
        self.macauth = self.test("owns_mac", 1)

    def test(
        self, name: str, low: int, high: int | None = None, mask: int | None = None
    ) -> Literal:
        """A test of one of this frame's fields."""
        return self.formulas.test(self.prefix + name, low, high, mask)

    def reaches(self, count: int) -> Literal:
        """The payload holds `count` bytes from `position` on."""
        return self.formulas.compare(
            "at most", self.prefix + "position", self.prefix + "length", count
        )

    def port(self, name: str, low: int, high: int) -> Literal:
        """A port within a range; port 0 is none in IPv6."""
        found = self.formulas.both(self.has_ports, self.test(name, low, high))
        if low > 0 or low > high:
            return found
        return self.formulas.both(
            found, self.formulas.either(self.ipv4, self.test(name, 1, 0xFFFF))
        )

    def tcp_bits(self, mask: int) -> Literal:
        """Any of these TCP bits is set."""
        return self.formulas.both(self.has_tcp_bits, -self.test("tcp", 0, 0, mask))

    def integer(self, offset: int, bits: int, little: bool) -> str:
        """The field of an INTEGER_RANGE; `structure` ties it to the payload's bytes."""
        key = (offset, bits, little)
        name = self._integers.get(key)
        if name is None:
            name = f"integer.{offset}.{bits}.{'little' if little else 'big'}"
            self._integers[key] = self.formulas.field(self.prefix + name, 64)
            count = (bits + 7) // 8
            first = offset if little else offset + 8 - count
            for at in range(first, first + count):
                self.payload_bytes.add(at)
                self.formulas.field(f"{self.prefix}byte.{at}", 8)
        return self._integers[key]

    def structure(self) -> list[Literal]:
        """What every frame satisfies; call it when all matches are made."""
        formulas = self.formulas
        four, trace = self.ipv4, self.ipv6_valid
        made = [
            formulas.implies(four, self.test("position", 0, 60)),
            formulas.implies(four, self.test("position", 0, 0, 3)),
            formulas.implies(trace, self.test("position", 40, MAX_LENGTH)),
            formulas.implies(trace, self.test("position", 0, 0, 7)),
            formulas.implies(trace, self.reaches(0)),
            *(formulas.implies(trace, -self.test("protocol", n)) for n in EXTENSION_HEADERS),
            formulas.implies(formulas.both(four, -self.reaches(13)), self.test("tcp", 0, 0, 0xF00)),
            formulas.implies(formulas.both(four, -self.reaches(14)), self.test("tcp", 0, 0, 0xFF)),
            formulas.implies(
                formulas.both(four, self.test("position", 0)), self.test("sport", 0, 0, 0xF00)
            ),
            formulas.implies(
                formulas.both(four, self.test("position", 0)), self.test("icmp_type", 0, 0, 0xF)
            ),
        ]
        for position, field, at, header, bit, count in _OVERLAPS:
            tie = self._tie(field, at, header, bit, count)
            made.append(formulas.implies(formulas.both(four, self.test("position", position)), tie))
        for (offset, bits, little), name in self._integers.items():
            made += self._integer_ties(name, offset, bits, little)
        for at in sorted(self.payload_bytes):
            made += self._byte_ties(at)
        return [literal for literal in made if literal != TRUE]

    @property
    def plain(self) -> Literal:
        """Frames without oddities: IPv4 headers of 20 bytes, IPv6 without extension headers."""
        return self.formulas.all(
            (
                self.formulas.implies(self.ipv4, self.test("position", 20)),
                self.formulas.implies(
                    self.ipv6,
                    self.formulas.both(self.test("chain_valid", 1), self.test("position", 40)),
                ),
            )
        )

    @property
    def buildable(self) -> Literal:
        """Frames that a witness can be built for, everything but one oddity.

        An INTEGER_RANGE may ask for bytes of an IPv6 extension header, whose chain is not
        modelled byte by byte: outside this set there may be no such frame.
        """
        if not self.payload_bytes:
            return TRUE
        whole = self.formulas.both(self.test("chain_valid", 1), self.test("position", 40))
        return self.formulas.implies(self.ipv6, whole)

    def _tie(self, field: str, at: int, other: str, bit: int, count: int) -> Literal:
        return self.formulas.slices(self.prefix + field, at, self.prefix + other, bit, count)

    def _ipauth(self) -> Literal:
        """Section 4; the address looked at is one a frame, so owning it is one field."""
        formulas = self.formulas
        discovery = formulas.all(
            (
                self.ipv6_valid,
                self.test("position", 40),
                self.test("protocol", 58),
                self.test("length", 64, MAX_LENGTH),
            )
        )
        solicits = formulas.both(discovery, self.test("icmp_type", 135))
        arp = formulas.both(self.test("ethertype", ARP), self.test("length", 28, MAX_LENGTH))
        owned = formulas.both(formulas.any((self.ip, arp)), self.test("owns_ip", 1))
        return formulas.either(solicits, owned)

    def _integer_ties(self, field: str, offset: int, bits: int, little: bool) -> list[Literal]:
        formulas = self.formulas
        name = field[len(self.prefix) :]
        count = (bits + 7) // 8
        first = offset if little else offset + 8 - count
        inside = self.test("length", first + count, MAX_LENGTH)
        made = [formulas.implies(-inside, self.test(name, 0))]
        if bits < 64:
            made.append(self.test(name, 0, 0, ((1 << 64) - 1) ^ ((1 << bits) - 1)))
        cut = count * 8 - bits if little else 0
        for index in range(count):
            at = first + (index if little else count - 1 - index)
            low = index * 8 - cut  # the bit of the integer where this byte's lowest bit would be
            skip, top = max(0, -low), min(8, bits - low)
            tie = self._tie(name, low + skip, f"byte.{at}", skip, top - skip)
            made.append(formulas.implies(inside, tie))
        return made

    def _byte_ties(self, at: int) -> list[Literal]:
        """A payload byte is the byte of the header that stands there."""
        formulas = self.formulas
        name = f"byte.{at}"
        ties: list[
            tuple[Literal, str, int, int, int]
        ] = []  # condition, field, bit, bit here, how many
        if at < 20:
            ties += [(self.ipv4, *rest) for rest in _IPV4_BYTES.get(at, ())]
        if at < 40:
            ties += [(self.ipv6, *rest) for rest in _ipv6_byte(at)]
        for offset, field, bit, here, count in _BEHIND:
            if at >= offset:
                there = formulas.both(self.transport, self.test("position", at - offset))
                ties.append(
                    (formulas.both(there, self._protocol_of(field)), field, bit, here, count)
                )
        made = [
            formulas.implies(condition, self._tie(name, here, field, bit, count))
            for condition, field, bit, here, count in ties
        ]
        if at == 0:
            made += [
                formulas.implies(
                    formulas.both(self.ipv4, self.test("position", 4 * n)),
                    self.test(name, n, n, 0xF),
                )
                for n in range(16)
            ]
        if at == 6:
            first = formulas.both(self.ipv6_valid, self.test("position", 40))
            longer = formulas.both(self.ipv6, -first)
            made += [
                formulas.implies(first, self._tie(name, 0, "protocol", 0, 8)),
                formulas.implies(
                    longer, formulas.any(self.test(name, n) for n in EXTENSION_HEADERS)
                ),
            ]
        return made

    def _protocol_of(self, field: str) -> Literal:
        if field in ("sport", "dport"):
            return self.has_ports
        return self.has_icmp if field.startswith("icmp") else self.has_tcp_bits


_IPV4_BYTES: dict[int, tuple[tuple[str, int, int, int], ...]] = {
    1: (("tos", 0, 0, 8),),
    9: (("protocol", 0, 0, 8),),
    **{12 + n: (("source4", 24 - 8 * n, 0, 8),) for n in range(4)},
    **{16 + n: (("dest4", 24 - 8 * n, 0, 8),) for n in range(4)},
}

# (offset behind `position`, field, its bit, bit of the byte, how many)
_BEHIND = (
    (0, "sport", 8, 0, 8),
    (1, "sport", 0, 0, 8),
    (2, "dport", 8, 0, 8),
    (3, "dport", 0, 0, 8),
    (0, "icmp_type", 0, 0, 8),
    (1, "icmp_code", 0, 0, 8),
    (12, "tcp", 8, 0, 4),
    (13, "tcp", 0, 0, 8),
)


def _ipv6_byte(at: int) -> tuple[tuple[str, int, int, int], ...]:
    if at == 0:
        return (("tos", 4, 0, 4),)
    if at == 1:
        return (("tos", 0, 4, 4),)
    if 8 <= at < 24:
        return (("source6", 120 - 8 * (at - 8), 0, 8),)
    if 24 <= at < 40:
        return (("dest6", 120 - 8 * (at - 24), 0, 8),)
    return ()
