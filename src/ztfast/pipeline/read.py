"""`ztfast.read`: the frames of a capture, batch by batch, ready for `Engine.evaluate`.

Contract: as `open_captures`, which it closes when it is through; memory stays bounded, and a
batch stays valid.  Tested by tests/pipeline/test_read.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from ztfast.capture.many import open_captures
from ztfast.capture.packets import PacketBatch


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
