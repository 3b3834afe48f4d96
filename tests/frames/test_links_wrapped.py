"""Link types that wrap a frame: made by hand, cut at every length, and as tshark reads them."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.capture.building import pcap
from ztfast.frames.links import LinkColumns, normalise
from ztfast.model.reads import Reads

DEST, SOURCE = bytes.fromhex("0a0b0c0d0e0f"), bytes.fromhex("020304050607")
BSS, OTHER = bytes.fromhex("060000000001"), bytes.fromhex("060000000002")
NO_MACS = int(Reads.MAC_SOURCE | Reads.MAC_DEST)
ETHERTYPE = int(Reads.ETHERTYPE)
UDP = struct.pack(">HHHH", 9, 9, 8, 0)
IP4 = bytes.fromhex("4500001c000040004011") + b"\0\0" + b"\x0a\0\0\1\x0a\0\0\2" + UDP
IP6 = bytes.fromhex("600000000008" + "1140") + bytes(15) + b"\1" + bytes(15) + b"\2" + UDP
SNAP4, SNAP6 = b"\xaa\xaa\3\0\0\0\x08\0", b"\xaa\xaa\3\0\0\0\x86\xdd"


def wlan(kind: int, flags: int, addresses: bytes, rest: bytes, service: bytes = b"") -> bytes:
    """A frame with up to three addresses before its sequence number, and one behind it."""
    return bytes([kind, flags, 0, 0]) + addresses[:18] + b"\x10\0" + addresses[18:] + service + rest


TO = wlan(0x08, 1, BSS + SOURCE + DEST, SNAP4 + IP4)
FROM = wlan(0x88, 2, DEST + BSS + SOURCE, SNAP6 + IP6, b"\0\0")
ADHOC = wlan(0x08, 0, DEST + SOURCE + BSS, SNAP4 + IP4)
BRIDGED = wlan(0x88, 0x83, BSS + OTHER + DEST + SOURCE, SNAP4 + IP4, b"\0\0\0\0\0\0")
SECRET = wlan(0x08, 0x41, BSS + SOURCE + DEST, b"\0\0\0\x20\0\0\0\0" + IP4)
BEACON = wlan(0x80, 0, DEST + SOURCE + BSS, bytes(12))
NOTHING = wlan(0x48, 1, BSS + SOURCE + DEST, b"")
ACK = bytes([0xD4, 0, 0, 0]) + DEST
ETHERNET = DEST + SOURCE + b"\x08\0" + IP4


def tapped(frame: bytes, present: int, fields: bytes, more: bytes = b"") -> bytes:
    size = 8 + len(more) + len(fields)
    return struct.pack("<BBHI", 0, 0, size, present) + more + fields + frame


def prism(frame: bytes) -> bytes:
    """A header of ten items, each with a number, whether it is there, and its length."""
    items = b"".join(
        struct.pack("<IHHI", number << 12 | 0x44, 0, 4, 0) for number in range(1, 11)
    )
    return struct.pack("<II", 0x44, 144) + b"wlan0".ljust(16, b"\0") + items + frame


def avs(frame: bytes, version: int = 1, more: bytes = b"") -> bytes:
    head = struct.pack(">II", 0x80211000 | version, 64 + len(more))
    return head.ljust(64, b"\0") + more + frame


def ppi(kind: int, frame: bytes, fields: bytes = b"") -> bytes:
    return struct.pack("<BBHI", 0, 0, 8 + len(fields), kind) + fields + frame


def pktap(kind: int, frame: bytes) -> bytes:
    head = struct.pack("<III", 108, 1, kind) + b"en0".ljust(24, b"\0")
    return head.ljust(108, b"\0") + frame


def nflog(family: int, payload: bytes, order: str = "<") -> bytes:
    fields = [(1, b"\x08\0\3\0"), (10, b"ping\0"), (9, payload)]
    parts = [
        struct.pack(order + "HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)
        for kind, data in fields
    ]
    return bytes([family, 0, 0, 7]) + b"".join(parts)


RADIO_FCS = tapped(TO + b"\1\2\3\4", 0x2, b"\x10")
RADIO_LONG = tapped(
    TO + b"\1\2\3\4",
    0xC000_0001 | 2,
    bytes(4) + bytes(8) + b"\x10" + bytes(3),
    struct.pack("<I", 0),
)
COMMON = struct.pack("<HH", 2, 20) + bytes(8) + struct.pack("<H", 1) + bytes(10)
DLCI = b"\x18\x41"

# link type, frame, ethertype, source, destination, bits unknown, payload
FRAMES: dict[str, tuple[int, bytes, int, bytes | None, bytes | None, int, bytes]] = {
    "to": (105, TO, 0x0800, SOURCE, DEST, 0, IP4),
    "from, qos": (105, FROM, 0x86DD, SOURCE, DEST, 0, IP6),
    "adhoc": (105, ADHOC, 0x0800, SOURCE, DEST, 0, IP4),
    "bridged, qos, ht": (105, BRIDGED, 0x0800, SOURCE, DEST, 0, IP4),
    "encrypted": (105, SECRET, 0, SOURCE, DEST, ETHERTYPE, SECRET[24:]),
    "beacon": (105, BEACON, 0, SOURCE, DEST, 0, BEACON),
    "null": (105, NOTHING, 0, SOURCE, DEST, ETHERTYPE, b""),
    "ack": (105, ACK, 0, None, None, NO_MACS, ACK),
    "radiotap": (127, tapped(FROM, 0, b""), 0x86DD, SOURCE, DEST, 0, IP6),
    "radiotap, fcs": (127, RADIO_FCS, 0x0800, SOURCE, DEST, 0, IP4),
    "radiotap, two lists": (127, RADIO_LONG, 0x0800, SOURCE, DEST, 0, IP4),
    "prism": (119, prism(TO), 0x0800, SOURCE, DEST, 0, IP4),
    "prism, beacon": (119, prism(BEACON), 0, SOURCE, DEST, 0, BEACON),
    "prism, which is avs": (119, avs(FROM, 2, bytes(8)), 0x86DD, SOURCE, DEST, 0, IP6),
    "avs": (163, avs(FROM), 0x86DD, SOURCE, DEST, 0, IP6),
    "avs, longer": (163, avs(TO, 2, bytes(16)), 0x0800, SOURCE, DEST, 0, IP4),
    "ppi ethernet": (192, ppi(1, ETHERNET), 0x0800, SOURCE, DEST, 0, IP4),
    "ppi 802.11, fcs": (192, ppi(105, TO + b"abcd", COMMON), 0x0800, SOURCE, DEST, 0, IP4),
    "ppi of what is not known": (192, ppi(250, TO), 0, None, None, ETHERTYPE | NO_MACS, TO),
    "pktap ethernet": (258, pktap(1, ETHERNET), 0x0800, SOURCE, DEST, 0, IP4),
    "pktap raw": (258, pktap(12, IP6), 0x86DD, None, None, NO_MACS, IP6),
    "nflog 4": (239, nflog(2, IP4), 0x0800, None, None, NO_MACS, IP4),
    "nflog 6": (239, nflog(10, IP6), 0x86DD, None, None, NO_MACS, IP6),
    "nflog, big endian": (239, nflog(2, IP4, ">"), 0x0800, None, None, NO_MACS, IP4),
    "frame relay": (107, DLCI + b"\x03\xcc" + IP4, 0x0800, None, None, NO_MACS, IP4),
    "frame relay 6": (107, DLCI + b"\x03\x8e" + IP6, 0x86DD, None, None, NO_MACS, IP6),
    "frame relay, snap": (
        *(107, DLCI + b"\x03\0\x80\0\0\0\x08\0" + IP4),
        *(0x0800, None, None, NO_MACS, IP4),
    ),
    "frame relay, Cisco": (107, DLCI + b"\x08\0" + IP4, 0x0800, None, None, NO_MACS, IP4),
}


def columns(linktype: int, data: bytes, length: int | None = None) -> tuple[LinkColumns, bytes]:
    buffer = b"\xee" * 9 + data + b"\xee" * 9
    sizes = np.array([len(data)], np.uint32)
    lengths = sizes if length is None else np.array([length], np.uint32)
    found = normalise(buffer, np.array([9], np.int64), sizes, lengths, linktype)
    start, size = int(found.payload_offsets[0]), int(found.captured[0])
    assert 9 <= start <= start + size <= 9 + len(data)
    return found, buffer[start : start + size]


@pytest.mark.parametrize("name", FRAMES)
def test_by_hand(name: str) -> None:
    linktype, data, ethertype, source, dest, unknown, payload = FRAMES[name]
    found, rest = columns(linktype, data)
    assert (int(found.ethertype[0]), int(found.unknown[0])) == (ethertype, unknown)
    if source is not None and dest is not None:
        macs = (int(found.mac_source[0]), int(found.mac_dest[0]))
        assert macs == (int.from_bytes(source, "big"), int.from_bytes(dest, "big"))
    assert rest == payload
    assert int(found.lengths[0]) == len(payload)


@pytest.mark.parametrize("name", FRAMES)
def test_cut_anywhere_says_what_is_missing(name: str) -> None:
    """What a cut frame says is what the whole one says, or is missing."""
    linktype, data, ethertype, source, dest, unknown, _ = FRAMES[name]
    for size in range(len(data)):
        found, _ = columns(linktype, data[:size], len(data))
        now = int(found.unknown[0])
        if not now & ETHERTYPE:
            assert (int(found.ethertype[0]), unknown & ETHERTYPE) == (ethertype, 0), size
        for bit, mac, column in (
            (Reads.MAC_SOURCE, source, found.mac_source),
            (Reads.MAC_DEST, dest, found.mac_dest),
        ):
            if not now & bit:
                assert mac is not None
                assert int(column[0]) == int.from_bytes(mac, "big"), size


def test_random_bytes_stay_inside() -> None:
    draw = np.random.default_rng(5)
    for linktype in (105, 107, 119, 127, 163, 192, 239, 258):
        for size in range(120):
            columns(linktype, draw.bytes(size))
            columns(linktype, bytes(size), size + 50)


FIELDS = ("wlan.sa", "wlan.da", "eth.src", "eth.dst", "ip.version", "ipv6.version")


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark: not installed")
def test_as_tshark_reads_them(tmp_path: Path) -> None:
    for linktype in {row[0] for row in FRAMES.values()}:
        rows = [(name, row) for name, row in FRAMES.items() if row[0] == linktype]
        path = tmp_path / f"{linktype}.pcap"
        path.write_bytes(pcap([row[1] for _, row in rows], linktype=linktype))
        words = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "occurrence=f"]
        for field in FIELDS:
            words += ["-e", field]
        shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        for (name, row), line in zip(rows, shown.splitlines(), strict=True):
            assert_alike(name, row, line.split("\t"))


def assert_alike(name: str, row: tuple[Any, ...], shown: list[str]) -> None:
    _, _, ethertype, source, dest, _, _ = row
    source_shown, dest_shown = shown[0] or shown[2], shown[1] or shown[3]
    if source_shown:
        assert bytes.fromhex(source_shown.replace(":", "")) == source, name
    if dest_shown:
        assert bytes.fromhex(dest_shown.replace(":", "")) == dest, name
    if shown[4] or shown[5]:
        assert ethertype == (0x86DD if shown[5] else 0x0800), name  # ip.version is of both
    elif name not in ("nflog, big endian", "frame relay, Cisco"):  # of which it has no notion
        assert ethertype == 0, name
