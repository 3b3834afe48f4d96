"""The frames of a service between many pairs of members: request, reply, address resolution.

Contract: `parse_service` reads `ssh`, `ping`, `arp`, `445/tcp`; `services_of` those of rules;
`frames` gives one step of a
service for all pairs at once, as whole Ethernet frames with true checksums.
Tested by tests/pipeline/test_reach_frames.py, against `frames.notation`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.errors import usage
from ztfast.frames import build
from ztfast.frames.batch import FrameBatch
from ztfast.frames.services import SERVICES
from ztfast.frames.template import Bytes, patched
from ztfast.model.entries import read_entries
from ztfast.model.kinds import Kind
from ztfast.model.policy import Policy

CLIENT_PORT = 50000
_SYN, _ACK = 2, 16
_SOLICITED = bytes.fromhex("ff02") + bytes(9) + b"\x01\xff"
_PORTED = {"tcp": build.TCP, "udp": build.UDP}
_MANY_PORTS = 4096  # the ends of a range of so many say little of it


class Step(IntEnum):
    """What has to arrive for a service to work, in the order in which reasons are looked for."""

    REQUEST = 0
    REPLY = 1
    ONWARD = 2  # what a TCP client sends once it was answered
    ASK = 3  # who has this address?  ARP, or a neighbour solicitation
    ANSWER = 4


BACK = frozenset((Step.REPLY, Step.ANSWER))  # from the member that was asked


class Service(NamedTuple):
    """A service: its name, its kind ("tcp", "udp", "ping", "arp") and port."""

    name: str
    kind: str
    port: int = 0

    @property
    def steps(self) -> tuple[Step, ...]:
        """What has to arrive."""
        resolution = (Step.ASK, Step.ANSWER)
        if self.kind == "arp":
            return resolution
        onward = (Step.ONWARD,) if self.kind == "tcp" else ()
        return (Step.REQUEST, Step.REPLY, *onward, *resolution)


def parse_service(text: str) -> Service:
    """A service by name, or as `445/tcp`; raises UsageError."""
    name = text.strip().lower()
    if name in ("ping", "arp"):
        return Service(name, name)
    if name in SERVICES:
        return Service(name, *SERVICES[name])
    port, _, kind = name.partition("/")
    if kind in _PORTED and port.isascii() and port.isdigit() and 0 < int(port[:6]) <= 0xFFFF:
        return Service(name, kind, int(port))
    known = ("ping", "arp", *SERVICES)
    near = get_close_matches(name, known, 1)
    meant = f"did you mean {near[0]}? " if near else ""
    help = f"{meant}as 445/tcp or 53/udp, or one of {', '.join(known)}"
    raise usage(f"{text!r:.40} is not a service", help)


def services_of(*policies: Policy) -> tuple[str, ...]:
    """The services of the ports that rules name as `dport`, of a range its ends.

    Those of rules that not all of the policies have come first, each kind in order of port.
    """
    found = [dict(_named(policy)) for policy in policies]
    common: set[str] = set(found[0]) if found else set()
    for named in found[1:]:
        common &= named.keys()
    edited, kept = set[tuple[int, str]](), set[tuple[int, str]]()
    for named in found:
        for rule, services in named.items():
            (kept if rule in common else edited).update(services)
    ordered = [*sorted(edited), *sorted(kept - edited)]
    return tuple(_service_name(kind, port) for port, kind in ordered)


def _named(policy: Policy) -> Iterator[tuple[str, set[tuple[int, str]]]]:
    """Each rule that names ports, as text, with the (port, protocol or "") that it names."""
    for rules in (policy.rules, *(capability.rules for capability in policy.capabilities)):
        part: list[Mapping[str, Any]] = []
        for rule in rules:
            part.append(rule.json)
            if str(rule.json.get("type")).startswith("ACTION_"):
                yield json.dumps([dict(one) for one in part], sort_keys=True), _ports(part)
                part = []


def _ports(rule: Sequence[Mapping[str, Any]]) -> set[tuple[int, str]]:
    entries = read_entries(rule)
    numbers = {
        entry.value[0]
        for entry in entries
        if entry.kind is Kind.MATCH_IP_PROTOCOL and not entry.inverted
    }
    kinds = [kind for kind, number in _PORTED.items() if number in numbers]
    ranges = [entry.value for entry in entries if entry.kind is Kind.MATCH_IP_DEST_PORT_RANGE]
    ports = {
        port
        for low, high in ((low or 0, high or 0) for low, high in ranges)
        for port in (low, high)
        if high - low < _MANY_PORTS and port
    }
    return {(port, kind) for port in ports for kind in (kinds or [""] * (not numbers))}


def _service_name(kind: str, port: int) -> str:
    """kind: "tcp", "udp", or "" where the rule does not say which."""
    named = {port: name for name, (protocol, port) in SERVICES.items() if kind in ("", protocol)}
    return named.get(port, f"{port}/{kind or 'tcp'}")


class Pairs(NamedTuple):
    """n pairs of members, client and server: MACs uint8[n, 6], IPs uint8[n, 4 or 16]."""

    client_mac: Bytes
    server_mac: Bytes
    client_ip: Bytes
    server_ip: Bytes

    def turned(self) -> Pairs:
        """From the server to the client."""
        return Pairs(self.server_mac, self.client_mac, self.server_ip, self.client_ip)


def frames(service: Service, step: Step, pairs: Pairs) -> FrameBatch:
    """The frames of one step, one a pair."""
    ends = pairs.turned() if step in BACK else pairs
    rows = _RESOLUTION.get(step, _transport)(service, step, ends)
    return FrameBatch.from_array(rows, np.full(len(rows), rows.shape[1], np.uint32))


# --- request and reply


def _transport(service: Service, step: Step, ends: Pairs) -> Bytes:
    width = ends.client_ip.shape[1]
    protocol, body, at = _body(service, step, width == 4)
    return _ip_rows(protocol, body, at, ends)


def _body(service: Service, step: Step, four: bool) -> tuple[int, bytes, int]:
    """(protocol, what stands behind the IP header, where its checksum is)."""
    back = step in BACK
    if service.kind == "ping":
        if four:
            return build.ICMP, build.icmp_body(0 if back else 8), 2
        return build.ICMP6, build.icmp_body(129 if back else 128), 2
    ports = (CLIENT_PORT, service.port)
    source, dest = ports[::-1] if back else ports
    if service.kind == "udp":
        return build.UDP, build.udp_body(source, dest), 6
    flags = {Step.REQUEST: _SYN, Step.REPLY: _SYN | _ACK, Step.ONWARD: _ACK}[step]
    return build.TCP, build.tcp_body(source, dest, flags), 16


def _ip_rows(
    protocol: int, body: bytes, checksum: int, ends: Pairs, more: dict[int, Bytes] | None = None
) -> Bytes:
    """IP packets; `more`: what else differs from row to row, by offset in the body."""
    width = ends.client_ip.shape[1]
    packet = build.ip_packet(bytes(width), bytes(width), protocol, body)
    ethertype = build.ETHERTYPE_IPV4 if width == 4 else build.ETHERTYPE_IPV6
    header, source = (20, 26) if width == 4 else (40, 22)
    inside = {14 + header + at: column for at, column in (more or {}).items()}
    addresses = {source: ends.client_ip, source + width: ends.server_ip}
    pseudo = () if protocol == build.ICMP else tuple(addresses)
    sums = {14 + header + checksum: (*pseudo, *inside)}
    if width == 4:
        sums[24] = tuple(addresses)
    macs = {0: ends.server_mac, 6: ends.client_mac}
    head = bytes(12) + ethertype.to_bytes(2, "big")
    return patched(head + packet, {**macs, **addresses, **inside}, sums)


# --- address resolution


def _ask(service: Service, step: Step, ends: Pairs) -> Bytes:
    if ends.client_ip.shape[1] == 4:
        return _arp(build.ARP_REQUEST, ends, _full(ends, build.BROADCAST_MAC), zero_target=True)
    group = np.tile(np.frombuffer(_SOLICITED, np.uint8), (len(ends.server_ip), 1))
    dest = np.concatenate([group, ends.server_ip[:, 13:]], axis=1)
    mac = np.concatenate([_full(ends, 0x3333 << 32)[:, :2], dest[:, 12:]], axis=1)
    to = ends._replace(server_ip=dest, server_mac=mac)
    body = build.icmp_body(135, 0, bytes(16) + b"\x01\x01" + bytes(6))
    return _ip_rows(build.ICMP6, body, 2, to, {8: ends.server_ip, 26: ends.client_mac})


def _answer(service: Service, step: Step, ends: Pairs) -> Bytes:
    if ends.client_ip.shape[1] == 4:
        return _arp(build.ARP_REPLY, ends, ends.server_mac)
    body = build.icmp_body(136, 0, bytes(16) + b"\x02\x01" + bytes(6))
    flags = np.tile(np.array([[0x60, 0]], np.uint8), (len(ends.client_ip), 1))  # solicited
    more = {4: flags, 8: ends.client_ip, 26: ends.client_mac}
    return _ip_rows(build.ICMP6, body, 2, ends, more)


def _arp(operation: int, ends: Pairs, dest: Bytes, zero_target: bool = False) -> Bytes:
    packet = build.arp_packet(operation, 0, bytes(4), 0, bytes(4))
    head = bytes(12) + build.ETHERTYPE_ARP.to_bytes(2, "big")
    target = np.zeros_like(ends.server_mac) if zero_target else ends.server_mac
    patches = {0: dest, 6: ends.client_mac}
    patches |= {22: ends.client_mac, 28: ends.client_ip, 32: target, 38: ends.server_ip}
    return patched(head + packet, patches, {})


def _full(ends: Pairs, mac: int) -> Bytes:
    return np.tile(np.frombuffer(mac.to_bytes(6, "big"), np.uint8), (len(ends.client_mac), 1))


_RESOLUTION: dict[Step, Callable[[Service, Step, Pairs], npt.NDArray[np.uint8]]] = {
    Step.ASK: _ask,
    Step.ANSWER: _answer,
}
