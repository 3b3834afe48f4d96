"""Capture bytes: read from a file and from a pipe alike, judged the same in every way.

Input: one byte of options, then the capture.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from fuzz.checks import backends, inside, refused, scratch
from ztfast.capture import open_capture
from ztfast.engine.engine import Engine
from ztfast.errors import CaptureError
from ztfast.lang import compile_text
from ztfast.pipeline.judge import judgements

# The first is counted while records are found, the second judged then, the third judged after.
_RULES = (
    "drop chr tcp_syn and not chr tcp_ack; accept ipprotocol udp and dport 53; drop;",
    "tee 40 8e30f50a25 ethertype ipv6; redirect 6b4d5e6f70 ipsrc 10.0.0.0/8; accept sport 1-1023;",
    "accept random 0.5; accept vlan 7 or framesize 100-200; drop;",
)
_ENGINES = [
    tuple(Engine(compile_text(text), backend=backend) for backend in backends()) for text in _RULES
]
_SPANS = (64, 500, 4096, 1 << 20)


def one(data: bytes) -> None:
    """Judge a capture by both evaluators, mapped and streamed."""
    options, capture = data[0] if data else 0, data[1:]
    path = scratch(capture, "capture")
    resync, vlan = bool(options & 1), "decode" if options & 2 else "tag"
    reference, native = _ENGINES[(options >> 2) % 3]
    span = _SPANS[options >> 4 & 3]
    expected = _walk(path, reference, vlan, resync=resync)
    assert _walk(path, native, vlan, resync=resync) == expected
    assert _walk(io.BytesIO(capture), native, vlan, resync=resync, span=span) == expected
    assert _counted(path, native, vlan, resync) == expected[0]


def _walk(source: Any, engine: Engine, vlan: str, **how: Any) -> tuple[int, bytes, bool]:
    """(frames, verdicts, was it damaged)."""
    frames, verdicts = 0, []
    try:
        with open_capture(source, **how) as capture:
            for judged in judgements(engine, capture, vlan=vlan):
                inside(judged.packets)
                assert judged.packets.first == frames
                frames += judged.packets.scanned
                if judged.verdicts is not None:
                    columns = judged.verdicts.accepted, judged.verdicts.line, judged.verdicts.reads
                    verdicts.append(np.stack([np.asarray(c, np.int64) for c in columns], 1))
    except CaptureError as error:
        refused(error)
        return frames, b"".join(part.tobytes() for part in verdicts), True
    return frames, b"".join(part.tobytes() for part in verdicts), False


def _counted(path: Any, engine: Engine, vlan: str, resync: bool) -> int:
    """Frames, where nothing but figures is wanted."""
    frames = 0
    try:
        with open_capture(path, resync=resync) as capture:
            for judged in judgements(engine, capture, vlan=vlan, counts=True):
                frames += judged.packets.scanned
                if judged.counted is None:
                    inside(judged.packets)
    except CaptureError as error:
        refused(error)
    return frames
