"""LZ4's legacy format: blocks behind a magic number, ended by the end of the input alone."""

from __future__ import annotations

import io
import random

from tests.capture.building import frame, pcap
from tests.needs import needs
from ztfast.capture import open_capture
from ztfast.errors import CaptureError

pytestmark = needs("lz4")
FRAMES = [frame(number, 1400) for number in range(50)] + [bytes(1400)] * 50
DATA = pcap(FRAMES)
MAGIC = b"\x02\x21\x4c\x18"


def legacy(*blocks: bytes) -> bytes:
    import lz4.block

    packed = [lz4.block.compress(block, store_size=False) for block in blocks]
    return MAGIC + b"".join(len(one).to_bytes(4, "little") + one for one in packed)


def read(data: bytes) -> tuple[list[bytes], str]:
    """Frames, and what ended the reading early."""
    frames: list[bytes] = []
    try:
        with open_capture(io.BytesIO(data)) as capture:
            assert capture.compression == "lz4-legacy"
            for batch in capture:
                frames += batch.frames()
    except CaptureError as error:
        return frames, str(error)
    return frames, ""


def test_blocks_and_frames_one_behind_the_other() -> None:
    third = len(DATA) // 3
    assert read(legacy(DATA)) == (FRAMES, "")
    assert read(legacy(DATA[:third], DATA[third:])) == (FRAMES, "")
    assert read(legacy(DATA[:third]) + legacy(DATA[third:])) == (FRAMES, "")
    assert read(legacy(DATA[:8_000_000])) == (FRAMES, "")


def test_cut_short_and_damaged_keep_what_was_before() -> None:
    half = 24 + 16 + 1400
    whole = legacy(DATA[:half], DATA[half:])
    first = len(legacy(DATA[:half]))
    for end in (first + 2, first + 100, len(whole) - 1):
        frames, problem = read(whole[:end])
        assert frames == FRAMES[:1]
        assert "cut short" in problem
    for rest in (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\5\0\0\0\xff\xff\xff\xff\xff"):
        frames, problem = read(whole[:first] + rest)
        assert frames == FRAMES[:1]
        assert "damaged" in problem


def test_hostile_bytes_are_errors() -> None:
    draw = random.Random(7)
    whole = bytearray(legacy(DATA))
    for _ in range(200):
        bad = bytearray(whole)
        for _ in range(3):
            bad[draw.randrange(4, len(bad))] = draw.randrange(256)
        read(bytes(bad))


def test_a_block_that_says_more_than_it_may_hold() -> None:
    """9 MiB of zeros in one block are refused, not unpacked."""
    frames, problem = read(legacy(DATA[:24], bytes(9 << 20)))
    assert frames == []
    assert "damaged" in problem
