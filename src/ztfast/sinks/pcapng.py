"""pcapng out: blocks copied as they stood, or written anew in one section of our own.

Contract: frames that come from pcapng and are not cut keep their blocks byte for byte, with
the section header, interfaces, names, comments and unknown blocks around them, so an
unfiltered copy is the same file.  Frames from classic pcap, or with `unify` all frames, go
into one little-endian section with nanosecond times; interface and packet options are kept,
snap lengths only where one capture is all there is (libpcap reads no file that has several).
Source: draft-ietf-opsawg-pcapng, section 4.  Tested by tests/sinks/test_pcapng.py.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from ztfast import dispatch
from ztfast.capture.packets import Int64s, Interface, PacketBatch, Uint16s
from ztfast.capture.pcap_header import PcapLayout
from ztfast.capture.pcapng_layout import PcapngLayout
from ztfast.capture.pcapng_options import PACKET_NUMBERS, little_options, nanosecond_interface
from ztfast.capture.pcapng_scan import ENHANCED_PACKET, SECTION_HEADER, SIMPLE_PACKET
from ztfast.errors import Diagnostic, OutputError
from ztfast.sinks.chosen import LAST_TIME, Chosen, refuse_times
from ztfast.sinks.copy_ranges import pieces
from ztfast.sinks.output import Output

_INTERFACE_TYPE = 1
_COMMENT = 1
_OWN_SECTION = struct.pack("<IIIHHqI", SECTION_HEADER, 28, 0x1A2B_3C4D, 1, 0, -1, 28)


_MAX_REMEMBERED = 10_000  # a merge has a new section for every batch
_MOST_LINKTYPE = 0xFFFF
_SCRATCH = 1 << 18  # bytes of blocks that are built before they are written
_UNKNOWN_LENGTH = b"\xff" * 8


class PcapngWriter:
    """Writes frames of batches into one pcapng; `several`: of more than one capture."""

    def __init__(self, output: Output, unify: bool = False, several: bool = False) -> None:
        self.output = output
        self.empty_linktype: int | None = None  # of a file without any batch
        self._unify = unify
        self._several = several or unify
        self._section: int | None = None  # the section copied just now; 0 is our own
        self._defined = 0
        self._length_at: int | None = None
        self._complete = True
        self._own: dict[tuple[int, int], int] = {}
        self._known: dict[bytes, int] = {}

    def write(self, chosen: Chosen) -> None:
        """Write frames of a batch; raises `OutputError`."""
        batch = chosen.batch
        layout = batch.layout
        if self._unify or not isinstance(layout, PcapngLayout) or not layout.section:
            self._write_own(chosen)
            return
        self._enter(batch, layout)
        if not chosen.changed:
            self._copy(chosen, layout)
            return
        self._copy(Chosen(batch, np.zeros(0, np.int64)), layout)
        if chosen.frames:
            times = _raw_times(batch, layout, chosen.numbers)
            ids = chosen.of(batch.interface_ids)
            blocks = _Blocks(chosen, ids, times, layout.swapped)
            self.output.write_groups(blocks.groups(), chosen.frames)

    def close(self) -> None:
        """Finish the file; without any batch it is a section, and the interface it was told."""
        if self._section is None:
            self.output.write([_OWN_SECTION])
            if self.empty_linktype is not None:
                empty = Interface(min(self.empty_linktype, _MOST_LINKTYPE))
                self.output.write([nanosecond_interface(empty)])
        self._leave()
        self.output.close()

    def _enter(self, batch: PacketBatch, layout: PcapngLayout) -> None:
        """Begin the batch's section if it is new here, with the interfaces before the batch."""
        if batch.section != self._section:
            self._leave()
            self._section, self._defined = batch.section, 0
            self._begin_section(layout)
        missing = batch.interfaces[self._defined : layout.defined]
        if missing:
            self.output.write([interface.block or b"" for interface in missing])
        here = int(np.count_nonzero(_other_types(batch, layout) == _INTERFACE_TYPE))
        self._defined = layout.defined + here

    def _begin_section(self, layout: PcapngLayout) -> None:
        """The section header; a length in it stays only while every block is copied."""
        header = layout.section
        if header[16:24] != _UNKNOWN_LENGTH:
            if self.output.patchable:
                self._length_at = self.output.place + 16
            else:
                header = header[:16] + _UNKNOWN_LENGTH + header[24:]
        self._complete = True
        self.output.write([header])

    def _leave(self) -> None:
        """Finish a section: take its length out if blocks are missing."""
        if self._length_at is not None and not self._complete:
            self.output.patch(self._length_at, _UNKNOWN_LENGTH)
        self._length_at = None

    def _copy(self, chosen: Chosen, layout: PcapngLayout) -> None:
        """Chosen packet blocks and all other blocks, in their order."""
        batch = chosen.batch
        starts, ends = chosen.of(batch.record_start), chosen.of(batch.record_end)
        self._complete &= chosen.frames == len(batch) and not layout.gaps
        others = batch.others
        if len(others.before):
            kept = _other_types(batch, layout) != SECTION_HEADER
            order = np.argsort(
                np.concatenate((others.before[kept] * 2, chosen.numbers * 2 + 1)), kind="stable"
            )
            starts = np.concatenate((others.starts[kept], starts))[order]
            ends = np.concatenate((others.ends[kept], ends))[order]
        if len(starts):
            self.output.write_groups(pieces(batch.buffer, starts, ends), chosen.frames)

    def _write_own(self, chosen: Chosen) -> None:
        batch = chosen.batch
        if self._section != 0:
            self._leave()
            self._section = 0
            self._own.clear()
            self._known.clear()
            self.output.write([_OWN_SECTION])
        numbers = np.zeros(max(1, len(batch.interfaces)), np.uint16)
        ids = chosen.of(batch.interface_ids)
        used = np.flatnonzero(np.bincount(ids)).tolist()
        if not len(batch) and not isinstance(batch.layout, PcapngLayout):
            used = [0]  # a classic pcap without frames still shows its link type
        for number in used:
            numbers[number] = self._own_interface(batch, number)
        if chosen.frames:
            if not isinstance(batch.layout, PcapLayout):  # whose times have 32 bits of seconds
                refuse_times(chosen, self.output.path, 0, LAST_TIME, "a pcapng written anew")
            blocks = _Blocks(chosen, numbers[ids], None, False)
            self.output.write_groups(blocks.groups(), chosen.frames)

    def _own_interface(self, batch: PacketBatch, number: int) -> int:
        """The number in our own section of an interface; alike ones are one."""
        key = (batch.section, number)
        if len(self._own) >= _MAX_REMEMBERED:
            self._own.clear()
        if key not in self._own:
            interface: Interface = batch.interfaces[number]
            if interface.linktype > _MOST_LINKTYPE:
                raise self._no_place(interface.linktype)
            if self._several:
                interface = interface._replace(snaplen=0)
            block = nanosecond_interface(interface)
            if block not in self._known:
                self._known[block] = len(self._known)
                self.output.write([block])
            self._own[key] = self._known[block]
        return self._own[key]

    def _no_place(self, linktype: int) -> OutputError:
        return OutputError(
            Diagnostic(
                "ZT602",
                f"link type {linktype:#x} (with class bits) has no place in a pcapng",
                path=self.output.path,
                help="write a classic pcap",
            )
        )


