"""Who is who, by a second opinion: a slow model in plain dictionaries, compared on random networks.

Both evaluators are handed what `resolve`, `member_table` and `Multicast` say,
so comparing the evaluators cannot find a fault there.  The model below is written from
docs/spec/evaluation.md section 8 alone, one frame and one member at a time, and shares no code
with ztfast.network.  Every case is its seed, which a failure prints.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

import numpy as np
import pytest

import ztfast
from ztfast import dispatch
from ztfast.engine.endpoints import endpoints
from ztfast.frames.batch import FrameBatch
from ztfast.model.reads import Reads
from ztfast.model.view import make_view
from ztfast.network.member_table import member_table
from ztfast.network.members import Member, Network, make_network
from ztfast.network.resolve import member_index, resolve

SIZES = (0, 1, 2, 10, 200)
SEEDS = range(4)
FRAMES = 60
IPV4, ARP, IPV6, OTHER = 0x0800, 0x0806, 0x86DD, 0x9999
ROLE, OTHER_TAG, WEB = 7, 8, 9
EVERYONE = 0xFFFFFFFFFFFF
BACKENDS = [
    pytest.param("native", marks=pytest.mark.skipif(dispatch.core is None, reason="not built")),
    "reference",
]


# --- the model -----------------------------------------------------------------------------


@dataclass
class Node:
    """A member that belongs to the network, with what the controller hands out to it."""

    address: int
    mac: int | None
    ips: set[bytes]
    tags: dict[int, int]
    capabilities: set[int]
    bridge: bool


@dataclass
class Known:
    """What is known of a network: its id or None, and its members in ascending order."""

    id: int | None = None
    nodes: list[Node] = field(default_factory=list)
    default_capabilities: set[int] = field(default_factory=set)


@dataclass
class End:
    """One end of a frame: the member or None, the address, and whether that is a fact."""

    node: Node | None
    address: int
    fact: bool


@dataclass
class Sent:
    """A frame as it was sent; `captured` bytes are at hand.  raw: IP without a MAC in front."""

    source: int
    dest: int
    ethertype: int
    payload: bytes
    captured: int
    raw: bool

    def has(self, first: int, last: int) -> bool:
        return not self.raw and self.captured >= last

    def seen(self) -> bytes:
        """The payload with zeros where nothing was captured."""
        there = self.captured if self.raw else max(0, self.captured - 14)
        return self.payload[:there].ljust(len(self.payload), b"\0")


def first_byte(network: int) -> int:
    byte = (network & 0xFE) | 2
    return 0x32 if byte == 0x52 else byte


def mac_of(address: int, network: int) -> int:
    """Byte by byte, as the specification says it."""
    mac = first_byte(network)
    for n in range(1, 6):
        mac = mac * 256 + ((address >> 8 * (5 - n)) & 255 ^ (network >> 8 * n) & 255)
    return mac


def end_by_mac(known: Known, mac: int) -> End:
    for node in known.nodes:
        if node.mac == mac:
            return End(node, node.address, True)
    if known.id is not None and mac >> 40 == first_byte(known.id):
        zero = mac_of(0, known.id)
        return End(None, (mac ^ zero) & 0xFFFFFFFFFF, True)
    return End(None, 0, False)


def end_by_ip(known: Known, ip: bytes | None) -> End:
    owners = [node for node in known.nodes if ip in node.ips]
    return End(owners[0], owners[0].address, True) if len(owners) == 1 else End(None, 0, False)


def ip_at(frame: Sent, at4: int, at6: int) -> bytes | None:
    """An IP address of a frame without MACs; only such a frame is asked for one."""
    if not frame.raw:
        return None
    if frame.ethertype == IPV4 and len(frame.payload) >= 20:
        return frame.seen()[at4 : at4 + 4]
    if frame.ethertype == IPV6 and len(frame.payload) >= 40:
        return frame.seen()[at6 : at6 + 16]
    return None


def source_of(known: Known, frame: Sent) -> End:
    if not frame.has(6, 12):
        return end_by_ip(known, ip_at(frame, 12, 8))
    bridges = bridges_of(known)
    if is_from_foreign(known, frame) and len(bridges) == 1:
        return End(bridges[0], bridges[0].address, True)
    return end_by_mac(known, frame.source)


def bridges_of(known: Known) -> list[Node]:
    return [node for node in known.nodes if node.bridge]


def is_from_foreign(known: Known, frame: Sent) -> bool:
    """From a MAC of another form, which only a known id can tell, to a node or to several."""
    if known.id is None or not frame.has(6, 12) or end_by_mac(known, frame.source).fact:
        return False
    return is_multicast(frame) or dest_of(known, frame).fact


def is_stray(known: Known, frame: Sent) -> bool:
    """From beyond a bridge, and no member is one."""
    return bool(known.nodes) and not bridges_of(known) and is_from_foreign(known, frame)


def dest_of(known: Known, frame: Sent) -> End:
    if frame.has(0, 6):
        return end_by_mac(known, frame.dest)
    return end_by_ip(known, ip_at(frame, 16, 24))


def is_multicast(frame: Sent) -> bool:
    if frame.has(0, 6):
        return frame.dest >> 40 & 1 == 1
    ip = ip_at(frame, 16, 24)
    if ip is None:
        return False
    return IPv4Address(ip).is_multicast or ip == b"\xff" * 4 if len(ip) == 4 else ip[0] == 0xFF


def is_bridged(known: Known, frame: Sent) -> bool:
    """Out to a unicast MAC of another form, which only a known id can tell."""
    if is_multicast(frame) or not frame.has(0, 6) or known.id is None:
        return False
    return not dest_of(known, frame).fact


def holds(known: Known, node: Node | None, capability: int) -> bool:
    own = set() if node is None else node.capabilities
    return capability in known.default_capabilities | own


# --- drawing -------------------------------------------------------------------------------


@dataclass
class Drawn:
    """A network as ztfast takes it and as the model knows it, with its rules' head."""

    network: Network | None
    known: Known
    head: str


