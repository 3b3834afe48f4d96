"""`ztfast.read`: the frames of a capture, batch by batch, ready for `Engine.evaluate`.

Contract: as `open_captures`, which it closes when it is through; memory stays bounded, and a
batch stays valid.  `frame_batches` and `captured_frame` give frames as rules see them.
Tested by tests/pipeline/test_read.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

from ztfast.capture.many import open_captures
from ztfast.capture.open import open_capture
from ztfast.capture.packets import PacketBatch
from ztfast.errors import CaptureError, Diagnostic
from ztfast.frames.batch import FrameBatch
from ztfast.frames.frame import Frame
from ztfast.frames.links import is_known, unknown_linktype
from ztfast.pipeline.count import interface_name


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
                return _frame(batch, number - count - 1, number)
            count += len(batch)
    text = f"has {count} frames, so there is no frame {number}"
    raise CaptureError(Diagnostic("ZT415", text, path=path, help="frames count from 1"))


def _frame(batch: PacketBatch, index: int, number: int) -> Frame:
    """One frame of a batch; raises CaptureError where nobody can read its link type."""
    if not is_known(batch.linktype):
        name = interface_name(batch, int(batch.interface_ids[index]))
        plain = unknown_linktype(batch.linktype, batch.path, name)
        raise CaptureError(replace(plain, message=f"frame {number}: {plain.message}"))
    return FrameBatch.from_packets(batch).frame(index)