class _Blocks:
    """Enhanced packet blocks for chosen frames of a batch, made anew.

    times: uint64, in the interfaces' units; None: the batch's own, in nanoseconds.
    """

    def __init__(self, chosen: Chosen, ids: Uint16s, times: Any, swapped: bool) -> None:
        self._kept, self._lengths = chosen.kept, chosen.original
        self._batch, self._chosen = chosen.batch, chosen.numbers
        self._comments = None if chosen.comments is None else chosen.of(chosen.comments)
        self._ids, self._times = ids, times
        self._swapped = swapped

    def groups(self) -> Iterator[list[memoryview | bytes]]:
        """All blocks in groups; each is to be written before the next is asked for."""
        rests = self._options()
        if dispatch.core is None or rests:
            yield [self._plain(rests)]
        else:
            yield from self._compiled()

    def _compiled(self) -> Iterator[list[memoryview | bytes]]:
        """Blocks without options, by the compiled loop, in pieces that stay in the cache."""
        pack = dispatch.require().pack_packets
        kept = np.ascontiguousarray(self._kept)
        columns = (
            np.ascontiguousarray(self._batch.offsets[self._chosen]),
            kept,
            np.ascontiguousarray(self._lengths),
            self._ids.astype(np.uint32),
            *self._when(),
        )
        buffer = np.frombuffer(self._batch.buffer, np.uint8)
        largest = 36 + int(kept.max(initial=0))
        out = np.empty(max(_SCRATCH, largest), np.uint8)
        at = 0
        while at < len(kept):
            at, used = pack(buffer, *columns, self._swapped, at, out)
            yield [out[:used].data]

    def _when(self) -> tuple[Int64s, tuple[int, bool, int] | None]:
        """(the frames' times, or none; how the loop reads them out of their records, or None)."""
        layout = self._batch.layout
        if self._times is None and isinstance(layout, PcapLayout):
            return np.zeros(0, np.int64), (layout.header, layout.swapped, layout.fraction)
        return np.ascontiguousarray(self._own_times()).view(np.int64), None

    def _own_times(self) -> Any:
        if self._times is not None:
            return self._times
        own: Int64s = self._batch.timestamps[self._chosen]
        return own.view(np.uint64)

    def _plain(self, rests: list[bytes]) -> bytes:
        """Blocks with the options of `rests`, if there are any, frame by frame."""
        order = ">" if self._swapped else "<"
        extra = np.fromiter(map(len, rests), np.int64, len(rests)) if rests else 0
        padding = -self._kept.astype(np.int64) % 4
        total = 32 + self._kept + padding + extra
        head = np.empty((len(total), 7), order + "u4")
        head[:, 0], head[:, 1], head[:, 2] = ENHANCED_PACKET, total, self._ids
        times = self._own_times()
        head[:, 3], head[:, 4] = times >> np.uint64(32), times & np.uint64(0xFFFF_FFFF)
        head[:, 5], head[:, 6] = self._kept, self._lengths
        return b"".join(self._parts(head.tobytes(), total.astype(order + "u4"), padding, rests))

    def _parts(
        self, head: bytes, total: Any, padding: Int64s, rests: list[bytes]
    ) -> Iterator[bytes | memoryview]:
        view, trailers = memoryview(self._batch.buffer), total.tobytes()
        starts = self._batch.offsets[self._chosen]
        ends = starts + self._kept
        rows = zip(starts.tolist(), ends.tolist(), padding.tolist(), strict=True)
        for i, (start, end, pad) in enumerate(rows):
            yield head[28 * i : 28 * i + 28]
            yield view[start:end]
            yield b"\0\0\0"[:pad]
            if rests:
                yield rests[i]
            yield trailers[4 * i : 4 * i + 4]

    def _options(self) -> list[bytes]:
        """The options of each frame's block in the byte order written; [] if there are none."""
        own = self._own_options()
        if self._comments is None:
            return own
        order = ">" if self._swapped else "<"
        return [
            _comment(text, order) + (rest or b"\0\0\0\0")
            for text, rest in zip(
                self._comments.tolist(), own or [b""] * len(self._kept), strict=True
            )
        ]

    def _own_options(self) -> list[bytes]:
        """Those that the frames came with."""
        layout = self._batch.layout
        if not isinstance(layout, PcapngLayout):
            return []
        chosen = self._chosen
        begin = self._batch.offsets[chosen] + self._batch.captured[chosen]
        begin = begin + -self._batch.captured[chosen].astype(np.int64) % 4
        end = layout.ends[chosen] - 4
        has = (end > begin) & (layout.types[chosen] != SIMPLE_PACKET)
        if not has.any():
            return []
        view = memoryview(self._batch.buffer)
        out = [b""] * len(chosen)
        for i in np.flatnonzero(has).tolist():
            raw = bytes(view[int(begin[i]) : int(end[i])])
            same = layout.swapped == self._swapped
            out[i] = raw if same else little_options(raw, True, PACKET_NUMBERS)
        return out


def _comment(text: bytes, order: str) -> bytes:
    """A comment as the first of a block's options."""
    return struct.pack(order + "HH", _COMMENT, len(text)) + text + b"\0" * (-len(text) % 4)


def _other_types(batch: PacketBatch, layout: PcapngLayout) -> Any:
    """Types of the batch's blocks that are no packets, uint32[]."""
    words = np.frombuffer(batch.buffer, np.uint8)
    at = batch.others.starts[:, None] + np.arange(4)
    return words[at].view(">u4" if layout.swapped else "<u4")[:, 0]


def _raw_times(batch: PacketBatch, layout: PcapngLayout, chosen: Int64s) -> Any:
    """Time stamps in the file's own units, uint64[k]; 0 where a block has none."""
    words = np.frombuffer(batch.buffer, np.uint8)
    out = np.zeros(len(chosen), np.uint64)
    timed = np.flatnonzero(layout.types[chosen] != SIMPLE_PACKET)
    at = layout.starts[chosen[timed]][:, None] + np.arange(12, 20)
    halves = words[at].view(">u4" if layout.swapped else "<u4").astype(np.uint64)
    out[timed] = halves[:, 0] << np.uint64(32) | halves[:, 1]
    return out
