"""Options of pcapng blocks, and the interface block.

Contract: a list of options that is cut or has no end is read as far as it goes; nothing
here raises on hostile bytes.  Source: draft-ietf-opsawg-pcapng, sections 3.5, 4.2, 4.3.
Tested by tests/capture/test_pcapng.py.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from ztfast.capture.packets import Int64s, Interface, unaligned

IF_NAME, IF_SPEED, IF_TSRESOL, IF_FCSLEN, IF_TSOFFSET = 2, 8, 9, 13, 14
# Options whose value is one number, which changes with the byte order: code -> bytes
INTERFACE_NUMBERS = {IF_SPEED: 8, IF_TSOFFSET: 8, 16: 8, 17: 8}
EPB_FLAGS = 2
_MOST_OPTIONS = 64  # of a packet that are looked at
PACKET_NUMBERS = {2: 4, 4: 8, 5: 8, 6: 4, 8: 8}


def options(data: bytes, swapped: bool) -> Iterator[tuple[int, bytes]]:
    """Code and value of each option up to the end mark."""
    head = struct.Struct(">HH" if swapped else "<HH")
    position = 0
    while position + 4 <= len(data):
        code, size = head.unpack_from(data, position)
        position += 4
        if code == 0 or position + size > len(data):
            return
        yield code, data[position : position + size]
        position += size + -size % 4


def little_options(data: bytes, swapped: bool, numbers: dict[int, int]) -> bytes:
    """The options in little endian with an end mark; empty where there are none.

    `numbers` names the options of the standard whose value is a number of so many bytes.
    """
    out: list[bytes] = []
    for code, value in options(data, swapped):
        turned = swapped and numbers.get(code) == len(value)
        out.append(option(code, value[::-1] if turned else value))
    return b"".join(out) + b"\0\0\0\0" if out else b""


def option(code: int, value: bytes) -> bytes:
    """One option in little endian, padded."""
    return struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def parse_interface(block: bytes, swapped: bool) -> Interface:
    """An interface description block (at least 20 bytes) as an `Interface`."""
    order = ">" if swapped else "<"
    linktype, _, snaplen = struct.unpack_from(order + "HHI", block, 8)
    resolution, offset, fcs, name = 6, 0, 0, ""
    for code, value in options(block[16:-4], swapped):
        if code == IF_TSRESOL and len(value) == 1:
            resolution = value[0]
        elif code == IF_TSOFFSET and len(value) == 8:
            (offset,) = struct.unpack(order + "q", value)
        elif code == IF_FCSLEN and len(value) == 1:
            fcs = value[0]
        elif code == IF_NAME:
            name = value.rstrip(b"\0").decode("utf-8", "replace")
    return Interface(linktype, snaplen, resolution, name, offset, fcs, block, swapped)


def fcs_of_frames(buffer: Any, begins: Int64s, ends: Int64s, swapped: bool) -> Int64s:
    """Bytes of check sequence that packets' own flags (epb_flags, bits 5 to 8) tell, int64[n].

    begins, ends: where each packet's options stand.  0 where they do not say.
    """
    halves = unaligned(buffer, ">u2" if swapped else "<u2")
    words = unaligned(buffer, ">u4" if swapped else "<u4")
    fcs = np.zeros(len(begins), np.int64)
    left, at = np.arange(len(begins)), begins
    for _ in range(_MOST_OPTIONS):
        room = at + 4 <= ends[left]
        left, at = left[room], at[room]
        code, size = halves[at], halves[at + 2].astype(np.int64)
        found = (code == EPB_FLAGS) & (size == 4) & (at + 8 <= ends[left])
        fcs[left[found]] = words[at[found] + 4] >> 5 & 0xF
        more = ~found & (code != 0)
        left, at = left[more], (at + 4 + size + -size % 4)[more]
        if not len(left):
            break
    return fcs


def nanosecond_interface(interface: Interface) -> bytes:
    """An interface block in little endian whose times are nanoseconds, other options kept."""
    kept = [option(IF_TSRESOL, b"\x09")]
    block = interface.block
    if block is not None and len(block) >= 20 and block[:4] in (b"\1\0\0\0", b"\0\0\0\1"):
        for code, value in options(block[16:-4], interface.swapped):
            if code in (IF_TSRESOL, IF_TSOFFSET):
                continue
            turned = interface.swapped and INTERFACE_NUMBERS.get(code) == len(value)
            kept.append(option(code, value[::-1] if turned else value))
    elif interface.fcs:
        kept.append(option(IF_FCSLEN, bytes([min(interface.fcs, 255)])))
    body = struct.pack("<HHI", interface.linktype & 0xFFFF, 0, interface.snaplen)
    body += b"".join(kept) + b"\0\0\0\0"
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", 1) + size + body + size
