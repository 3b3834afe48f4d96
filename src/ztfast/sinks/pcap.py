"""Classic pcap out: records copied as they stood where the format is the same.

Contract: the first batch fixes byte order, unit of time and link type (its own header is
repeated, so an unfiltered copy is the same file byte for byte); batches in another layout,
and those of versions before 2.4, are written anew.  The header's snap length covers every frame's
own, since libpcap cuts frames to it as it reads.  A frame of another link type, or of a time
outside 1970 to 2106, has no place in a classic pcap: OutputError.
Tested by tests/sinks/test_pcap.py.
"""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np

from ztfast.capture.packets import MAX_CAPTURED, Interface, PacketBatch
from ztfast.capture.pcap_header import Lengths, PcapLayout
from ztfast.errors import Diagnostic, OutputError
from ztfast.sinks.chosen import Chosen, refuse_times
from ztfast.sinks.copy_ranges import interleave, pieces
from ztfast.sinks.output import Output

_ETHERNET = 1
_LAST_SECOND = 1 << 32  # in 2106
_MOST_FCS = 30  # four bits count 16-bit words


class PcapWriter:
    """Writes frames of batches into one classic pcap; `several`: of more than one capture."""

    def __init__(self, output: Output, several: bool = False) -> None:
        self.output = output
        self._several = several
        self._layout: PcapLayout | None = None
        self.empty_linktype: int | None = None  # of a file without any batch
        self._linktype = _ETHERNET
        self._snaplen = MAX_CAPTURED
        self._section: int | None = None

    def write(self, chosen: Chosen) -> None:
        """Write frames of a batch; raises `OutputError`."""
        batch = chosen.batch
        if not len(batch) and not isinstance(batch.layout, PcapLayout):
            return  # blocks only; they have no place here
        layout = self._layout or self._begin(batch)
        if not chosen.frames:
            return
        if batch.linktype != self._linktype:
            raise self._mixed(batch.linktype)
        if batch.section != self._section:
            self._widen(batch, layout)
        if not chosen.changed and batch.layout == layout:
            starts, ends = chosen.of(batch.record_start), chosen.of(batch.record_end)
            self.output.write_groups(pieces(batch.buffer, starts, ends), len(starts))
            return
        self._write_anew(chosen, layout)

    def close(self) -> None:
        """Finish the file; one without any batch has a header and no frame."""
        if self._layout is None:
            linktype = _ETHERNET if self.empty_linktype is None else self.empty_linktype
            self._header(PcapLayout(False, True, 16), Interface(linktype, MAX_CAPTURED))
        self.output.close()

    def _begin(self, batch: PacketBatch) -> PcapLayout:
        interface = batch.interfaces[int(batch.interface_ids[0]) if len(batch) else 0]
        layout = batch.layout
        if not isinstance(layout, PcapLayout):
            layout = PcapLayout(False, True, 16)
            interface = interface._replace(block=None, snaplen=0, fcs=batch.fcs)  # others may come
        elif layout.lengths != Lengths.CAPTURED_FIRST:
            layout = replace(layout, lengths=Lengths.CAPTURED_FIRST)  # and version 2.4
            interface = interface._replace(block=None)
        elif self._several and 0 < interface.snaplen < MAX_CAPTURED:
            interface = interface._replace(block=None, snaplen=0)
        self._header(layout, interface)
        self._section = batch.section
        return layout

    def _header(self, layout: PcapLayout, interface: Interface) -> None:
        self._layout, self._linktype = layout, interface.linktype
        self._snaplen = interface.snaplen or MAX_CAPTURED
        self.output.write([interface.block or file_header(layout, interface)])

    def _widen(self, batch: PacketBatch, layout: PcapLayout) -> None:
        """Another capture's frames follow: raise the header's snap length, where that can be."""
        self._section = batch.section
        largest = max(interface.snaplen or MAX_CAPTURED for interface in batch.interfaces)
        if largest > self._snaplen and self.output.patchable:
            self._snaplen = largest
            self.output.patch(16, struct.pack(">I" if layout.swapped else "<I", largest))

    def _write_anew(self, chosen: Chosen, layout: PcapLayout) -> None:
        batch, kept = chosen.batch, chosen.kept
        refuse_times(chosen, self.output.path, 0, _LAST_SECOND * 1_000_000_000, "a classic pcap")
        seconds, rest = np.divmod(chosen.of(batch.timestamps), 1_000_000_000)
        words = np.zeros((len(kept), layout.header // 4), ">u4" if layout.swapped else "<u4")
        words[:, 0] = seconds
        words[:, 1] = rest if layout.nanoseconds else rest // 1000
        words[:, 2], words[:, 3] = kept, chosen.original
        starts = chosen.of(batch.offsets)
        data = interleave(words.tobytes(), layout.header, batch.buffer, starts, starts + kept)
        self.output.write([data], len(kept))

    def _mixed(self, linktype: int) -> OutputError:
        return OutputError(
            Diagnostic(
                "ZT602",
                f"a classic pcap holds one link type: {self._linktype} so far, now {linktype}",
                path=self.output.path,
                help="write pcapng (a name that ends in .pcapng, or --format pcapng)",
            )
        )


def file_header(layout: PcapLayout, interface: Interface) -> bytes:
    """The 24 bytes that open a classic pcap."""
    order = ">" if layout.swapped else "<"
    magic = 0xA1B2_3C4D if layout.nanoseconds else 0xA1B2_C3D4
    if layout.header != 16:
        magic = 0xA1B2_CD34
    field = interface.linktype
    if 0 < interface.fcs <= _MOST_FCS:
        field |= 0x0400_0000 | (interface.fcs // 2) << 28
    snaplen = interface.snaplen or MAX_CAPTURED
    return struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, field)
