"""Every type of match × `not` × `or` × kind of frame × each length to the last byte that matters.

A frame of each kind is cut at every length in two ways: the frame *is* that short, and only
so much of it was captured.  The reference judges frame by frame, the native evaluator whole
batches; every column of both must be the same.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from tests.differential.compare import columns_of, first_difference
from tests.engine.batches import batch_context, batch_of, members
from tests.engine.cases import ARP, IPV4, IPV6, extension, ipv4, ipv6, ports
from tests.needs import needs_loops
from ztfast.engine import reference
from ztfast.engine.native import NativeEvaluator
from ztfast.engine.native_tables import NativeSide
from ztfast.engine.side_verdicts import SIDE_COLUMNS
from ztfast.frames.frame import Frame
from ztfast.model.entries import read_entries
from ztfast.model.kinds import Kind
from ztfast.model.view import View
from ztfast.network.batch_context import BatchContext, MemberTable
from ztfast.program.encode import encode

pytestmark = needs_loops

TCP = ports(5, 80) + b"\0" * 4 + bytes((0x51, 0x02)) + b"\0" * 7
ADVERTISEMENT = bytes((136, 0)) + b"\0" * 6 + bytes.fromhex("fd00" + "0" * 27 + "1") + b"\0"
SOURCE6 = "fd00" + "0" * 27 + "1"

# kind of frame -> (ethertype, payload, to the last byte that any match looks at and one more)
FRAMES: dict[str, tuple[int, bytes]] = {
    "ipv4 tcp": (IPV4, ipv4(6, TCP, tos=0x10)[:36]),
    "ipv4 tcp, 4 bytes of options": (IPV4, ipv4(6, TCP, ihl=6, options=b"\1" * 4)[:40]),
    "ipv4 tcp, header length 0": (IPV4, ipv4(6, TCP, ihl=0)[:22]),
    "ipv4 udp": (IPV4, ipv4(17, ports(5, 80))[:26]),
    "ipv4 udp port 0": (IPV4, ipv4(17, ports(0, 0))[:26]),
    "ipv4 icmp": (IPV4, ipv4(1, bytes((8, 0)) + b"\0" * 6)[:24]),
    "ipv4 other protocol": (IPV4, ipv4(47, b"\0" * 8)[:26]),
    "ipv6 tcp": (IPV6, ipv6(6, TCP, traffic_class=0x10)[:57]),
    "ipv6 udp port 0": (IPV6, ipv6(17, ports(0, 0))[:47]),
    "ipv6 udp behind two extensions": (
        IPV6,
        ipv6(0, extension(60) + extension(17, 1) + ports(5, 80))[:72],
    ),
    "ipv6 fragment": (IPV6, ipv6(44, extension(17) + ports(5, 80))[:56]),
    "ipv6 echo": (IPV6, ipv6(58, bytes((128, 0)) + b"\0" * 6)[:44]),
    "ipv6 solicitation": (IPV6, ipv6(58, bytes((135, 0)) + ADVERTISEMENT[2:])[:66]),
    "ipv6 advertisement": (IPV6, ipv6(58, ADVERTISEMENT)[:66]),
    "arp": (ARP, (b"\0" * 14 + bytes.fromhex("0a000001") + b"\0" * 10)[:29]),
    "other": (0x88CC, bytes(range(20))),
}

# type -> fields that match some of the frames above, and fields that match none or others
MATCHES: dict[Kind, tuple[dict[str, Any], ...]] = {
    Kind.MATCH_SOURCE_ZEROTIER_ADDRESS: ({"zt": "1111111111"}, {"zt": "5555555555"}),
    Kind.MATCH_DEST_ZEROTIER_ADDRESS: ({"zt": "2222222222"}, {"zt": "5555555555"}),
    Kind.MATCH_VLAN_ID: ({"vlanId": 5}, {"vlanId": 6}),
    Kind.MATCH_VLAN_PCP: ({"vlanPcp": 0}, {"vlanPcp": 1}),
    Kind.MATCH_VLAN_DEI: ({"vlanDei": 0}, {"vlanDei": 1}),
    Kind.MATCH_MAC_SOURCE: ({"mac": "02:00:00:00:00:01"}, {"mac": "02:00:00:00:00:03"}),
    Kind.MATCH_MAC_DEST: ({"mac": "33:33:00:00:00:01"}, {"mac": "02:00:00:00:00:03"}),
    Kind.MATCH_IPV4_SOURCE: ({"ip": "10.0.0.1/32"}, {"ip": "0.0.0.0/0"}, {"ip": "10.0.0.0/8"}),
    Kind.MATCH_IPV4_DEST: ({"ip": "10.0.0.2/31"}, {"ip": "10.0.0.9/32"}),
    Kind.MATCH_IPV6_SOURCE: ({"ip": "fd00::1/128"}, {"ip": "::/0"}, {"ip": "fd00::1/64"}),
    Kind.MATCH_IPV6_DEST: ({"ip": "fd00::/64"}, {"ip": "fd00::9/128"}),
    Kind.MATCH_IP_TOS: ({"mask": 255, "start": 16, "end": 20}, {"mask": 0xF0, "start": 0}),
    Kind.MATCH_IP_PROTOCOL: ({"ipProtocol": 6}, {"ipProtocol": 17}, {"ipProtocol": 0}),
    Kind.MATCH_ETHERTYPE: ({"etherType": IPV4}, {"etherType": 0x88CC}),
    Kind.MATCH_ICMP: (
        {"icmpType": 8},
        {"icmpType": 128, "icmpCode": 0},
        {"icmpType": 136, "icmpCode": 3},
    ),
    Kind.MATCH_IP_SOURCE_PORT_RANGE: ({"start": 5}, {"start": 0, "end": 65535}, {"start": 9}),
    Kind.MATCH_IP_DEST_PORT_RANGE: ({"start": 80}, {"start": 0}, {"start": 81, "end": 443}),
    Kind.MATCH_CHARACTERISTICS: tuple(
        {"mask": f"{1 << bit:016x}"} for bit in (63, 62, 61, 60, 59, 1, 8, 11)
    ),
    Kind.MATCH_FRAME_SIZE_RANGE: ({"start": 20, "end": 40}, {"start": 0}),
    Kind.MATCH_RANDOM: ({"probability": 1 << 31}, {"probability": 0}),
    **{
        kind: ({"id": 1, "value": 5}, {"id": 1, "value": 0}, {"id": 2, "value": 5})
        for kind in (
            Kind.MATCH_TAGS_DIFFERENCE,
            Kind.MATCH_TAGS_BITWISE_AND,
            Kind.MATCH_TAGS_BITWISE_OR,
            Kind.MATCH_TAGS_BITWISE_XOR,
            Kind.MATCH_TAGS_EQUAL,
            Kind.MATCH_TAG_SENDER,
            Kind.MATCH_TAG_RECEIVER,
        )
    },
    Kind.INTEGER_RANGE: (
        {"start": "0", "end": "50", "idx": 8, "bits": 16, "little": False},
        {"start": "1", "end": "ff", "idx": 33, "bits": 13, "little": True},
    ),
}
SIDED = frozenset(kind for kind in Kind if "TAG" in kind.name) | {Kind.MATCH_CHARACTERISTICS}


@cache
def frames() -> tuple[Frame, ...]:
    """Every kind of frame at every length, short and cut short."""
    found: list[Frame] = []
    for ethertype, payload in FRAMES.values():
        for cut in range(len(payload) + 1):
            part = payload[:cut]
            for length in {cut, len(payload)}:
                found.append(
                    Frame(part, length, ethertype, 5, 0x020000000001, 0x333300000001)
                )
    return tuple(found)


def members_of(view: View) -> MemberTable:
    """Both members have tag 1, only the first has tag 2; the sender owns the frames' addresses."""
    return members(
        view,
        tag_ids=(1, 2),
        tag_present=np.array([[False, True, True], [False, True, False]]),
        tag_value=np.array([[0, 5, 5], [0, 5, 0]], dtype=np.uint32),
        ips=(frozenset(), frozenset(map(bytes.fromhex, ("0a000001", SOURCE6))), frozenset()),
        macs=(frozenset(), frozenset((0x020000000001,)), frozenset()),
    )


