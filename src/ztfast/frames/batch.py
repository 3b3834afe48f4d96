"""FrameBatch: where a batch's frames lie in a buffer, checked once, columns made on demand.

Contract: offsets and captured lengths are checked against the buffer when a batch is
made, so the compiled loops may trust them; no frame bytes are copied.  A batch holds
frame *headers*: `captured` bytes at hand and the original `lengths`.
Frames are Ethernet (offsets point at the destination MAC) or, after frames.links,
payloads with their header fields given as columns.  Tested by tests/frames/test_batch.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ztfast import native
from ztfast.errors import Diagnostic, FrameError
from ztfast.frames.columns import column_width
from ztfast.frames.frame import Frame
from ztfast.frames.room import Room
from ztfast.model.reads import Reads

if TYPE_CHECKING:
    from typing_extensions import Buffer

ETHERNET_HEADER = 14
_DTYPES = {8: np.uint8, 16: np.uint16, 32: np.uint32, 64: np.uint64}

Raw = tuple[Any, ...]


class FrameBatch:
    """n frames in one buffer.

    buffer: uint8[...] view; offsets: int64[n], first byte of each frame (or payload);
    captured, lengths: uint32[n], bytes at hand and bytes the frame really had.
    fields: None for Ethernet frames, else the columns ethertype uint16, vlan uint16,
    mac_source uint64, mac_dest uint64, unknown uint32 (Reads bits), where offsets,
    captured and lengths then speak of the payload behind the ethertype.
    """

    def __init__(
        self,
        buffer: Any,
        offsets: npt.ArrayLike,
        captured: npt.ArrayLike,
        lengths: npt.ArrayLike | None = None,
        fields: dict[str, npt.NDArray[Any]] | None = None,
    ) -> None:
        self.buffer = _bytes_view(buffer)
        self.offsets = _column(offsets, np.int64, "offsets")
        self.captured = _column(captured, np.uint32, "captured")
        given = self.captured if lengths is None else _column(lengths, np.uint32, "lengths")
        self.lengths = given
        self.fields = None if fields is None else _checked_fields(fields, len(self.offsets))
        self.ready: dict[int, npt.NDArray[Any]] = {}
        _check_bounds(self)

    @classmethod
    def trusted(
        cls,
        buffer: Any,
        offsets: npt.NDArray[np.int64],
        captured: npt.NDArray[np.uint32],
        lengths: npt.NDArray[np.uint32],
    ) -> FrameBatch:
        """A batch of Ethernet frames whose bounds were checked by who made the columns."""
        batch = cls.__new__(cls)
        batch.buffer, batch.fields, batch.ready = _bytes_view(buffer), None, {}
        batch.offsets, batch.captured, batch.lengths = offsets, captured, lengths
        return batch

    @classmethod
    def from_frame(cls, frame: Frame) -> FrameBatch:
        """A batch of one frame given as a plain value."""
        fields: dict[str, npt.NDArray[Any]] = {
            "ethertype": np.array([frame.ethertype], np.uint16),
            "vlan": np.array([frame.vlan], np.uint16),
            "mac_source": np.array([frame.mac_source], np.uint64),
            "mac_dest": np.array([frame.mac_dest], np.uint64),
            "unknown": np.array([int(frame.unknown)], np.uint32),
        }
        return cls(frame.payload, [0], [len(frame.payload)], [frame.length], fields)

    @classmethod
    def from_frames(
        cls, frames: Sequence[bytes], lengths: Sequence[int] | npt.ArrayLike | None = None
    ) -> FrameBatch:
        """A batch of Ethernet frames given as bytes objects (headers, or whole frames).

        lengths: the frames' original lengths in bytes, with the 14 of the Ethernet header;
        None: each frame is all there.  Raises FrameError where they do not fit.
        """
        sizes = np.fromiter((len(frame) for frame in frames), dtype=np.int64, count=len(frames))
        ends = np.cumsum(sizes)
        return cls(b"".join(frames), ends - sizes, sizes, lengths)

    @classmethod
    def from_array(cls, headers: npt.NDArray[np.uint8], lengths: npt.ArrayLike) -> FrameBatch:
        """A batch of fixed-size headers: uint8[n, width], one row a frame.

        lengths: uint32[n], original lengths; a row longer than its frame is cut.
        """
        headers = np.ascontiguousarray(headers, dtype=np.uint8)
        if headers.ndim != 2:
            raise _bad(f"headers must be a 2-D array, not {headers.ndim}-D", "shape (n, width)")
        count, width = headers.shape
        sizes = np.minimum(_column(lengths, np.uint32, "lengths"), np.uint32(width))
        return cls(headers.reshape(-1), np.arange(count, dtype=np.int64) * width, sizes, lengths)

    @classmethod
    def from_packets(cls, packets: Any, vlan: str = "tag") -> FrameBatch:
        """The frames of a capture's packet batch, in its own buffer.

        packets: a `capture.PacketBatch` (or anything with its columns).  vlan: "tag", as
        a node reads its tap, or "decode" (frames.links says what each does).
        """
        if packets.linktype == 1 and vlan == "tag" and not packets.fcs:
            return cls.trusted(packets.buffer, packets.offsets, packets.captured, packets.lengths)
        from ztfast.frames.links import normalise

        return normalise_batch(cls, normalise, packets, vlan)

    def __len__(self) -> int:
        return len(self.offsets)

    def __getitem__(self, part: slice) -> FrameBatch:
        """Some of the frames, in the same buffer."""
        fields = self.fields
        return FrameBatch(
            self.buffer,
            np.ascontiguousarray(self.offsets[part]),
            np.ascontiguousarray(self.captured[part]),
            np.ascontiguousarray(self.lengths[part]),
            None
            if fields is None
            else {name: np.ascontiguousarray(column[part]) for name, column in fields.items()},
        )

    def take(self, index: npt.NDArray[Any]) -> FrameBatch:
        """The frames of an index or boolean array, in the same buffer."""
        fields = self.fields
        return FrameBatch(
            self.buffer,
            self.offsets[index],
            self.captured[index],
            self.lengths[index],
            None if fields is None else {name: column[index] for name, column in fields.items()},
        )

    def raw(self) -> Raw:
        """The arrays that the compiled loops take, in their order."""
        fields = self.fields
        names = ("ethertype", "vlan", "mac_source", "mac_dest", "unknown")
        given = (None,) * 5 if fields is None else tuple(fields[name] for name in names)
        return (self.buffer, self.offsets, self.captured, self.lengths, *given)

    def decoded(self, columns: Sequence[int]) -> dict[int, npt.NDArray[Any]]:
        """Header columns (`program.opcodes.Column` numbers) of the whole batch, decoded now.

        Needs the compiled loops; each array has one item a frame, at the column's width.
        """
        missing = [column for column in columns if column not in self.ready]
        if not missing:
            return {column: self.ready[column] for column in columns}
        types = tuple(_DTYPES[column_width(column)] for column in columns)
        made = dict(zip(columns, Room().take(len(self), types), strict=True))
        native.require().decode(self.raw(), list(made.items()), 0, len(self))
        return made

    def decode(self, columns: Sequence[int]) -> FrameBatch:
        """Decode columns and keep them, so that evaluating need not touch the frames."""
        self.ready.update(self.decoded(columns))
        return self

    def payload_lengths(self) -> npt.NDArray[np.uint32]:
        """Original payload lengths (behind the ethertype), uint32[n]."""
        whole = np.maximum(self.lengths, self.captured)
        if self.fields is not None:
            found: npt.NDArray[np.uint32] = whole
            return found
        return np.where(whole > ETHERNET_HEADER, whole - np.uint32(ETHERNET_HEADER), np.uint32(0))

    def frame(self, index: int) -> Frame:
        """One frame as a plain value, for the reference evaluator and explanations."""
        start, captured = int(self.offsets[index]), int(self.captured[index])
        length = max(int(self.lengths[index]), captured)
        data = self.buffer[start : start + captured].tobytes()
        if self.fields is not None:
            fields = {name: int(column[index]) for name, column in self.fields.items()}
            unknown = Reads(fields.pop("unknown"))
            return Frame(payload=data, length=length, unknown=unknown, **fields)
        return ethernet_frame(data, length)


def normalise_batch(cls: type[FrameBatch], normalise: Any, packets: Any, vlan: str) -> FrameBatch:
    """A batch of payloads with their header fields as columns, from any link type."""
    links = normalise(
        packets.buffer,
        packets.offsets,
        packets.captured,
        packets.lengths,
        packets.linktype,
        vlan,
        packets.fcs,
    )
    fields = {
        "ethertype": links.ethertype,
        "vlan": links.vlan,
        "mac_source": links.mac_source,
        "mac_dest": links.mac_dest,
        "unknown": links.unknown,
    }
    return cls(packets.buffer, links.payload_offsets, links.captured, links.lengths, fields)


def ethernet_frame(data: bytes, length: int) -> Frame:
    """An Ethernet frame's captured bytes and original length as a Frame (bytes not there are 0)."""
    unknown = Reads(0)
    captured = len(data)
    for end, first, read in (
        (6, 0, Reads.MAC_DEST),
        (12, 6, Reads.MAC_SOURCE),
        (ETHERNET_HEADER, 12, Reads.ETHERTYPE),
    ):
        if captured < min(end, length) and length > first:
            unknown |= read
    header = data[:ETHERNET_HEADER].ljust(ETHERNET_HEADER, b"\0")
    return Frame(
        payload=data[ETHERNET_HEADER:],
        length=max(0, length - ETHERNET_HEADER),
        ethertype=int.from_bytes(header[12:], "big"),
        mac_source=int.from_bytes(header[6:12], "big"),
        mac_dest=int.from_bytes(header[:6], "big"),
        unknown=unknown,
    )


