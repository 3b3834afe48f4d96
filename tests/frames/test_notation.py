"""The notation of frames: what is meant comes out, and what is wrong is underlined."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ztfast.errors import FrameError
from ztfast.frames import build
from ztfast.frames.notation import FrameSpec, parse_frame
from ztfast.model.reads import Reads


def payload(text: str) -> bytes:
    return parse_frame(text).frame.payload


def test_tcp() -> None:
    spec = parse_frame("tcp 10.1.1.2:5555 > 10.1.1.7:443 syn")
    frame = spec.frame
    assert (frame.ethertype, frame.length, len(frame.payload)) == (0x0800, 40, 40)
    assert frame.payload[9] == 6
    assert frame.payload[12:20] == bytes([10, 1, 1, 2, 10, 1, 1, 7])
    assert frame.payload[20:24] == (5555).to_bytes(2, "big") + (443).to_bytes(2, "big")
    assert frame.payload[32:34] == bytes([0x50, 2])
    assert build.internet_checksum(frame.payload[:20]) == 0
    assert frame.unknown == Reads.MAC_SOURCE | Reads.MAC_DEST
    assert (spec.source, spec.dest) == (bytes([10, 1, 1, 2]), bytes([10, 1, 1, 7]))


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("tcp 1.1.1.1 > 2.2.2.2", 0x5000),
        ("tcp 1.1.1.1 > 2.2.2.2 syn ack", 0x5012),
        ("TCP 1.1.1.1>2.2.2.2 SYN,ACK,ns", 0x5112),
        ("tcp 1.1.1.1 > 2.2.2.2 fin+psh", 0x5009),
    ],
)
def test_tcp_flags(text: str, flags: int) -> None:
    assert payload(text)[32:34] == flags.to_bytes(2, "big")


@pytest.mark.parametrize(
    ("text", "protocol", "ports"),
    [
        ("udp [fd00::1]:53 > [fd00::2]:5353", 17, (53, 5353)),
        ("udp fd00::1 > fd00::2", 17, (50000, 80)),
        ("sctp [fd00::1] > [fd00::2]:9", 132, (50000, 9)),
        ("udplite fd00::1 > [fd00::2]:0x10", 136, (50000, 16)),
    ],
)
def test_ipv6_ports(text: str, protocol: int, ports: tuple[int, int]) -> None:
    data = payload(text)
    assert data[6] == protocol
    assert data[40:44] == ports[0].to_bytes(2, "big") + ports[1].to_bytes(2, "big")


@pytest.mark.parametrize(
    ("text", "protocol", "message"),
    [
        ("icmp 10.0.0.1 > 10.0.0.2", 1, (8, 0)),
        ("icmp 10.0.0.1 > 10.0.0.2 echo-reply", 1, (0, 0)),
        ("icmp 10.0.0.1 > 10.0.0.2 type 3 code 4", 1, (3, 4)),
        ("icmp 10.0.0.1 > 10.0.0.2 type 3 len 100", 1, (3, 0)),
        ("icmp fd00::1 > ff02::1 neighbour-solicitation", 58, (135, 0)),
        ("icmp6 fd00::1 > fd00::2", 58, (128, 0)),
    ],
)
def test_icmp(text: str, protocol: int, message: tuple[int, int]) -> None:
    data = payload(text)
    head = 20 if data[0] >> 4 == 4 else 40
    assert data[9 if head == 20 else 6] == protocol
    assert tuple(data[head : head + 2]) == message


def test_options() -> None:
    spec = parse_frame(
        "udp 10.0.0.1 > 10.0.0.2:53 len 1400 vlan 5 tos 0x10 ttl 3 data beef "
        "mac 02:00:00:00:00:01 > 02-00-00-00-00-02 zt 1122334455 > 66778899aa"
    )
    frame = spec.frame
    assert (frame.length, frame.vlan, frame.payload[1], frame.payload[8]) == (1400, 5, 16, 3)
    assert frame.payload[28:32] == b"\xbe\xef\0\0"
    assert int.from_bytes(frame.payload[2:4], "big") == 1400
    assert (frame.mac_source, frame.mac_dest) == (0x020000000001, 0x020000000002)
    assert frame.unknown == Reads(0)
    assert (spec.zt_source, spec.zt_dest) == (0x1122334455, 0x66778899AA)


def test_others() -> None:
    assert parse_frame("ethertype 0x88cc len 60").frame.ethertype == 0x88CC
    assert parse_frame("ethertype arp").frame.ethertype == 0x0806
    assert payload("ip 10.0.0.1 > 10.0.0.2 proto 47")[9] == 47
    arp = parse_frame("arp 10.0.0.1 > 10.0.0.2").frame
    assert (arp.mac_dest, arp.payload[7], arp.length) == (build.BROADCAST_MAC, 1, 28)
    assert parse_frame("arp 10.0.0.1 > 10.0.0.2 reply").frame.payload[7] == 2
    assert parse_frame("udp 10.0.0.1 > 224.0.0.251:5353").frame.mac_dest == 0x01005E0000FB


def test_hex() -> None:
    spec = parse_frame("hex:ffffffffffff 020000000001 0800 00ff")
    assert spec.frame.mac_dest == build.BROADCAST_MAC
    assert (spec.frame.ethertype, spec.frame.payload) == (0x0800, b"\0\xff")


@pytest.mark.parametrize(
    ("text", "column", "word"),
    [
        ("", 0, "missing"),
        ("tpc 1.1.1.1 > 2.2.2.2", 0, "tpc"),
        ("tcp 1.1.1 > 2.2.2.2", 4, "1.1.1"),
        ("tcp 1.1.1.1 2.2.2.2", 12, "2.2.2.2"),
        ("tcp 1.1.1.1:99999 > 2.2.2.2", 4, "99999"),
        ("tcp 1.1.1.1 >", 13, "missing"),
        ("tcp 1.1.1.1 > fd00::1", 14, "IPv6"),
        ("tcp 1.1.1.1 > 2.2.2.2 syn,bad", 22, "bad"),
        ("udp 1.1.1.1 > 2.2.2.2 syn", 22, "syn"),
        ("icmp 1.1.1.1 > 2.2.2.2 neighbour-solicitation", 23, "neighbour"),
        ("icmp 1.1.1.1 > 2.2.2.2 type 256", 28, "256"),
        ("ip 1.1.1.1 > 2.2.2.2", 20, "proto"),
        ("arp fd00::1 > fd00::2", 4, "IPv4"),
        ("ethertype 0x12345", 10, "0x12345"),
        ("ethertype 1 tos 3", 12, "tos"),
        ("tcp 1.1.1.1 > 2.2.2.2 len 10", 22, "len 10"),
        ("tcp 1.1.1.1 > 2.2.2.2 data abc", 27, "abc"),
        ("tcp 1.1.1.1 > 2.2.2.2 mac 1 > 2", 26, "MAC"),
        ("tcp 1.1.1.1 > 2.2.2.2 zt 1122334455 > 1", 38, "10 hex"),
        ("hex:zz", 4, "hex digit"),
        ("hex:00", 0, "Ethernet"),
        ("tcp fe80::1%eth0 > fe80::2", 4, "IP"),
    ],
)
def test_errors_have_a_place(text: str, column: int, word: str) -> None:
    with pytest.raises(FrameError) as raised:
        parse_frame(text)
    (found,) = raised.value.diagnostics
    assert found.code == "ZT414"
    assert found.span is not None
    assert found.span.column == column
    assert word in found.message


VOCABULARY = (
    "tcp udp icmp ip arp ethertype > 1.1.1.1 2.2.2.2:80 fd00::1 [fd00::1]:9 syn len 60 tos 0x "
    "0x10 vlan mac 02:00:00:00:00:01 zt 1122334455 data 00 hex:00 type code proto reply"
)
WORDS = st.sampled_from(VOCABULARY.split())


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=12).map(" ".join)))
def test_any_text_is_a_frame_or_an_error_with_a_place(text: str) -> None:
    try:
        found: FrameSpec | FrameError = parse_frame(text)
    except FrameError as error:
        found = error
    if isinstance(found, FrameSpec):
        assert found.frame.length == len(found.frame.payload)
    else:
        assert found.diagnostics[0].span is not None


def test_too_long() -> None:
    with pytest.raises(FrameError, match="characters"):
        parse_frame("x" * 200_000)
