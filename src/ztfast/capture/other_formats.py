"""What is no pcap or pcapng, by its first bytes: what it is, and how to get a capture out of it.

Contract: `recognised` looks at up to `LOOK` bytes and never raises; `capture_within` finds the
capture that text or something else stands in front of.
Tested by tests/capture/test_other_formats.py.
"""

from __future__ import annotations

import struct

from ztfast.capture.pcap_header import next_header

LOOK = 1 << 16
_PIPE = "decompress it into a pipe: {} FILE | ztfast filter RULES -"
_EDITCAP = "editcap -F pcapng FILE FILE.pcapng makes a capture of it"
_TEXT2PCAP = "text2pcap FILE FILE.pcap makes a capture of a hex dump"

# how it starts -> what it is, what to do
_STARTS: dict[bytes, tuple[str, str]] = {
    b"version https://git-lfs": (
        "a Git LFS pointer",
        "git lfs pull puts the capture itself in its place",
    ),
    b"BZh": ("bzip2", _PIPE.format("bzip2 -dc")),
    b"\xfd7zXZ": ("xz", _PIPE.format("xz -dc")),
    b"PK\x03\x04": ("a zip archive", _PIPE.format("unzip -p")),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", _PIPE.format("7z x -so")),
    b"Rar!": ("a RAR archive", _PIPE.format("unrar p -inul")),
    b"\x1f\x9d": ("compress", _PIPE.format("gzip -dc")),
    b"LZIP": ("lzip", _PIPE.format("lzip -dc")),
    b"snoop\0\0\0": ("a snoop capture", _EDITCAP),
    b"GMBU": ("a Network Monitor capture", _EDITCAP),
    b"RTSS": ("a Network Monitor capture", _EDITCAP),
    b"TRSNIFF data": ("a Sniffer capture", _EDITCAP),
    b"XCP\0": ("a NetXRay capture", _EDITCAP),
    b"\x05VNF": ("a Visual Networks capture", _EDITCAP),
    b"\xaa\xaa\xaa\xaa": ("a 5View capture", _EDITCAP),
    b"iptrace ": ("an AIX iptrace", _EDITCAP),
    b"btsnoop\0": ("a Bluetooth snoop capture", "it holds no network frames"),
    b"\x7fver": ("an EtherPeek capture", _EDITCAP),
    b"#separator": ("a Zeek log", "give the capture that Zeek read"),
    b"%PDF": ("a PDF", "give the capture itself"),
    b"<!DOCTYPE": ("a web page", "download the file itself (on GitHub: Raw)"),
    b"<!doctype": ("a web page", "download the file itself (on GitHub: Raw)"),
    b"<html": ("a web page", "download the file itself (on GitHub: Raw)"),
    b"<?xml": ("XML", "give the capture that it was made from"),
    b"000000": ("a hex dump", _TEXT2PCAP),
    b"0000 ": ("a hex dump", _TEXT2PCAP),
}
_PCAPNG = b"\x0a\x0d\x0d\x0a"
_BYTE_ORDERS = (b"\x4d\x3c\x2b\x1a", b"\x1a\x2b\x3c\x4d")
_ERF_TYPES = 48
_SINCE, _UNTIL = 631_152_000, 4_102_444_800  # 1990 and 2100


def recognised(head: bytes) -> tuple[str, str] | None:
    """What the bytes are, as `a snoop capture`, and what to do; None: nobody knows."""
    for start, found in _STARTS.items():
        if head.startswith(start):
            return found
    if head[257:262] == b"ustar":
        return "a tar archive", _PIPE.format("tar -xOf")
    return ("an ERF capture", _EDITCAP) if _is_erf(head) else None


def _is_erf(head: bytes) -> bool:
    """Records of Endace's format: it has no magic, but each says how long it is."""
    at = known = 0
    while at + 16 <= len(head):
        seconds, kind = struct.unpack_from("<IB", head, at + 4)
        (size,) = struct.unpack_from(">H", head, at + 10)
        if not (_SINCE <= seconds <= _UNTIL and 0 < kind & 0x7F <= _ERF_TYPES and size >= 16):
            return False
        known += 1
        at += size
    return known > 0 and (at == len(head) or known > 1)


def capture_within(head: bytes) -> int | None:
    """Where a capture begins in bytes that do not begin as one."""
    places = [next_header(head, 0, len(head)), _next_section(head)]
    return min((place for place in places if place is not None), default=None)


def _next_section(head: bytes) -> int | None:
    at = head.find(_PCAPNG)
    while at >= 0:
        if head[at + 8 : at + 12] in _BYTE_ORDERS:
            return at
        at = head.find(_PCAPNG, at + 1)
    return None
