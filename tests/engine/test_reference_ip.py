"""docs/spec/evaluation.md section 2, each sentence: addresses, TOS, the walk, ports, ICMP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.cases import ARP, IPV4, IPV6, answer, extension, ipv4, ipv6, ports

SOURCE4, DEST4 = "MATCH_IPV4_SOURCE", "MATCH_IPV4_DEST"
SOURCE6, DEST6 = "MATCH_IPV6_SOURCE", "MATCH_IPV6_DEST"
SPORT, DPORT = "MATCH_IP_SOURCE_PORT_RANGE", "MATCH_IP_DEST_PORT_RANGE"


def ip(kind: str, text: Any) -> dict[str, Any]:
    return {"type": kind, "ip": text}


def protocol(number: int) -> dict[str, Any]:
    return {"type": "MATCH_IP_PROTOCOL", "ipProtocol": number}


def port(kind: str, start: int, end: int | None = None) -> dict[str, Any]:
    return {"type": kind, "start": start, **({} if end is None else {"end": end})}


def icmp(number: int, code: int | None = None) -> dict[str, Any]:
    return {"type": "MATCH_ICMP", "icmpType": number, "icmpCode": code}


def tos(mask: int, start: int, end: int) -> dict[str, Any]:
    return {"type": "MATCH_IP_TOS", "mask": mask, "start": start, "end": end}


V4_MATCHES = [ip(SOURCE4, "0.0.0.0/0"), ip(DEST4, "0.0.0.0/0")]
V6_MATCHES = [ip(SOURCE6, "::/0"), ip(DEST6, "::/0")]
BOTH = [tos(0, 0, 0), protocol(17)]


@pytest.mark.parametrize("match", [*V4_MATCHES, *BOTH])
def test_ipv4_needs_its_ethertype_and_20_bytes(match: dict[str, Any]) -> None:
    assert answer(match, frame=ipv4(body=b"")) == "yes"
    assert answer(match, frame=ipv4(body=b"")[:19]) == "hardNo"
    for ethertype in (ARP, 0x8100, 0, IPV4 + 1):
        assert answer(match, ethertype=ethertype, frame=ipv4() + b"\0" * 40) == "hardNo"


@pytest.mark.parametrize("match", [*V6_MATCHES, *BOTH])
def test_ipv6_needs_its_ethertype_and_40_bytes(match: dict[str, Any]) -> None:
    assert answer(match, ethertype=IPV6, frame=ipv6(body=b"")) == "yes"
    assert answer(match, ethertype=IPV6, frame=ipv6(body=b"")[:39]) == "hardNo"


@pytest.mark.parametrize("match", V4_MATCHES)
def test_families_do_not_mix(match: dict[str, Any]) -> None:
    assert answer(match, ethertype=IPV6, frame=ipv6()) == "hardNo"
    for other in V6_MATCHES:
        assert answer(other, ethertype=IPV4, frame=ipv4(body=b"\0" * 40)) == "hardNo"


def test_version_length_and_fragment_offset_are_not_looked_at() -> None:
    frame = bytearray(ipv4(17, ports(5, 6)))
    frame[0] = 0xF5
    frame[2:4] = b"\xff\xff"
    frame[6:8] = b"\x1f\xff"
    frame[10:12] = b"\xde\xad"
    assert answer(port(SPORT, 5), frame=bytes(frame)) == "yes"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.1/32", "yes"),
        ("10.0.0.0/32", "no"),
        ("10.0.0.0/31", "yes"),
        ("10.255.255.255/8", "yes"),  # host bits in the rule do not matter
        ("11.0.0.0/8", "no"),
        ("1.2.3.4/0", "yes"),
        ("10.0.0.1/33", "yes"),  # cut to 32
        ("10.0.0.1/288", "yes"),  # cut to 8 bits: 32
        ("11.0.0.1/256", "yes"),  # cut to 8 bits: 0
        ("10.0.0.1", "yes"),  # no bits: 0
        ("nonsense/32", "yes"),  # no dot or colon: 0.0.0.0/0
        ("non.sense/32", "no"),  # 0.0.0.0/32
        ("non.sense/0", "yes"),
        ("fd00::1/32", "no"),  # 0.0.0.0/32
        ("010.0.0.1/8", "no"),  # leading zeros are no address
        ("10.0.0.1/-1", "yes"),  # 255, cut to 32
        (7, "yes"),
        (None, "yes"),
    ],
)
def test_ipv4_addresses(text: Any, expected: str) -> None:
    assert answer(ip(SOURCE4, text), frame=ipv4(source="0a000001", dest="63636363")) == expected
    assert answer(ip(DEST4, text), frame=ipv4(dest="0a000001", source="63636363")) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fd00::1/128", "yes"),
        ("fd00::/64", "yes"),
        ("fd00::1/64", "no"),  # host bits in the rule make it match nothing
        ("fd00::2/128", "no"),
        ("::/0", "yes"),
        ("fd00::1/0", "no"),
        ("fd00::1/200", "yes"),  # cut to 128
        ("fe00::/7", "no"),
        ("fc00::/7", "yes"),
        ("no:address/128", "no"),
        ("10.0.0.1/0", "yes"),  # no IPv6 address: ::/0
        ("fd00::1%1/128", "no"),
        ("nonsense", "yes"),
    ],
)
def test_ipv6_addresses(text: Any, expected: str) -> None:
    mine, other = "fd00" + "0" * 27 + "1", "63" * 16
    for kind, frame in (
        (SOURCE6, ipv6(source=mine, dest=other)),
        (DEST6, ipv6(source=other, dest=mine)),
    ):
        assert answer(ip(kind, text), ethertype=IPV6, frame=frame) == expected


@pytest.mark.parametrize("ethertype", [IPV4, IPV6])
def test_tos_is_masked_then_compared(ethertype: int) -> None:
    def frame(value: int) -> bytes:
        return ipv4(tos=value) if ethertype == IPV4 else ipv6(traffic_class=value)

    for value in (0, 1, 0x10, 0x9C, 0xFF):
        for match, low, high in (
            (tos(255, value, value), value, value),
            (tos(0xF0, 0x10, 0x90), 0x10, 0x90),
            (tos(0, 0, 0), 0, 0),
            (tos(255, 5, 4), 5, 4),
        ):
            expected = "yes" if low <= value & match["mask"] <= high else "no"
            assert answer(match, ethertype=ethertype, frame=frame(value)) == expected


def test_ipv4_protocol_is_byte_9() -> None:
    assert answer(protocol(0), frame=ipv4(0)) == "yes"
    assert answer(protocol(43), frame=ipv4(43)) == "yes"
    assert answer(protocol(6), frame=ipv4(17)) == "no"


@pytest.mark.parametrize("header", [0, 43, 60, 135])
@pytest.mark.parametrize("units", [0, 1, 3])
def test_the_walk_skips_four_headers(header: int, units: int) -> None:
    frame = ipv6(header, extension(17, units) + ports(7, 8))
    assert answer(protocol(17), ethertype=IPV6, frame=frame) == "yes"
    assert answer(port(DPORT, 8), ethertype=IPV6, frame=frame) == "yes"
    assert answer(protocol(header), ethertype=IPV6, frame=frame) == "no"


@pytest.mark.parametrize("header", [44, 50, 51, 59, 139, 140, 253, 255])
def test_everything_else_stops_the_walk(header: int) -> None:
    frame = ipv6(header, extension(17) + ports(7, 8))
    assert answer(protocol(header), ethertype=IPV6, frame=frame) == "yes"
    assert answer(port(DPORT, 8), ethertype=IPV6, frame=frame) == "no"


def test_the_walk_is_invalid_where_it_runs_over() -> None:
    whole = ipv6(0, extension(60) + extension(17))
    assert answer(protocol(17), ethertype=IPV6, frame=whole) == "yes"  # position = length
    for cut in (whole[:-1], whole[:49], whole[:48], whole[:41], whole[:40]):
        for match in (protocol(17), port(SPORT, 0, 65535), icmp(0)):
            assert answer(match, ethertype=IPV6, frame=cut) == "hardNo"
    beyond = ipv6(0, extension(17, 1)[:8])
    assert answer(protocol(17), ethertype=IPV6, frame=beyond) == "hardNo"
    # 8 bytes are there, and the next position is the length itself
    assert answer(protocol(59), ethertype=IPV6, frame=ipv6(0, extension(59))) == "yes"
    assert answer(protocol(0), ethertype=IPV6, frame=ipv6(0, extension(0))) == "hardNo"


@pytest.mark.parametrize("number", [6, 17, 132, 136])
def test_protocols_with_ports(number: int) -> None:
    body = ports(80, 90)
    for ethertype, frame in ((IPV4, ipv4(number, body)), (IPV6, ipv6(number, body))):
        assert answer(port(SPORT, 80), ethertype=ethertype, frame=frame) == "yes"
        assert answer(port(DPORT, 90), ethertype=ethertype, frame=frame) == "yes"
        assert answer(port(DPORT, 80), ethertype=ethertype, frame=frame) == "no"
        assert answer(port(SPORT, 81, 80), ethertype=ethertype, frame=frame) == "no"
        assert answer(port(SPORT, 79, 81), ethertype=ethertype, frame=frame) == "yes"


@pytest.mark.parametrize("number", [1, 2, 33, 58, 0, 255])
def test_other_protocols_have_none_and_not_makes_that_true(number: int) -> None:
    assert answer(port(SPORT, 0, 65535), frame=ipv4(number, ports(80, 90))) == "no"


@pytest.mark.parametrize("kind", [SPORT, DPORT])
def test_ports_need_more_than_4_bytes(kind: str) -> None:
    for count, expected in ((5, "yes"), (4, "no"), (3, "no"), (0, "no")):
        body = ports(80, 80)[:count]
        assert answer(port(kind, 80), frame=ipv4(17, body)) == expected
        assert answer(port(kind, 80), ethertype=IPV6, frame=ipv6(17, body)) == expected


@pytest.mark.parametrize("kind", [SPORT, DPORT])
def test_port_0_is_a_port_in_ipv4_only(kind: str) -> None:
    assert answer(port(kind, 0, 65535), frame=ipv4(17, ports(0, 0))) == "yes"
    assert answer(port(kind, 0, 65535), ethertype=IPV6, frame=ipv6(17, ports(0, 0))) == "no"
    assert answer(port(kind, 0), ethertype=IPV6, frame=ipv6(17, ports(1, 1))) == "no"


def test_ports_lie_behind_the_header_as_ihl_says() -> None:
    assert answer(port(SPORT, 9), frame=ipv4(17, ports(9, 9), ihl=6, options=b"\0" * 4)) == "yes"
    zero = bytearray(ipv4(17, ihl=0))
    assert answer(port(SPORT, 0x4000), frame=bytes(zero)) == "yes"  # bytes 0 and 1
    assert answer(port(SPORT, 9), frame=ipv4(17, ports(9, 9), ihl=15)) == "no"


def test_ports_of_what_is_not_ip() -> None:
    assert answer(port(SPORT, 0, 65535), ethertype=ARP) == "hardNo"


@pytest.mark.parametrize(
    ("ethertype", "frame"),
    [
        (IPV4, ipv4(1, b"\x08\x03")),
        (IPV6, ipv6(58, b"\x08\x03")),
        (IPV6, ipv6(60, extension(58) + b"\x08\x03")),
    ],
)
def test_icmp(ethertype: int, frame: bytes) -> None:
    where = {"ethertype": ethertype, "frame": frame}
    assert answer(icmp(8), **where) == "hardYes"
    assert answer(icmp(9), **where) == "hardNo"
    assert answer(icmp(8, 3), **where) == "yes"
    assert answer(icmp(8, 4), **where) == "no"
    assert answer(icmp(9, 3), **where) == "hardNo"
    assert answer({"type": "MATCH_ICMP", "icmpType": 8}, **where) == "hardYes"
    assert answer(icmp(8), ethertype=ethertype, frame=frame[:-1]) == "hardNo"
    assert answer(icmp(8, 3), ethertype=ethertype, frame=frame[:-1]) == "hardNo"


def test_icmp_wants_its_own_familys_protocol() -> None:
    assert answer(icmp(8), frame=ipv4(58, b"\x08\x03")) == "hardNo"
    assert answer(icmp(8), ethertype=IPV6, frame=ipv6(1, b"\x08\x03")) == "hardNo"
    assert answer(icmp(8), ethertype=ARP) == "hardNo"
