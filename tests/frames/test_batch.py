"""The memory border: what a batch accepts lies inside its buffer, whatever else is refused.

The compiled loops read where a batch says and look at nothing again, so each refusal here is
the only thing between a wrong number and a read outside.
"""

from __future__ import annotations

import io
import mmap
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.capture.building import pcap
from tests.needs import BACKENDS, needs_loops
from ztfast import capture
from ztfast.capture.packets import PacketBatch
from ztfast.engine.engine import Engine
from ztfast.errors import FrameError
from ztfast.frames.batch import FrameBatch
from ztfast.frames.columns import Column
from ztfast.lang import compile_text
from ztfast.model.reads import Reads
from ztfast.pipeline.tally import Tally

# To 10.0.0.2 with TCP and UDP to port 80, and ARP: the rules below tell them apart.
MACS = bytes.fromhex("020000000002020000000001")
IPV4 = bytes.fromhex("4500002800000000400600000a0000010a000002")
TCP = MACS + b"\x08\0" + IPV4 + b"\0\x50\0\x50" + b"\0" * 8 + b"\x50\x02" + b"\0" * 6
UDP = TCP[:23] + b"\x11" + TCP[24:]
ARP = MACS + b"\x08\x06" + b"\0\1\x08\0\6\4\0\1" + b"\0" * 20
FRAMES = (TCP, UDP, ARP)
BUFFER = b"".join(FRAMES)
SIZES = [len(frame) for frame in FRAMES]
OFFSETS = [0, SIZES[0], SIZES[0] + SIZES[1]]
SIZE = len(BUFFER)
RULES = compile_text("accept ipprotocol tcp; accept ethertype arp; drop;")
FIELDS = {
    "ethertype": np.array([0x0800, 0x0800, 0x0806], np.uint16),
    "vlan": np.zeros(3, np.uint16),
    "mac_source": np.array([1, 2, 3], np.uint64),
    "mac_dest": np.array([4, 5, (1 << 48) - 1], np.uint64),
    "unknown": np.array([0, 7, 0], np.uint32),
}


def accepted(batch: FrameBatch) -> list[bool]:
    """The verdicts, the same of every backend."""
    found = [Engine(RULES, backend=b).evaluate(batch).accepted.tolist() for b in BACKENDS]
    assert found[0] == found[-1]
    return list(found[0])


def refused(make: Callable[[], Any], message: str, help: str) -> None:
    """A FrameError, of that type and no other, whose text starts so and which says what to do."""
    with pytest.raises(FrameError) as raised:
        make()
    assert type(raised.value) is FrameError
    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "ZT401"
    assert re.match(message, diagnostic.message), diagnostic.message
    assert help in (diagnostic.help or ""), diagnostic.help


# --- bounds --------------------------------------------------------------------------------


def test_frames_up_to_the_last_byte_are_accepted() -> None:
    batch = FrameBatch(BUFFER, OFFSETS, SIZES)
    assert accepted(batch) == [True, False, True]
    assert [batch.frame(i).payload for i in range(3)] == [frame[14:] for frame in FRAMES]
    assert batch.lengths.tolist() == SIZES


