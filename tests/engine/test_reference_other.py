"""docs/spec/evaluation.md sections 3 and 4: the other matches, ipauth and macauth."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.cases import (
    ARP,
    DEST,
    IPV4,
    IPV6,
    OTHER,
    SOURCE,
    answer,
    extension,
    ipv4,
    ipv6,
    run,
)

ZERO = "0" * 10


def chr_(mask: int | str) -> dict[str, Any]:
    return {"type": "MATCH_CHARACTERISTICS", "mask": mask}


def zt(kind: str, address: Any) -> dict[str, Any]:
    return {"type": f"MATCH_{kind}_ZEROTIER_ADDRESS", "zt": address}


def test_zerotier_addresses() -> None:
    assert answer(zt("SOURCE", SOURCE)) == "yes"
    assert answer(zt("SOURCE", OTHER)) == "no"
    assert answer(zt("DEST", DEST)) == "yes"
    assert answer(zt("DEST", DEST), zt_dest=ZERO) == "no"
    assert answer(zt("DEST", ZERO), zt_dest=ZERO) == "yes"
    assert answer(zt("DEST", None), zt_dest=ZERO) == "yes"


@pytest.mark.parametrize(
    ("match", "changes", "expected"),
    [
        ({"type": "MATCH_ETHERTYPE", "etherType": 0x800}, {}, "yes"),
        ({"type": "MATCH_ETHERTYPE", "etherType": 0x10800}, {}, "yes"),  # cut to 16 bits
        ({"type": "MATCH_ETHERTYPE", "etherType": 0x806}, {}, "no"),
        ({"type": "MATCH_VLAN_ID", "vlanId": 5}, {"vlan": 5}, "yes"),
        ({"type": "MATCH_VLAN_ID", "vlanId": 0x10005}, {"vlan": 5}, "yes"),
        ({"type": "MATCH_VLAN_ID", "vlanId": 0x1005}, {"vlan": 5}, "no"),  # 16 bits, not 12
        ({"type": "MATCH_VLAN_PCP", "vlanPcp": 0}, {"vlan": 5}, "yes"),
        ({"type": "MATCH_VLAN_PCP", "vlanPcp": 1}, {"vlan": 5}, "no"),
        ({"type": "MATCH_VLAN_PCP", "vlanPcp": 256}, {}, "yes"),
        ({"type": "MATCH_VLAN_DEI"}, {}, "yes"),
        ({"type": "MATCH_VLAN_DEI", "vlanDei": 1}, {}, "no"),
        (
            {"type": "MATCH_MAC_SOURCE", "mac": "02:00:00:00:00:07"},
            {"mac_source": "02:00:00:00:00:07"},
            "yes",
        ),
        ({"type": "MATCH_MAC_SOURCE", "mac": "02:00"}, {"mac_source": "02:00:00:00:00:00"}, "yes"),
        (
            {"type": "MATCH_MAC_DEST", "mac": "0-20000:000007ff"},
            {"mac_dest": "02:00:00:00:00:07"},
            "yes",
        ),
        ({"type": "MATCH_MAC_DEST", "mac": "02:00:00:00:00:07"}, {}, "no"),
        ({"type": "MATCH_FRAME_SIZE_RANGE", "start": 28, "end": 28}, {}, "yes"),
        ({"type": "MATCH_FRAME_SIZE_RANGE", "start": 28}, {}, "yes"),
        ({"type": "MATCH_FRAME_SIZE_RANGE", "start": 29, "end": 99}, {}, "no"),
        ({"type": "MATCH_FRAME_SIZE_RANGE", "start": 0, "end": 27}, {}, "no"),
        ({"type": "MATCH_FRAME_SIZE_RANGE", "start": 0, "end": 0}, {"frame": ""}, "yes"),
        ({"type": "MATCH_RANDOM", "probability": 7}, {"prng": 7}, "yes"),
        ({"type": "MATCH_RANDOM", "probability": 7}, {"prng": 8}, "no"),
        ({"type": "MATCH_RANDOM"}, {"prng": 0}, "yes"),
    ],
)
def test_plain_matches(match: dict[str, Any], changes: dict[str, Any], expected: str) -> None:
    assert answer(match, **changes) == expected


# --- INTEGER_RANGE -------------------------------------------------------------------------

BYTES = bytes(range(0x81, 0x91))


def integer(start: Any, end: Any, idx: int, bits: int, little: bool) -> dict[str, Any]:
    return {
        "type": "INTEGER_RANGE",
        "start": start,
        "end": end,
        "idx": idx,
        "bits": bits,
        "little": little,
    }


@pytest.mark.parametrize("bits", [1, 7, 8, 9, 12, 16, 31, 32, 33, 63, 64])
@pytest.mark.parametrize("idx", [0, 3, 8])
def test_integer_range_reads_the_bits_that_the_spec_says(bits: int, idx: int) -> None:
    count = -(-bits // 8)
    big = int.from_bytes(BYTES[idx + 8 - count : idx + 8], "big") & ((1 << bits) - 1)
    little = int.from_bytes(BYTES[idx : idx + count], "little") >> (8 * count - bits)
    for value, is_little in ((big, False), (little, True)):
        text = f"{value:016x}"
        exact = integer(text, text, idx, bits, is_little)
        assert answer(exact, frame=BYTES) == "yes"
        assert answer(integer(value, value, idx, bits, is_little), frame=BYTES) == "yes"
        beside = f"{value ^ 1:016x}"
        assert answer(integer(beside, beside, idx, bits, is_little), frame=BYTES) == "no"


@pytest.mark.parametrize(("bits", "means"), [(0, 64), (65, 1), (64, 64), (128, 64), (129, 1)])
def test_integer_range_bits_wrap(bits: int, means: int) -> None:
    value = int.from_bytes(BYTES[:8], "big") & ((1 << means) - 1)
    match = integer(f"{value:x}", f"{value:x}", 0, bits, False)
    assert answer(match, frame=BYTES) == "yes"


def test_integer_range_bits_missing_is_1() -> None:
    match = {"type": "INTEGER_RANGE", "start": "1", "end": "1", "idx": 0}
    assert answer(match, frame=b"\0\0\0\0\0\0\0\x81") == "yes"
    assert answer(match, frame=b"\0\0\0\0\0\0\0\x80") == "no"


@pytest.mark.parametrize(
    ("idx", "little", "bits"), [(9, False, 8), (8, True, 64), (65535, True, 8)]
)
def test_integer_range_beyond_the_payload_is_0(idx: int, little: bool, bits: int) -> None:
    assert answer(integer("0", "0", idx, bits, little), frame=BYTES[:15]) == "yes"
    assert answer(integer("1", "ffffffff", idx, bits, little), frame=BYTES[:15]) == "no"


@pytest.mark.parametrize(
    ("start", "end", "value", "expected"),
    [
        (5, 10, 10, "yes"),
        (5, 10, 11, "no"),
        (0, (1 << 32) + 3, 3, "yes"),  # end - start is cut to 32 bits: 3
        (0, (1 << 32) + 3, 4, "no"),
        ((1 << 64) - 2, 1, (1 << 64) - 1, "no"),  # start + 3 wraps to 1
        (5, 4, 9, "yes"),  # -1 is 2^32 - 1
        (5, 4, 4, "no"),
    ],
)
def test_integer_range_end(start: int, end: int, value: int, expected: str) -> None:
    match = integer(f"{start:016x}", f"{end:016x}", 0, 64, False)
    assert answer(match, frame=value.to_bytes(8, "big")) == expected


# --- characteristics -----------------------------------------------------------------------


def test_inbound_is_the_direction() -> None:
    assert answer(chr_("8000000000000000"), direction="in") == "yes"
    assert answer(chr_("8000000000000000")) == "no"


@pytest.mark.parametrize(
    ("mac", "multicast", "broadcast"),
    [
        ("ff:ff:ff:ff:ff:ff", "yes", "yes"),
        ("01:00:5e:00:00:01", "yes", "no"),
        ("33:33:00:00:00:01", "yes", "no"),
        ("02:00:00:00:00:01", "no", "no"),
        ("fe:ff:ff:ff:ff:ff", "no", "no"),
    ],
)
def test_multicast_and_broadcast(mac: str, multicast: str, broadcast: str) -> None:
    assert answer(chr_(1 << 62), mac_dest=mac) == multicast
    assert answer(chr_(1 << 61), mac_dest=mac) == broadcast


def test_any_bit_of_the_mask_is_enough() -> None:
    assert answer(chr_(1 << 63 | 1 << 62), mac_dest="ff:ff:ff:ff:ff:ff") == "yes"
    assert answer(chr_(0)) == "no"
    assert answer({"type": "MATCH_CHARACTERISTICS"}) == "no"
    assert answer(chr_(0x07FFFFFFFFFFF000), direction="in") == "no"  # bits that mean nothing


def tcp(flags: int) -> bytes:
    return b"\0" * 12 + bytes((0x50 | flags >> 8, flags & 0xFF)) + b"\0" * 6


@pytest.mark.parametrize("bit", range(12))
def test_tcp_bits(bit: int) -> None:
    for ethertype, frame in (
        (IPV4, ipv4(6, tcp(1 << bit))),
        (IPV4, ipv4(6, tcp(1 << bit), ihl=6, options=b"\0" * 4)),
        (IPV6, ipv6(6, tcp(1 << bit))),
        (IPV6, ipv6(60, extension(6) + tcp(1 << bit))),
    ):
        assert answer(chr_(1 << bit), ethertype=ethertype, frame=frame) == "yes"
        assert answer(chr_(0xFFF & ~(1 << bit)), ethertype=ethertype, frame=frame) == "no"


def test_tcp_bits_want_tcp_and_ip() -> None:
    assert answer(chr_(0xFFF), frame=ipv4(17, tcp(0xFFF))) == "no"
    assert answer(chr_(0xFFF), ethertype=IPV6, frame=ipv6(17, tcp(0xFFF))) == "no"
    assert answer(chr_(0xFFF), ethertype=ARP, frame=ipv4(6, tcp(0xFFF))) == "no"
    assert answer(chr_(0xFFF), frame=ipv4(6, b"")[:19]) == "no"


def test_tcp_bits_at_the_end_of_the_payload() -> None:
    whole4, whole6 = ipv4(6, tcp(0xFFF)), ipv6(6, tcp(0xFFF))
    assert answer(chr_(0xF00), frame=whole4[: 20 + 13]) == "yes"  # byte 13 reads as zero
    assert answer(chr_(0x0FF), frame=whole4[: 20 + 13]) == "no"
    assert answer(chr_(0xFFF), frame=whole4[: 20 + 12]) == "no"
    assert answer(chr_(0xFFF), ethertype=IPV6, frame=whole6[: 40 + 14]) == "no"  # needs more
    assert answer(chr_(0xFFF), ethertype=IPV6, frame=whole6[: 40 + 15]) == "yes"


# --- ipauth, macauth -----------------------------------------------------------------------

IPAUTH, MACAUTH = chr_("1000000000000000"), chr_("0800000000000000")
MINE6 = "fd00" + "0" * 27 + "1"


def test_ipauth_looks_at_the_ipv4_source_exactly() -> None:
    assert answer(IPAUTH, owned_ips=["10.0.0.1"]) == "yes"
    assert answer(IPAUTH, owned_ips=["10.0.0.0", "10.0.0.2"]) == "no"
    assert answer(IPAUTH, owned_ips=[]) == "no"
    assert answer(IPAUTH, owned_ips=["10.0.0.1"], frame=ipv4()[:19]) == "no"
    assert answer(IPAUTH, owned_ips=["10.0.0.1"], direction="in", zt_source=OTHER) == "yes"


def test_ipauth_looks_at_the_ipv6_source() -> None:
    where = {"ethertype": IPV6, "frame": ipv6()}
    assert answer(IPAUTH, owned_ips=["fd00::1"], **where) == "yes"
    assert answer(IPAUTH, owned_ips=["fd00::2"], **where) == "no"
    assert answer(IPAUTH, owned_ips=["fd00::1"], ethertype=IPV6, frame=ipv6()[:39]) == "no"


def test_ipauth_of_arp_looks_at_the_sender_and_nothing_else() -> None:
    frame = b"\xff" * 14 + bytes((10, 0, 0, 1)) + b"\xff" * 10
    assert answer(IPAUTH, owned_ips=["10.0.0.1"], ethertype=ARP, frame=frame) == "yes"
    assert answer(IPAUTH, owned_ips=["10.0.0.2"], ethertype=ARP, frame=frame) == "no"
    assert answer(IPAUTH, owned_ips=["10.0.0.1"], ethertype=ARP, frame=frame[:27]) == "no"


def neighbour(kind: int, target: str, count: int = 24) -> bytes:
    body = bytes((kind, 0, 0, 0, 0, 0, 0, 0)) + bytes.fromhex(target)
    return ipv6(58, body[:count])


def test_neighbour_discovery() -> None:
    mine, other = MINE6, "fd00" + "0" * 27 + "9"
    own = {"ethertype": IPV6, "owned_ips": ["fd00::9"]}
    assert answer(IPAUTH, frame=neighbour(135, mine), **own) == "yes"  # a solicitation always
    assert answer(IPAUTH, frame=neighbour(135, mine), ethertype=IPV6) == "yes"
    assert answer(IPAUTH, frame=neighbour(136, other), **own) == "yes"  # the target is checked
    assert answer(IPAUTH, frame=neighbour(136, mine), **own) == "no"
    assert answer(IPAUTH, frame=neighbour(136, other), **{**own, "owned_ips": ["fd00::1"]}) == "no"
    assert answer(IPAUTH, frame=neighbour(137, other), **own) == "no"
    # one byte less than 64: the source again
    assert answer(IPAUTH, frame=neighbour(135, mine, 23), **own) == "no"
    assert (
        answer(IPAUTH, frame=neighbour(136, other, 23), ethertype=IPV6, owned_ips=["fd00::1"])
        == "yes"
    )


RFC4193, SIX_PLANE = "fd8056c2e21c000001999333", "fc9c56c2e333"  # of 8056c2e21c000001
EMULATION = {"direction": "in", "ethertype": IPV6, "zt_source": OTHER}


def source(prefix: str) -> bytes:
    return ipv6(17, bytes(8), prefix.ljust(32, "1"))


@pytest.mark.parametrize(("scheme", "prefix"), [("rfc4193", RFC4193), ("6plane", SIX_PLANE)])
def test_ndp_emulation_takes_every_source_of_the_scheme(scheme: str, prefix: str) -> None:
    network = {**EMULATION, "ndp": scheme}
    assert answer(IPAUTH, frame=source(prefix), **network) == "yes"
    assert answer(IPAUTH, frame=source(prefix), **EMULATION) == "no"
    assert answer(IPAUTH, frame=source(prefix), **{**network, "direction": "out"}) == "no"
    other = {"rfc4193": "6plane", "6plane": "rfc4193"}[scheme]
    assert answer(IPAUTH, frame=source(prefix), **{**network, "ndp": other}) == "no"
    elsewhere = {**network, "network": "8056c2e31c000002"}
    assert answer(IPAUTH, frame=source(prefix), **elsewhere) == "no"


@pytest.mark.parametrize(
    ("scheme", "prefix", "bits"), [("rfc4193", RFC4193, 88), ("6plane", SIX_PLANE, 40)]
)
def test_ndp_emulation_compares_the_whole_prefix_and_no_more(
    scheme: str, prefix: str, bits: int
) -> None:
    whole = int(prefix.ljust(32, "1"), 16)
    for bit in range(128):
        frame = source(f"{whole ^ 1 << 127 - bit:032x}")
        assert answer(IPAUTH, frame=frame, **EMULATION, ndp=scheme) == (
            "no" if bit < bits else "yes"
        )


def test_ndp_emulation_looks_at_the_address_that_ipauth_checks() -> None:
    target, network = RFC4193.ljust(32, "1"), {**EMULATION, "ndp": "rfc4193"}
    assert answer(IPAUTH, frame=neighbour(136, target), **network) == "yes"
    assert answer(IPAUTH, frame=neighbour(137, target), **network) == "no"
    arp = bytes(14) + bytes.fromhex(target)
    assert answer(IPAUTH, frame=arp, **{**network, "ethertype": ARP}) == "no"


@pytest.mark.parametrize("ethertype", [0, 0x8100, 0x8035, 0x0842])
def test_other_ethertypes_are_never_ipauth(ethertype: int) -> None:
    own = ["0.0.0.0", "10.0.0.1", "::"]
    assert answer(IPAUTH, owned_ips=own, ethertype=ethertype, frame=b"\0" * 64) == "no"


def test_macauth() -> None:
    mac = "02:00:00:00:00:07"
    assert answer(MACAUTH, owned_macs=[mac], mac_source=mac) == "yes"
    assert answer(MACAUTH, owned_macs=[mac]) == "no"
    assert answer(MACAUTH, owned_macs=[], mac_source=mac) == "no"
    assert answer(MACAUTH, owned_macs=[mac], mac_source=mac, ethertype=0, frame="") == "yes"


def test_unknown_types_are_left_out_of_the_log() -> None:
    unknown: list[Any] = [{"type": "MATCH_NOSUCH"}, 7, None, {"type": 5}, {}]
    out = run([*unknown, {"type": "ACTION_ACCEPT"}])
    assert (out["result"], out["log"]) == ("ACCEPT", [None])
