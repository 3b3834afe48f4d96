"""Link types that wrap a frame: 802.11 and its headers, PPI, Apple's PKTAP, NFLOG, frame relay.

Contract: as the readers in frames/links.py: what a header does not say (an encrypted frame's
ethertype) is missing, never guessed.  Headers that say lengths are followed a bounded number of
steps.  Sources: IEEE 802.11-2020, 9.2 and 9.3; radiotap.org; tcpdump.org/linktypes; RFC 2427.
Tested by tests/frames/test_links_wrapped.py, against tshark where it is installed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ztfast.frames.link_bytes import FrameBytes, Int64s, Link, Uint64s
from ztfast.model.reads import Reads

Bools = npt.NDArray[np.bool_]
Readers = dict[int, tuple[str, Callable[[FrameBytes], Link]]]

_IPV4, _IPV6 = 0x0800, 0x86DD
_MAC = int(Reads.MAC_SOURCE | Reads.MAC_DEST)
_SNAP = 0xAAAA03
_ETHERNET_OUIS = (0x000000, 0x0000F8)  # of RFC 1042 and of bridge tunnels
_CONTROL, _DATA = 1, 2
_TO_DS, _FROM_DS, _PROTECTED, _ORDER = 1, 2, 0x40, 0x80
_FCS = 4
_IEEE80211 = 105


def ieee80211(b: FrameBytes) -> Link:
    """802.11 without its check sequence: data frames have an ethertype, others have none."""
    first, flags = b.number(0, 1).astype(np.int64), b.number(1, 1).astype(np.int64)
    data = (first >> 2 & 3) == _DATA
    qos = data & (first & 0x80 != 0)
    between = (flags & 3) == (_TO_DS | _FROM_DS)
    header = np.where(data, 24 + 6 * between, 0)
    service = b.number(header, 1).astype(np.int64)
    header = header + np.where(qos, 2 + 4 * (flags & _ORDER != 0), 0)
    snap = (b.number(header, 3) == _SNAP) & np.isin(b.number(header + 3, 3), _ETHERNET_OUIS)
    # encrypted, several in one, without data, or LLC of another kind
    hidden = (flags & _PROTECTED != 0) | (qos & (service & 0x80 != 0)) | (first & 0x40 != 0)
    plain = data & ~hidden & snap
    ethertype = np.where(plain, b.number(header + 6, 2), 0)
    missing = data & ~plain | b.missing(0, 2) | (data & b.missing(header, 8))
    macs, lost = _addresses(b, flags)
    lost = np.where((first >> 2 & 3) == _CONTROL, _MAC, lost)  # an acknowledgement is from nobody
    return Link(np.where(plain, header + 8, header), ethertype, missing, macs, lost)


def _addresses(b: FrameBytes, flags: Int64s) -> tuple[tuple[Uint64s, Uint64s], Int64s]:
    """Source and destination, whose places the two DS bits tell."""
    to, out = flags & _TO_DS != 0, flags & _FROM_DS != 0
    source_at = np.where(out, np.where(to, 24, 16), 10)
    dest_at = np.where(to, 16, 4)
    source, dest = b.number(source_at, 6), b.number(dest_at, 6)
    short_source = b.lengths < source_at + 6
    short_dest = b.lengths < dest_at + 6
    lost = (b.missing(source_at, 6) | short_source) * int(Reads.MAC_SOURCE)
    lost = lost | (b.missing(dest_at, 6) | short_dest) * int(Reads.MAC_DEST)
    return (source, dest), lost.astype(np.int64)


_MOST_WORDS = 32  # of a radiotap header's list of fields
_TSFT, _FLAGS, _MORE = 1, 2, 1 << 31
_HAS_FCS, _PADDED, _BAD_FCS = 0x10, 0x20, 0x40


def radiotap(b: FrameBytes) -> Link:
    """A radiotap header, which says whether the frame ends in a check sequence; 802.11 in it."""
    header = b.little(2, 2).astype(np.int64)
    first = b.little(4, 4).astype(np.int64)
    at = np.full(len(first), 8)
    more = first & _MORE != 0
    for _ in range(_MOST_WORDS):
        if not more.any():
            break
        word = b.little(at, 4).astype(np.int64)
        at = np.where(more, at + 4, at)
        more = more & (word & _MORE != 0)
    at = np.where(first & _TSFT != 0, at + -at % 8 + 8, at)
    flags = np.where(first & _FLAGS != 0, b.number(at, 1).astype(np.int64), 0)
    trailer = np.where(flags & _HAS_FCS != 0, _FCS, 0)
    return _wireless(b, header, trailer)


_AVS_COOKIES = (0x80211001, 0x80211002)
_PRISM_HEADER = 144


def avs(b: FrameBytes) -> Link:
    """The AVS header, which says its own length; 802.11 in it."""
    return _wireless(b, b.number(4, 4).astype(np.int64))


def prism(b: FrameBytes) -> Link:
    """Prism's header of fixed length, or an AVS one, which its first bytes tell; 802.11 in it."""
    is_avs = np.isin(b.number(0, 4), _AVS_COOKIES)
    return _wireless(b, np.where(is_avs, b.number(4, 4).astype(np.int64), _PRISM_HEADER))


def _wireless(b: FrameBytes, header: Int64s, trailer: Any = 0) -> Link:
    kinds = np.full(len(header), _IEEE80211)
    return _inside(b, header, kinds, {_IEEE80211: ("", ieee80211)}, trailer)


