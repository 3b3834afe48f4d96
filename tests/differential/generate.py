"""Random policies, members and frames, from one seed: values that the tests share on purpose.

Every list of choices is short, so that rules and frames meet often; the boundary values are in it.
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

from tests.engine.cases import ARP, IPV4, IPV6, extension, ipv4, ipv6, ports
from ztfast.frames.frame import Frame
from ztfast.model.kinds import KINDS, Kind
from ztfast.model.reads import Reads

Rules = tuple[dict[str, Any], ...]

ADDRESSES = ["1111111111", "2222222222", "3333333333", "4444444444", "0000000000"]
MACS = [0x020000000001, 0x020000000002, 0x333300000001, 0xFFFFFFFFFFFF, 0]
IPS4 = ["0a000001", "0a000002", "00000000", "ffffffff"]
IPS6 = ["fd00" + "0" * 27 + "1", "fd00" + "0" * 27 + "2", "0" * 32, "ff02" + "0" * 27 + "1"]
NETWORK_ID = 0x8056C2E21C000001
SCHEMES = [
    "fd8056c2e21c00000199931111111111",  # RFC 4193
    "fd8056c2e21c00000199943333333333",  # a bit outside
    "fc9c56c2e33333333333000000000001",  # 6PLANE
    "fc9c56c2e23333333333000000000001",
]
SOURCES6 = [*IPS6, *SCHEMES]
TAGS = [1, 2, 3]
SMALL = [0, 1, 2, 3, 5, 8, 80, 443, 0xFFFF]
VALUES = [0, 1, 2, 5]


class MemberFacts(NamedTuple):
    """What is known of one member."""

    tags: dict[int, int]
    capabilities: tuple[bool, ...]
    ips: tuple[str, ...] = ()
    macs: tuple[int, ...] = ()
    emulates: int = 0


class Row(NamedTuple):
    """One frame and who is who: member numbers (remote -1: membership not known)."""

    frame: Frame
    local: int
    remote: int
    sender: int
    node: int
    zt_source: int
    zt_dest: int
    addresses_known: bool
    no_tee: bool
    number: int


class Case(NamedTuple):
    """One batch, its members and its rules; member 0, nobody known, is not in `members`."""

    direction: str
    engine: str
    rules: Rules
    capabilities: tuple[Rules, ...]
    members: tuple[MemberFacts, ...]
    rows: tuple[Row, ...]
    assumed_ipauth: bool = True
    assumed_macauth: bool = True
    seed: int = 0


# --- rules ---------------------------------------------------------------------------------


def random_value(rng: random.Random, json: str, kind: Kind) -> Any:
    """A value that some of the frames or members below have."""
    if json in ("zt", "address"):
        return rng.choice(ADDRESSES)
    if json == "mac":
        return f"{rng.choice(MACS):012x}"
    if json == "ip":
        if "IPV4" in kind.name:
            address = ".".join(str(byte) for byte in bytes.fromhex(rng.choice(IPS4)))
            return f"{address}/{rng.choice([0, 1, 8, 24, 31, 32])}"
        return rng.choice(["fd00::1/128", "fd00::/64", "fd00::1/64", "::/0", "fd00::2/127"])
    if json == "mask" and kind is Kind.MATCH_CHARACTERISTICS:
        bits = rng.sample([0, 1, 4, 8, 11, 59, 60, 61, 62, 63, 30], rng.choice([1, 1, 2, 4]))
        return sum(1 << bit for bit in bits)
    return {
        "etherType": lambda: rng.choice([IPV4, IPV6, ARP, 0, 0x8100]),
        "vlanId": lambda: rng.choice([0, 5]),
        "ipProtocol": lambda: rng.choice([0, 1, 6, 17, 58, 44]),
        "icmpType": lambda: rng.choice([8, 135, 136, 0]),
        "icmpCode": lambda: rng.choice([None, 0, 3]),
        "probability": lambda: rng.choice([0, 1 << 30, 1 << 31, 0xFFFFFFFF]),
        "id": lambda: rng.choice(TAGS),
        "value": lambda: rng.choice(VALUES),
        "length": lambda: rng.choice([0, 1, 20, 64, -1]),
        "qosBucket": lambda: rng.randrange(12),
        "idx": lambda: rng.choice([0, 1, 6, 8, 12, 33, 60, 65535]),
        "bits": lambda: rng.choice([1, 4, 8, 13, 16, 32, 64]),
        "little": lambda: rng.random() < 0.5,
        "mask": lambda: rng.choice([0, 0xFF, 0xF0, 3]),
    }.get(json, lambda: rng.choice(SMALL))()


def entry_of(rng: random.Random, kind: Kind) -> dict[str, Any]:
    """An entry of this type with random fields, `not` and `or`."""
    entry: dict[str, Any] = {"type": kind.name}
    entry.update((field.json, random_value(rng, field.json, kind)) for field in KINDS[kind].fields)
    if not kind.is_action:
        entry.update({"not": rng.random() < 0.4, "or": rng.random() < 0.3})
    return entry


def random_entry(rng: random.Random) -> dict[str, Any]:
    """Any entry; three of ten are actions."""
    wants_action = rng.random() < 0.3
    return entry_of(rng, rng.choice([kind for kind in Kind if kind.is_action == wants_action]))


def alike_rules(rng: random.Random) -> Rules:
    """Many sets of one shape that differ in constants: what becomes a look-up."""
    shapes = [
        (Kind.MATCH_IP_PROTOCOL, Kind.MATCH_IPV4_DEST, Kind.MATCH_IP_DEST_PORT_RANGE),
        (Kind.MATCH_IPV4_SOURCE, Kind.MATCH_IP_SOURCE_PORT_RANGE),
        (Kind.MATCH_IPV6_DEST,),
        (Kind.MATCH_ETHERTYPE, Kind.MATCH_FRAME_SIZE_RANGE),
        (Kind.MATCH_MAC_SOURCE, Kind.MATCH_MAC_DEST),
        (Kind.MATCH_TAGS_EQUAL, Kind.MATCH_IP_PROTOCOL),
        (Kind.MATCH_SOURCE_ZEROTIER_ADDRESS, Kind.MATCH_DEST_ZEROTIER_ADDRESS),
        (Kind.MATCH_ICMP, Kind.MATCH_IP_TOS),
    ]
    shape = rng.choice(shapes)
    inverts = [rng.random() < 0.2 for _ in shape]
    joins = [index > 0 and rng.random() < 0.2 for index in range(len(shape))]
    rules: list[dict[str, Any]] = []
    for _ in range(rng.choice([3, 12, 40])):
        for kind, inverted, joined in zip(shape, inverts, joins, strict=True):
            rules.append({**entry_of(rng, kind), "not": inverted, "or": joined})
        rules.append(
            entry_of(
                rng,
                rng.choice(
                    [Kind.ACTION_ACCEPT, Kind.ACTION_DROP, Kind.ACTION_DROP, Kind.ACTION_BREAK]
                ),
            )
        )
        if rng.random() < 0.03:
            rules.append(random_entry(rng))
    return tuple(rules)


def random_rules(rng: random.Random) -> Rules:
    """A rule list: of one shape, or of anything."""
    if rng.random() < 0.3:
        return alike_rules(rng)
    return tuple(random_entry(rng) for _ in range(rng.choice([0, 1, 3, 8, 20])))


# --- frames --------------------------------------------------------------------------------


def random_payload(rng: random.Random) -> tuple[int, bytes]:
    """(ethertype, payload) of a frame that is mostly well formed."""
    body = rng.choice(
        [
            ports(rng.choice(SMALL), rng.choice(SMALL)),
            b"\0" * 12 + bytes((rng.randrange(256), rng.randrange(256))) + b"\0" * 6,
            bytes((rng.choice([8, 135, 136]), rng.choice([0, 3])))
            + b"\0" * 6
            + bytes.fromhex(rng.choice(SOURCES6)),
            rng.randbytes(rng.randrange(30)),
        ]
    )
    protocol = rng.choice([0, 1, 6, 17, 43, 44, 58, 60, 132, 135, 136])
    kind = rng.randrange(4)
    if kind == 0:
        ihl = rng.choice([5, 5, 5, 0, 6, 15])
        return IPV4, ipv4(
            protocol, body, rng.choice(IPS4), rng.choice(IPS4), rng.choice(SMALL) & 255, ihl
        )
    if kind == 1:
        for _ in range(rng.choice([0, 0, 1, 2])):
            body = extension(protocol, rng.choice([0, 0, 1])) + body
            protocol = rng.choice([0, 43, 60, 135])
        source, dest = rng.choice(SOURCES6), rng.choice(IPS6)
        return IPV6, ipv6(protocol, body, source, dest, rng.randrange(256))
    if kind == 2:
        return ARP, b"\0" * 14 + bytes.fromhex(rng.choice(IPS4)) + b"\0" * 10
    return rng.choice([0, 0x8100, IPV4, IPV6]), rng.randbytes(rng.randrange(80))


def mutated(rng: random.Random, payload: bytes) -> bytes:
    """The payload, sometimes with a byte changed, sometimes cut short."""
    if rng.random() < 0.2 and payload:
        at = rng.randrange(len(payload))
        payload = payload[:at] + rng.randbytes(1) + payload[at + 1 :]
    if rng.random() < 0.2:
        payload = payload[: rng.randrange(len(payload) + 1)]
    return payload


def random_frame(rng: random.Random) -> Frame:
    """A frame; three of ten are not wholly captured."""
    ethertype, payload = random_payload(rng)
    payload = mutated(rng, payload)
    length, unknown = len(payload), Reads(0)
    if rng.random() < 0.3:
        payload = payload[: rng.randrange(len(payload) + 1)]
        length += rng.choice([0, 0, 3, 40])
        unknown = rng.choice([Reads(0), Reads.MAC_SOURCE, Reads.MAC_DEST | Reads.ETHERTYPE])
    return Frame(
        payload, length, ethertype, rng.choice([0, 5]), rng.choice(MACS), rng.choice(MACS), unknown
    )


# --- cases ---------------------------------------------------------------------------------


def random_member(rng: random.Random, capabilities: int) -> MemberFacts:
    """A member: some tags, some capabilities, three addresses, two MACs."""
    return MemberFacts(
        {tag: rng.choice(VALUES) for tag in TAGS if rng.random() < 0.6},
        tuple(rng.random() < 0.7 for _ in range(capabilities)),
        tuple(rng.sample([*IPS4, *IPS6], 3)),
        tuple(rng.sample(MACS, 2)),
        rng.choice([0, 1, 2]),
    )


def random_row(rng: random.Random, frame: Frame, inbound: bool, number: int) -> Row:
    """A frame between two members, of whom neither need be known."""
    local, remote = rng.choice([0, 1, 2]), rng.choice([-1, 0, 1, 2])
    addresses = [int(text, 16) for text in ADDRESSES]
    return Row(
        frame,
        local,
        remote,
        max(remote, 0) if inbound else local,
        rng.choice(addresses),
        rng.choice(addresses),
        rng.choice(addresses),
        rng.random() < 0.7,
        rng.random() < 0.3,
        number,
    )


def batch_size(rng: random.Random) -> int:
    """Mostly small; sometimes around the loops' block of 1,024 frames and beyond."""
    return rng.choice([1, 7, 40, 40, 40, 40, 100]) if rng.random() < 0.97 else rng.choice(
        [1023, 1024, 1025, 2100]
    )


def random_case(seed: int) -> Case:
    """The case of a seed."""
    rng = random.Random(seed)
    direction = rng.choice(["out", "in"])
    base = random_rules(rng)
    capabilities = tuple(random_rules(rng) for _ in range(rng.choice([0, 0, 1, 3])))
    count = batch_size(rng)
    frames = [random_frame(rng) for _ in range(min(count, 300))]
    first = rng.randrange(1 << 40)
    return Case(
        direction=direction,
        engine=rng.choice(["1.14", "1.14", "1.12"]),
        rules=base,
        capabilities=capabilities,
        members=tuple(random_member(rng, len(capabilities)) for _ in range(2)),
        rows=tuple(
            random_row(rng, rng.choice(frames), direction == "in", first + index)
            for index in range(count)
        ),
        assumed_ipauth=rng.random() < 0.5,
        assumed_macauth=rng.random() < 0.5,
        seed=rng.getrandbits(64),
    )


def ownership_case(seed: int) -> Case:
    """A case whose rules ask for nothing but ownership of the IP address."""
    owners = {"type": "MATCH_CHARACTERISTICS", "mask": 1 << 60}
    return random_case(seed)._replace(rules=(owners, {"type": "ACTION_ACCEPT"}))
