"""What a verdict can have read that was not known: bits of the `reads` column.

The low bits are bytes that existed but were not captured, one bit for each thing a
match reads; any of them makes a verdict *uncertain*.  The high bits are facts about
members that nobody gave, for which an assumption was used.
A match reads everything that it names, in the circumstances of that frame, whether or
not an earlier part already decided it (see docs/exactness.md).
"""

from __future__ import annotations

from enum import IntFlag


class Reads(IntFlag):
    """The bits of `Verdicts.reads`, uint16."""

    ETHERTYPE = 1 << 0
    MAC_DEST = 1 << 1
    MAC_SOURCE = 1 << 2
    IP_SOURCE = 1 << 3
    IP_DEST = 1 << 4
    TOS = 1 << 5
    PROTOCOL = 1 << 6
    SOURCE_PORT = 1 << 7
    DEST_PORT = 1 << 8
    ICMP = 1 << 9
    TCP_FLAGS = 1 << 10
    AUTH_ADDRESS = 1 << 11
    INTEGER = 1 << 12
    ASSUMED_OWNERSHIP = 1 << 13
    ASSUMED_TAGS = 1 << 14
    ASSUMED_ADDRESS = 1 << 15


UNCERTAIN_MASK = 0x1FFF
ASSUMED_MASK = 0xE000
