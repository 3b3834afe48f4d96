"""Captures judged for tests of what is made of the verdicts: packets, batch and verdicts."""

from __future__ import annotations

import io

import ztfast
from tests.capture.building import pcap
from tests.sinks.conversations import FRAMES
from ztfast.capture import open_capture
from ztfast.frames.batch import FrameBatch

RULES = """
tee 40 8e30f50a25 ipprotocol tcp and dport 80;
drop dport 9999;
watch -1 1122334455 sport 80;
redirect 0a0b0c0d0e ipsrc 10.0.0.3/32;
accept;
"""


def judged(frames=FRAMES, linktype=1, rules=RULES):
    engine = ztfast.Engine(ztfast.compile(rules), side="out")
    with open_capture(io.BytesIO(pcap(frames, linktype=linktype))) as capture:
        for packets in capture:
            batch = FrameBatch.from_packets(packets)
            yield packets, batch, engine.evaluate(batch, first=packets.first)