@pytest.mark.parametrize(
    ("offset", "captured"),
    [
        (-1, 0),
        (-1, 1),
        (-SIZE, SIZE),
        (SIZE + 1, 0),
        (SIZE, 1),
        (0, SIZE + 1),
        (1, SIZE),
        (SIZE - 1, 2),
        (0, (1 << 32) - 1),
        ((1 << 31) - 1, 1),
        (1 << 31, 0),
        (1 << 32, 0),
        ((1 << 62) - 1, (1 << 32) - 1),
        (1 << 62, (1 << 32) - 1),
        ((1 << 63) - 1, 0),
        ((1 << 63) - 1, 1),  # the sum is the least int64
        ((1 << 63) - 1, (1 << 32) - 1),
        (-(1 << 63), 0),
        (-(1 << 63), (1 << 32) - 1),
        (-((1 << 32) - 1), (1 << 32) - 1),  # the sum is 0
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_frame_outside_the_buffer_is_named(place: int, offset: int, captured: int) -> None:
    offsets, sizes = np.array(OFFSETS), np.array(SIZES, np.int64)
    offsets[place], sizes[place] = offset, captured
    message = f"frame {place} lies outside the buffer: offset {offset}, {captured} bytes of {SIZE}$"
    refused(lambda: FrameBatch(BUFFER, offsets, sizes), message, "offsets and captured lengths")


@pytest.mark.parametrize(("offset", "captured"), [(0, 0), (0, SIZE), (SIZE, 0), (SIZE - 1, 1)])
def test_the_edges_of_the_buffer_are_inside(offset: int, captured: int) -> None:
    batch = FrameBatch(BUFFER, [offset], [captured], [60])
    assert len(batch.frame(0).payload) == max(0, captured - 14)
    assert len(accepted(batch)) == 1


def test_an_empty_buffer_holds_empty_frames_and_no_others() -> None:
    assert accepted(FrameBatch(b"", [0], [0], [60])) == [False]
    assert accepted(FrameBatch(b"", [], [])) == []
    refused(lambda: FrameBatch(b"", [0], [1]), "frame 0 lies outside", "check offsets")
    refused(lambda: FrameBatch(b"", [1], [0]), "frame 0 lies outside", "check offsets")


def test_frames_may_share_bytes_and_come_in_any_order() -> None:
    """Harmless: each reads its own bytes only, as often as it is told."""
    order = [2, 0, 0, 1, 2]
    batch = FrameBatch(BUFFER, [OFFSETS[i] for i in order], [SIZES[i] for i in order])
    assert accepted(batch) == [True, True, True, False, True]
    nested = FrameBatch(BUFFER, [0, 0, 0], [SIZE, SIZES[0], 14], [SIZE, SIZES[0], SIZES[0]])
    assert accepted(nested)[:2] == [True, True]


@pytest.mark.parametrize("length", [0, 13, 14, SIZES[0] - 1, SIZES[0]])
def test_a_length_below_what_was_captured_counts_as_that(length: int) -> None:
    short = FrameBatch(TCP, [0], [len(TCP)], [length])
    assert short.frame(0) == FrameBatch(TCP, [0], [len(TCP)]).frame(0)
    assert short.payload_lengths().tolist() == [len(TCP) - 14]
    assert accepted(short) == [True]


def test_the_longest_length() -> None:
    batch = FrameBatch(TCP, [0], [len(TCP)], [(1 << 32) - 1])
    assert batch.frame(0).length == (1 << 32) - 15
    assert accepted(batch) == [True]


# --- columns -------------------------------------------------------------------------------

COLUMNS = {"offsets": OFFSETS, "captured": SIZES, "lengths": SIZES}


def with_column(name: str, values: Any) -> FrameBatch:
    """The batch with another column in the place of one."""
    return FrameBatch(BUFFER, **{**COLUMNS, name: values})


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.0, 1.0, 2.0], "must be integers, not float64"),
        ([0.0, np.nan, 2.0], "must be integers, not float64"),
        ([0.0, np.inf, 2.0], "must be integers, not float64"),
        ([True, False, True], "must be integers, not bool"),
        ([0, None, 2], "must be integers, not object"),
        ([0, 1 << 70, 2], "must be integers, not object"),
        (["0", "1", "2"], "must be integers, not <U1"),
        ([b"0", b"1", b"2"], r"must be integers, not \|S1"),
        ([0j, 1j, 2j], "must be integers, not complex128"),
        (np.zeros(3, "m8[s]"), r"must be integers, not timedelta64\[s\]"),
        (np.zeros(3, "M8[s]"), r"must be integers, not datetime64\[s\]"),
        (np.zeros(3, "i8,i8"), "must be integers, not "),
        (0, "must have one dimension, not 0"),
        (None, "must have one dimension, not 0"),
        ("012", "must have one dimension, not 0"),
        ([[0, 1, 2]], "must have one dimension, not 2"),
        (np.zeros((3, 1), np.int64), "must have one dimension, not 2"),
        ([[0], [1, 2]], "is not an array of numbers: "),
    ],
    ids=lambda value: re.sub(r"\W+", "-", str(value))[:30],
)
def test_a_column_of_no_integers_is_refused(name: str, values: Any, message: str) -> None:
    if name == "lengths" and values is None:
        assert with_column(name, None).lengths.tolist() == SIZES
        return
    help = "one item a frame" if "dimension" in message else "use "
    refused(lambda: with_column(name, values), f"{name} {message}", help)


