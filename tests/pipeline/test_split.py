"""Splitting a judged capture: against the verdicts, frame by frame."""

from __future__ import annotations

import os

import numpy as np
import pytest

from tests.pipeline.judging import judged
from tests.sinks.conversations import FRAMES
from ztfast.capture import open_capture
from ztfast.errors import UsageError
from ztfast.pipeline.split import Splitter, copies_by_target
from ztfast.sinks.files import Rotation, SplitSink

pytestmark = pytest.mark.filterwarnings("default::DeprecationWarning")


def frames_in(path):
    with open_capture(path) as capture:
        return [f for b in capture for f in b.frames()]


def split(folder, rows, **arguments):
    rotation = arguments.pop("rotation", None)
    with SplitSink(str(folder), rotation=rotation) as sink:
        splitter = Splitter(sink, **arguments)
        for packets, batch, verdicts in rows:
            splitter.write(packets, batch, verdicts)
    return sorted(name.split(".")[0] for name in os.listdir(folder))


def test_by_verdict(tmp_path):
    names = split(tmp_path, judged())
    assert names == [
        "accepted",
        "dropped",
        "redirect-0a0b0c0d0e",
        "redirected",
        "tee-8e30f50a25",
        "watch-1122334455",
    ]
    away = [f for f in FRAMES if f[26:30] == bytes((10, 0, 0, 3)) and f[36:38] != b"\x27\x0f"]
    drop = [f for f in FRAMES if f[36:38] == b"\x27\x0f" and f[23] == 17]
    assert frames_in(tmp_path / "redirected.pcapng") == away
    assert frames_in(tmp_path / "redirect-0a0b0c0d0e.pcapng") == away
    assert frames_in(tmp_path / "dropped.pcapng") == drop
    rest = [f for f in FRAMES if f not in away and f not in drop]
    assert frames_in(tmp_path / "accepted.pcapng") == rest
    tee = [f[:54] for f in FRAMES if f[23] == 6 and f[36:38] == b"\0\x50"]
    assert frames_in(tmp_path / "tee-8e30f50a25.pcapng") == tee
    watch = [f for f in FRAMES if f[34:36] == b"\0\x50"]
    assert frames_in(tmp_path / "watch-1122334455.pcapng") == watch


def test_headers_of_other_link_types(tmp_path):
    names = split(tmp_path, judged([f[14:] for f in FRAMES], linktype=101))
    assert "tee-8e30f50a25" in names
    tee = [f[14:54] for f in FRAMES if f[23] == 6 and f[36:38] == b"\0\x50"]
    assert frames_in(tmp_path / "tee-8e30f50a25.pcapng") == tee


def test_by_rule(tmp_path):
    names = split(tmp_path, judged(), by="rule")
    assert [n for n in names if n.startswith("rule")] == [
        "rule-line-3",
        "rule-line-5",
        "rule-line-6",
    ]
    assert len(frames_in(tmp_path / "rule-line-3.pcapng")) == 20


def test_by_member(tmp_path):
    with SplitSink(str(tmp_path)) as sink:
        splitter = Splitter(sink, "member")
        for packets, batch, verdicts in judged():
            members = np.arange(len(packets), dtype=np.uint64) % np.uint64(3)
            splitter.write(packets, batch, verdicts, members)
            if len(packets):
                with pytest.raises(UsageError, match="network"):
                    splitter.write(packets, batch, verdicts)
    assert frames_in(tmp_path / "member-unknown.pcapng") == FRAMES[::3]
    assert frames_in(tmp_path / "member-0000000002.pcapng") == FRAMES[2::3]


def test_rotated(tmp_path):
    names = split(tmp_path, judged(), rotation=Rotation(frames=7))
    tee = [n for n in names if n.startswith("tee")]
    assert len(tee) == -(-4 * 20 // 7)
    found = [f for n in tee for f in frames_in(tmp_path / f"{n}.pcapng")]
    assert found == [f[:54] for f in FRAMES if f[23] == 6 and f[36:38] == b"\0\x50"]


def test_unknown_way(tmp_path):
    with SplitSink(str(tmp_path)) as sink, pytest.raises(UsageError, match="colour"):
        Splitter(sink, "colour")


def test_copies_are_those_of_each_frame():
    seen = 0
    for packets, _, verdicts in judged():
        by_frame = {
            (copy.kind, copy.target, i, copy.length)
            for i in range(len(packets))
            for copy in verdicts.copies(i)
        }
        grouped = {
            (kind, target, i, length)
            for (kind, target), columns in copies_by_target(verdicts).items()
            for i, length in zip(*(c.tolist() for c in columns), strict=True)
        }
        assert grouped == by_frame
        seen += len(grouped)
    assert seen > 80
