"""FrameBatch: where a batch's frames lie in a buffer, checked once, columns made on demand.

Contract: offsets and captured lengths are checked against the buffer when a batch is
made, so the compiled loops may trust them; no frame bytes are copied.  A batch holds
frame *headers*: `captured` bytes at hand and the original `lengths`.
Frames are Ethernet (offsets point at the destination MAC) or, after frames.links,
payloads with their header fields given as columns.  Tested by tests/frames/test_batch.py;
fuzz/fuzz_batch.py draws columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ztfast import dispatch
from ztfast.errors import CaptureError, Diagnostic, FrameError
from ztfast.frames.buffer_pool import BufferPool
from ztfast.frames.columns import FIRST_OWN_COLUMN, column_width
from ztfast.frames.frame import Frame
from ztfast.model.reads import Reads

if TYPE_CHECKING:
    from typing_extensions import Buffer

ETHERNET_HEADER = 14
VLAN_WAYS = ("tag", "decode")
_MOST_MAC = (1 << 48) - 1
# what a batch's header fields can say is missing: the rest the evaluators find in the payload
_FIELD_READS = int(Reads.ETHERTYPE | Reads.MAC_DEST | Reads.MAC_SOURCE)
_DTYPES = {8: np.uint8, 16: np.uint16, 32: np.uint32, 64: np.uint64}


class RawFrames(NamedTuple):
    """A batch's arrays as the compiled loops take them.

    As FrameBatch's attributes; the header fields are None for Ethernet frames.
    """

    buffer: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]
    captured: npt.NDArray[np.uint32]
    lengths: npt.NDArray[np.uint32]
    ethertype: npt.NDArray[np.uint16] | None = None
    vlan: npt.NDArray[np.uint16] | None = None
    mac_source: npt.NDArray[np.uint64] | None = None
    mac_dest: npt.NDArray[np.uint64] | None = None
    unknown: npt.NDArray[np.uint32] | None = None


class FrameBatch:
    """n frames in one buffer.

    buffer: uint8[...] view; offsets: int64[n], first byte of each frame (or payload);
    captured, lengths: uint32[n], bytes at hand and bytes the frame really had.
    fields: None for Ethernet frames, else the columns ethertype uint16, vlan uint16,
    mac_source uint64, mac_dest uint64, unknown uint32 (Reads bits), where offsets,
    captured and lengths then speak of the payload behind the ethertype.
    Frames may share bytes and come in any order; a length below what was captured counts as
    that.  What does not fit is a FrameError.  The arrays are not copied where they fit as they
    are: they must not be changed while the batch is in use.
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
        try:
            sizes = np.fromiter(map(len, frames), dtype=np.int64, count=len(frames))
            joined = b"".join(frames)
        except (TypeError, ValueError) as error:
            what = f"frames must be a sequence of bytes: {error}"
            raise _bad(what, "use [bytes(…), …]") from None
        ends = np.cumsum(sizes)
        if len(joined) != (int(ends[-1]) if len(ends) else 0):
            raise _bad("frames has one whose items are not bytes", "use memoryview.cast('B')")
        return cls(joined, ends - sizes, sizes, lengths)

    @classmethod
    def from_array(cls, headers: npt.NDArray[np.uint8], lengths: npt.ArrayLike) -> FrameBatch:
        """A batch of fixed-size headers: uint8[n, width], one row a frame.

        lengths: uint32[n], original lengths; a row longer than its frame is cut.
        """
        headers = _array(headers, "headers")
        if headers.ndim != 2:
            raise _bad(f"headers must be a 2-D array, not {headers.ndim}-D", "shape (n, width)")
        headers = _integers(headers, np.uint8, "headers")
        lengths = _column(lengths, np.uint32, "lengths")
        count, width = headers.shape
        _check_count("lengths", lengths, count)
        sizes = np.minimum(lengths, np.uint32(min(width, 0xFFFFFFFF)))
        return cls(headers.reshape(-1), np.arange(count, dtype=np.int64) * width, sizes, lengths)

    @classmethod
    def from_packets(cls, packets: Any, vlan: str = "tag") -> FrameBatch:
        """The frames of a capture's packet batch, in its own buffer.

        packets: a `capture.PacketBatch` (or anything with its columns).  vlan: "tag", as
        a node reads its tap, or "decode" (frames.links says what each does).  Frames that no
        reader vouches for (`PacketBatch.vouched`) are checked.
        """
        if vlan not in VLAN_WAYS:
            raise _bad(f"vlan is {vlan!r:.40}", "use 'tag' or 'decode'")
        columns = _packet_columns(packets)
        vouched = getattr(packets, "checked", False)
        whole = (cls.trusted if vouched else cls)(*columns)
        if packets.linktype == 1 and vlan == "tag" and not packets.fcs:
            return whole
        from ztfast.frames.links import is_known, normalise, unknown_linktype

        if not is_known(packets.linktype):
            path = getattr(packets, "path", None) or None
            raise CaptureError(unknown_linktype(packets.linktype, path))
        return normalise_batch(cls, normalise, whole, packets.linktype, vlan, packets.fcs)

    def __len__(self) -> int:
        return len(self.offsets)

    def __getitem__(self, part: slice) -> FrameBatch:
        """Some of the frames, in the same buffer."""
        try:
            _is_slice(part)
            part.indices(len(self))
        except (TypeError, ValueError) as error:
            help = "use batch[start:stop], batch.take(index) or batch.frame(number)"
            raise _bad(f"a part of a batch: {error}", help) from None
        return self._at(part)

    def take(self, index: npt.NDArray[Any]) -> FrameBatch:
        """The frames of an index or boolean array, in the same buffer."""
        index = _array(index, "index")
        if index.ndim != 1:
            raise _bad(f"index must have one dimension, not {index.ndim}", "one number a frame")
        if not index.size and index.dtype.kind not in "iub":
            index = index.astype(np.int64)  # an empty list is of floats
        try:
            return self._at(index)
        except IndexError as error:
            help = f"use numbers of the {len(self)} frames, or as many booleans"
            raise _bad(f"index: {error}", help) from None

    def cut(self, index: npt.NDArray[Any], payloads: npt.ArrayLike) -> FrameBatch:
        """The frames of an index, each as if its payload had at most that many bytes.

        payloads: uint32[len(index)], bytes behind the ethertype; what a tee with a length sends.
        """
        found = self.take(index)
        header = np.uint32(0 if self.fields is not None else ETHERNET_HEADER)
        limits = _column(payloads, np.uint32, "payloads")
        _check_count("payloads", limits, len(found))
        ends = np.minimum(limits, np.uint32(0xFFFFFFFF) - header) + header
        captured, lengths = np.minimum(found.captured, ends), np.minimum(found.lengths, ends)
        return FrameBatch(found.buffer, found.offsets, captured, lengths, found.fields)

    def _at(self, index: Any) -> FrameBatch:
        fields = self.fields
        return FrameBatch(
            self.buffer,
            self.offsets[index],
            self.captured[index],
            self.lengths[index],
            None if fields is None else {name: column[index] for name, column in fields.items()},
        )

    def raw(self) -> RawFrames:
        """The arrays that the compiled loops take."""
        if self.fields is None:
            return RawFrames(self.buffer, self.offsets, self.captured, self.lengths)
        return RawFrames(self.buffer, self.offsets, self.captured, self.lengths, **self.fields)

    def decoded(self, columns: Sequence[int]) -> dict[int, npt.NDArray[Any]]:
        """Header columns (`program.opcodes.Column` numbers) of the whole batch, decoded now.

        Needs the compiled loops; each array has one item a frame, at the column's width.
        """
        others = [column for column in columns if column not in range(FIRST_OWN_COLUMN)]
        if others:
            raise _bad(f"{others[0]!r:.40} is not a column of a frame's headers", "see Column")
        missing = [column for column in columns if column not in self.ready]
        if not missing:
            return {column: self.ready[column] for column in columns}
        types = tuple(_DTYPES[column_width(column)] for column in columns)
        made = dict(zip(columns, BufferPool().take(len(self), types), strict=True))
        dispatch.require().decode(self.raw(), list(made.items()), 0, len(self))
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