@pytest.mark.parametrize(
    ("name", "values", "dtype"),
    [
        ("offsets", np.array([0, 0, 1 << 63], np.uint64), "int64"),
        ("offsets", np.array([0, 0, (1 << 64) - 1], np.uint64), "int64"),
        ("captured", [0, 0, -1], "uint32"),
        ("captured", [0, 0, 1 << 32], "uint32"),
        ("captured", np.array([0, 0, -1], np.int8), "uint32"),
        ("captured", np.array([0, 0, 1 << 63], np.uint64), "uint32"),
        ("lengths", [0, 0, -1], "uint32"),
        ("lengths", [0, 0, 1 << 32], "uint32"),
        ("lengths", np.array([0, 0, -(1 << 63)], np.int64), "uint32"),
    ],
)
def test_a_number_that_would_lose_its_value_is_refused(name: str, values: Any, dtype: str) -> None:
    message = f"{name} has a number that does not fit {dtype}$"
    refused(lambda: with_column(name, values), message, "use ")


@pytest.mark.parametrize(("name", "count"), [(n, c) for n in COLUMNS for c in (0, 1, 2, 4)])
def test_columns_of_different_counts_are_refused(name: str, count: int) -> None:
    told = "captured" if name == "offsets" else name
    frames, items = (count, 3) if name == "offsets" else (3, count)
    message = f"{told} has {items} items for {frames} frames$"
    refused(lambda: with_column(name, [0] * count), message, "one item a frame")


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("dtype", ["i1", "u1", "<i2", ">i2", "<u4", ">u4", ">i8", "<i8", ">u8"])
def test_integers_of_every_type_that_fit_are_the_same_batch(name: str, dtype: str) -> None:
    values = np.array(COLUMNS[name]).astype(dtype)
    assert values.tolist() == COLUMNS[name]
    batch = with_column(name, values)
    assert getattr(batch, name).dtype == (np.int64 if name == "offsets" else np.uint32)
    assert accepted(batch) == [True, False, True]


