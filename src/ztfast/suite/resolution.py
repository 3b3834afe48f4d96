"""Cases that pass and yet could never happen: their ends do not find each other by ARP.

Contract: `unresolved` says of an IPv4 frame between two members whether the request of its sender
arrives at its receiver, and the answer back.  Tested by tests/suite/test_resolution.py.
"""

from __future__ import annotations

from dataclasses import replace

from ztfast.explain.contexts import ContextResolver
from ztfast.explain.explain import explain
from ztfast.frames.build import ETHERTYPE_IPV4
from ztfast.frames.frame import Frame
from ztfast.frames.headers import ip_ends
from ztfast.frames.notation import parse_frame
from ztfast.model.policy import Policy
from ztfast.network.members import Member, Network

_BROADCAST = (1 << 48) - 1


def unresolved(policy: Policy, network: Network, engine: str, frame: Frame) -> str:
    """What of ARP does not get through between a frame's ends: "request", "answer", or ""."""
    sender, receiver = (_member(network, mac) for mac in (frame.mac_source, frame.mac_dest))
    source, dest = ip_ends(frame)
    if frame.ethertype != ETHERTYPE_IPV4 or source is None or dest is None:
        return ""
    if sender is None or receiver is None or sender == receiver:
        return ""
    # with nobody else in it, what becomes of the broadcast is what becomes of it for this receiver
    pair = replace(network, members=tuple(sorted((sender, receiver), key=lambda one: one.address)))
    resolver = ContextResolver(policy, pair, engine)
    there, back = (".".join(map(str, ip)) for ip in (source, dest))
    request = _arp(f"arp {there} ? {back}", frame.mac_source, _BROADCAST)
    answer = _arp(f"arp {back} > {there} reply", frame.mac_dest, frame.mac_source)
    for what, one in (("request", request), ("answer", answer)):
        if explain(resolver, resolver.contexts(one)).verdict != "accept":
            return what
    return ""


def _member(network: Network, mac: int) -> Member | None:
    return next((one for one in network.active_members() if network.mac(one) == mac), None)


def _arp(text: str, source: int, dest: int) -> Frame:
    frame = parse_frame(text).frame
    return frame._replace(mac_source=source, mac_dest=dest, unknown=frame.unknown.__class__(0))