def normalise_batch(
    cls: type[FrameBatch], normalise: Any, whole: FrameBatch, linktype: int, vlan: str, fcs: int
) -> FrameBatch:
    """A batch of payloads with their header fields as columns, from any link type."""
    links = normalise(
        whole.buffer, whole.offsets, whole.captured, whole.lengths, linktype, vlan, fcs
    )
    return cls(whole.buffer, links.payload_offsets, links.captured, links.lengths, links.fields())


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


def _packet_columns(packets: Any) -> tuple[Any, ...]:
    """buffer, offsets, captured and lengths of a packet batch."""
    names = ("buffer", "offsets", "captured", "lengths")
    for name in (*names, "linktype", "fcs"):
        if not hasattr(packets, name):
            help = "use what ztfast.open_capture gives, or FrameBatch.from_frames([bytes, …])"
            raise _bad(f"packets have no {name}: {type(packets).__name__}", help)
    return tuple(getattr(packets, name) for name in names)


def _bytes_view(buffer: npt.NDArray[Any] | Buffer) -> npt.NDArray[np.uint8]:
    """Any object with the buffer protocol as a flat uint8 array, not copied where contiguous."""
    if isinstance(buffer, np.ndarray):
        if buffer.dtype == np.uint8 and buffer.ndim == 1:
            return np.ascontiguousarray(buffer)
        if buffer.dtype.hasobject:  # its bytes are addresses
            raise _bad(f"the buffer holds {buffer.dtype}, not bytes", "hand in its bytes")
    try:
        # numpy's types have no __buffer__ before 3.12
        view = buffer.data if isinstance(buffer, np.ndarray) else memoryview(buffer)
    except (TypeError, ValueError, BufferError) as error:
        raise _bad(f"the buffer cannot be read: {error}", "use bytes or a uint8 array") from None
    if not view.c_contiguous:
        raise _bad("the buffer is not contiguous", "hand in a contiguous copy")
    if view.nbytes == 0:
        return np.zeros(0, dtype=np.uint8)
    return np.frombuffer(view, dtype=np.uint8)