def strided(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    wide = np.full(2 * len(values), 77, values.dtype)
    wide[::2] = values
    return wide[::2]


def backwards(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return values[::-1].copy()[::-1]


def unaligned(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.frombuffer(b"\0" + values.tobytes(), values.dtype, offset=1)


def read_only(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    values = values.copy()
    values.flags.writeable = False
    return values


@pytest.mark.parametrize("change", [strided, backwards, unaligned, read_only])
@pytest.mark.parametrize("fields", [None, FIELDS], ids=["ethernet", "payloads"])
def test_views_of_any_kind_are_judged_as_plain_arrays(
    change: Callable[[Any], Any], fields: dict[str, Any] | None
) -> None:
    columns = [np.array(OFFSETS), np.array(SIZES, np.uint32), np.array(SIZES, np.uint32)]
    changed = None if fields is None else {name: change(c) for name, c in fields.items()}
    batch = FrameBatch(BUFFER, *map(change, columns), changed)
    plain = FrameBatch(BUFFER, *columns, fields)
    for got, wanted in zip(batch.raw(), plain.raw(), strict=True):
        if wanted is not None:
            assert got.tolist() == wanted.tolist()
            assert got.flags.c_contiguous
            assert got.flags.aligned
    assert accepted(batch) == accepted(plain)


# --- buffers -------------------------------------------------------------------------------


def mapped() -> mmap.mmap:
    memory = mmap.mmap(-1, SIZE)
    memory[:] = BUFFER
    return memory


@pytest.mark.parametrize(
    "buffer",
    [
        BUFFER,
        bytearray(BUFFER),
        memoryview(BUFFER),
        memoryview(b"x" + BUFFER)[1:],
        memoryview(BUFFER).cast("b"),
        memoryview(BUFFER).cast("H"),
        mapped(),
        read_only(np.frombuffer(BUFFER, np.uint8)),
        strided(np.frombuffer(BUFFER, np.uint8)),
        np.frombuffer(BUFFER, np.int8),
        np.frombuffer(BUFFER, np.uint16),
        np.frombuffer(BUFFER, ">u2"),
        np.frombuffer(BUFFER, np.uint8).reshape(2, -1),
    ],
    ids=lambda buffer: f"{type(buffer).__name__}-{getattr(buffer, 'dtype', '')}",
)
def test_buffers_of_any_item_are_read_by_bytes(buffer: Any) -> None:
    batch = FrameBatch(buffer, OFFSETS, SIZES)
    assert batch.buffer.tobytes() == BUFFER
    assert accepted(batch) == [True, False, True]
    refused(lambda: FrameBatch(buffer, [0], [SIZE + 1]), "frame 0 lies outside", "offsets")


def closed() -> mmap.mmap:
    memory = mapped()
    memory.close()
    return memory


def released() -> memoryview:
    view = memoryview(BUFFER)
    view.release()
    return view


@pytest.mark.parametrize(
    ("buffer", "message"),
    [
        (BUFFER.decode("latin-1"), "the buffer cannot be read: .*'str'"),
        ([1, 2], "the buffer cannot be read: .*'list'"),
        (5, "the buffer cannot be read: .*'int'"),
        (None, "the buffer cannot be read: .*'NoneType'"),
        (closed(), "the buffer cannot be read: .*closed"),
        (released(), "the buffer cannot be read: .*released"),
        (np.zeros(9, "M8[s]"), "the buffer cannot be read: "),
        (np.array([BUFFER], object), "the buffer holds object, not bytes"),
        (memoryview(BUFFER)[::2], "the buffer is not contiguous"),
        (np.zeros((4, 4), np.uint8)[:, :2], "the buffer is not contiguous"),
        (np.zeros((4, 4), np.uint8).T[1:], "the buffer is not contiguous"),
        (np.zeros(8, np.uint16)[::2], "the buffer is not contiguous"),
    ],
    ids=range(12),
)
def test_what_is_no_buffer_of_bytes_is_refused(buffer: Any, message: str) -> None:
    help = {"can": "use bytes", "hol": "its bytes", "is ": "contiguous copy"}
    refused(lambda: FrameBatch(buffer, [0], [0]), message, help[message[11:14]])


# --- header fields ------------------------------------------------------------------------


def with_fields(**changes: Any) -> FrameBatch:
    return FrameBatch(BUFFER, OFFSETS, SIZES, None, {**FIELDS, **changes})


def test_fields_are_taken_as_they_are() -> None:
    batch = with_fields()
    found = batch.frame(2)
    assert (found.ethertype, found.mac_source, found.mac_dest) == (0x0806, 3, (1 << 48) - 1)
    assert batch.frame(1).unknown == Reads.ETHERTYPE | Reads.MAC_SOURCE | Reads.MAC_DEST


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.5, 1, 2], "must be integers, not float64"),
        ([True] * 3, "must be integers, not bool"),
        ([-1, 0, 0], "has a number that does not fit uint"),
        ([1 << 64, 0, 0], "must be integers, not object"),
        (5, "must have one dimension, not 0"),
        ([[0]] * 3, "must have one dimension, not 2"),
        ([0] * 2, "has 2 items for 3 frames"),
        ([0] * 4, "has 4 items for 3 frames"),
        ([], "has 0 items for 3 frames"),
    ],
    ids=range(9),
)
def test_a_wrong_field_is_named(name: str, values: Any, message: str) -> None:
    help = "one item a frame" if "items" in message or "dimension" in message else "use "
    refused(lambda: with_fields(**{name: values}), f"{name} {message}", help)


@pytest.mark.parametrize(
    ("changes", "message", "help"),
    [
        ({"ethertype": [0, 0, 1 << 16]}, "ethertype has a number that does not", "0 to 65535"),
        ({"vlan": [0, 0, 1 << 16]}, "vlan has a number that does not fit uint16", "0 to 65535"),
        ({"unknown": [0, 0, 1 << 32]}, "unknown has a number that does not fit", "use 0 to"),
        ({"mac_source": [0, 0, 1 << 48]}, "mac_source has an address of over 48 bits", "use 0"),
        ({"mac_dest": [1 << 62, 0, 0]}, "mac_dest has an address of over 48 bits", "use 0"),
        ({"unknown": [0, 8, 0]}, "unknown has bits that are no header field's", "Reads.ETHER"),
        ({"unknown": [0, 1 << 16, 0]}, "unknown has bits that are no header", "Reads.ETHER"),
        ({"unknown": [1 << 31, 0, 0]}, "unknown has bits that are no header", "Reads.ETHER"),
        ({"ethertpye": [0] * 3}, ".*'ethertpye', which is not a header field", "ethertype"),
        ({5: [0] * 3}, "fields has 5, which is not a header field", "use ethertype, vlan"),
    ],
    ids=range(10),
)
def test_a_field_beyond_its_range_is_named(changes: Any, message: str, help: str) -> None:
    fields = {**FIELDS, **changes}
    refused(lambda: FrameBatch(BUFFER, OFFSETS, SIZES, None, fields), message, help)


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_that_is_not_there_is_named(name: str) -> None:
    fields = {other: column for other, column in FIELDS.items() if other != name}
    message = f"fields has no {name}$"
    refused(lambda: FrameBatch(BUFFER, OFFSETS, SIZES, None, fields), message, "all are needed")


