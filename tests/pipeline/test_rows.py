"""Rows of a table of frames: the same from the compiled decoder and from plain Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import ztfast
from tests import pages
from tests.capture.building import DATA
from tests.needs import needs_loops
from ztfast import dispatch
from ztfast.capture import open_capture
from ztfast.errors import CaptureError
from ztfast.frames.batch import FrameBatch
from ztfast.frames.links import is_known
from ztfast.pipeline.rows import ROWS, batch_rows, frame_rows

LARGEST = 30_000


def batches() -> list[Any]:
    """Batches of many captures' frames, those before damage too."""
    found = []
    paths = [*sorted(DATA.rglob("*.pcap*")), pages.EXAMPLES / "office.pcap"]
    for path in paths:
        if path.stat().st_size > LARGEST:
            continue
        try:
            with open_capture(path) as capture:
                for batch in capture:
                    if len(batch) and is_known(batch.linktype):
                        found.append(batch)
        except CaptureError:
            pass
    return found


@needs_loops
def test_plain_equals_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = ztfast.Engine(ztfast.compile("accept;"))
    seen = 0
    for packets in batches():
        frames = FrameBatch.from_packets(packets)
        verdicts = engine.evaluate(frames)
        compiled = frame_rows(packets, frames, verdicts)
        with monkeypatch.context() as patched:
            patched.setattr(dispatch, "core", None)
            plain = frame_rows(packets, frames, verdicts)
        for name, values in compiled.items():
            np.testing.assert_array_equal(plain[name], values, f"{name} of {packets.path}")
        seen += len(packets)
    assert seen > 2000


def test_rows_in_parts_are_the_whole() -> None:
    (packets,) = [one for one in batches() if one.path.endswith("office.pcap")]
    frames = FrameBatch.from_packets(packets)
    verdicts = ztfast.Engine(ztfast.compile("drop ethertype arp;\naccept;")).evaluate(frames)
    whole = frame_rows(packets, frames, verdicts)
    parts = [frame_rows(packets, frames, verdicts, slice(at, at + 50)) for at in range(0, 221, 50)]
    for name, values in whole.items():
        np.testing.assert_array_equal(np.concatenate([part[name] for part in parts]), values)
    assert len(list(batch_rows(packets, frames, verdicts))) == -(-len(packets) // ROWS)
