"""The sums over batches: in any order, by any backend, and rules named as the source has them."""

from __future__ import annotations

import io
import json
import random

import pytest

import ztfast
from ztfast.lang import load_json
from ztfast.pipeline.tally import Count, Tally
from ztfast.report.figures import print_figures
from ztfast.sinks.files import Written

RULES = """
macro ports($a,$b)
	accept dport $a;
	accept  # which of them
		dport $b
		and not sport 7 # echo
	;
;
include ports(80,443)
include ports(53,5353)
tee 20 8e30f50a25 ethertype arp;
accept ethertype arp;
cap own
	id 9
	default
	accept ethertype 2;
;
"""


def packet(port: int, size: int = 60) -> bytes:
    head = bytes(12) + b"\x08\x00\x45" + bytes(8) + b"\x06" + bytes(10)
    return (head + bytes(2) + port.to_bytes(2, "big")).ljust(size, b"\0")


FRAMES = [
    *(packet(port, 60 + port % 50) for port in (80, 443, 443, 53, 5353, 1, 2)),
    bytes(12) + b"\x08\x06" + bytes(40),
    bytes(12) + b"\x00\x02" + bytes(46),
]


def tally(frames: list[bytes], size: int, backend: str = "auto") -> Tally:
    engine = ztfast.Engine(ztfast.compile(RULES), backend=backend)
    found = Tally()
    for low in range(0, len(frames), size):
        batch = ztfast.FrameBatch.from_frames(frames[low : low + size])
        found.add(engine.evaluate(batch), batch.lengths)
    return found


POLICY = ztfast.compile(RULES)


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_batches_in_any_order_say_the_same(backend: str) -> None:
    expected = tally(FRAMES, len(FRAMES)).to_json(POLICY)
    draw = random.Random(3)
    for size in (1, 2, 5):
        shuffled = draw.sample(FRAMES, len(FRAMES))
        assert tally(shuffled, size, backend).to_json(POLICY) == expected


def test_figures_by_verdict_rule_and_copy() -> None:
    found = tally(FRAMES, 4)
    assert found.total == Count(len(FRAMES), sum(map(len, FRAMES)))
    assert found.verdict("accept").frames == 7
    assert found.verdict("drop").frames == 2
    assert found.copies == {
        (side, "tee", 0x8E30F50A25): Count(1, 20) for side in ("sender", "receiver")
    }
    rows = [
        (row["frames"], row["verdict"], row["capability"], row["line"], row["rule"])
        for row in found.rows(POLICY)
    ]
    assert sorted(rows, key=str) == sorted(
        [
            (2, "accept", None, 4, "accept dport $b and not sport 7"),
            (1, "accept", None, 3, "accept dport $a"),
            (1, "accept", None, 3, "accept dport $a"),
            (1, "accept", None, 4, "accept dport $b and not sport 7"),
            (2, "drop", None, None, "end of the rules"),
            (1, "accept", None, 12, "accept ethertype arp"),
            (1, "accept", "own", 16, "accept ethertype 2"),
        ],
        key=str,
    )


def test_rules_from_json_are_named_by_type() -> None:
    policy = load_json(json.dumps(POLICY.to_json()), "network.json")
    rows = tally(FRAMES, 9).rows(policy)
    assert {row["rule"] for row in rows} == {"ACTION_ACCEPT", "end of the rules"}


def test_files_are_a_table_of_their_own() -> None:
    out = io.StringIO()
    print_figures(Tally(), POLICY, out, [Written("a.pcap", 1200, 99), Written("b.pcap", 3, 24)])
    assert out.getvalue().splitlines()[-3:] == [
        "file    frames  bytes",
        "a.pcap   1,200     99",
        "b.pcap       3     24",
    ]
