"""The example's frames and verdicts, as every adapter must find them."""

from __future__ import annotations

import ztfast
from tests.pages import EXAMPLES

CAPTURE = EXAMPLES / "office.pcap"


def engine() -> ztfast.Engine:
    return ztfast.Engine(ztfast.load_network(EXAMPLES / "office.toml"))


def wanted() -> tuple[list[bytes], list[int], ztfast.Verdicts]:
    """Captured bytes, original lengths and verdicts by the project's own reader."""
    with ztfast.open_capture(CAPTURE) as capture:
        (packets,) = (packets for packets in capture if len(packets))
        batch = ztfast.FrameBatch.from_packets(packets)
    ends = packets.offsets + packets.captured
    frames = [bytes(packets.buffer[a:b]) for a, b in zip(packets.offsets, ends, strict=True)]
    assert len(frames) == 221
    return frames, packets.lengths.tolist(), engine().evaluate(batch)