@pytest.mark.parametrize("fields", [5, "vlan", [FIELDS["vlan"]] * 5, tuple(FIELDS.values())])
def test_fields_that_are_no_dict_are_refused(fields: Any) -> None:
    message = f"fields must be a dict, not {type(fields).__name__}"
    refused(lambda: FrameBatch(BUFFER, OFFSETS, SIZES, None, fields), message, "use ethertype")


# --- parts ---------------------------------------------------------------------------------


@pytest.fixture(params=[None, FIELDS], ids=["ethernet", "payloads"])
def batch(request: pytest.FixtureRequest) -> FrameBatch:
    return FrameBatch(BUFFER, OFFSETS, SIZES, None, request.param)


@pytest.mark.parametrize(
    ("index", "numbers"),
    [
        ([2, 0, 0], [2, 0, 0]),
        ([-1], [2]),
        ((0, 1), [0, 1]),
        ([], []),
        (np.array([1], np.uint8), [1]),
        (np.array([True, False, True]), [0, 2]),
        ([False] * 3, []),
    ],
    ids=str,
)
def test_frames_are_taken_by_number_or_mask(
    batch: FrameBatch, index: Any, numbers: list[int]
) -> None:
    taken = batch.take(index)
    found = [taken.frame(i) for i in range(len(taken))]
    assert found == [batch.frame(i) for i in numbers]


@pytest.mark.parametrize(
    ("index", "message", "help"),
    [
        ([3], "index: .*3 is out of bounds", "numbers of the 3 frames"),
        ([-4], "index: .*-4 is out of bounds", "numbers of the 3 frames"),
        ([1 << 62], "index: .* is out of bounds", "numbers of the 3 frames"),
        ([0.0], "index: arrays used as indices", "as many booleans"),
        (["a"], "index: ", "as many booleans"),
        ([None], "index: ", "as many booleans"),
        ([True] * 2, "index: boolean index did not match", "as many booleans"),
        ([True] * 4, "index: boolean index did not match", "as many booleans"),
        (1, "index must have one dimension, not 0", "one number a frame"),
        ([[0, 1]], "index must have one dimension, not 2", "one number a frame"),
        ([[0], [1, 2]], "index is not an array of numbers", "numpy array"),
    ],
    ids=range(11),
)
def test_a_wrong_index_is_refused(batch: FrameBatch, index: Any, message: str, help: str) -> None:
    refused(lambda: batch.take(index), message, help)


@pytest.mark.parametrize(
    "part",
    [slice(None), slice(1, 2), slice(-2, None), slice(None, None, 2), slice(None, None, -1),
     slice(3, 9), slice(2, 1), slice(-(1 << 70), 1 << 70)],
    ids=str,
)  # fmt: skip
def test_slices_are_as_those_of_a_list(batch: FrameBatch, part: slice) -> None:
    found = batch[part]
    whole = [batch.frame(i) for i in range(3)]
    assert [found.frame(i) for i in range(len(found))] == whole[part]
    assert all(column.flags.c_contiguous for column in found.raw() if column is not None)
    assert accepted(found) == accepted(batch)[part]


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (0, "a part of a batch: int is not a slice"),
        (9, "a part of a batch: int is not a slice"),
        ([0, 1], "a part of a batch: list is not a slice"),
        ("a", "a part of a batch: str is not a slice"),
        (slice("a"), "a part of a batch: slice indices must be integers"),
        (slice(0.5, 2), "a part of a batch: slice indices must be integers"),
        (slice(0, 2, 0), "a part of a batch: slice step cannot be zero"),
    ],
    ids=str,
)
def test_a_wrong_part_is_refused(batch: FrameBatch, part: Any, message: str) -> None:
    refused(lambda: batch[part], message, "batch.take(index)")


