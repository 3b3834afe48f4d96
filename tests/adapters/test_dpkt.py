"""dpkt's reader loop, against the project's own reader; what is kept is written by dpkt."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest

import ztfast
from tests.adapters.office import CAPTURE, engine, wanted
from ztfast.adapters import dpkt as adapter

dpkt = pytest.importorskip("dpkt", reason="dpkt is not installed")


@pytest.fixture
def reader() -> Iterator[Any]:
    with open(CAPTURE, "rb") as file:
        yield dpkt.pcap.Reader(file)


@pytest.mark.parametrize("size", [1, 50, 4096])
def test_groups_have_the_captures_verdicts(reader: Any, size: int) -> None:
    frames, _, _ = wanted()
    whole = engine().evaluate(ztfast.FrameBatch.from_frames(frames))  # dpkt tells no lengths
    groups = list(adapter.evaluate(engine(), reader, size=size))
    assert [frame for group in groups for frame in group.frames] == frames
    assert max(len(group.frames) for group in groups) == min(size, 221)
    found = [line for group in groups for line in group.verdicts.line.tolist()]
    assert found == whole.line.tolist()


def test_random_draws_go_on_from_group_to_group(reader: Any) -> None:
    frames, _, _ = wanted()
    judge = ztfast.Engine(ztfast.compile("accept random 0.5;\ndrop;"), seed=3)
    whole = judge.evaluate(ztfast.FrameBatch.from_frames(frames)).accepted.tolist()
    groups = adapter.evaluate(judge, reader, size=10)
    assert [bit for group in groups for bit in group.verdicts.accepted.tolist()] == whole


def test_accepted_frames_are_written(reader: Any) -> None:
    out = io.BytesIO()
    writer = dpkt.pcap.Writer(out)
    kept = list(adapter.accepted(engine(), reader))
    for time, frame in kept:
        writer.writepkt(frame, time)
    again = list(dpkt.pcap.Reader(io.BytesIO(out.getvalue())))
    assert [frame for _, frame in again] == [frame for _, frame in kept]
    assert 0 < len(kept) < 221


def test_an_unknown_link_type_is_refused() -> None:
    class Odd(list[Any]):
        def datalink(self) -> int:
            return 65000

    with pytest.raises(ztfast.CaptureError):
        list(adapter.evaluate(engine(), Odd([(0.0, b"frame")])))
