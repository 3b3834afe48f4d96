"""pcapng in: sections of either byte order, several interfaces, three kinds of packet block.

Contract: `read(feed, session)` gives batches of one link type each, frames in the file's order;
blocks that are no packets (section headers, interfaces, names, comments, unknown ones) ride
along as `others`, so that a writer can keep them in their places; those of more than 16 MiB are
passed over, and a note says so.  Block lengths are checked at both ends.
Packet blocks of Ethernet interfaces that follow each other may be left to a scan that judges; what
such a scan does not know it stops at, and that is read here.
Source: draft-ietf-opsawg-pcapng, section 4.  Tested by tests/capture/test_pcapng.py.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast.capture.packets import (
    MAX_CAPTURED,
    MAX_FRAMES,
    NO_BLOCKS,
    Int64s,
    Interface,
    OtherBlocks,
    PacketBatch,
    ScanOutcome,
    Uint16s,
    Uint32s,
    unaligned,
)
from ztfast.capture.pcap_scan import RecordScan, RecordShape
from ztfast.capture.pcapng_layout import PcapngLayout
from ztfast.capture.pcapng_options import fcs_of_frames, parse_interface
from ztfast.capture.pcapng_scan import (
    BAD_LENGTH,
    ENHANCED_PACKET,
    INTERFACE,
    MAX_BLOCK,
    OK,
    OLD_PACKET,
    SECTION,
    SECTION_HEADER,
    SIMPLE_PACKET,
    ScannedBlocks,
    scan_blocks,
)
from ztfast.capture.resync import next_block
from ztfast.capture.scanner import Place, Scanner
from ztfast.capture.session import SKIPPED, TRUNCATED, ReadSession
from ztfast.capture.sources import Feed, Window
from ztfast.errors import Diagnostic, Severity

MAGIC = b"\x0a\x0d\x0d\x0a"
_BYTE_ORDERS = {b"\x4d\x3c\x2b\x1a": False, b"\x1a\x2b\x3c\x4d": True}
_MAX_INTERFACES = 65_536
_SMALL_STEP = 64
_ETHERNET = 1
_PACKET_HEAD = 28  # bytes of an enhanced packet block before its frame


def read(
    feed: Feed, session: ReadSession, scan: RecordScan | None = None, start: int = 0
) -> Iterator[PacketBatch]:
    """The batches of a pcapng whose first bytes, at byte `start`, were recognised.

    scan: how packet blocks of Ethernet interfaces are scanned; None: as all others.
    """
    yield from _PcapngScanner(feed, session, scan, start).run_through()


class _Frames(NamedTuple):
    """Columns of packet blocks, all of them good."""

    types: Uint32s
    starts: Int64s
    ends: Int64s
    offsets: Int64s
    captured: Uint32s
    lengths: Uint32s
    interface: Uint16s

    def part(self, low: int, high: int) -> _Frames:
        """Frames `low` to `high`."""
        types, starts, ends, offsets, captured, lengths, interface = self
        return _Frames(
            types[low:high],
            starts[low:high],
            ends[low:high],
            offsets[low:high],
            captured[low:high],
            lengths[low:high],
            interface[low:high],
        )


_NONE = np.zeros(0, np.int64)
_WORDS = _NONE.astype(np.uint32)
_NO_FRAMES = _Frames(_WORDS, _NONE, _NONE, _NONE, _WORDS, _WORDS, _NONE.astype(np.uint16))
_NEEDED = (SECTION_HEADER, INTERFACE, OLD_PACKET, SIMPLE_PACKET, ENHANCED_PACKET)


class _Large(NamedTuple):
    """A block that is passed over: type, length, and where it starts in the file."""

    kind: int
    size: int
    start: int


class _PcapngScanner(Scanner):
    """Blocks of a pcapng; `_interfaces` are those of the section so far."""

    WHAT = "block"

    def __init__(
        self, feed: Feed, session: ReadSession, scan: RecordScan | None, position: int
    ) -> None:
        super().__init__(feed, session, position)
        self._scan = scan
        self._pause = 1  # blocks that are read here before the scan is tried again
        self._swapped = False
        self._section = 0
        self._header = b""
        self._interfaces: list[Interface] = []
        self._shared: tuple[Interface, ...] = ()
        self._kinds = np.zeros(0, np.int64)
        self._large: _Large | None = None
        self._gaps = False

    def search(self, window: Window, start: int) -> Place:
        """The next block whose two lengths agree."""
        return next_block(window, start, self._swapped)

    def batches(self, window: Window) -> Iterator[PacketBatch]:
        """Everything complete in the window."""
        while self.on_track(window):
            if self._large is not None and not self._pass_over(window, self._large):
                return
            start = self.position - window.base
            head = bytes(memoryview(window.buffer)[start : min(start + 4, window.end)])
            if head == MAGIC:
                batch = self._section_header(window, start)
                if batch is not None:
                    yield batch
                elif self.lost is None:
                    return
                continue
            if not self._section and len(head) == 4:
                self.damaged(window, "no section header where one must be")
                continue
            most = MAX_FRAMES
            if self._scan is not None and self._plain_ethernet():
                packets = self._scanned(self._scan, window, start)
                if packets is not None:
                    yield packets
                start, most = self.position - window.base, self._pause
            found = scan_blocks(window.buffer, start, window.end, self._swapped, most)
            yield from self._blocks(window, found)
            self.position = window.base + found.next
            if found.error in (OK, SECTION):
                if found.error == OK and len(found.types) < most:
                    return
            elif found.error == BAD_LENGTH and self._begin_large(window, found.next):
                yield self._nothing(window)
            else:
                self.damaged(window, _broken(window, found, self._swapped))

    def _plain_ethernet(self) -> bool:
        """Are all interfaces so far Ethernet's, without a check sequence behind frames?"""
        return bool((self._kinds[: len(self._interfaces)] == _ETHERNET << 8).all())

    def _scanned(self, scan: RecordScan, window: Window, start: int) -> PacketBatch | None:
        """What the scan finds from `start` on, and `position` behind it; None for nothing.

        Where it finds little, more is read without it before it is tried again.
        """
        if not self._interfaces:
            return None
        shape = RecordShape(self._swapped, _PACKET_HEAD, interfaces=len(self._interfaces))
        found = scan(window.buffer, start, window.end, shape)
        self._pause = 1 if found.scanned >= _SMALL_STEP else min(4 * self._pause, MAX_FRAMES)
        if not found.scanned:
            return None
        self.position = window.base + found.next
        starts = found.offsets - _PACKET_HEAD
        words = unaligned(window.buffer, ">u4" if self._swapped else "<u4")
        frames = _Frames(
            np.full(len(starts), ENHANCED_PACKET, np.uint32),
            starts,
            starts + words[starts + 4],
            found.offsets,
            found.captured,
            found.lengths,
            words[starts + 8].astype(np.uint16),
        )
        return self._batch(window, frames, NO_BLOCKS, len(self._interfaces), 0, found.judged)

    def _begin_large(self, window: Window, start: int) -> bool:
        """Is it a block that holds no frame, only larger than what is kept?  Then pass over it."""
        order = ">" if self._swapped else "<"
        kind, size = struct.unpack_from(order + "II", window.buffer, start)
        if size % 4 or size <= MAX_BLOCK or kind in _NEEDED:
            return False
        self._large = _Large(kind, size, self.position)
        self._gaps = True
        self.position += size - 4
        return True

    def _pass_over(self, window: Window, block: _Large) -> bool:
        """Behind a large block, if its end is in the window: False where it is not."""
        at = self.position - window.base
        what = f"a block (type {block.kind:#x}) of {block.size} bytes"
        if at + 4 > window.end:
            if window.last:
                self._large, self.position = None, window.base + window.end
                message = window.error or f"the file ends inside {what}"
                self.session.damage(self.path, block.start, message, TRUNCATED, last=True)
            return False
        self._large = None
        (size,) = struct.unpack_from(">I" if self._swapped else "<I", window.buffer, at)
        if size != block.size:
            self.damaged(window, f"{what}, which does not end with that length")
            return self.on_track(window)
        self.position += 4
        message = f"{what} holds no frame and is passed over; it will be in no copy"
        self.session.note(
            Diagnostic(SKIPPED, message, Severity.NOTE, path=self.path, offset=block.start)
        )
        return True

    def _section_header(self, window: Window, start: int) -> PacketBatch | None:
        """Begin a section: its block as a batch without frames; None where incomplete or bad."""
        view = memoryview(window.buffer)[start : window.end]
        if len(view) < 28:
            return None
        swapped = _BYTE_ORDERS.get(bytes(view[8:12]))
        if swapped is None:
            self.damaged(window, "a section header without a byte-order mark")
            return None
        order = ">" if swapped else "<"
        (size,) = struct.unpack_from(order + "I", view, 4)
        major, minor = struct.unpack_from(order + "HH", view, 12)
        if size < 28 or size % 4 or size > MAX_BLOCK or major != 1:
            self.damaged(window, f"a section header of {size} bytes, version {major}.{minor}")
            return None
        if size > len(view):
            return None
        if bytes(view[size - 4 : size]) != bytes(view[4:8]):
            self.damaged(window, "a section header whose two lengths differ")
            return None
        self._swapped, self._header = swapped, bytes(view[:size])
        self._section = self.session.next_section()
        self._interfaces, self._shared, self._gaps = [], (), False
        self.position += size
        return self._others_only(window, start, start + size)

    def _others_only(self, window: Window, start: int, end: int) -> PacketBatch:
        others = OtherBlocks(np.zeros(1, np.int64), np.array([start]), np.array([end]))
        return self._batch(window, _NO_FRAMES, others, 0)

    def _nothing(self, window: Window) -> PacketBatch:
        """A batch without anything, which tells a writer that there is a gap."""
        return self._batch(window, _NO_FRAMES, NO_BLOCKS, len(self._interfaces))

    def _blocks(self, window: Window, found: ScannedBlocks) -> Iterator[PacketBatch]:
        """Batches of the blocks that a scan found; bad ones are damage, each for itself."""
        low, step = 0, MAX_FRAMES
        while low < len(found.types):
            piece = slice(low, low + step)
            part = ScannedBlocks(found.types[piece], found.starts[piece], found.ends[piece], 0, OK)
            is_packet = _packets(part.types)
            defined = self._read_interfaces(window, part)
            frames, bad = self._frames(window, part, is_packet, defined)
            good = len(part.types) if bad is None else bad[0]
            yield from self._split(window, part, is_packet[:good], frames, int(defined[0]))
            low += good
            step = min(4 * step, MAX_FRAMES)
            if bad is not None:
                # The chain of blocks is whole, so only this one is lost.  Small steps from
                # here: a file of bad blocks must not be looked at again for each of them.
                place = window.base + int(part.starts[good])
                self.session.damage(self.path, place, bad[1])
                end = int(part.ends[good])
                last = window.last and end == window.end
                self.session.skipped(self.path, place, window.base + end, last)
                del self._interfaces[int(defined[good]) :]
                self._shared = tuple(self._interfaces)
                low, step = low + 1, _SMALL_STEP

    def _read_interfaces(self, window: Window, part: ScannedBlocks) -> Int64s:
        """Note the interfaces that blocks define; how many there are before each block."""
        is_interface = part.types == INTERFACE
        defined: Int64s = len(self._interfaces) + np.cumsum(is_interface) - is_interface
        view = memoryview(window.buffer)
        for at in np.flatnonzero(is_interface).tolist():
            if part.ends[at] - part.starts[at] < 20 or len(self._interfaces) >= _MAX_INTERFACES:
                break
            block = bytes(view[int(part.starts[at]) : int(part.ends[at])])
            self._add(parse_interface(block, self._swapped))
        if len(self._interfaces) != len(self._shared):
            self._shared = tuple(self._interfaces)
        return defined

    def _add(self, interface: Interface) -> None:
        """One interface more; `_kinds` grows by doubling, so many of them stay linear."""
        number = len(self._interfaces)
        if number >= len(self._kinds):
            self._kinds = np.resize(self._kinds, max(16, 2 * number))
        self._kinds[number] = (interface.linktype << 8) + interface.fcs
        self._interfaces.append(interface)

    def _frames(
        self,
        window: Window,
        part: ScannedBlocks,
        is_packet: npt.NDArray[Any],
        defined: Int64s,
    ) -> tuple[_Frames, tuple[int, str] | None]:
        """The frames before the first bad block, and that block's number and fault."""
        sizes = part.ends - part.starts
        need = np.full(len(sizes), 12)
        need[part.types == INTERFACE] = 20
        need[is_packet] = 32
        need[part.types == SIMPLE_PACKET] = 16
        short = sizes < need
        short |= (part.types == INTERFACE) & (defined >= _MAX_INTERFACES)
        good = int(np.argmax(short)) if short.any() else len(sizes)
        bad = (good, "a block too short for its type, or an interface too many")
        chosen = np.flatnonzero(is_packet[:good])
        frames, wrong = self._columns(window, part, chosen, defined[chosen])
        if wrong is not None:
            return frames.part(0, wrong[0]), (
                int(chosen[wrong[0]]),
                wrong[1],
            )
        return frames, bad if good < len(sizes) else None

    def _columns(
        self, window: Window, part: ScannedBlocks, chosen: Int64s, defined: Int64s
    ) -> tuple[_Frames, tuple[int, str] | None]:
        """Columns of the packet blocks `chosen`, and the first that is wrong in itself."""
        types, starts, ends = part.types[chosen], part.starts[chosen], part.ends[chosen]
        words = unaligned(window.buffer, ">u4" if self._swapped else "<u4")
        halves = unaligned(window.buffer, ">u2" if self._swapped else "<u2")
        simple = types == SIMPLE_PACKET
        long = ~simple
        interface = np.zeros(len(types), np.int64)
        interface[long] = words[starts[long] + 8]
        old = types == OLD_PACKET
        interface[old] = halves[starts[old] + 8]
        known = interface < defined
        offsets = starts + np.where(simple, 12, 28)
        captured = np.zeros(len(types), np.int64)
        lengths = np.zeros(len(types), np.int64)
        captured[long], lengths[long] = words[starts[long] + 20], words[starts[long] + 24]
        lengths[simple] = words[starts[simple] + 8]
        snaplen = (self._interfaces[0].snaplen if self._interfaces else 0) or 1 << 32
        captured[simple] = np.minimum(lengths[simple], snaplen)
        fits = (captured <= MAX_CAPTURED) & (offsets + captured <= ends - 4)
        frames = _Frames(
            types,
            starts,
            ends,
            offsets,
            captured.astype(np.uint32),
            lengths.astype(np.uint32),
            interface.astype(np.uint16),
        )
        if bool((known & fits).all()):
            return frames, None
        first = int(np.argmin(known & fits))
        if known[first]:
            return frames, (first, f"{captured[first]} captured bytes do not fit their block")
        return frames, (first, f"a packet of interface {interface[first]}, not defined before it")

    def _split(
        self,
        window: Window,
        part: ScannedBlocks,
        is_packet: npt.NDArray[Any],
        frames: _Frames,
        defined: int,
    ) -> Iterator[PacketBatch]:
        """One batch for each stretch of one link type, other blocks in their places."""
        rest = np.flatnonzero(~is_packet)
        before = (np.cumsum(is_packet) - is_packet)[rest]
        others = OtherBlocks(before, part.starts[rest], part.ends[rest])
        total = len(frames.types)
        if not total and not len(rest):
            return
        edges, kinds = [0, total], _NONE
        if total:
            kinds = self._with_fcs(window, frames)
            edges = [0, *(np.flatnonzero(np.diff(kinds)) + 1).tolist(), total]
        places = np.searchsorted(before, edges).tolist()
        places[-1] = len(rest)
        ahead = defined + np.concatenate(([0], np.cumsum(part.types[rest] == INTERFACE)))
        for (low, high), (first, last) in zip(pairwise(edges), pairwise(places), strict=True):
            mine = slice(first, last)
            own = OtherBlocks(before[mine] - low, others.starts[mine], others.ends[mine])
            fcs = int(kinds[low]) & 0xFF if high > low else None
            yield self._batch(window, frames.part(low, high), own, int(ahead[first]), fcs)

    def _with_fcs(self, window: Window, frames: _Frames) -> Int64s:
        """Link type and check sequence of each frame; its own flags count, then its interface."""
        kinds = self._kinds[frames.interface]
        ends = frames.offsets + frames.captured
        begins = ends + -frames.captured.astype(np.int64) % 4
        has = (frames.ends - 4 > begins) & (frames.types == ENHANCED_PACKET)
        if has.any():
            which = np.flatnonzero(has)
            own = fcs_of_frames(window.buffer, begins[which], frames.ends[which] - 4, self._swapped)
            kinds[which] = np.where(own > 0, kinds[which] & ~0xFF | own, kinds[which])
        return kinds

    def _batch(
        self,
        window: Window,
        frames: _Frames,
        others: OtherBlocks,
        defined: int,
        fcs: int | None = None,
        judged: ScanOutcome | None = None,
    ) -> PacketBatch:
        types, starts, ends = frames[:3]
        interfaces = self._shared
        used = int(frames.interface[0]) if len(frames.interface) else 0
        return PacketBatch(
            window.buffer,
            frames.offsets,
            frames.captured,
            frames.lengths,
            interfaces[used].linktype if interfaces else 1,
            PcapngLayout(self._swapped, self._header, defined, types, starts, ends, self._gaps),
            self.session.number(len(frames.types) if judged is None else judged.frames),
            interface=frames.interface,
            interfaces=interfaces,
            path=self.path,
            base=window.base,
            section=self._section,
            others=others,
            judged=judged,
            own_fcs=fcs,
        ).vouched()


def _packets(types: Uint32s) -> npt.NDArray[Any]:
    is_packet: npt.NDArray[Any] = types == ENHANCED_PACKET
    is_packet |= (types == SIMPLE_PACKET) | (types == OLD_PACKET)
    return is_packet


def _broken(window: Window, found: ScannedBlocks, swapped: bool) -> str:
    order = ">" if swapped else "<"
    kind, size = struct.unpack_from(order + "II", window.buffer, found.next)
    if found.error == BAD_LENGTH:
        needed = f"a multiple of 4 from 12 to {MAX_BLOCK} is needed"
        return f"a block (type {kind:#x}) of {size} bytes: {needed}"
    return f"a block (type {kind:#x}) of {size} bytes, which does not end with that length"
