"""Judging while hopping, counting while hopping, and judging batch by batch: the same figures."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from ztfast import native
from ztfast.capture import open_capture
from ztfast.cli.judging import COUNTED, CountingHop, JudgingHop, judgements
from ztfast.engine.engine import Engine
from ztfast.lang import compile_text
from ztfast.model.policy import Policy
from ztfast.report.tally import Tally

pytestmark = pytest.mark.skipif(native.core is None, reason="the extension is not built")
SEED = 5
RULES = {
    "ports": "accept dport 80 or dport 443 and ipprotocol tcp;\ndrop framesize 0-80;",
    "flags": "drop chr tcp_syn and not chr tcp_ack;\naccept chr multicast or ethertype arp;",
    "copies": "tee 64 8e30f50a25 ipprotocol tcp;\nwatch -1 1122334455 dport 53;\naccept vlan 0;",
    "nothing": "",
}


def record(seconds: int, frame: bytes, length: int | None = None) -> bytes:
    size = len(frame)
    return struct.pack("<IIII", seconds, 0, size, size if length is None else length) + frame


def random_frame(rng: random.Random, most: int) -> bytes:
    head = b"\x02" + rng.randbytes(11) + rng.choice([b"\x08\x00"] * 4 + [b"\x86\xdd", b"\x08\x06"])
    body = bytes([rng.choice([0x45, 0x45, 0x46, 0x60])]) + rng.randbytes(5)
    body += bytes([rng.choice([6, 17, 0, 58])]) + rng.randbytes(2) + bytes([rng.choice([6, 17, 1])])
    body += rng.randbytes(12) + struct.pack(">HH", rng.choice([80, 5000]), rng.choice([80, 53, 22]))
    frame = head + body + rng.randbytes(rng.randrange(most))
    return frame[: rng.randrange(len(frame))] if rng.random() < 0.05 else frame


def capture_of(rng: random.Random, frames: int, most: int) -> bytes:
    """A capture with records inside its payloads that look real, and some cut frames."""
    records = []
    for number in range(frames):
        frame = random_frame(rng, most)
        if rng.random() < 0.1:  # what a guess in the middle of the file may fall for
            frame += b"".join(record(1_700_000_000, bytes(20)) for _ in range(6))
        cut = len(frame) + rng.randrange(1, 900) if rng.random() < 0.1 else None
        records.append(record(1_700_000_000 + number // 1000, frame, cut))
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
    return header + b"".join(records)


def figures(path: Path, policy: Policy, how: str) -> tuple[dict[str, object], set[object]]:
    engine, tally = Engine(policy), Tally()
    seen = set()
    with open_capture(path) as capture:
        for item in judgements(
            capture,
            engine,
            tally=tally if how == "counted" else None,
            threads=2 if how == "batches" else 1,
        ):
            seen.add(
                item.packets.judged
                if item.packets.judged == COUNTED
                else item.packets.judged is not None
            )
            if item.verdicts is not None:
                tally.add(item.verdicts, item.packets.lengths)
    return tally.to_json(policy), seen


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize(("frames", "most"), [(3, 60), (9000, 40), (6000, 700)])
def test_the_three_ways_give_the_same_figures(
    rules: str, frames: int, most: int, tmp_path: Path
) -> None:
    rng = random.Random(f"{SEED} {frames} {most}")
    path = tmp_path / "capture.pcap"
    path.write_bytes(capture_of(rng, frames, most))
    policy = compile_text(RULES[rules])
    plain, unjudged = figures(path, policy, "batches")
    hopped, judged = figures(path, policy, "hopping")
    counted, _ = figures(path, policy, "counted")
    assert plain == hopped == counted
    assert plain["frames"] == frames
    assert True not in unjudged
    assert True in judged


def test_whole_frames_are_only_counted(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    frames = [b"\2" * 12 + b"\x08\x00\x45" + rng.randbytes(60) for _ in range(4000)]
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
    path = tmp_path / "capture.pcap"
    path.write_bytes(header + b"".join(record(1, frame) for frame in frames))
    policy = compile_text(RULES["ports"])
    counted, seen = figures(path, policy, "counted")
    assert COUNTED in seen
    assert counted == figures(path, policy, "batches")[0]


def test_rules_that_copy_are_judged_not_counted() -> None:
    assert not JudgingHop(Engine(compile_text(RULES["copies"]))).can_count
    engine = Engine(compile_text(RULES["ports"]))
    assert JudgingHop(engine).can_count
    assert isinstance(CountingHop(engine, Tally()), JudgingHop)
