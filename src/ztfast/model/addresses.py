"""ZeroTier addresses, network ids and the MACs and IPv6 addresses that follow from them.

Contract: pure functions; integers in, integers (or packed bytes) out; the MAC functions
take numpy arrays of uint64 as well.  Source: docs/spec/evaluation.md section 8; the two IPv6
schemes are ZeroTier's RFC 4193 and 6PLANE assignments.  Tested by
tests/model/test_addresses.py.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import numpy.typing as npt

ADDRESS_BITS = 40
_ADDRESS_MASK = (1 << ADDRESS_BITS) - 1
_RESERVED_FIRST_OCTET = 0x52  # what KVM and libvirt use; ZeroTier takes 0x32 instead
_NETWORK_ID = re.compile(r"[0-9a-fA-F]{16}")
_ADDRESS = re.compile(r"[0-9a-fA-F]{10}")
_MAC = re.compile(r"[0-9a-fA-F]{2}([:-]?[0-9a-fA-F]{2}){5}")

Uint64s = npt.NDArray[np.uint64]


def parse_network_id(text: str) -> int | None:
    """A network id of 16 hex digits, or None."""
    return int(text, 16) if _NETWORK_ID.fullmatch(text) else None


def parse_address(text: str) -> int | None:
    """A ZeroTier address of 10 hex digits, or None."""
    return int(text, 16) if _ADDRESS.fullmatch(text) else None


def parse_mac(text: str) -> int | None:
    """A MAC address of 12 hex digits, with `:` or `-` between them or without, or None."""
    if not _MAC.fullmatch(text):
        return None
    return int(text.replace(":", "").replace("-", ""), 16)


@lru_cache(16)
def first_octet(network_id: int) -> int:
    """The first octet of every MAC of a network's members."""
    octet = network_id & 0xFE | 0x02
    return 0x32 if octet == _RESERVED_FIRST_OCTET else octet


@lru_cache(16)
def scramble(network_id: int) -> int:
    """The 40 bits that are XORed with an address: the network id's bytes 1 to 5, turned round."""
    return int.from_bytes((network_id >> 8 & _ADDRESS_MASK).to_bytes(5, "little"), "big")


def mac_of(address: int, network_id: int) -> int:
    """The MAC (48 bits) of the member with this ZeroTier address in this network."""
    return first_octet(network_id) << 40 | address & _ADDRESS_MASK ^ scramble(network_id)


def address_of(mac: int, network_id: int) -> int | None:
    """The ZeroTier address behind a MAC, or None where the MAC is not of this network's form."""
    if mac >> 40 != first_octet(network_id):
        return None
    return mac & _ADDRESS_MASK ^ scramble(network_id)


def addresses_of(macs: Uint64s, network_id: int) -> tuple[Uint64s, npt.NDArray[np.bool_]]:
    """(ZeroTier addresses, which MACs have this network's form) of uint64 MACs; else 0."""
    ours = macs >> np.uint64(40) == np.uint64(first_octet(network_id))
    addresses = macs & np.uint64(_ADDRESS_MASK) ^ np.uint64(scramble(network_id))
    return np.where(ours, addresses, np.uint64(0)), ours


@lru_cache(16)
def rfc4193_prefix(network_id: int) -> bytes:
    """The first 11 bytes of every address of a network's RFC 4193 scheme: its /88."""
    return b"\xfd" + network_id.to_bytes(8, "big") + b"\x99\x93"


def rfc4193(address: int, network_id: int) -> bytes:
    """The IPv6 address of a member in ZeroTier's RFC 4193 scheme, 16 bytes."""
    return rfc4193_prefix(network_id) + address.to_bytes(5, "big")


@lru_cache(16)
def six_plane_prefix(network_id: int) -> bytes:
    """The first 5 bytes of every address of a network's 6PLANE scheme: its /40."""
    folded = (network_id >> 32 ^ network_id) & 0xFFFFFFFF
    return b"\xfc" + folded.to_bytes(4, "big")


def six_plane(address: int, network_id: int) -> bytes:
    """The IPv6 address of a member in ZeroTier's 6PLANE scheme, 16 bytes."""
    return six_plane_prefix(network_id) + address.to_bytes(5, "big") + b"\0\0\0\0\0\1"
