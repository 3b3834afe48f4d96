"""Arrow arrays in and out: no byte of a frame is copied, broken arrays are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import ztfast
from tests.adapters.office import engine, wanted
from ztfast.adapters import arrow as adapter
from ztfast.adapters.common import COLUMNS

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
FRAMES, LENGTHS, VERDICTS = wanted()


def kinds() -> list[Any]:
    return [pa.binary(), pa.large_binary(), pa.binary_view()]


@pytest.mark.parametrize("kind", kinds(), ids=str)
@pytest.mark.parametrize("part", [slice(None), slice(7, 100), slice(3, 3)], ids=str)
def test_every_kind_and_slice(kind: Any, part: slice) -> None:
    array = pa.array(FRAMES, type=kind)[part]
    batch = adapter.batch(array, pa.array(LENGTHS[part]))
    found = engine().evaluate(batch)
    assert found.line.tolist() == VERDICTS.line.tolist()[part]
    assert found.copy_length.tolist() == VERDICTS.copy_length.tolist()[part]


@pytest.mark.parametrize("kind", kinds()[:2], ids=str)
def test_nothing_is_copied(kind: Any) -> None:
    array = pa.array(FRAMES, type=kind)
    batch = adapter.batch(array)
    assert batch.buffer.ctypes.data == array.buffers()[2].address
    if kind == pa.large_binary():
        assert batch.offsets.ctypes.data == array.buffers()[1].address


def test_fixed_size() -> None:
    heads = [frame[:42].ljust(42, b"\0") for frame in FRAMES]
    array = pa.array(heads, type=pa.binary(42))[5:]
    batch = adapter.batch(array, np.array(LENGTHS[5:]))
    plain = ztfast.FrameBatch.from_frames(heads[5:], LENGTHS[5:])
    assert engine().evaluate(batch).line.tolist() == engine().evaluate(plain).line.tolist()
    assert batch.buffer.ctypes.data == array.buffers()[1].address


def test_record_batch_in_and_out() -> None:
    records = pa.RecordBatch.from_pydict({"frame": FRAMES, "length": LENGTHS})
    out = adapter.evaluate(engine(), records, lengths="length")
    assert tuple(out.schema.names) == COLUMNS
    for name in COLUMNS:
        assert out.column(name).to_pylist() == getattr(VERDICTS, name).tolist(), name


def test_table_of_several_chunks_draws_on() -> None:
    judge = ztfast.Engine(ztfast.compile("accept random 0.5;\ndrop;"), seed=9)
    whole = judge.evaluate(ztfast.FrameBatch.from_frames(FRAMES)).accepted.tolist()
    records = pa.RecordBatch.from_pydict({"frame": FRAMES})
    table = pa.Table.from_batches([records[:100], records[100:101], records[101:]])
    assert adapter.evaluate_table(judge, table)["accepted"].to_pylist() == whole
    assert adapter.evaluate_table(judge, table[:0]).num_rows == 0


def crooked(offsets: list[int]) -> Any:
    """A binary array whose offsets nobody checked."""
    buffers = [None, pa.py_buffer(np.array(offsets, np.int32)), pa.py_buffer(bytes(100))]
    return pa.Array.from_buffers(pa.binary(), len(offsets) - 1, buffers)


@pytest.mark.parametrize(
    "array",
    [
        crooked([0, 200, 60]),
        crooked([0, 60, 20, 100]),
        crooked([0, -5, 70]),
        pa.array([b"x", None]),
        pa.array(["text"]),
        pa.array([1]),
        pa.chunked_array([[b"x"], [b"y"]]),
        [b"x"],
    ],
    ids=["beyond", "backwards", "negative", "null", "text", "numbers", "chunks", "list"],
)
def test_what_is_no_column_of_frames_is_refused(array: Any) -> None:
    with pytest.raises(ztfast.FrameError):
        adapter.batch(array)


@pytest.mark.parametrize("lengths", [[1, 2], [None], [-1], ["a"]], ids=str)
def test_lengths_that_do_not_fit(lengths: list[Any]) -> None:
    with pytest.raises(ztfast.FrameError):
        adapter.batch(pa.array([b"x"]), pa.array(lengths))


def test_a_missing_column_is_named() -> None:
    records = pa.RecordBatch.from_pydict({"data": FRAMES})
    with pytest.raises(ztfast.FrameError, match="data"):
        adapter.evaluate(engine(), records)
