"""The words of the notation of frames: flags, protocols with ports, ICMP messages, options.

Contract: plain tables, which `frames.notation` reads.  Tested by tests/frames/test_notation.py.
"""

from __future__ import annotations

from ztfast.frames import build

MAX_LENGTH = 0xFFFF
FLAGS = {
    name: 1 << bit
    for bit, name in enumerate(("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns"))
}
PORTED = {"tcp": build.TCP, "udp": build.UDP, "udplite": build.UDPLITE, "sctp": build.SCTP}
MESSAGES = {
    4: {
        "echo-request": (8, 0),
        "echo-reply": (0, 0),
        "unreachable": (3, 0),
        "time-exceeded": (11, 0),
        "redirect": (5, 0),
    },
    16: {
        "echo-request": (128, 0),
        "echo-reply": (129, 0),
        "unreachable": (1, 0),
        "packet-too-big": (2, 0),
        "time-exceeded": (3, 0),
        "router-solicitation": (133, 0),
        "router-advertisement": (134, 0),
        "neighbour-solicitation": (135, 0),
        "neighbour-advertisement": (136, 0),
    },
}
OPTIONS: dict[str, tuple[str, int]] = {
    "len": ("a payload length", MAX_LENGTH),
    "tos": ("a TOS or traffic class", 255),
    "ttl": ("a time to live", 255),
    "vlan": ("a VLAN id", 0xFFFF),
    "data": ("", 0),
    "mac": ("", 0),
    "zt": ("", 0),
}