def _bytes_view(buffer: npt.NDArray[Any] | Buffer) -> npt.NDArray[np.uint8]:
    """Any object with the buffer protocol as a flat uint8 array, not copied where contiguous."""
    if isinstance(buffer, np.ndarray):
        if buffer.dtype == np.uint8 and buffer.ndim == 1:
            return np.ascontiguousarray(buffer)
        view = buffer.data  # numpy's types have no __buffer__ before 3.12
    else:
        view = memoryview(buffer)
    if not view.c_contiguous:
        raise _bad("the buffer is not contiguous", "hand in a contiguous copy")
    if view.nbytes == 0:
        return np.zeros(0, dtype=np.uint8)
    return np.frombuffer(view, dtype=np.uint8)


def _column(values: npt.ArrayLike, dtype: Any, name: str) -> npt.NDArray[Any]:
    """A 1-D contiguous column of `dtype`; numbers that do not fit are refused."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise _bad(f"{name} must have one dimension, not {array.ndim}", "one item a frame")
    if array.dtype == dtype:
        return np.ascontiguousarray(array)
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise _bad(f"{name} must be integers, not {array.dtype}", f"use {np.dtype(dtype)}")
    limits = np.iinfo(dtype)
    if array.size and (int(array.min()) < limits.min or int(array.max()) > limits.max):
        raise _bad(f"{name} has a number that does not fit {np.dtype(dtype)}", "check its range")
    return np.ascontiguousarray(array, dtype=dtype)


_FIELD_DTYPES = {
    "ethertype": np.uint16,
    "vlan": np.uint16,
    "mac_source": np.uint64,
    "mac_dest": np.uint64,
    "unknown": np.uint32,
}


def _checked_fields(fields: dict[str, npt.NDArray[Any]], count: int) -> dict[str, Any]:
    checked = {name: _column(fields[name], dtype, name) for name, dtype in _FIELD_DTYPES.items()}
    for name, column in checked.items():
        if len(column) != count:
            raise _bad(f"{name} has {len(column)} items for {count} frames", "one item a frame")
    return checked


def _check_bounds(batch: FrameBatch) -> None:
    """Every frame's captured bytes lie inside the buffer."""
    count = len(batch.offsets)
    for name in ("captured", "lengths"):
        if len(getattr(batch, name)) != count:
            raise _bad(
                f"{name} has {len(getattr(batch, name))} items for {count} frames",
                "one item a frame",
            )
    if not count:
        return
    limit = np.int64(1) << 62
    bad = (batch.offsets < 0) | (batch.offsets > limit)
    bad |= batch.offsets + batch.captured > len(batch.buffer)
    if bad.any():
        index = int(np.argmax(bad))
        raise _bad(
            f"frame {index} lies outside the buffer: offset {int(batch.offsets[index])}, "
            f"{int(batch.captured[index])} bytes of {len(batch.buffer)}",
            "check offsets and captured lengths",
        )


def _bad(message: str, help: str) -> FrameError:
    return FrameError(Diagnostic("ZT401", message, help=help))
