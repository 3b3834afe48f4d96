"""The block scan's contract, for every version of it."""

from __future__ import annotations

import struct

import pytest

from tests.capture.building import block, section
from tests.needs import needs_loops
from ztfast.capture import pcapng_scan
from ztfast.capture.pcapng_scan import BAD_LENGTH, BAD_TRAILER, OK, SECTION


@pytest.fixture(params=["plain", pytest.param("compiled", marks=needs_loops)], autouse=True)
def version(request):
    scans = {"plain": pcapng_scan.scan_plain, "compiled": pcapng_scan.scan_compiled}
    SCANS[:] = [scans[request.param]]


SCANS = [pcapng_scan.scan_plain]


def scan_blocks(data, start, end, swapped, max_blocks=65_536):
    return SCANS[0](data, start, end, swapped, max_blocks, pcapng_scan.MAX_BLOCK)


BLOCKS = [(i % 9 + 1, b"x" * (i * 13 % 300)) for i in range(100)]


@pytest.mark.parametrize("order", ["<", ">"])
def test_all(order):
    parts = [block(kind, body, order) for kind, body in BLOCKS]
    data = b"".join(parts)
    found = scan_blocks(data, 0, len(data), order == ">")
    assert (found.next, found.error) == (len(data), OK)
    assert (found.types.dtype, found.starts.dtype, found.ends.dtype) == ("u4", "i8", "i8")
    assert [data[a:b] for a, b in zip(found.starts, found.ends, strict=True)] == parts
    assert found.types.tolist() == [kind for kind, _ in BLOCKS]


@pytest.mark.parametrize("end", range(0, 1000, 11))
def test_stops_at_an_incomplete_block(end):
    data = b"".join(block(*b) for b in BLOCKS)
    found = scan_blocks(data, 0, end, False)
    assert found.error == OK
    assert found.next <= end < found.next + struct.unpack_from("<I", data, found.next + 4)[0]


def test_max_blocks():
    data = b"".join(block(*b) for b in BLOCKS)
    found = scan_blocks(data, 0, len(data), False, max_blocks=7)
    assert len(found.types) == 7
    assert len(scan_blocks(data, found.next, len(data), False).types) == 93


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (struct.pack("<III", 6, 8, 8), BAD_LENGTH),
        (struct.pack("<III", 6, 14, 14), BAD_LENGTH),
        (struct.pack("<III", 6, 1 << 25, 0), BAD_LENGTH),
        (struct.pack("<III", 6, 12, 13), BAD_TRAILER),
        (section(), SECTION),
        (section(">"), SECTION),
    ],
)
def test_errors(bad, error):
    good = block(6, b"abcd")
    data = good + bad + good
    found = scan_blocks(data, 0, len(data), False)
    assert (found.next, found.error, len(found.types)) == (len(good), error, 1)