def draw_ips(rng: random.Random, size: int) -> list[bytes]:
    """A pool that is small enough for two members to be given the same address."""
    v4 = [IPv4Address(0x0A000000 + n).packed for n in range(2 * size + 4)]
    v6 = [IPv6Address((0xFD << 120) + (n % 3 << 64) + n).packed for n in range(2 * size + 4)]
    return rng.sample(v4, len(v4)) + rng.sample(v6, len(v6))


def draw_network(seed: int, size: int, has_id: bool) -> Drawn:
    rng = random.Random(f"{seed} {size} {has_id}")
    number = rng.getrandbits(64) if has_id else None
    if has_id and rng.random() < 0.2:
        number = (number or 0) & ~0xFF | rng.choice([0x50, 0x52, 0x53])  # the reserved first byte
    default = rng.choice([None, 0, 1, 0xFFFFFFFF])
    default_web, private, schemes = rng.random() < 0.3, rng.random() < 0.7, rng.random() < 0.3
    bridging = rng.choice([0.0, 1 / max(size, 1), 0.5])  # none, about one, many
    pool = draw_ips(rng, size)
    members: list[Member] = []
    nodes: list[Node] = []
    for address in rng.sample(range(1, 1 << 40), size):
        ips = set(rng.sample(pool, rng.choice([0, 1, 2, 3])))
        tags = {tag: rng.choice([0, 1, 2]) for tag in (ROLE, OTHER_TAG) if rng.random() < 0.6}
        capabilities = {n for n in (WEB, 55) if rng.random() < 0.4}
        own_mac = rng.random() < (0.1 if has_id else 0.7)
        mac = 0x020000000000 | rng.getrandbits(32) if own_mac else None
        authorized = rng.random() < 0.85
        bridge = rng.random() < bridging
        held = frozenset(capabilities)
        members.append(Member(address, tuple(ips), tags, held, authorized, mac, bridge=bridge))
        if not authorized and private:
            continue
        if mac is None and number is not None:
            mac = mac_of(address, number)
        if schemes and number is not None:
            whole = number.to_bytes(8, "big")
            low = address.to_bytes(5, "big")
            folded = bytes(a ^ b for a, b in zip(whole[:4], whole[4:], strict=True))
            ips |= {b"\xfd" + whole + b"\x99\x93" + low, b"\xfc" + folded + low + bytes(5) + b"\1"}
        if default is not None:
            tags = {ROLE: default, **tags}
        nodes.append(Node(address, mac, ips, tags, capabilities, bridge))
    nodes.sort(key=lambda node: node.address)
    network = make_network(
        members,
        number,
        private=private,
        assigns_rfc4193=schemes,
        assigns_6plane=schemes,
    )
    head = f"tag role id {ROLE}{'' if default is None else f' default {default}'};\n"
    head += f"tag other id {OTHER_TAG};\n"
    head += f"cap web id {WEB}{' default' if default_web else ''} accept; ;\n"
    return Drawn(network, Known(number, nodes, {WEB} if default_web else set()), head)


