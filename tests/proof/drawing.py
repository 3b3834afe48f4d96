"""Random rules, frames and circumstances for tests of the analysis, and their fields."""

from __future__ import annotations

import random
from typing import Any

from tests.engine.cases import ARP, IPV4, IPV6, extension, ipv4, ipv6, ports
from ztfast.frames.frame import Frame
from ztfast.model.entries import read_entries
from ztfast.model.kinds import KINDS, Kind
from ztfast.model.policy import Capability, Policy, Rule, Tag
from ztfast.model.view import View
from ztfast.proof.witness import fields_of

ADDRESSES = ["1111111111", "2222222222", "3333333333", "4444444444", "0000000000"]
MACS = [0x020000000001, 0x020000000002, 0x333300000001, 0xFFFFFFFFFFFF, 0]
IPS4 = ["0a000001", "0a000002", "00000000", "ffffffff"]
IPS6 = ["fd00" + "0" * 27 + "1", "fd00" + "0" * 27 + "2", "0" * 32, "ff02" + "0" * 27 + "1"]
TAGS = [1, 2, 3]
SMALL = [0, 1, 2, 3, 5, 8, 80, 443, 0xFFFF]


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
        "value": lambda: rng.choice([0, 1, 2, 5]),
        "length": lambda: rng.choice([0, 1, 20, 64, -1]),
        "qosBucket": lambda: rng.randrange(12),
        "idx": lambda: rng.choice([0, 1, 6, 8, 12, 33, 60, 65535]),
        "bits": lambda: rng.choice([1, 4, 8, 13, 16, 32, 64]),
        "little": lambda: rng.random() < 0.5,
        "mask": lambda: rng.choice([0, 0xFF, 0xF0, 3]),
    }.get(json, lambda: rng.choice(SMALL))()


def random_entry(rng: random.Random) -> dict[str, Any]:
    wants_action = rng.random() < 0.3
    kind = rng.choice(
        [kind for kind in Kind if kind.is_action == wants_action]
    )
    entry: dict[str, Any] = {"type": kind.name}
    entry.update((field.json, random_value(rng, field.json, kind)) for field in KINDS[kind].fields)
    if not kind.is_action:
        entry.update({"not": rng.random() < 0.4, "or": rng.random() < 0.3})
    return entry


def drawn_rules(rng: random.Random, count: int) -> tuple[Rule, ...]:
    """Entries without `random`, whose draws a network makes itself."""
    found: list[Rule] = []
    while len(found) < count:
        entry = random_entry(rng)
        if entry["type"] != "MATCH_RANDOM":
            found.append(Rule(entry))
    return tuple(found)


def drawn_policy(rng: random.Random) -> Policy:
    capabilities = tuple(
        Capability(number, rng.random() < 0.3, drawn_rules(rng, 4))
        for number in range(rng.choice([0, 0, 1, 2]))
    )
    tags = tuple(Tag(number, default=rng.choice([None, 1])) for number in TAGS)
    return Policy(drawn_rules(rng, rng.choice([1, 4, 10, 20])), capabilities, tags)


def random_view(rng: random.Random) -> View:
    lists = [
        read_entries([random_entry(rng) for _ in range(rng.choice([0, 1, 3, 8, 20]))])
        for _ in range(rng.choice([1, 1, 2, 4]))
    ]
    return View(
        rng.choice(["out", "in"]),
        lists[0],
        tuple(lists[1:]),
        tuple(range(len(lists) - 1)),
        rng.choice(["1.14", "1.14", "1.12"]),
    )


def random_payload(rng: random.Random) -> tuple[int, bytes]:
    body = rng.choice(
        [
            ports(rng.choice(SMALL), rng.choice(SMALL)),
            b"\0" * 12 + bytes((rng.randrange(256), rng.randrange(256))) + b"\0" * 6,
            bytes((rng.choice([8, 135, 136]), rng.choice([0, 3])))
            + b"\0" * 6
            + bytes.fromhex(rng.choice(IPS6)),
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
        return IPV6, ipv6(protocol, body, rng.choice(IPS6), rng.choice(IPS6), rng.randrange(256))
    if kind == 2:
        return ARP, b"\0" * 14 + bytes.fromhex(rng.choice(IPS4)) + b"\0" * 10
    return rng.choice([0, 0x8100, IPV4, IPV6]), rng.randbytes(rng.randrange(80))


def random_frame(rng: random.Random) -> Frame:
    ethertype, payload = random_payload(rng)
    if rng.random() < 0.2 and payload:
        at = rng.randrange(len(payload))
        payload = payload[:at] + rng.randbytes(1) + payload[at + 1 :]
    if rng.random() < 0.2:
        payload = payload[: rng.randrange(len(payload) + 1)]
    return Frame(
        payload,
        len(payload),
        ethertype,
        rng.choice([0, 5]),
        rng.choice(MACS),
        rng.choice(MACS),
    )


def draw_assignment(rng: random.Random, view: View, frame: Frame) -> dict[str, int]:
    """An assignment with the frame's fields and random circumstances for one side."""
    side = view.direction
    assignment = fields_of(frame, rng.random() < 0.5, rng.random() < 0.5)
    assignment[f"{side}.node"] = int(rng.choice(ADDRESSES), 16)
    assignment["zt_source"] = int(rng.choice(ADDRESSES), 16)
    assignment[f"{side}.zt_dest"] = int(rng.choice(ADDRESSES), 16)
    assignment["receiver_known"] = rng.randrange(2)
    for member in ("from", "to"):
        for tag in TAGS:
            assignment[f"{member}.has.{tag}"] = rng.randrange(2)
            assignment[f"{member}.tag.{tag}"] = rng.choice([0, 1, 2, 5])
    for number in view.capability_ids:
        assignment[f"from.holds.{number}"] = rng.randrange(2)
    lists: list[tuple[str, Any]] = [("base", view.base)]
    lists += zip(map(str, view.capability_ids), view.capabilities, strict=True)
    for where, entries in lists:
        count = sum(entry.kind is Kind.MATCH_RANDOM for entry in entries)
        for number in range(1, count + 1):
            assignment[f"{side}.draw.{where}.{number}"] = rng.getrandbits(32)
    return assignment


def add_integers(assignment: dict[str, int], frame: Frame, names: list[str]) -> None:
    """The fields of INTEGER_RANGE matches, read from the frame as the spec says."""
    for name in names:
        parts = name.split(".")
        if parts[0] == "byte":
            at = int(parts[1])
            assignment[name] = frame.payload[at] if at < frame.length else 0
        if parts[0] != "integer":
            continue
        offset, bits, little = int(parts[1]), int(parts[2]), parts[3] == "little"
        count = (bits + 7) // 8
        first = offset if little else offset + 8 - count
        data = frame.payload[first : first + count]
        if len(data) < count:
            assignment[name] = 0
        elif little:
            assignment[name] = int.from_bytes(data, "little") >> (count * 8 - bits)
        else:
            assignment[name] = int.from_bytes(data, "big") & (1 << bits) - 1


