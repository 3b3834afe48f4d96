"""Copying stretches: the joined runs, the gathered bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.needs import needs_loops
from ztfast import dispatch
from ztfast.sinks.copy_ranges import _collected, gather, interleave, pieces, runs

DATA = bytes(range(256)) * 400
SPANS_OUTSIDE = [
    *((-1, 5), (5, 3), (0, len(DATA) + 1), (2**62, 2**62 + 1)),
    (2**63 - 1, -(2**63)),  # whose difference wraps round to 1
]


def plain_gather(buffer, starts, ends, at, out):
    """The contract of the compiled `copy_ranges`: fill `out`, stop before it is full."""
    used = 0
    while at < len(starts) and used + ends[at] - starts[at] <= len(out):
        piece = buffer[starts[at] : ends[at]]
        out[used : used + len(piece)] = np.frombuffer(piece, np.uint8)
        used += len(piece)
        at += 1
    return at, used


@needs_loops
@given(
    st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 90)), max_size=40),
    st.integers(0, 2000),
)
def test_compiled_copy_ranges_is_the_plain_one(raw, room):
    starts, ends = columns([(a, min(len(DATA), a + n)) for a, n in raw])
    outs = np.zeros(room, np.uint8), np.zeros(room, np.uint8)
    arguments = DATA, np.ascontiguousarray(starts), np.ascontiguousarray(ends)
    assert dispatch.core.copy_ranges(*arguments, 0, outs[0]) == plain_gather(*arguments, 0, outs[1])
    assert outs[0].tobytes() == outs[1].tobytes()


@needs_loops
@pytest.mark.parametrize("span", SPANS_OUTSIDE)
def test_compiled_copy_ranges_reads_nothing_outside(span):
    starts, ends = map(np.ascontiguousarray, columns([span]))
    assert dispatch.core.copy_ranges(DATA, starts, ends, 0, np.zeros(1 << 20, np.uint8))[0] == -1


@pytest.mark.skipif(dispatch.core is None, reason="the extension is not built")
@pytest.mark.parametrize("at", [-1, -(2**63)])
def test_compiled_copy_ranges_starts_at_a_stretch(at):
    starts, ends = map(np.ascontiguousarray, columns([(0, 5), (7, 9)]))
    with pytest.raises(ValueError, match=f"there is no stretch {at}"):
        dispatch.core.copy_ranges(DATA, starts, ends, at, np.zeros(1 << 20, np.uint8))
    assert dispatch.core.copy_ranges(DATA, starts, ends, 9, np.zeros(9, np.uint8)) == (9, 0)


def columns(spans):
    array = np.array(spans, np.int64).reshape(-1, 2)
    return array[:, 0], array[:, 1]


@pytest.mark.parametrize(
    ("spans", "joined"),
    [
        ([], []),
        ([(3, 5)], [(3, 5)]),
        ([(3, 5), (5, 9)], [(3, 9)]),
        ([(3, 5), (6, 9), (9, 9), (9, 12)], [(3, 5), (6, 12)]),
        ([(6, 9), (3, 6)], [(6, 9), (3, 6)]),
    ],
)
def test_runs(spans, joined):
    starts, ends = runs(*columns(spans))
    assert list(zip(starts.tolist(), ends.tolist(), strict=True)) == joined


@given(st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 9000)), max_size=40))
def test_all_ways_give_the_same_bytes(raw):
    spans = [(a, min(len(DATA), a + n)) for a, n in raw]
    starts, ends = columns(spans)
    expected = b"".join(DATA[a:b] for a, b in spans)
    assert gather(DATA, starts, ends) == expected
    groups = pieces(np.frombuffer(DATA, np.uint8), starts, ends)
    assert b"".join(bytes(view) for group in groups for view in group) == expected
    collected = _collected(plain_gather, DATA, starts, ends)
    assert b"".join(bytes(view) for group in collected for view in group) == expected
    heads = bytes(i % 251 for i in range(len(spans) * 4))
    woven = b"".join(heads[4 * i : 4 * i + 4] + DATA[a:b] for i, (a, b) in enumerate(spans))
    assert interleave(heads, 4, DATA, starts, ends) == woven
