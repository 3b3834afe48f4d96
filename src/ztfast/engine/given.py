"""What people hand in that is no frame and no batch: what to use instead.

Contract: looks at types and their modules only, imports no library.
Tested by tests/engine/test_given.py.
"""

from __future__ import annotations

from typing import Any

_FRAMES = "ztfast.FrameBatch.from_frames([frame, …]) makes a batch of frames' bytes"
_PAIR = 2


def bytes_hint(given: Any) -> str:
    """How to get one frame's bytes out of it."""
    if _library(given) == "scapy":
        return "bytes(packet) has them, from Ether on; or use ztfast.adapters.scapy"
    if _is_pair(given):
        return "of a pair (time, frame) hand in the frame, or use ztfast.adapters.dpkt"
    if _library(given) == "dpkt":
        return "bytes(packet) has them, from dpkt.ethernet.Ethernet on"
    if isinstance(given, str):
        return "bytes.fromhex(…) makes them of hex digits"
    return "use bytes(…)"


def batch_hint(given: Any) -> str:
    """How to get a batch of frames out of it."""
    if _library(given) == "scapy":
        return "ztfast.adapters.scapy.evaluate(engine, packets) takes packets of scapy"
    if _library(given) == "dpkt" or _is_pair(given):
        return "ztfast.adapters.dpkt.evaluate(engine, reader) takes a reader of (time, frame)"
    if _library(given) in ("pandas", "polars"):
        return "ztfast.adapters.dataframe.evaluate(engine, table) takes a DataFrame"
    if _library(given) == "pyarrow":
        return "ztfast.adapters.arrow.evaluate(engine, records) takes Arrow's records"
    if isinstance(given, str) or hasattr(given, "__fspath__"):
        return "for batch in ztfast.read(path): engine.evaluate(batch)"
    if isinstance(given, (bytes, bytearray, memoryview)):
        return f"ztfast.Filter(rules)(frame) takes one frame; {_FRAMES}"
    return _FRAMES


def _is_pair(given: Any) -> bool:
    items: Any = given
    return type(given) is tuple and len(items) == _PAIR


def _library(given: Any) -> str:
    """The library that a thing, or the first of several, is of."""
    several = type(given) in (list, tuple)
    one: Any = next(iter(given), None) if several else given
    return type(one).__module__.partition(".")[0]