def draw_frames(seed: int, known: Known) -> list[Sent]:
    rng = random.Random(f"frames {seed} {len(known.nodes)}")
    strangers = [0x001122334455, 0x525400000077, 0x020000000001]
    if known.id is not None:
        strangers += [mac_of(rng.getrandbits(40), known.id), mac_of(0, known.id)]
        strangers += [mac_of(node.address, known.id) for node in known.nodes[:3]]
    macs = [node.mac for node in known.nodes if node.mac is not None]
    ips = [ip for node in known.nodes for ip in sorted(node.ips)]
    return [draw_frame(rng, macs or strangers, strangers, ips) for _ in range(FRAMES)]


def draw_frame(rng: random.Random, macs: list[int], strangers: list[int], ips: list[bytes]) -> Sent:
    source = rng.choice(rng.choice([macs, macs, strangers]))
    groups = [EVERYONE, 0x01005E000001, 0x333300000001]
    dest = rng.choice(rng.choice([macs, macs, strangers, groups]))
    ethertype = rng.choice([IPV4, IPV4, ARP, IPV6, IPV6, OTHER])
    groups4 = [bytes([224, 0, 0, 1]), bytes([239, 1, 2, 3]), b"\xff" * 4, bytes([240, 0, 0, 1])]
    v4 = [ip for ip in ips if len(ip) == 4] + [bytes([10, 0, 0, 1]), bytes([192, 0, 2, 1])]
    v6 = [ip for ip in ips if len(ip) == 16] + [b"\xfd" + bytes(14) + b"\x01"]
    v6 += [b"\xfd" + bytes(11) + rng.choice(v4)]  # which ends as an IPv4 address does
    from4, to4 = rng.choice(v4), rng.choice(rng.choice([v4, v4, groups4]))
    from6, to6 = rng.choice(v6), rng.choice(rng.choice([v6, v6, [b"\xff\x02" + bytes(14)]]))
    payload = {
        IPV4: bytes([0x45, *bytes(8), 17, 0, 0]) + from4 + to4 + bytes(8),
        ARP: bytes(14) + from4 + bytes(6) + to4,
        IPV6: bytes([0x60, *bytes(5), 17, 1]) + from6 + to6 + bytes(8),
        OTHER: bytes(30),
    }[ethertype]
    if rng.random() < 0.1:
        payload = payload[: rng.choice([0, 19, 27, 39])]
    raw = rng.random() < 0.3
    whole = len(payload) + (0 if raw else 14)
    captured = whole
    if rng.random() < 0.3:
        captured = min(whole, rng.choice([0, 5, 6, 11, 12, 14, 14, 30]))
    return Sent(source, dest, ethertype, payload, captured, raw)


