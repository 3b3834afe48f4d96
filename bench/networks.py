"""Workloads of networks: members as a controller describes them, and what they send each other.

`network(count)` writes a network of `count` members with an IPv4 address, an RFC 4193 address and
a department each; `capture(members)` a classic pcap of IMIX frames between 200 of them at most, a
hundredth of which are ARP requests to everyone, or `multicast(members)` one of which half are
multicasts; `rules(name)` what judges them.  Seeded: the same on every machine.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.workloads import DATA, SEED, pcap_bytes, read_anew
from ztfast.model.addresses import mac_of

NETWORK_ID = 0x8056C2E21C000001
FRAMES = 1_000_000
SENSOR = 0x7E57000009
_TALKING = 200
_EXAMPLES = Path(__file__).parent.parent / "examples"

# The example's rules, without its capabilities' names but with all that it asks of members; and
# rules that compare the tags of both sides, for multicasts.
OFFICE = (_EXAMPLES / "office.ztrules").read_text(encoding="utf-8")
TAGGED = """\
tag department id 1 default 0;
tag server id 2 default 0;
accept ethertype arp;
drop not chr ipauth;
accept tdiff department 3;
accept teq server 1;
drop;
"""
RULES = {"office": OFFICE, "tagged": TAGGED}


def addresses(members: int) -> npt.NDArray[np.uint64]:
    """Their ZeroTier addresses; the first is the sensor that copies go to."""
    rng = np.random.default_rng(SEED + members)
    drawn = rng.choice(1 << 32, members, replace=False).astype(np.uint64) + np.uint64(1 << 33)
    drawn[0] = SENSOR
    return drawn


def ipv4(members: int) -> npt.NDArray[np.uint32]:
    """An address for each, in 10.0.0.0/8."""
    return (0x0A000001 + np.arange(members)).astype(np.uint32)


def network(members: int, tags: str = "few") -> Path:
    """A controller's JSON for so many members; tags: "few" departments, or "different" for all."""
    path = DATA / f"network-{members}-{tags}.json"
    if not path.exists():
        DATA.mkdir(exist_ok=True)
        path.write_text(json.dumps(_document(members, tags)), encoding="utf-8")
    return path


def _document(members: int, tags: str) -> dict[str, object]:
    departments = (10, 20, 30)
    listed = [
        {
            "id": f"{address:010x}",
            "address": f"{address:010x}",
            "authorized": True,
            "ipAssignments": [".".join(str(byte) for byte in int(ip).to_bytes(4, "big"))],
            "tags": [
                [1, departments[n % 3] if tags == "few" else n],
                [2, n % 4],
            ],
            "capabilities": [1000] if n % 50 == 0 else [],
        }
        for n, (address, ip) in enumerate(
            zip(addresses(members).tolist(), ipv4(members).tolist(), strict=True)
        )
    ]
    return {
        "id": f"{NETWORK_ID:016x}",
        "private": True,
        "v4AssignMode": {"zt": True},
        "v6AssignMode": {"rfc4193": True, "6plane": False, "zt": False},
        "routes": [{"target": "10.0.0.0/8", "via": None}],
        "members": listed,
    }


def capture(members: int) -> Path:
    """What members send each other: 1,000,000 frames, a hundredth of them to everyone."""
    return _written(f"between-{members}", members, 0.01)


def multicast(members: int) -> Path:
    """As `capture`, but half of the frames are multicasts."""
    return _written(f"multicast-{members}", members, 0.5)


def _written(name: str, members: int, share: float) -> Path:
    path = DATA / f"{name}.pcap"
    if not path.exists():
        DATA.mkdir(exist_ok=True)
        temporary = path.with_suffix(".part")
        rng = np.random.default_rng(SEED + members)
        talking = rng.choice(members, min(members, _TALKING), replace=False)

        def between(heads: npt.NDArray[np.uint8]) -> None:
            _members(rng, heads, members, talking, share)

        temporary.write_bytes(pcap_bytes(FRAMES, True, between))
        temporary.rename(path)
    read_anew(path)
    return path


def _members(
    rng: np.random.Generator,
    heads: npt.NDArray[np.uint8],
    members: int,
    talking: npt.NDArray[np.int64],
    share: float,
) -> None:
    """Write MACs and IP addresses of members into headers, uint8[n, 64]."""
    count = len(heads)
    macs = np.array([mac_of(int(a), NETWORK_ID) for a in addresses(members)], dtype=">u8")
    wires = macs.view(np.uint8).reshape(-1, 8)[:, 2:]
    ips = ipv4(members).astype(">u4").view(np.uint8).reshape(-1, 4)
    # a large network's frames are of all its members, not of the few that talk most
    source = rng.choice(talking, count) if members <= _TALKING else rng.integers(0, members, count)
    dest = (source + 1 + rng.integers(0, members - 1, count)) % members
    heads[:, 0:6], heads[:, 6:12] = wires[dest], wires[source]
    heads[:, 26:30], heads[:, 30:34] = ips[source], ips[dest]
    many = rng.random(count) < share
    heads[many, 0:6] = np.array([0x01, 0x00, 0x5E, 0, 0, 0xFB], np.uint8)
    heads[many, 30:34] = np.array([224, 0, 0, 251], np.uint8)
    arp = many & (rng.random(count) < 0.5)
    heads[arp, 0:6] = 0xFF
    heads[arp, 12:14] = np.array([8, 6], np.uint8)
    heads[arp, 14:22] = np.array([0, 1, 8, 0, 6, 4, 0, 1], np.uint8)
    heads[arp, 22:28], heads[arp, 28:32] = wires[source[arp]], ips[source[arp]]
