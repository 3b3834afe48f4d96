"""What the kernel says of a network interface: is it there and up, its MTU, what it merges.

Contract: Linux only.  Names that are none give None, never an error; nothing is changed.
Tested by tests/live/test_tap_network.py.
"""

from __future__ import annotations

import array
import fcntl
import os
import socket
import struct
from typing import NamedTuple

_SIOCGIFFLAGS, _SIOCGIFMTU, _SIOCETHTOOL = 0x8913, 0x8921, 0x8946  # linux/sockios.h
_IFF_UP = 1
_REQUEST = struct.Struct("16s24s")  # struct ifreq
# linux/ethtool.h: what merges frames on their way in, by ethtool's own name -> (command, bits)
_MERGES = {"gro": (0x2B, 0xFFFF_FFFF), "lro": (0x25, 1 << 15)}


class Interface(NamedTuple):
    """number: its index; up: does it carry frames; mtu: bytes behind the Ethernet header."""

    name: str
    number: int
    up: bool
    mtu: int


def interface(name: str) -> Interface | None:
    """An interface of this network namespace, None where there is none of that name."""
    try:
        index = socket.if_nametoindex(name)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
            flags = _ask(asked, name, _SIOCGIFFLAGS, "H")
            mtu = _ask(asked, name, _SIOCGIFMTU, "i")
    except (OSError, ValueError):
        return None
    return Interface(name, index, bool(flags & _IFF_UP), mtu)


def merging(name: str) -> list[str]:
    """What is on at this interface that makes several frames one: `gro`, `lro`."""
    found: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        for word, (command, bits) in _MERGES.items():
            value = array.array("I", [command, 0])
            data = struct.pack("16sQ16x", _name(name), value.buffer_info()[0])
            try:
                fcntl.ioctl(asked, _SIOCETHTOOL, data)
            except OSError:
                continue  # this interface does not know it
            if value[1] & bits:
                found.append(word)
    return found


def _ask(asked: socket.socket, name: str, what: int, form: str) -> int:
    answer = fcntl.ioctl(asked, what, _REQUEST.pack(_name(name), bytes(24)))
    return int(struct.unpack_from(form, answer, 16)[0])


def _name(name: str) -> bytes:
    return os.fsencode(name)[:15]
