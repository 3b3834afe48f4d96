"""Frames and header fields as text."""

from __future__ import annotations

import random

import pytest

from tests.differential.generate import random_frame
from ztfast.frames.notation import parse_frame
from ztfast.frames.text import (
    ethertype_name,
    ethertype_text,
    flags_text,
    frame_text,
    mac_text,
    protocol_name,
    protocol_text,
)
from ztfast.model.reads import Reads

MACS = Reads.MAC_SOURCE | Reads.MAC_DEST


@pytest.mark.parametrize(
    ("notation", "text"),
    [
        (
            "tcp 10.1.1.2:5555 > 10.1.1.7:443 syn",
            "tcp 10.1.1.2:5555 > 10.1.1.7:443 syn, 40 bytes",
        ),
        ("tcp 10.1.1.2:5555 > 10.1.1.7:443", "tcp 10.1.1.2:5555 > 10.1.1.7:443, 40 bytes"),
        ("udp [fd00::1]:53 > [fd00::2]:54", "udp [fd00::1]:53 > [fd00::2]:54, 48 bytes"),
        (
            "icmp 10.0.0.1 > 10.0.0.2 type 3 code 4",
            "icmp 10.0.0.1 > 10.0.0.2 type 3 code 4, 28 bytes",
        ),
        ("ip 10.0.0.1 > 10.0.0.2 proto 99", "protocol 99 10.0.0.1 > 10.0.0.2, 20 bytes"),
        (
            "ethertype 0x88cc len 60 mac 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff",
            "ethertype 0x88cc, 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff, 60 bytes",
        ),
    ],
)
def test_frames(notation: str, text: str) -> None:
    assert frame_text(parse_frame(notation).frame) == text


@pytest.mark.parametrize(
    ("notation", "captured", "text"),
    [
        ("tcp 10.0.0.1:5 > 10.0.0.2:6 syn", 32, "tcp 10.0.0.1:5 > 10.0.0.2:6 | TCP flags"),
        (
            "tcp 10.0.0.1:5 > 10.0.0.2:6 syn", 22,
            "tcp 10.0.0.1:5 > 10.0.0.2:? | destination port, TCP flags",
        ),
        ("udp 10.0.0.1:5 > 10.0.0.2:6", 20, "udp 10.0.0.1 > 10.0.0.2 | ports"),
        ("udp 10.0.0.1:5 > 10.0.0.2:6", 16, "udp 10.0.0.1 > ? | destination address, ports"),
        ("ping 10.0.0.1 > 10.0.0.2", 16, "icmp 10.0.0.1 > ? | destination address, ICMP type"),
        (
            "ping 10.0.0.1 > 10.0.0.2", 9,
            "ipv4 ? > ? | source address, destination address, protocol",
        ),
        ("udp [fd00::1]:53 > [fd00::2]:54", 30, "udp fd00::1 > ? | destination address, ports"),
        ("arp 10.0.0.1 > 10.0.0.2", 3, "ethertype arp"),
    ],
)  # fmt: skip
def test_what_was_not_captured_is_named_and_not_made_up(
    notation: str, captured: int, text: str
) -> None:
    frame = parse_frame(notation).frame
    found = frame_text(frame._replace(payload=frame.payload[:captured], unknown=MACS))
    what, _, missing = text.partition(" | ")
    cut = f" (not captured: {missing})" if missing else ""
    assert found == f"{what}, {frame.length} bytes{cut}"


def test_unknown_macs_and_ethertypes() -> None:
    frame = parse_frame("ethertype 0x88cc mac 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff").frame
    assert frame_text(parse_frame("ethertype 0x88cc").frame) == "ethertype 0x88cc, 0 bytes"
    half = frame._replace(unknown=Reads.MAC_SOURCE | Reads.ETHERTYPE)
    assert frame_text(half) == (
        "ethertype ?, ? > ff:ff:ff:ff:ff:ff, 0 bytes (not captured: ethertype)"
    )


def test_every_frame_has_a_text() -> None:
    for seed in range(300):
        assert frame_text(random_frame(random.Random(seed)))


def test_names_of_numbers() -> None:
    assert [ethertype_text(number) for number in (0x0800, 0x0806, 0x88CC)] == [
        "ipv4",
        "arp",
        "0x88cc",
    ]
    assert [ethertype_name(number) for number in (0x0800, 0x0806, 0x8035, 0x1234)] == [
        "IPv4",
        "ARP",
        "rarp",
        "ethertype 0x1234",
    ]
    assert [protocol_text(number) for number in (6, 1, 58, 99, None)] == [
        "tcp",
        "icmp",
        "icmp6",
        "protocol 99",
        "an invalid chain of headers",
    ]
    assert [protocol_name(number) for number in (6, 1, 58, 99)] == [
        "TCP",
        "ICMP",
        "ICMP6",
        "protocol 99",
    ]


def test_flags_and_macs() -> None:
    assert flags_text(0x112) == "syn,ack,ns"
    assert flags_text(0) == "none"
    assert mac_text(0x0200000000AB) == "02:00:00:00:00:ab"