def batches(frames: list[Sent]) -> list[tuple[list[Sent], FrameBatch]]:
    """The Ethernet frames, and those without a MAC, each as a batch."""
    ethernet, raw = [f for f in frames if not f.raw], [f for f in frames if f.raw]
    data = [
        (
            f.dest.to_bytes(6, "big")
            + f.source.to_bytes(6, "big")
            + f.ethertype.to_bytes(2, "big")
            + f.payload
        )[: f.captured]
        for f in ethernet
    ]
    whole = FrameBatch.from_frames(data, [14 + len(f.payload) for f in ethernet])
    parts = [f.payload[: f.captured] for f in raw]
    offsets = [sum(map(len, parts[:n])) for n in range(len(parts))]
    unknown = int(Reads.MAC_SOURCE | Reads.MAC_DEST)
    fields = {
        "ethertype": np.array([f.ethertype for f in raw], np.uint16),
        "vlan": np.zeros(len(raw), np.uint16),
        "mac_source": np.zeros(len(raw), np.uint64),
        "mac_dest": np.zeros(len(raw), np.uint64),
        "unknown": np.full(len(raw), unknown, np.uint32),
    }
    lengths = [len(f.payload) for f in raw]
    without = FrameBatch(b"".join(parts), offsets, [len(p) for p in parts], lengths, fields)
    return [(ethernet, whole), (raw, without)]


def networks() -> list[Drawn]:
    drawn = [
        draw_network(seed, size, has) for size in SIZES for has in (True, False) for seed in SEEDS
    ]
    return [Drawn(None, Known(), f"tag role id {ROLE};\ncap web id {WEB} accept; ;\n"), *drawn]


CASES = [
    pytest.param(
        number,
        id=f"seed{number}-{len(drawn.known.nodes)}of{len(drawn.network.members)}"
        if drawn.network
        else "nobody",
    )
    for number, drawn in enumerate(networks())
]
NETWORKS = networks()


# --- comparing -----------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=BACKENDS[0].marks)])
def test_who_is_who(case: int, compiled: bool) -> None:
    drawn = NETWORKS[case]
    known = drawn.known
    policy = ztfast.compile(drawn.head + "accept;")
    number = {None: 0} | {node.address: n for n, node in enumerate(known.nodes, 1)}
    for direction in ("out", "in"):
        table = member_table(drawn.network, make_view(policy, direction), policy)
        index = member_index(drawn.network, table)
        for frames, batch in batches(draw_frames(case, known)):
            found = resolve(index, direction, endpoints(batch, compiled), first_number=100)
            for n, frame in enumerate(frames):
                source, dest = source_of(known, frame), dest_of(known, frame)
                if direction == "out":
                    nowhere = is_multicast(frame) or is_bridged(known, frame)
                    here, there = number_of(number, source), number_of(number, dest)
                    remote, zt_dest = (-1, 0) if nowhere else (there, dest.address)
                    expected = (here, remote, here, source.address, source.address, zt_dest)
                    fact = source.fact and (nowhere or dest.fact)
                else:
                    here, there = number_of(number, dest), number_of(number, source)
                    expected = (here, there, there, dest.address, source.address, dest.address)
                    fact = source.fact and dest.fact
                columns = (found.local, found.remote, found.sender)
                columns += (found.node, found.zt_source, found.zt_dest)
                got = tuple(int(column[n]) for column in columns)
                assert got == expected, f"seed {case}, {direction}, frame {n}: {frame}"
                assert bool(found.addresses_known[n]) == fact, f"seed {case}, {n}: {frame}"
                assert int(found.number[n]) == 100 + n


def number_of(number: dict[int | None, int], end: End) -> int:
    return number[None if end.node is None else end.node.address]


@pytest.mark.parametrize("case", CASES)
def test_what_members_carry_hold_and_own(case: int) -> None:
    drawn = NETWORKS[case]
    known = drawn.known
    policy = ztfast.compile(drawn.head + "accept tdiff role 0 or chr ipauth;")
    view = make_view(policy, "in")
    table = member_table(drawn.network, view, policy)
    nodes: list[Node | None] = [None, *known.nodes]
    assert table.address.tolist() == [0 if node is None else node.address for node in nodes]
    assert table.known.tolist() == [node is not None for node in nodes]
    tags = [{} if node is None else node.tags for node in nodes]
    for row, tag in enumerate(table.tag_ids):
        assert table.tag_present[row].tolist() == [tag in own for own in tags], f"seed {case}"
        assert table.tag_value[row].tolist() == [own.get(tag, 0) for own in tags], f"seed {case}"
    assert set(table.tag_ids) == ({ROLE} if known.nodes else set())
    assert view.capability_ids == (WEB,)
    assert table.capabilities[0].tolist() == [holds(known, node, WEB) for node in nodes]
    assert table.ips == tuple(frozenset() if node is None else node.ips for node in nodes)
    assert not any(table.macs)  # no certificate of ownership holds a MAC