# --- other ways in -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "frames",
    [FRAMES, [bytearray(frame) for frame in FRAMES], [memoryview(frame) for frame in FRAMES],
     [np.frombuffer(frame, np.uint8) for frame in FRAMES]],
    ids=["bytes", "bytearray", "memoryview", "ndarray"],
)  # fmt: skip
def test_frames_as_bytes_of_any_kind(frames: Any) -> None:
    batch = FrameBatch.from_frames(frames)
    assert (batch.offsets.tolist(), batch.captured.tolist()) == (OFFSETS, SIZES)
    assert accepted(batch) == [True, False, True]


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (TCP, "frames must be a sequence of bytes: "),
        (5, "frames must be a sequence of bytes: "),
        (None, "frames must be a sequence of bytes: "),
        (iter(FRAMES), "frames must be a sequence of bytes: "),
        ([TCP, "text"], "frames must be a sequence of bytes: .*str"),
        ([TCP, None], "frames must be a sequence of bytes: .*NoneType"),
        ([TCP, [1, 2]], "frames must be a sequence of bytes: .*list"),
        ([memoryview(TCP)[::2]], "frames must be a sequence of bytes: "),
        ([released()], "frames must be a sequence of bytes: .*released"),
        ([memoryview(TCP)[:52].cast("I")], "frames has one whose items are not bytes"),
        ([TCP, np.zeros(9, np.uint16)], "frames has one whose items are not bytes"),
    ],
    ids=range(11),
)
def test_frames_that_are_no_bytes_are_refused(frames: Any, message: str) -> None:
    refused(lambda: FrameBatch.from_frames(frames), message, "use ")


def test_lengths_of_frames_are_checked() -> None:
    message = "lengths has 2 items for 3 frames"
    refused(lambda: FrameBatch.from_frames(FRAMES, [60, 60]), message, "one item a frame")
    message = "lengths has a number that does not fit uint32"
    refused(lambda: FrameBatch.from_frames(FRAMES, [60, 60, -1]), message, "use 0 to")


HEADERS = np.zeros((3, 54), np.uint8)
for _row, _frame in zip(HEADERS, FRAMES, strict=True):
    _row[: len(_frame)] = np.frombuffer(_frame[:54], np.uint8)


@pytest.mark.parametrize(
    "headers",
    [HEADERS, HEADERS.astype(np.int64), HEADERS.tolist(), np.asfortranarray(HEADERS),
     np.repeat(HEADERS, 2, axis=1)[:, ::2], np.repeat(HEADERS, 2, axis=0)[::2]],
    ids=["uint8", "int64", "list", "fortran", "strided columns", "strided rows"],
)  # fmt: skip
def test_headers_as_rows(headers: Any) -> None:
    batch = FrameBatch.from_array(headers, SIZES)
    assert batch.captured.tolist() == [54, 54, min(54, SIZES[2])]
    assert accepted(batch) == [True, False, True]


def test_headers_without_rows_or_width() -> None:
    assert accepted(FrameBatch.from_array(np.zeros((0, 54), np.uint8), [])) == []
    assert accepted(FrameBatch.from_array(np.zeros((2, 0), np.uint8), [60, 60])) == [False] * 2


@pytest.mark.parametrize(
    ("headers", "lengths", "message"),
    [
        (HEADERS[0], [60] * 3, "headers must be a 2-D array, not 1-D"),
        (5, [60] * 3, "headers must be a 2-D array, not 0-D"),
        (HEADERS[None], [60] * 3, "headers must be a 2-D array, not 3-D"),
        ([[1], [2, 3]], [60] * 2, "headers is not an array of numbers"),
        (HEADERS.astype(float), [60] * 3, "headers must be integers, not float64"),
        (HEADERS.astype(bool), [60] * 3, "headers must be integers, not bool"),
        (HEADERS.astype(np.int64) - 1, [60] * 3, "headers has a number that does not fit uint8"),
        ([[256]], [60], "headers has a number that does not fit uint8"),
        (HEADERS, [60] * 2, "lengths has 2 items for 3 frames"),
        (HEADERS, [60], "lengths has 1 items for 3 frames"),
        (HEADERS, [], "lengths has 0 items for 3 frames"),
        (HEADERS, None, "lengths must have one dimension, not 0"),
        (HEADERS, [60, 60, -1], "lengths has a number that does not fit uint32"),
        (HEADERS, [60.0] * 3, "lengths must be integers, not float64"),
    ],
    ids=range(14),
)
def test_wrong_rows_are_refused(headers: Any, lengths: Any, message: str) -> None:
    refused(lambda: FrameBatch.from_array(headers, lengths), message, "")


# --- packets -------------------------------------------------------------------------------