def ppi(readers: Readers) -> Callable[[FrameBytes], Link]:
    """Per-packet information: fields, then a frame of the link type that the header names."""

    def read(b: FrameBytes) -> Link:
        header = b.little(2, 2).astype(np.int64)
        kind = b.little(4, 4).astype(np.int64)
        # the 802.11-common field comes first where there is one
        common = (b.little(8, 2) == 2) & (b.little(10, 2) >= 20)
        flags = np.where(common, b.little(20, 2).astype(np.int64), 0)
        trailer = np.where((kind == _IEEE80211) & (flags & 1 != 0), _FCS, 0)
        return _inside(b, header, kind, readers, trailer)

    return read


def pktap(readers: Readers) -> Callable[[FrameBytes], Link]:
    """Apple's header: its own length, a record type, and the link type of what follows."""

    def read(b: FrameBytes) -> Link:
        return _inside(
            b, b.little(0, 4).astype(np.int64), b.little(8, 4).astype(np.int64), readers, 0
        )

    return read


_LEAST_HEADER = 12  # bytes that tell how long each of these headers is, and what is in it


def _inside(b: FrameBytes, header: Int64s, kinds: Int64s, readers: Readers, trailer: Any) -> Link:
    """The frames behind a header, each of the link type that `kinds` says."""
    total = len(header)
    start, ethertype = header.copy(), np.zeros(total, np.int64)
    missing: Bools = np.ones(total, np.bool_)
    lost = np.full(total, _MAC, np.int64)
    source, dest = np.zeros(total, np.uint64), np.zeros(total, np.uint64)
    ends = np.broadcast_to(np.asarray(trailer, np.int64), (total,)).copy()
    for kind in np.unique(kinds).tolist():
        if kind not in readers:
            continue
        which = kinds == kind
        link = readers[kind][1](b.behind(which, header))
        start[which] += link.header
        ethertype[which], missing[which] = link.ethertype, link.type_missing
        lost[which] = _MAC if link.macs is None else link.mac_missing
        if link.macs is not None:
            source[which], dest[which] = link.macs
        ends[which] += link.trailer
    short = b.captured < np.minimum(np.maximum(header, _LEAST_HEADER), b.lengths)
    missing, lost = missing | short, np.where(short, _MAC, lost)
    return Link(start, ethertype, missing, (source, dest), lost, ends)


_MOST_FIELDS = 64
_PAYLOAD = 9
_FAMILIES = {2: _IPV4, 10: _IPV6}


def nflog(b: FrameBytes) -> Link:
    """Netfilter's log: fields in the byte order of the machine, one of them the IP packet."""
    family = b.number(0, 1).astype(np.int64)
    little = b.little(4, 2) <= b.number(4, 2)  # the first field is short
    at = np.full(len(family), 4)
    found, open_ = np.zeros(len(family), np.bool_), np.ones(len(family), np.bool_)
    for _ in range(_MOST_FIELDS):
        size = np.where(little, b.little(at, 2), b.number(at, 2)).astype(np.int64)
        kind = np.where(little, b.little(at + 2, 2), b.number(at + 2, 2)).astype(np.int64)
        open_ = open_ & (size >= 4) & (at + 4 <= b.captured)
        found = found | (open_ & (kind & 0x7FFF == _PAYLOAD))
        open_ = open_ & ~found
        if not open_.any():
            break
        at = np.where(open_, at + size + -size % 4, at)
    ethertype = np.zeros(len(family), np.int64)
    for number, name in _FAMILIES.items():
        ethertype[found & (family == number)] = name
    start = np.where(found, at + 4, b.captured)
    return Link(start, ethertype, (ethertype == 0) | ~found)


_NLPIDS = {0xCC: _IPV4, 0x8E: _IPV6}
_CISCO = (_IPV4, 0x0806, _IPV6, 0x8847, 0x8848)  # what it puts there in the place of a NLPID
_NLPID_SNAP, _UI = 0x80, 0x03


def frame_relay(b: FrameBytes) -> Link:
    """Q.922 addresses of 2 to 4 bytes, then RFC 2427's numbers, or Cisco's ethertype."""
    at = np.full(len(b.offsets), 2)
    for size in (2, 3):
        at = np.where((at == size) & (b.number(size - 1, 1) & np.uint64(1) == 0), size + 1, at)
    standard = b.number(at, 1) == _UI
    number_at: Int64s = at + 1 + (b.number(at + 1, 1) == 0)  # a byte of padding
    nlpid = b.number(number_at, 1)
    snap = standard & (nlpid == _NLPID_SNAP) & np.isin(b.number(number_at + 1, 3), _ETHERNET_OUIS)
    cisco = b.number(at, 2).astype(np.int64)
    ethertype = np.where(~standard & np.isin(cisco, _CISCO), cisco, 0)
    for number, name in _NLPIDS.items():
        ethertype[standard & (nlpid == number)] = name
    ethertype = np.where(snap, b.number(number_at + 4, 2), ethertype)
    behind: Int64s = np.where(snap, number_at + 6, number_at + 1)
    header: Int64s = np.where(standard, behind, at + 2)
    missing = b.missing(0, header) | (ethertype == 0)  # Q.933, OSI and others have none
    return Link(header, ethertype, missing)