def _array(values: npt.ArrayLike, name: str) -> npt.NDArray[Any]:
    """What numpy makes of a column; what it refuses is said with the column's name."""
    try:
        return np.asarray(values)
    except (TypeError, ValueError, OverflowError) as error:
        raise _bad(f"{name} is not an array of numbers: {error}", "use a numpy array") from None


def _integers(array: npt.NDArray[Any], dtype: Any, name: str) -> npt.NDArray[Any]:
    """The array contiguous, aligned and of `dtype`; numbers that do not fit are refused."""
    if array.dtype != dtype and array.size:
        if array.dtype.kind not in "iu":
            raise _bad(f"{name} must be integers, not {array.dtype}", f"use {np.dtype(dtype)}")
        limits = np.iinfo(dtype)
        if int(array.min()) < limits.min or int(array.max()) > limits.max:
            what = f"{name} has a number that does not fit {np.dtype(dtype)}"
            raise _bad(what, f"use {limits.min} to {limits.max}")
    return np.require(array, dtype, ("C", "A"))


def _column(values: npt.ArrayLike, dtype: Any, name: str) -> npt.NDArray[Any]:
    """A 1-D column of `dtype` as the compiled loops read it."""
    array = _array(values, name)
    if array.ndim != 1:
        raise _bad(f"{name} must have one dimension, not {array.ndim}", "one item a frame")
    return _integers(array, dtype, name)


_FIELD_DTYPES = {
    "ethertype": np.uint16,
    "vlan": np.uint16,
    "mac_source": np.uint64,
    "mac_dest": np.uint64,
    "unknown": np.uint32,
}


def _is_slice(part: object) -> None:
    if not isinstance(part, slice):
        raise TypeError(f"{type(part).__name__} is not a slice")


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping)


def _checked_fields(fields: Any, count: int) -> dict[str, Any]:
    names = ", ".join(_FIELD_DTYPES)
    if not _is_mapping(fields):
        raise _bad(f"fields must be a dict, not {type(fields).__name__}", f"use {names}")
    for name in (*fields, *_FIELD_DTYPES):
        if name not in _FIELD_DTYPES:
            raise _bad(f"fields has {name!r:.40}, which is not a header field", f"use {names}")
        if name not in fields:
            raise _bad(f"fields has no {name}", f"all are needed: {names}")
    checked = {name: _column(fields[name], dtype, name) for name, dtype in _FIELD_DTYPES.items()}
    for name, column in checked.items():
        _check_count(name, column, count)
    for name in ("mac_source", "mac_dest"):
        if count and int(checked[name].max()) > _MOST_MAC:
            raise _bad(f"{name} has an address of over 48 bits", "use 0 to 0xffffffffffff")
    if (checked["unknown"] & np.uint32(0xFFFFFFFF ^ _FIELD_READS)).any():
        help = "use Reads.ETHERTYPE, MAC_DEST and MAC_SOURCE"
        raise _bad("unknown has bits that are no header field's", help)
    return checked


def _check_count(name: str, column: npt.NDArray[Any], count: int) -> None:
    if len(column) != count:
        raise _bad(f"{name} has {len(column)} items for {count} frames", "one item a frame")


def _check_bounds(batch: FrameBatch) -> None:
    """Every frame's captured bytes lie inside the buffer."""
    count, size = len(batch.offsets), len(batch.buffer)
    _check_count("captured", batch.captured, count)
    _check_count("lengths", batch.lengths, count)
    # an offset behind the end is bad by itself, so the sum below cannot run over
    bad = (batch.offsets < 0) | (batch.offsets > size)
    bad |= batch.offsets + batch.captured > size
    if bad.any():
        index = int(np.argmax(bad))
        raise _bad(
            f"frame {index} lies outside the buffer: offset {int(batch.offsets[index])}, "
            f"{int(batch.captured[index])} bytes of {size}",
            "check offsets and captured lengths",
        )


def _bad(message: str, help: str) -> FrameError:
    return FrameError(Diagnostic("ZT401", message, help=help))
