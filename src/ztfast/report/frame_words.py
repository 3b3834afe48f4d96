"""What a frame is, in a word or two: `tcp 51234 > 445 syn`, `arp who has 10.1.1.7`, `ping`.

Contract: texts for some frames of a batch, made of header columns; no text holds a character that
does not print.  Fields that were not captured read as zero, as everywhere.
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
) -> str:
    if not kind & (FrameKind.IPV4 | FrameKind.IPV6):
        name = ethertype_text(ethertype)
        return name if not name.startswith("0x") else f"ethertype {name}"
    if not kind & FrameKind.PROTOCOL:
        return f"ipv6, {protocol_text(None)}"
    if kind & FrameKind.ICMP:
        plain = f"{protocol_text(protocol)} type {icmp} code {code}"
        return _MESSAGES.get((protocol, icmp), plain) if not code else plain
    name = protocol_text(protocol)
    if kind & (FrameKind.SOURCE_PORT | FrameKind.DEST_PORT):
        name = f"{name} {source} > {dest}"
        if protocol == TCP and flags:
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
