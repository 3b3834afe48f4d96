"""Frames that are built are what another implementation reads, checksums included."""

from __future__ import annotations

import pytest

from ztfast.frames import build
from ztfast.frames.batch import ethernet_frame
from ztfast.frames.frame import Frame

V4 = (bytes([10, 1, 1, 2]), bytes([10, 1, 1, 7]))
V6 = (bytes.fromhex("fd" + "00" * 14 + "01"), bytes.fromhex("fd" + "00" * 14 + "02"))
BODIES = {
    build.TCP: build.tcp_body(5555, 443, 0x102, b"hello"),
    build.UDP: build.udp_body(53, 5353, b"odd"),
    build.ICMP: build.icmp_body(8, 0, b"ping"),
    build.ICMP6: build.icmp_body(128, 0, b"ping6"),
    build.SCTP: build.sctp_body(1, 2, b"\x01\x00\x00\x04"),
}


def reread(packet: bytes) -> tuple[bytes, object]:
    """The packet as scapy writes it with every checksum and length computed anew."""
    scapy = pytest.importorskip("scapy.all")
    pytest.importorskip("scapy.layers.sctp")
    parsed = (scapy.IP if packet[0] >> 4 == 4 else scapy.IPv6)(packet)
    layer = parsed
    while layer:
        for name in ("chksum", "cksum", "len", "plen"):
            if name in layer.fields:
                del layer.fields[name]
        layer = layer.payload
    return bytes(parsed), parsed


@pytest.mark.parametrize("ends", [V4, V6], ids=["ipv4", "ipv6"])
@pytest.mark.parametrize("protocol", BODIES)
def test_lengths_and_checksums(ends: tuple[bytes, bytes], protocol: int) -> None:
    if protocol == (build.ICMP6 if len(ends[0]) == 4 else build.ICMP):
        pytest.skip("not of this family")
    packet = build.ip_packet(*ends, protocol, BODIES[protocol], tos=0x28)
    again, _ = reread(packet)
    assert packet == again


def test_tcp_flags_and_ports() -> None:
    parsed = reread(build.ip_packet(*V4, build.TCP, BODIES[build.TCP]))[1]
    assert (parsed["TCP"].sport, parsed["TCP"].dport) == (5555, 443)  # type: ignore[index]
    assert str(parsed["TCP"].flags) == "SN"  # type: ignore[index]


def test_udp_checksum_is_never_zero() -> None:
    # The one's complement sum of this datagram is 0xffff, so its checksum would be 0.
    for last in range(0x10000):
        packet = build.ip_packet(*V4, build.UDP, build.udp_body(0, 0, last.to_bytes(2, "big")))
        assert packet[26:28] != b"\0\0"
        if packet[26:28] == b"\xff\xff":
            break
    else:
        pytest.fail("no datagram had the odd checksum")


def test_mixed_families_are_refused() -> None:
    with pytest.raises(ValueError, match="both"):
        build.ip_packet(V4[0], V6[0], 6)


def test_arp() -> None:
    scapy = pytest.importorskip("scapy.all")
    parsed = scapy.ARP(build.arp_packet(build.ARP_REPLY, 0x020000000001, V4[0], 0, V4[1]))
    assert (parsed.op, parsed.psrc, parsed.pdst) == (2, "10.1.1.2", "10.1.1.7")
    assert parsed.hwsrc == "02:00:00:00:00:01"


@pytest.mark.parametrize(
    ("address", "mac"),
    [
        ("e0000001", 0x01005E000001),
        ("efffffff", 0x01005E7FFFFF),
        ("ffffffff", build.BROADCAST_MAC),
        ("0a000001", None),
        ("ff02" + "00" * 12 + "0001", 0x333300000001),
        ("fd00" + "00" * 12 + "0001", None),
    ],
)
def test_multicast_macs(address: str, mac: int | None) -> None:
    assert build.multicast_mac(bytes.fromhex(address)) == mac


def test_crc32c_of_the_standard_text() -> None:
    assert build.crc32c(b"123456789") == 0xE3069283


def test_there_and_back() -> None:
    frame = Frame(b"abc", 3, 0x88CC, 0, 0x020000000001, 0x020000000002)
    data = build.ethernet_bytes(frame)
    assert ethernet_frame(data, len(data)) == frame
