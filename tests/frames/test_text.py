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
