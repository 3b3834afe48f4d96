"""Network id + ZeroTier address <-> MAC, and the two IPv6 schemes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ztfast.model.addresses import (
    address_of,
    addresses_of,
    first_octet,
    mac_of,
    parse_address,
    parse_mac,
    parse_network_id,
    rfc4193,
    six_plane,
)

IDS = st.integers(0, (1 << 64) - 1)
ADDRESSES = st.integers(0, (1 << 40) - 1)


def test_mac_by_the_letter_of_the_spec() -> None:
    network_id, address = 0x8056C2E21C0A0B0C, 0x1122334455
    b1, b2, b3, b4, b5 = (network_id >> shift & 255 for shift in (8, 16, 24, 32, 40))
    expected = address ^ (b1 << 32 | b2 << 24 | b3 << 16 | b4 << 8 | b5)
    assert mac_of(address, network_id) == (0x0C & 0xFE | 2) << 40 | expected
    assert mac_of(address, network_id) == 0x0E1A282FA697


def test_first_octet_steps_aside_for_0x52() -> None:
    assert first_octet(0x50) == 0x32
    assert first_octet(0x53) == 0x32
    assert first_octet(0x54) == 0x56
    assert first_octet(0x01) == 0x02


@given(IDS, ADDRESSES)
def test_a_mac_gives_its_address_back(network_id: int, address: int) -> None:
    mac = mac_of(address, network_id)
    assert address_of(mac, network_id) == address
    assert address_of(mac ^ 0x040000000000, network_id) is None
    assert mac >> 40 & 1 == 0


@given(IDS, st.lists(st.integers(0, (1 << 48) - 1), max_size=20), ADDRESSES)
def test_columns_agree_with_single_values(network_id: int, macs: list[int], address: int) -> None:
    macs = [*macs, mac_of(address, network_id)]
    addresses, ours = addresses_of(np.array(macs, dtype=np.uint64), network_id)
    single = [address_of(mac, network_id) for mac in macs]
    assert ours.tolist() == [value is not None for value in single]
    assert addresses.tolist() == [value or 0 for value in single]
    assert ours[-1]


def test_ipv6_schemes() -> None:
    network_id, address = 0x363C67C55AF7C396, 0x363C67C55A
    assert rfc4193(address, network_id).hex() == "fd363c67c55af7c396" + "9993" + "363c67c55a"
    assert six_plane(address, network_id).hex() == "fc6ccba453363c67c55a" + "000000000001"


def test_texts() -> None:
    assert parse_network_id("8056c2e21C000001") == 0x8056C2E21C000001
    assert parse_network_id("8056c2e21c00000") is None
    assert parse_address("00000000fF") == 255
    assert parse_address("00000000f") is None
    assert parse_address("00000000fg") is None
    assert parse_mac("02-00:00:00:00:01") == 0x020000000001
    assert parse_mac("020000000001") == 0x020000000001
    assert parse_mac("02:00:00:00:00") is None
    assert parse_mac("02:00:00:00:00:01\n") is None
