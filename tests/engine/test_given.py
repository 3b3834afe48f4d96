"""What is no frame and no batch is refused with what to use instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import ztfast
from ztfast.errors import FrameError, UsageError

FRAME = bytes(12) + b"\x08\x06" + bytes(28)
ENGINE = ztfast.Engine(ztfast.compile("accept ethertype arp;\ndrop;\n"), backend="reference")
PASSES = ztfast.Filter("accept ethertype arp;\ndrop;\n", backend="reference")


def like(library: str) -> Any:
    """An object of a class of that library, as far as its module goes."""
    return type("Packet", (), {"__module__": f"{library}.layers.l2"})()


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        (FRAME, r"Filter\(rules\)\(frame\)"),
        (memoryview(FRAME), "from_frames"),
        ([FRAME], "from_frames"),
        ((1.0, FRAME), "adapters.dpkt"),
        (like("scapy"), "adapters.scapy"),
        ([like("scapy")], "adapters.scapy"),
        (like("pandas"), "adapters.dataframe"),
        (like("pyarrow"), "adapters.arrow"),
        ("day.pcap", r"ztfast\.read"),
        (Path("day.pcap"), r"ztfast\.read"),
    ],
    ids=str,
)
def test_the_engine_says_what_to_use(given: Any, hint: str) -> None:
    with pytest.raises(UsageError, match=hint):
        ENGINE.evaluate(given)


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ((1.0, FRAME), "hand in the frame"),
        (like("scapy"), r"bytes\(packet\)"),
        (like("dpkt"), r"bytes\(packet\)"),
        (FRAME.hex(), "fromhex"),
        (7, r"bytes\("),
    ],
    ids=str,
)
def test_a_filter_says_what_to_use(given: Any, hint: str) -> None:
    with pytest.raises(FrameError, match=hint):
        PASSES(given)


def test_any_buffer_is_a_frame() -> None:
    for frame in (FRAME, bytearray(FRAME), memoryview(FRAME), memoryview(FRAME)[:]):
        assert PASSES(frame)
