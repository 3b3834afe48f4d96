"""Header fields frame by frame in plain Python, for installations without the compiled loops.

Contract: `plain_fields` gives the columns that a table of frames shows, as the compiled decoder
makes them (docs/spec/evaluation.md section 2); bytes that were not captured read as zero.
Tested by tests/pipeline/test_rows.py against the compiled decoder.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ztfast.frames.batch import FrameBatch
from ztfast.frames.columns import Column, FrameKind, column_width
from ztfast.frames.frame import Frame
from ztfast.model.reads import Reads

_PORT_PROTOCOLS = frozenset((6, 17, 132, 136))
_EXTENSIONS = frozenset((0, 43, 60, 135))
_HEADER_FIELDS = int(Reads.ETHERTYPE | Reads.MAC_DEST | Reads.MAC_SOURCE)


def plain_fields(frames: FrameBatch) -> dict[int, npt.NDArray[Any]]:
    """KIND, MISSING (header fields only), MACs, ethertype, VLAN, addresses, protocol, ports."""
    columns: dict[int, npt.NDArray[Any]] = {
        column: np.zeros(len(frames), f"u{column_width(column) // 8}") for column in _COLUMNS
    }
    for index in range(len(frames)):
        for column, value in _fields(frames.frame(index)).items():
            columns[column][index] = value
    return columns


_COLUMNS = (
    Column.KIND,
    Column.MISSING,
    Column.MAC_SOURCE,
    Column.MAC_DEST,
    Column.ETHERTYPE,
    Column.VLAN,
    Column.PROTOCOL,
    Column.SOURCE_PORT,
    Column.DEST_PORT,
    Column.IP4_SOURCE,
    Column.IP4_DEST,
    Column.IP6_SOURCE_HIGH,
    Column.IP6_SOURCE_LOW,
    Column.IP6_DEST_HIGH,
    Column.IP6_DEST_LOW,
)


def _fields(frame: Frame) -> dict[Column, int]:
    found = {
        Column.MISSING: int(frame.unknown) & _HEADER_FIELDS,
        Column.MAC_SOURCE: frame.mac_source,
        Column.MAC_DEST: frame.mac_dest,
        Column.ETHERTYPE: frame.ethertype,
        Column.VLAN: frame.vlan,
    }
    if frame.ethertype == 0x0800 and frame.length >= 20:
        found |= _ipv4(frame)
    elif frame.ethertype == 0x86DD and frame.length >= 40:
        found |= _ipv6(frame)
    return found


def _number(frame: Frame, at: int, size: int) -> int:
    return int.from_bytes(frame.payload[at : at + size].ljust(size, b"\0"), "big")


def _ipv4(frame: Frame) -> dict[Column, int]:
    found = {
        Column.KIND: int(FrameKind.IPV4 | FrameKind.PROTOCOL),
        Column.PROTOCOL: _number(frame, 9, 1),
        Column.IP4_SOURCE: _number(frame, 12, 4),
        Column.IP4_DEST: _number(frame, 16, 4),
    }
    _add_ports(frame, found, 4 * (_number(frame, 0, 1) & 15))
    return found


def _ipv6(frame: Frame) -> dict[Column, int]:
    found = {
        Column.KIND: int(FrameKind.IPV6),
        Column.IP6_SOURCE_HIGH: _number(frame, 8, 8),
        Column.IP6_SOURCE_LOW: _number(frame, 16, 8),
        Column.IP6_DEST_HIGH: _number(frame, 24, 8),
        Column.IP6_DEST_LOW: _number(frame, 32, 8),
    }
    walked = _walk(frame)
    if walked is not None:
        found[Column.KIND] |= FrameKind.PROTOCOL
        found[Column.PROTOCOL], position = walked
        _add_ports(frame, found, position)
    return found


def _walk(frame: Frame) -> tuple[int, int] | None:
    """(protocol, position) behind the extension headers; None where they run over."""
    position, protocol = 40, _number(frame, 6, 1)
    while position <= frame.length:
        if protocol not in _EXTENSIONS:
            return protocol, position
        # behind the captured bytes everything is a header 0 that leads 8 bytes on, to the end
        if position + 8 > frame.length or position >= len(frame.payload):
            return None
        protocol, units = _number(frame, position, 1), _number(frame, position + 1, 1)
        position += (units + 1) * 8
    return None


def _add_ports(frame: Frame, found: dict[Column, int], position: int) -> None:
    """Ports, where the protocol has them; port 0 is none in IPv6."""
    if found[Column.PROTOCOL] not in _PORT_PROTOCOLS or frame.length <= position + 4:
        return
    for column, kind, at in (
        (Column.SOURCE_PORT, FrameKind.SOURCE_PORT, position),
        (Column.DEST_PORT, FrameKind.DEST_PORT, position + 2),
    ):
        found[column] = _number(frame, at, 2)
        if found[column] or found[Column.KIND] & FrameKind.IPV4:
            found[Column.KIND] |= kind
