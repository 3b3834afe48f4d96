"""Captures in and out: packet batches, readers, writers.

Contract: `open_capture` gives a `Capture`, an iterable of `PacketBatch`; `open_captures` makes
several files one.  Optional
libraries (zstandard, lz4, isal, pyarrow) are imported where they are used.
Tested by tests/capture.
"""

from ztfast.capture.many import Captures, open_captures
from ztfast.capture.open import Capture, open_capture
from ztfast.capture.packets import Interface, PacketBatch

__all__ = [
    "Capture",
    "Captures",
    "Interface",
    "PacketBatch",
    "open_capture",
    "open_captures",
]
