"""The frames of a service are those that the notation of frames writes."""

from __future__ import annotations

from ipaddress import ip_address

import numpy as np
import pytest

import ztfast
from ztfast.errors import UsageError
from ztfast.frames.build import internet_checksum
from ztfast.frames.notation import parse_frame
from ztfast.pipeline.reach_frames import Pairs, Service, Step, frames, parse_service, services_of

MACS = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")


def column(value: bytes) -> np.ndarray:
    return np.frombuffer(value, np.uint8).reshape(1, -1)


def pair(client: str, server: str) -> Pairs:
    ips = (column(ip_address(text).packed) for text in (client, server))
    return Pairs(column(MACS[0]), column(MACS[1]), *ips)


FOUR, SIX = ("10.1.1.2", "10.1.1.7"), ("fd00::2", "fd00::1:7")


@pytest.mark.parametrize(
    ("service", "step", "ends", "text"),
    [
        ("ssh", Step.REQUEST, FOUR, "tcp 10.1.1.2:50000 > 10.1.1.7:22 syn"),
        ("ssh", Step.REPLY, FOUR, "tcp 10.1.1.7:22 > 10.1.1.2:50000 syn,ack"),
        ("ssh", Step.ONWARD, FOUR, "tcp 10.1.1.2:50000 > 10.1.1.7:22 ack"),
        ("445/tcp", Step.REQUEST, SIX, "tcp [fd00::2]:50000 > [fd00::1:7]:445 syn"),
        ("dns", Step.REQUEST, FOUR, "udp 10.1.1.2:50000 > 10.1.1.7:53"),
        ("5000/udp", Step.REPLY, SIX, "udp [fd00::1:7]:5000 > [fd00::2]:50000"),
        ("ping", Step.REQUEST, FOUR, "icmp 10.1.1.2 > 10.1.1.7 echo-request"),
        ("ping", Step.REPLY, FOUR, "icmp 10.1.1.7 > 10.1.1.2 echo-reply"),
        ("ping", Step.REQUEST, SIX, "icmp fd00::2 > fd00::1:7 echo-request"),
        ("ping", Step.REPLY, SIX, "icmp fd00::1:7 > fd00::2 echo-reply"),
    ],
)
def test_requests_and_replies(service: str, step: Step, ends: tuple[str, str], text: str) -> None:
    found = frames(parse_service(service), step, pair(*ends)).frame(0)
    expected = parse_frame(text).frame
    assert (found.ethertype, found.payload) == (expected.ethertype, expected.payload)
    back = step is Step.REPLY
    macs = MACS[::-1] if back else MACS
    assert (found.mac_source, found.mac_dest) == tuple(int.from_bytes(m, "big") for m in macs)


def test_arp() -> None:
    service = parse_service("arp")
    ask = frames(service, Step.ASK, pair(*FOUR)).frame(0)
    spec = "arp {} > {}{} mac 02:00:00:00:00:01 > {}"
    plain = parse_frame(spec.format(*FOUR, "", "ff:ff:ff:ff:ff:ff")).frame
    assert (ask.payload, ask.mac_dest) == (plain.payload, 0xFFFFFFFFFFFF)
    answer = frames(service, Step.ANSWER, pair(*FOUR)).frame(0)
    back = "arp 10.1.1.7 > 10.1.1.2 reply mac 02:00:00:00:00:02 > 02:00:00:00:00:01"
    assert answer.payload == parse_frame(back).frame.payload


def test_neighbour_discovery() -> None:
    service = parse_service("arp")
    ask = frames(service, Step.ASK, pair(*SIX)).frame(0)
    assert ask.mac_dest == 0x3333FF010007
    assert ask.payload[24:40] == ip_address("ff02::1:ff01:7").packed
    assert (ask.payload[40], ask.payload[48:64]) == (135, ip_address("fd00::1:7").packed)
    answer = frames(service, Step.ANSWER, pair(*SIX)).frame(0)
    assert (answer.payload[40], answer.payload[44]) == (136, 0x60)
    assert answer.payload[48:64] == answer.payload[8:24] == ip_address("fd00::1:7").packed
    assert answer.payload[66:72] == MACS[1]
    for frame in (ask, answer):  # over the pseudo header too (RFC 4443)
        length = len(frame.payload) - 40
        pseudo = frame.payload[8:40] + length.to_bytes(4, "big") + (58).to_bytes(4, "big")
        assert internet_checksum(pseudo + frame.payload[40:]) == 0


def test_services_that_rules_name() -> None:
    text = "cap a id 1 accept dport 22; ;\naccept dport 53 or sport 80;\naccept dport 8080-8081;\n"
    policy = ztfast.compile(text)
    other = ztfast.compile("accept dport 8443;\n")
    assert services_of(policy, other) == ("ssh", "dns", "8080/tcp", "8081/tcp", "8443/tcp")
    assert services_of() == ()


@pytest.mark.parametrize(
    ("matches", "services"),
    [
        ("ipprotocol udp and dport 1900", ("1900/udp",)),
        ("ipprotocol tcp and dport 53", ("53/tcp",)),
        ("ipprotocol tcp or ipprotocol udp and dport 53", ("53/tcp", "dns")),
        ("ipprotocol udp and dport 5000-5010", ("5000/udp", "5010/udp")),
        ("ipprotocol tcp and dport 1024-65535", ()),
        ("ipprotocol sctp and dport 22", ()),
        ("not ipprotocol udp and not dport 22", ("ssh",)),
        ("dport 0", ()),
    ],
)
def test_the_protocol_of_a_service_is_the_rules(matches: str, services: tuple[str, ...]) -> None:
    assert services_of(ztfast.compile(f"accept {matches};\n")) == services


def test_services_of_edited_rules_come_first() -> None:
    old = ztfast.compile("accept ipprotocol tcp and dport 80;\naccept dport 2000;\n")
    new = ztfast.compile("accept ipprotocol tcp and dport 80;\naccept dport 3000;\n")
    assert services_of(old, new) == ("2000/tcp", "3000/tcp", "http")
    assert services_of(old, old) == ("http", "2000/tcp")


def test_names_of_services() -> None:
    assert parse_service(" SSH ") == Service("ssh", "tcp", 22)
    assert parse_service("8080/tcp") == Service("8080/tcp", "tcp", 8080)
    for text in ("", "445", "445/icmp", "0/tcp", "70000/tcp", "sssh", "9999999999/udp"):
        with pytest.raises(UsageError, match="is not a service"):
            parse_service(text)
