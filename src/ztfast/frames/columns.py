"""The header columns by number, and the bits that some of them hold.

Contract: `_core/decode.pxi` makes columns by these numbers (tests/program/test_opcodes.py
compares), the instruction table reads them.  A number is the column's name for good.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag


class Column(IntEnum):
    """Header columns and those that every program knows; larger numbers are a program's own."""

    KIND = 0
    CHARACTERISTICS = 1
    PROTOCOL = 2
    TOS = 3
    ICMP_TYPE = 4
    ICMP_CODE = 5
    OWNERSHIP = 6
    ETHERTYPE = 8
    VLAN = 9
    SOURCE_PORT = 10
    DEST_PORT = 11
    TCP_FLAGS = 12
    LENGTH = 16
    IP4_SOURCE = 17
    IP4_DEST = 18
    MISSING = 19
    IP6_SOURCE_HIGH = 24
    IP6_SOURCE_LOW = 25
    IP6_DEST_HIGH = 26
    IP6_DEST_LOW = 27
    MAC_SOURCE = 28
    MAC_DEST = 29
    AUTH_HIGH = 30
    AUTH_LOW = 31
    ZT_SOURCE = 32
    ZT_DEST = 33
    NODE = 34


# What tells who a frame is from and for: its MACs, and where they are not known its IP addresses.
MAC_COLUMNS = (Column.MISSING, Column.MAC_SOURCE, Column.MAC_DEST)
IP_COLUMNS = (
    Column.KIND,
    Column.IP4_SOURCE,
    Column.IP4_DEST,
    Column.IP6_SOURCE_HIGH,
    Column.IP6_SOURCE_LOW,
    Column.IP6_DEST_HIGH,
    Column.IP6_DEST_LOW,
)

FIRST_OWN_COLUMN = 40
MAX_COLUMNS = 1024


def column_width(column: int) -> int:
    """The width in bits of a fixed column."""
    if column < Column.ETHERTYPE:
        return 8
    if column < Column.LENGTH:
        return 16
    if column < Column.IP6_SOURCE_HIGH:
        return 32
    return 64


class FrameKind(IntFlag):
    """Bits of Column.KIND: what kind of frame it is and which fields it has."""

    IPV4 = 1  # ethertype 0x0800 and payload of 20 bytes or more
    IPV6 = 2  # ethertype 0x86dd and payload of 40 bytes or more
    PROTOCOL = 4  # IP, and the walk to its protocol is valid
    SOURCE_PORT = 8
    DEST_PORT = 16
    ICMP = 32


class Chr(IntFlag):
    """Bits of Column.CHARACTERISTICS, of the frame alone."""

    MULTICAST = 1
    BROADCAST = 2
    AUTH_ADDRESS = 4  # there is an address for ipauth to look up
    AUTH_ALWAYS = 8  # ipauth without a look-up
    AUTH_IPV6 = 16  # the address to look up is IPv6


class Owned(IntFlag):
    """Bits of Column.OWNERSHIP."""

    IP = 1
    MAC = 2


class Missing(IntFlag):
    """Bits of Column.MISSING above the 13 of `model.reads.Reads` that mean bytes."""

    OWNED_IP = 1 << 16
    OWNED_MAC = 1 << 17
    LOCAL_TAGS = 1 << 18
    REMOTE_TAGS = 1 << 19
    ADDRESSES = 1 << 20
    IP6_SOURCE = 1 << 21
    IP6_DEST = 1 << 22
