"""Copies that go round: found where deliveries never end, and only there."""

from __future__ import annotations

import pytest

import ztfast
from tests.needs import needs
from ztfast.frames.batch import FrameBatch
from ztfast.frames.notation import parse_frame
from ztfast.network.members import Member, make_network
from ztfast.pipeline.deliver import Fate, deliver
from ztfast.proof import findings

pytestmark = needs("z3")

SENDER, B, C, D = 0x1111111111, 0x2222222222, 0x3333333333, 0x4444444444
E = 0x5555555555
NETWORK = make_network([Member(address) for address in (SENDER, B, C, D, E)], id=0x8056C2E21C000001)


def ring(*nodes: int, match: str = "") -> str:
    pairs = zip(nodes, (*nodes[1:], nodes[0]), strict=True)
    return "".join(
        f"tee -1 {to:010x} ztdest {node:010x} and chr inbound{match};\n" for node, to in pairs
    )


RINGS = {
    "three": ring(B, C, D) + "accept;\n",
    "four": ring(B, C, D, E) + "accept;\n",
    "of some frames": ring(B, C, D, match=" and ipprotocol tcp") + "accept;\n",
}
NONE = {
    "two: nobody copies a frame back": ring(B, C) + "accept;\n",
    "no ring": "\n".join(ring(B, C, D).splitlines()[:2]) + "\naccept;\n",
    "copies are not accepted": ring(B, C, D) + "drop;\n",
    "every frame to two sensors": f"tee -1 {B:010x};\ntee -1 {C:010x};\naccept;\n",
    "who owns the address alone": "drop not chr ipauth;\n"
    + ring(B, C, D, match=" and ipprotocol tcp")
    + "accept;\n",
    "cut below what the match needs": ring(B, C, D, match=" and framesize 100-200").replace(
        "-1", "64"
    )
    + "accept;\n",
}


def found(rules: str) -> list[str]:
    every = findings(ztfast.compile(rules), time_limit=None)
    mine = [one for one in every if one.code == "ZT214"]
    assert all(one.severity == "error" for one in mine)
    return [one.message for one in mine]


def endless(rules: str) -> bool:
    """Does a delivery of a usual frame from the sender to B never end?"""
    macs = [NETWORK.mac(member) or 0 for member in NETWORK.members[:2]]
    text = "tcp 10.0.0.1:40000 > 10.0.0.2:443 syn len 60"
    frame = parse_frame(text).frame._replace(mac_source=macs[0], mac_dest=macs[1])
    data = macs[1].to_bytes(6, "big") + macs[0].to_bytes(6, "big") + b"\x08\0" + frame.payload
    engine = ztfast.Engine(ztfast.compile(rules), network=NETWORK)
    sent = deliver(engine, FrameBatch.from_frames([data]))
    return bool((sent.fate == Fate.ENDLESS).any())


@pytest.mark.parametrize("name", RINGS)
def test_rings(name: str) -> None:
    (message,) = found(RINGS[name])
    assert message.startswith("copies never end: tcp ")
    assert "goes from 2222222222 to 3333333333 to 4444444444 to " in message
    assert endless(RINGS[name])


@pytest.mark.parametrize("name", NONE)
def test_no_ring(name: str) -> None:
    assert found(NONE[name]) == []
    assert not endless(NONE[name])
