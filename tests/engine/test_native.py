"""The native evaluator: what it needs, what it may do; its verdicts are compared elsewhere.

tests/differential compares every column with the reference's.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.engine.batches import batch_context, batch_of
from tests.engine.cases import IPV4, ipv4, ports
from tests.needs import needs_loops
from ztfast.engine.engine import Engine
from ztfast.engine.native import NativeEvaluator, NativeSide
from ztfast.frames.batch import FrameBatch
from ztfast.frames.columns import Column
from ztfast.frames.frame import Frame
from ztfast.lang import compile_text, load_json
from ztfast.model.reads import Reads
from ztfast.model.view import View, make_view
from ztfast.program.encode import encode

RULES = 20_000  # two entries each: far more than a node takes, and than 16 bits hold
PORTS = [1, 2, 3, 14, 15, 16, 17, 63, 64, 255, 256, 4095, 4096, 8191, 8192, RULES, RULES + 1]
FRAMES = {port: Frame(ipv4(6, ports(9, port)), 28, IPV4) for port in PORTS}


def view(text: str, direction: str = "out") -> View:
    return make_view(compile_text(text), direction, "1.14")


def side(text: str, direction: str = "out") -> NativeSide:
    return NativeSide(encode(view(text, direction)))


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("Drop;", set()),
        ("accept ethertype arp;", {Column.ETHERTYPE}),
        ("accept vlan 5; drop macsrc 02:00:00:00:00:01;", {Column.VLAN, Column.MAC_SOURCE}),
        ("accept ztsrc 1122334455;", set()),  # no header holds it
    ],
)
def test_only_the_columns_that_rules_name_are_decoded(text: str, columns: set[int]) -> None:
    assert side(text).headers() - {Column.MISSING} == columns


def test_sides_that_judge_alike_are_known() -> None:
    plain = "accept dport 80; Drop;"
    assert side(plain).same_tables(side(plain, "in"))
    inbound = "drop chr inbound; Accept;"
    assert not side(inbound).same_tables(side(inbound, "in"))


@needs_loops
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_each_side_gets_its_verdicts(threads: int) -> None:
    views = [view("drop chr inbound and dport 80; Accept;", way) for way in ("out", "in")]
    frames = [
        Frame(data, len(data), IPV4) for data in (ipv4(6, ports(9, port)) for port in (80, 81))
    ]
    evaluator = NativeEvaluator([NativeSide(encode(one)) for one in views], (0, 0))
    where = [batch_context(one, len(frames)) for one in views]
    sent, received = evaluator.evaluate(batch_of(frames), where, threads=threads)
    assert (sent.direction, received.direction) == ("out", "in")
    assert sent.accepted.tolist() == [True, True]
    assert received.accepted.tolist() == [False, True]


@needs_loops
def test_what_one_batch_lacked_is_not_said_of_the_next() -> None:
    """Where only an integer's bytes are missing, no header's were, whatever came before."""
    rules = [
        {"type": "MATCH_IP_DEST_PORT_RANGE", "start": 23, "end": 23},
        {"type": "ACTION_DROP"},
        {"type": "INTEGER_RANGE", "start": 7, "end": 7, "idx": 60, "bits": 8},
        {"type": "ACTION_DROP"},
        {"type": "ACTION_ACCEPT"},
    ]
    frame = b"\2" * 12 + b"\x08\x00\x45" + bytes(8) + b"\x06" + bytes(76)
    engine = Engine(load_json(json.dumps({"rules": rules})), side="out", backend="native")
    cut = engine.evaluate(FrameBatch.from_frames([frame[:30]], [98]))
    assert cut.reads[0] & Reads.DEST_PORT
    found = engine.evaluate(FrameBatch.from_frames([frame, frame[:60]], [98, 98]))
    assert found.reads.tolist() == [0, int(Reads.INTEGER)]


@pytest.fixture(scope="module", params=[(), None], ids=["folded", "looked up"])
def many_entries(request: pytest.FixtureRequest) -> Engine:
    rules = [f"{'drop' if port % 2 else 'accept'} dport {port};\n" for port in range(1, RULES + 1)]
    policy = compile_text("".join(rules) + "Accept;")
    return Engine(policy, side="out", backend="native", passes=request.param)


@needs_loops
@pytest.mark.parametrize("count", [1, 63, 64, 65, 200, 1024, 1024 + 700])
def test_an_entry_of_any_size_comes_out(many_entries: Engine, count: int) -> None:
    """Verdicts are kept by their bits (`_core/numbers.pxi`), in blocks that are full or not."""
    asked = np.resize(np.array(PORTS), count)
    verdicts = many_entries.evaluate(batch_of([FRAMES[port] for port in asked.tolist()]))
    assert verdicts.accepted.tolist() == ((asked % 2 == 0) | (asked > RULES)).tolist()
    assert verdicts.entry.tolist() == np.where(asked > RULES, 2 * RULES, 2 * asked - 1).tolist()
