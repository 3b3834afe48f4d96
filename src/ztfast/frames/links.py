"""Link types: where each frame's payload begins, its ethertype, VLAN id and MAC addresses.

Contract: `normalise` reads only captured bytes inside the buffer, for a whole batch at once.
A header field whose bytes existed but were not captured is 0 and noted in `unknown`; so are
the MAC addresses of link types that have none (a rule that needs one is uncertain there).
Sources: tcpdump.org/linktypes.html; IEEE 802.1Q; docs/spec/evaluation.md for tagged frames.
Tested by tests/frames/test_links.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.errors import CaptureError, Diagnostic
from ztfast.frames.link_bytes import FrameBytes, Int64s, Link, Uint16s, Uint32s, Uint64s
from ztfast.frames.links_wrapped import (
    avs,
    frame_relay,
    ieee80211,
    nflog,
    pktap,
    ppi,
    prism,
    radiotap,
)
from ztfast.model.reads import Reads

ETHERNET = 1
VLAN_AS_SEEN = "tag"  # as a ZeroTier node reads its tap: the tag is the payload's start
VLAN_DECODE = "decode"

_IPV4, _IPV6 = 0x0800, 0x86DD
_TAGS = (0x8100, 0x88A8)
_MAC = int(Reads.MAC_SOURCE | Reads.MAC_DEST)
_ETHERTYPE = int(Reads.ETHERTYPE)


class LinkColumns(NamedTuple):
    """Columns of n frames; `captured` and `lengths` (bytes) are of the payload.

    payload_offsets int64, captured and lengths uint32, ethertype and vlan uint16, mac_source
    and mac_dest uint64 (48 bits), unknown uint32 (bits of `Reads`).
    """

    payload_offsets: Int64s
    captured: Uint32s
    lengths: Uint32s
    ethertype: Uint16s
    vlan: Uint16s
    mac_source: Uint64s
    mac_dest: Uint64s
    unknown: Uint32s

    def fields(self) -> dict[str, npt.NDArray[Any]]:
        """The header fields as `FrameBatch` takes them."""
        return {
            "ethertype": self.ethertype,
            "vlan": self.vlan,
            "mac_source": self.mac_source,
            "mac_dest": self.mac_dest,
            "unknown": self.unknown,
        }


def _ethernet(b: FrameBytes) -> Link:
    lost = b.missing(6, 6) * int(Reads.MAC_SOURCE) | b.missing(0, 6) * int(Reads.MAC_DEST)
    return Link(14, b.number(12, 2), b.missing(12, 2), (b.number(6, 6), b.number(0, 6)), lost)


def _raw_ip(b: FrameBytes) -> Link:
    return Link(0, _by_version(b.number(0, 1)), b.missing(0, 1))


def _raw_ipv4(b: FrameBytes) -> Link:
    return Link(0, np.full(len(b.offsets), _IPV4), False)


def _raw_ipv6(b: FrameBytes) -> Link:
    return Link(0, np.full(len(b.offsets), _IPV6), False)


def _by_version(first: Uint64s) -> npt.NDArray[Any]:
    version = first >> np.uint64(4)
    return np.where(version == 4, _IPV4, np.where(version == 6, _IPV6, 0))


# AF_INET is 2 everywhere; AF_INET6 is 24 (NetBSD, OpenBSD), 28 (FreeBSD), 30 (macOS), 10 (Linux)
_FAMILIES = {2: _IPV4, 10: _IPV6, 24: _IPV6, 28: _IPV6, 30: _IPV6}


def _null(b: FrameBytes) -> Link:
    """The family in the byte order of the machine that captured: both are tried."""
    family = b.number(0, 4)
    little = family.astype(np.uint32).byteswap().astype(np.uint64)
    return Link(4, _mapped(np.minimum(family, little), _FAMILIES), b.missing(0, 4))


def _loop(b: FrameBytes) -> Link:
    return Link(4, _mapped(b.number(0, 4), _FAMILIES), b.missing(0, 4))


_LEAST_ETHERTYPE = 0x0600
_NO_ETHERTYPES = (801, 802, 803, 824)  # ARPHRD_IEEE80211 and its variants, netlink


def _cooked(header: int, type_at: int, kind_at: int, kind_size: int, address: int) -> Any:
    def read(b: FrameBytes) -> Link:
        """Linux cooked: a source address if it is an Ethernet one, never a destination."""
        ethernet = (
            (b.number(address - 1, 1) == 6) if header == 20 else (b.number(address - 2, 2) == 6)
        )
        arphrd = b.number(kind_at, kind_size)
        ethernet &= np.isin(arphrd, (1, 772, 801, 802, 803))
        source = np.where(ethernet, b.number(address, 6), 0).astype(np.uint64)
        lost = b.missing(address, 6) | b.missing(kind_at, kind_size) | ~ethernet
        unknown = lost * int(Reads.MAC_SOURCE) | int(Reads.MAC_DEST)
        none = np.zeros(len(b.offsets), np.uint64)
        types, missing = b.number(type_at, 2), b.missing(type_at, 2)
        # a protocol of Linux's own (802.3, LLC), or what another kind of interface numbers itself
        own = (types < _LEAST_ETHERTYPE) | np.isin(arphrd, _NO_ETHERTYPES)
        types = np.where(own, 0, types)
        return Link(header, types, missing | own, (source, none), unknown)

    return read


# RFC 1661 / PPP numbers that carry what an Ethernet type names
_PPP = {0x0021: _IPV4, 0x0057: _IPV6, 0x0281: 0x8847, 0x0283: 0x8848}


def _ppp(b: FrameBytes) -> Link:
    """PPP, with or without the address and control bytes ff 03 in front."""
    framed = b.number(0, 2) == 0xFF03
    at = np.where(framed, 2, 0)
    short = (b.number(at, 1) & np.uint64(1)) == 1  # protocol field compressed to one byte
    number = np.where(short, b.number(at, 1), b.number(at, 2))
    header = at + np.where(short, 1, 2)
    return Link(header, _mapped(number, _PPP), b.missing(0, 2) | b.missing(at, header - at))


def _ppp_serial(b: FrameBytes) -> Link:
    """PPP over serial lines, or Cisco HDLC (0f 00, 8f 00), whose type is an ethertype."""
    ppp = _ppp(b)
    cisco = np.isin(b.number(0, 2), (0x0F00, 0x8F00))
    header = np.where(cisco, 4, ppp.header)
    types = np.where(cisco, b.number(2, 2), ppp.ethertype)
    return Link(header, types, np.where(cisco, b.missing(2, 2), ppp.type_missing))


def _hdlc(b: FrameBytes) -> Link:
    return Link(4, b.number(2, 2), b.missing(2, 2))


def _pppoe(b: FrameBytes) -> Link:
    return Link(8, _mapped(b.number(6, 2), _PPP), b.missing(6, 2))


def _mapped(values: npt.NDArray[Any], table: dict[int, int]) -> npt.NDArray[Any]:
    out = np.zeros(len(values), np.int64)
    for value, ethertype in table.items():
        out[values == value] = ethertype
    return out


# https://www.tcpdump.org/linktypes.html
LINKS: dict[int, tuple[str, Callable[[FrameBytes], Link]]] = {
    0: ("BSD loopback", _null),
    1: ("Ethernet", _ethernet),
    9: ("PPP", _ppp),
    12: ("raw IP", _raw_ip),
    14: ("raw IP", _raw_ip),
    50: ("PPP in HDLC-like framing", _ppp_serial),
    51: ("PPP over Ethernet", _pppoe),
    101: ("raw IP", _raw_ip),
    104: ("Cisco HDLC", _hdlc),
    105: ("802.11", ieee80211),
    107: ("frame relay", frame_relay),
    108: ("OpenBSD loopback", _loop),
    113: ("Linux cooked v1", _cooked(16, 14, 2, 2, 6)),
    119: ("802.11 with Prism", prism),
    127: ("802.11 with radiotap", radiotap),
    163: ("802.11 with AVS", avs),
    228: ("raw IPv4", _raw_ipv4),
    229: ("raw IPv6", _raw_ipv6),
    239: ("NFLOG", nflog),
    276: ("Linux cooked v2", _cooked(20, 0, 8, 2, 12)),
}
# what holds a frame of another link type, which it names
LINKS.update({192: ("PPI", ppi(dict(LINKS))), 258: ("Apple PKTAP", pktap(dict(LINKS)))})


def is_known(linktype: int) -> bool:
    """Can frames of this link type be judged?"""
    return linktype in LINKS


def unknown_linktype(linktype: int, path: str | None = None, name: str = "") -> Diagnostic:
    """The diagnostic for an interface whose link type cannot be read."""
    where = f"interface {name}: " if name else ""
    known = ", ".join(f"{number} {text}" for number, (text, _) in sorted(LINKS.items()))
    return Diagnostic(
        "ZT505",
        f"{where}link type {linktype} is not known, so its frames are counted but not judged",
        path=path,
        help=f"link types that are read: {known}",
    )


def normalise(
    buffer: Any,
    offsets: Int64s,
    captured: Uint32s,
    lengths: Uint32s,
    linktype: int,
    vlan: str = VLAN_AS_SEEN,
    fcs: int = 0,
) -> LinkColumns:
    """Frames of one link type as payloads with their header fields.

    offsets int64[n], captured and lengths uint32[n] are of whole frames in `buffer`.  `vlan`
    is `tag` (a tagged frame has the tag's ethertype, VLAN id 0, the tag in its payload) or
    `decode` (VLAN id of the outer tag, ethertype behind the inner one).  `fcs` bytes end each
    frame that no rule sees.  Raises `CaptureError` for an unknown link type.
    """
    if linktype not in LINKS:
        raise CaptureError(unknown_linktype(linktype))
    if fcs:
        lengths = np.maximum(lengths, captured)
        lengths = lengths - np.minimum(lengths, np.uint32(fcs))
        captured = np.minimum(captured, lengths)
    b = FrameBytes(buffer, offsets, captured, lengths)
    link = LINKS[linktype][1](b)
    b.lengths = np.maximum(b.lengths - link.trailer, 0)
    b.captured = np.minimum(b.captured, b.lengths)
    header = np.broadcast_to(np.asarray(link.header, np.int64), offsets.shape)
    ethertype = link.ethertype.astype(np.uint16)
    missing = np.broadcast_to(np.asarray(link.type_missing, np.bool_), offsets.shape)
    vlans = np.zeros(len(offsets), np.uint16)
    if vlan == VLAN_DECODE:
        header, ethertype, vlans, missing = _untag(b, header, ethertype, missing)
    unknown = np.full(len(offsets), _MAC if link.macs is None else 0, np.int64)
    unknown |= np.asarray(link.mac_missing, np.int64) | missing * _ETHERTYPE
    none = np.zeros(len(offsets), np.uint64)
    source, dest = (none, none) if link.macs is None else link.macs
    return LinkColumns(
        offsets + np.minimum(header, b.captured),
        np.maximum(b.captured - header, 0).astype(np.uint32),
        np.maximum(b.lengths - header, 0).astype(np.uint32),
        ethertype,
        vlans,
        source,
        dest,
        unknown.astype(np.uint32),
    )


def _untag(
    b: FrameBytes, header: Int64s, ethertype: Uint16s, missing: npt.NDArray[np.bool_]
) -> tuple[Int64s, Uint16s, Uint16s, npt.NDArray[np.bool_]]:
    """Take off up to two VLAN tags; the outer one gives the id."""
    vlans = np.zeros(len(ethertype), np.uint16)
    for depth in range(2):
        tagged = np.isin(ethertype, _TAGS) & (b.lengths >= header + 4)
        if not tagged.any():
            break
        if depth == 0:
            vlans = np.where(tagged, b.number(header, 2) & np.uint64(0xFFF), 0).astype(np.uint16)
        missing = missing | (tagged & (b.missing(header, 4)))
        ethertype = np.where(tagged, b.number(header + 2, 2), ethertype).astype(np.uint16)
        header = np.where(tagged, header + 4, header)
    return header, ethertype, vlans, missing
