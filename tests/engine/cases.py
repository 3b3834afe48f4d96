"""Cases for tests: one frame, few rules, both backends, the same result asserted."""

from __future__ import annotations

import struct
from typing import Any

from ztfast import dispatch
from ztfast.engine.case import evaluate_case

NODE, SOURCE, DEST, OTHER = "1111111111", "1111111111", "2222222222", "3333333333"
IPV4, IPV6, ARP = 0x0800, 0x86DD, 0x0806

ACCEPT = {"type": "ACTION_ACCEPT"}
DROP = {"type": "ACTION_DROP"}
BREAK = {"type": "ACTION_BREAK"}
TRUE = {"type": "MATCH_VLAN_PCP", "vlanPcp": 0}
FALSE = {"type": "MATCH_VLAN_PCP", "vlanPcp": 1}


def run(rules: list[Any], **changes: Any) -> dict[str, Any]:
    """The `out` of a case by the reference; the native evaluator must say the same."""
    case = {
        "direction": "out",
        "node": NODE,
        "rules": rules,
        "zt_source": SOURCE,
        "zt_dest": DEST,
        "ethertype": IPV4,
        "frame": ipv4().hex(),
        **changes,
    }
    if isinstance(case["frame"], bytes):
        case["frame"] = case["frame"].hex()
    if case["direction"] == "in" and "node" not in changes:
        case.update(node=DEST, zt_dest=changes.get("zt_dest", DEST))
    out = evaluate_case(case, "reference")
    if dispatch.core is not None:
        assert {**evaluate_case(case, "native"), "log": out["log"]} == out, case
    return out


def result(rules: list[Any], **changes: Any) -> str:
    """The base rules' result."""
    return str(run(rules, **changes)["result"])


def answer(match: dict[str, Any], **changes: Any) -> str:
    """What a match says: yes, no, or hard ones, which `not` does not turn."""
    plain, inverted = (
        result([{**match, "not": inverted}, ACCEPT], **changes) == "ACCEPT"
        for inverted in (False, True)
    )
    names = {
        (True, False): "yes",
        (False, True): "no",
        (True, True): "hardYes",
        (False, False): "hardNo",
    }
    return names[plain, inverted]


def ipv4(
    protocol: int = 17,
    body: bytes = b"\0" * 8,
    source: str = "0a000001",
    dest: str = "0a000002",
    tos: int = 0,
    ihl: int = 5,
    options: bytes = b"",
) -> bytes:
    """An IPv4 payload; nothing but what the engine looks at need make sense."""
    head = struct.pack(">BBHIBBH", 0x40 | ihl, tos, 0, 0, 64, protocol, 0)
    return head + bytes.fromhex(source) + bytes.fromhex(dest) + options + body


def ipv6(
    next_header: int = 17,
    body: bytes = b"\0" * 8,
    source: str = "fd00" + "0" * 27 + "1",
    dest: str = "fd00" + "0" * 27 + "2",
    traffic_class: int = 0,
) -> bytes:
    """An IPv6 payload."""
    head = struct.pack(">IHBB", 6 << 28 | traffic_class << 20, len(body), next_header, 64)
    return head + bytes.fromhex(source) + bytes.fromhex(dest) + body


def ports(source: int, dest: int) -> bytes:
    """A transport header of 8 bytes."""
    return struct.pack(">HHI", source, dest, 0)


def extension(next_header: int, units: int = 0) -> bytes:
    """An IPv6 extension header of (units + 1) * 8 bytes."""
    return bytes((next_header, units)) + b"\0" * (units * 8 + 6)