def packets(**changes: Any) -> SimpleNamespace:
    columns = {
        "buffer": BUFFER,
        "offsets": np.array(OFFSETS),
        "captured": np.array(SIZES, np.uint32),
        "lengths": np.array(SIZES, np.uint32),
        "linktype": 1,
        "fcs": 0,
    }
    return SimpleNamespace(**{**columns, **changes})


@pytest.mark.parametrize("vlan", ["tag", "decode"])
@pytest.mark.parametrize("fcs", [0, 4])
def test_columns_of_anybody_are_checked(vlan: str, fcs: int) -> None:
    assert accepted(FrameBatch.from_packets(packets(fcs=fcs), vlan)) == [True, False, True]
    for offset in (-1, SIZE, 1 << 40, (1 << 63) - 1):
        wrong = packets(offsets=np.array([0, offset, 0]), fcs=fcs)
        message = f"frame 1 lies outside the buffer: offset {offset}, "
        refused(lambda w=wrong: FrameBatch.from_packets(w, vlan), message, "check offsets")
    short = packets(captured=np.array(SIZES[:2], np.uint32), fcs=fcs)
    message = "captured has 2 items for 3 frames"
    refused(lambda: FrameBatch.from_packets(short, vlan), message, "one item a frame")


@pytest.mark.parametrize("name", vars(packets()))
def test_packets_without_a_column_are_refused(name: str) -> None:
    given = packets()
    delattr(given, name)
    message = f"packets have no {name}: SimpleNamespace"
    refused(lambda: FrameBatch.from_packets(given), message, "ztfast.open_capture")


def test_an_unknown_way_with_tags_is_refused() -> None:
    refused(lambda: FrameBatch.from_packets(packets(), "Decode"), "vlan is 'Decode'", "'tag'")


def test_what_a_reader_vouches_for_is_not_checked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(batch: FrameBatch) -> None:
        raise AssertionError("checked again")

    monkeypatch.setattr("ztfast.frames.batch._check_bounds", asked)
    with capture.open_capture(io.BytesIO(pcap(list(FRAMES)))) as opened:
        batches = [FrameBatch.from_packets(batch) for batch in opened if len(batch)]
    assert [batch.offsets.tolist()[0] for batch in batches] == [24 + 16]


def test_a_reader_vouches_for_its_batch_and_for_no_other(tmp_path: Any) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap(list(FRAMES)))
    with capture.open_capture(path) as opened:
        (found,) = [batch for batch in opened if len(batch)]
        assert found.checked
        assert accepted(FrameBatch.from_packets(found)) == [True, False, True]
        part = found.part(1, 3)
        assert not part.checked
        assert accepted(FrameBatch.from_packets(part)) == [False, True]
        changed = PacketBatch(
            found.buffer, found.offsets + (1 << 40), found.captured, found.lengths, 1, found.layout
        )
        refused(lambda: FrameBatch.from_packets(changed), "frame 0 lies outside", "offsets")
        with pytest.raises(FrameError, match="frame 0 lies outside"):
            Engine(RULES).evaluate(changed)


# --- what else goes to the loops -----------------------------------------------------------


@needs_loops
def test_columns_of_headers() -> None:
    batch = FrameBatch(BUFFER, OFFSETS, SIZES)
    found = batch.decoded([Column.PROTOCOL, Column.ETHERTYPE, Column.LENGTH])
    assert found[Column.PROTOCOL].tolist() == [6, 17, 0]
    assert found[Column.ETHERTYPE].tolist() == [0x0800, 0x0800, 0x0806]
    assert found[Column.LENGTH].tolist() == [size - 14 for size in SIZES]


@pytest.mark.parametrize("column", [-1, 40, 41, 1 << 20, 1 << 40, "a", None], ids=str)
def test_what_is_no_column_of_headers_is_refused(column: Any) -> None:
    batch = FrameBatch(BUFFER, OFFSETS, SIZES)
    for columns in ([column], [Column.KIND, column]):
        message = f".*{re.escape(repr(column)[:20])}.* is not a column of a frame's headers"
        refused(lambda c=columns: batch.decoded(c), message, "Column")


@pytest.mark.parametrize("count", [0, 2, 4])
def test_a_tally_takes_one_length_a_frame(count: int) -> None:
    verdicts = Engine(RULES).evaluate(FrameBatch(BUFFER, OFFSETS, SIZES))
    with pytest.raises(ValueError, match=f"lengths has {count} items for 3 verdicts"):
        Tally(RULES).add(verdicts, np.zeros(count, np.uint32))
