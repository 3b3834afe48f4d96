"""`ztfast.read`: the frames of a capture, batch by batch, ready for `Engine.evaluate`.

Contract: as `open_captures`, which it closes when it is through; memory stays bounded, and a
batch stays valid.  `frame_batches` and `captured_frame` give frames as rules see them.
Tested by tests/pipeline/test_read.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from ztfast.capture.many import open_captures
from ztfast.capture.open import open_capture
from ztfast.capture.packets import PacketBatch
from ztfast.errors import CaptureError, Diagnostic
from ztfast.frames.batch import FrameBatch
from ztfast.frames.frame import Frame


def read(*paths: str | os.PathLike[str], resync: bool = False) -> Iterator[PacketBatch]:
    """Batches of up to 65,536 frames of captures: files, folders, or `-` for standard input.

    `for batch in ztfast.read("day.pcap"): print(engine.evaluate(batch).accepted.sum())`.
    resync: go on behind damage.  Raises CaptureError where one is damaged, after every frame
    before the damage; UsageError where none is named.
    """
    with open_captures(paths, resync=resync) as captures:
        for batch in captures:
            if len(batch):
                yield batch


def frame_batches(path: str) -> Iterator[FrameBatch]:
    """The frames of one capture, as rules see them; raises CaptureError."""
    with open_capture(path) as packets:
        for batch in packets:
            yield FrameBatch.from_packets(batch)


def captured_frame(path: str, number: int) -> Frame:
    """Frame `number` (from 1) of a capture; raises CaptureError, also where it has fewer."""
    count = 0
    with open_capture(path, limit=number) as packets:
        for batch in packets:
            if count + len(batch) >= number:
                return FrameBatch.from_packets(batch).frame(number - count - 1)
            count += len(batch)
    text = f"has {count} frames, so there is no frame {number}"
    raise CaptureError(Diagnostic("ZT415", text, path=path, help="frames count from 1"))