# --- whole engines: rules whose verdict the model can say in a line -------------------------


def role(node: Node | None) -> int | None:
    return None if node is None else node.tags.get(ROLE)


def receiver_has_role(known: Known, frame: Sent, sender: Node | None, node: Node | None) -> bool:
    return role(node) in (None, 1)  # a tag that is not there is no reason to drop


def same_role(known: Known, frame: Sent, sender: Node | None, node: Node | None) -> bool:
    return role(node) is not None and role(node) == role(sender)


def anybody(known: Known, frame: Sent, sender: Node | None) -> bool:
    return True


def sender_holds(known: Known, frame: Sent, sender: Node | None, node: Node | None = None) -> bool:
    return holds(known, sender, WEB)


def is_ipauth(known: Known, frame: Sent, sender: Node | None, node: Node | None = None) -> bool:
    captured = frame.raw or frame.captured >= 14
    ethertype, payload = frame.ethertype if captured else 0, frame.seen()
    if ethertype == IPV4 and len(payload) >= 20:
        ip = payload[12:16]
    elif ethertype == IPV6 and len(payload) >= 40:
        ip = payload[8:24]
    elif ethertype == ARP and len(payload) >= 28:
        ip = payload[14:18]
    else:
        return False
    return sender is None or ip in sender.ips


def is_macauth(known: Known, frame: Sent, sender: Node | None, node: Node | None = None) -> bool:
    return sender is None  # no certificate of ownership holds a MAC


POLICIES: dict[str, tuple[str, Callable[..., bool], Callable[..., bool]]] = {
    "receiver's tag": (
        "drop chr inbound and not treq role 1; accept;",
        anybody,
        receiver_has_role,
    ),
    "tags of both": (
        "accept chr inbound and tdiff role 0; drop chr inbound; accept;",
        anybody,
        same_role,
    ),
    "capability": ("break;", sender_holds, sender_holds),
    "ipauth": ("drop not chr ipauth; accept;", is_ipauth, is_ipauth),
    "macauth": ("drop not chr macauth; accept;", is_macauth, is_macauth),
}


def delivered(
    known: Known, frame: Sent, out: Callable[..., bool], inbound: Callable[..., bool]
) -> tuple[bool, int]:
    """(accepted, by how many); foreign MACs are those beyond active bridges."""
    sender = source_of(known, frame).node
    if is_stray(known, frame) or not out(known, frame, sender):
        return False, 0
    beyond = is_bridged(known, frame) and sender is not None
    if not (is_multicast(frame) or beyond) or not known.nodes:
        passed = inbound(known, frame, sender, dest_of(known, frame).node)
        return passed, int(passed)
    others = [node for node in known.nodes if node is not sender and (node.bridge or not beyond)]
    accepting = sum(inbound(known, frame, sender, node) for node in others)
    return accepting > 0, accepting


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", POLICIES)
def test_what_reaches_whom(backend: str, name: str) -> None:
    rules, out, inbound = POLICIES[name]
    seen = {True: 0, False: 0}
    for case, drawn in enumerate(NETWORKS):
        engine = ztfast.Engine(
            ztfast.compile(drawn.head + rules), network=drawn.network, backend=backend
        )
        for frames, batch in batches(draw_frames(case, drawn.known)):
            verdicts = engine.evaluate(batch)
            accepted, receivers = verdicts.accepted.tolist(), verdicts.receivers.tolist()
            for n, frame in enumerate(frames):
                passed, many = delivered(drawn.known, frame, out, inbound)
                place = f"seed {case}, {name}, frame {n}: {frame}"
                assert (receivers[n], accepted[n]) == (many, passed), place
                seen[accepted[n]] += 1
    assert min(seen.values()) > 50, seen
