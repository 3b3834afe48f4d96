"""What a frame is, in a word or two: `tcp 51234 > 445 syn`, `arp who has 10.1.1.7`, `ping`.

Contract: texts for some frames of a batch, made of header columns; no text holds a character that
does not print.  Of fields that were not captured it is said that they were not.
Tested by tests/report/test_frame_list.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ztfast.capture.packets import unaligned
from ztfast.frames.batch import ETHERNET_HEADER, FrameBatch
from ztfast.frames.build import ETHERTYPE_ARP, ICMP, ICMP6, TCP
from ztfast.frames.columns import Column, FrameKind
from ztfast.frames.text import ethertype_text, flags_text, protocol_text
from ztfast.model.names import ETHERTYPES
from ztfast.model.reads import Reads
from ztfast.pipeline.rows import decoded
from ztfast.sinks.text_columns import address_texts

_COLUMNS = (
    Column.KIND,
    Column.ETHERTYPE,
    Column.PROTOCOL,
    Column.SOURCE_PORT,
    Column.DEST_PORT,
    Column.TCP_FLAGS,
    Column.ICMP_TYPE,
    Column.ICMP_CODE,
    Column.MISSING,
)
_MESSAGES = {
    (ICMP, 0): "ping reply",
    (ICMP, 8): "ping",
    (ICMP6, 128): "ping",
    (ICMP6, 129): "ping reply",
    (ICMP6, 133): "router solicitation",
    (ICMP6, 134): "router advertisement",
    (ICMP6, 135): "neighbour solicitation",
    (ICMP6, 136): "neighbour advertisement",
}
_ARP = {1: "arp who has ", 2: "arp reply"}
_ARP_LENGTH = 28
_MOST_REMEMBERED = 1 << 16


class FrameWords:
    """Texts of frames; those that occurred before are remembered."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], str] = {}

    def __call__(self, frames: FrameBatch) -> list[str]:
        """A text for each frame."""
        fields = decoded(frames, _COLUMNS)
        if len(self._known) > _MOST_REMEMBERED:
            self._known.clear()
        known = self._known
        texts: list[str] = []
        for key in zip(*(fields[column].tolist() for column in _COLUMNS), strict=True):
            text = known.get(key)
            if text is None:
                text = known[key] = _text(*key)
            texts.append(text)
        for at, text in _arp_texts(frames, fields[Column.ETHERTYPE]).items():
            texts[at] = text
        return texts


def _text(
    kind: int,
    ethertype: int,
    protocol: int,
    source: int,
    dest: int,
    flags: int,
    icmp: int,
    code: int,
    missing: int,
) -> str:
    if missing & Reads.ETHERTYPE:
        return "ethertype not captured"
    if not kind & (FrameKind.IPV4 | FrameKind.IPV6):
        name = ethertype_text(ethertype)
        return name if name in ETHERTYPES else f"ethertype {name}"
    if missing & Reads.PROTOCOL:
        return f"ipv{4 if kind & FrameKind.IPV4 else 6} (protocol not captured)"
    if not kind & FrameKind.PROTOCOL:
        return f"ipv6, {protocol_text(None)}"
    if kind & FrameKind.ICMP:
        if missing & Reads.ICMP:
            return f"{protocol_text(protocol)} (type not captured)"
        plain = f"{protocol_text(protocol)} type {icmp} code {code}"
        return _MESSAGES.get((protocol, icmp), plain) if not code else plain
    name = protocol_text(protocol)
    if missing & Reads.SOURCE_PORT:
        return f"{name} (ports not captured)"
    if missing & Reads.DEST_PORT:
        return f"{name} {source} > ? (not captured)"
    if kind & (FrameKind.SOURCE_PORT | FrameKind.DEST_PORT):
        name = f"{name} {source} > {dest}"
        if missing & Reads.TCP_FLAGS:
            name = f"{name} (flags not captured)"
        elif protocol == TCP and flags:
            name = f"{name} {flags_text(flags)}"
    return name


def _arp_texts(frames: FrameBatch, ethertype: npt.NDArray[np.uint16]) -> dict[int, str]:
    """What ARP frames ask, by their number in the batch; those that are cut are left out."""
    header = ETHERNET_HEADER if frames.fields is None else 0
    whole = frames.captured >= np.uint32(header + _ARP_LENGTH)
    index = np.flatnonzero((ethertype == ETHERTYPE_ARP) & whole)
    if not len(index):
        return {}
    at = frames.offsets[index] + header
    words: npt.NDArray[Any] = unaligned(frames.buffer, ">u4")
    operations = (words[at + 4] & np.uint32(0xFFFF)).tolist()
    asked = words[at + 24].astype(np.uint64)
    targets = address_texts(np.full(len(index), 4, np.uint8), asked, asked).tolist()
    return {
        number: _ARP[operation] + (target if operation == 1 else "")
        for number, operation, target in zip(index.tolist(), operations, targets, strict=True)
        if operation in _ARP
    }