def by_reference(view: View, where: BatchContext) -> dict[str, Any]:
    """Frame by frame, every column; only the draws differ from frame to frame."""
    contexts = reference._Contexts(where, len(frames()), 7)
    rows = [
        reference._row(reference.evaluate(view, frame, contexts.context(index)))
        for index, frame in enumerate(frames())
    ]
    return {
        name: np.array([row[name] for row in rows], dtype=dtype)
        for name, (dtype, _) in SIDE_COLUMNS.items()
    }


def by_native(view: View, where: BatchContext, passes: tuple[str, ...] | None) -> dict[str, Any]:
    judge = NativeEvaluator((NativeSide(encode(view), passes),), (7,))
    return columns_of(judge.evaluate(batch_of(frames()), (where,))[0])


def view_of(entry: dict[str, Any], joined: bool, direction: str, engine: str) -> View:
    """The match alone, or joined by `or` to one that is false; then ACCEPT, then DROP."""
    false = [{"type": "MATCH_VLAN_PCP", "vlanPcp": 1}] if joined else []
    rules = [*false, entry, {"type": "ACTION_ACCEPT"}, {"type": "ACTION_DROP"}]
    return View(direction, read_entries(rules), engine=engine)


def settings(kind: Kind) -> list[tuple[str, str]]:
    """(direction, engine): the directions where the match looks at them."""
    return [("out", "1.14"), ("out", "1.12"), *([("in", "1.14")] if kind in SIDED else [])]


def test_every_match_is_here() -> None:
    assert set(MATCHES) == {kind for kind in Kind if not kind.is_action}


@pytest.mark.slow
@pytest.mark.parametrize("kind", MATCHES, ids=lambda kind: kind.name)
def test_each_length_of_each_frame(kind: Kind) -> None:
    seen: set[bool] = set()
    for fields in MATCHES[kind]:
        for inverted in (False, True):
            for joined in (False, True):
                for direction, engine in settings(kind):
                    entry = {"type": kind.name, "not": inverted, "or": joined, **fields}
                    seen |= check(view_of(entry, joined, direction, engine), entry)
    assert seen == {False, True}, "both outcomes must occur"


def check(view: View, entry: dict[str, Any]) -> set[bool]:
    """Compare; gives which verdicts there were."""
    where = batch_context(view, len(frames()), members_of(view))
    expected = by_reference(view, where)
    for passes in (None, ()):
        found = first_difference(expected, by_native(view, where, passes))
        if found is not None:
            frame = frames()[found[1]]
            text = f"{view.direction} {view.engine} {entry}, passes {passes}: {found}, {frame}"
            raise AssertionError(text)
    return set(expected["accepted"].tolist())
