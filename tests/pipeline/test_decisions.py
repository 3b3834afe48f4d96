"""What decided each frame, in words: the same as the tally's rows, and as comments."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import ztfast
from tests import pages
from ztfast.capture import open_capture
from ztfast.frames.notation import parse_frame
from ztfast.pipeline.decisions import Decision, Decisions, _unique_rows
from ztfast.pipeline.tally import Tally
from ztfast.sinks.chosen import MOST_COMMENT

OFFICE = pages.EXAMPLES / "office.ztrules"


def office() -> ztfast.Engine:
    network = ztfast.load_network(pages.EXAMPLES / "office.toml")
    return ztfast.Engine(ztfast.load(OFFICE), network=network)


def test_decisions_are_the_tallys(backend: str) -> None:
    engine = ztfast.Engine(office().policy, network=office().network, backend=backend)
    decisions, tally = Decisions(engine.policy), Tally(engine.policy)
    found: Counter[Decision] = Counter()
    with open_capture(pages.EXAMPLES / "office.pcap") as capture:
        for packets in capture:
            verdicts = engine.evaluate(packets)
            tally.add(verdicts, packets.lengths)
            known, which = decisions.of(verdicts)
            found.update(known[number] for number in which.tolist())
    expected: Counter[Decision] = Counter()
    for row in tally.rows():
        keys = ("verdict", "side", "capability", "line", "rule", "included")
        expected[Decision(*(row[key] for key in keys))] += row["frames"]
    assert found == expected
    assert Decision("accept", "receiver", None, 22, "", 64).place == "22 (64)"
    assert found.total() == 221


def of(rules: str, frame: str = "tcp 10.0.0.1 > 10.0.0.2:23") -> tuple[Decision, bytes]:
    engine = ztfast.Engine(ztfast.compile(rules), side="out")
    verdicts = engine.evaluate(ztfast.FrameBatch.from_frame(parse_frame(frame).frame))
    decisions = Decisions(engine.policy)
    return decisions.of(verdicts)[0][0], decisions.comments(verdicts)[0]


def test_in_one_line() -> None:
    decision, comment = of("drop dport 23;\naccept;\n")
    assert decision.text == "drop by sender, line 1: drop dport 23"
    assert comment == decision.text.encode()
    assert of("accept dport 22;\n")[0].text == "drop by sender: end of the rules"
    assert Decision("accept", "receiver", "admin", 3, "accept").by == "receiver, cap admin"


def test_a_comment_steers_no_terminal_and_has_an_end() -> None:
    long = "or dport 23 " * 1000
    decision, comment = of(f"drop dport 23 {long};\naccept;\n")
    assert len(decision.text) > MOST_COMMENT
    assert len(comment) <= MOST_COMMENT
    hostile = Decision("accept", "sender", "c\x1b[31m\u202e" + "ü" * MOST_COMMENT, 1, "accept")
    policy = ztfast.compile("accept;")
    decisions = Decisions(policy)
    engine = ztfast.Engine(policy, side="out")
    verdicts = engine.evaluate(ztfast.FrameBatch.from_frames([bytes(60)]))
    decisions._known[1, 0, -1, 0] = hostile
    text = decisions.comments(verdicts)[0].decode()
    assert text.startswith("accept by sender, cap c\\x1b[31m\\u202eü")
    assert text.isprintable()


@pytest.mark.parametrize("count", [0, 1, 500])
def test_rows_that_differ(count: int) -> None:
    rng = np.random.default_rng(count)
    keys = rng.integers(-3, 5, (count, 4))
    different, which = _unique_rows(keys)
    np.testing.assert_array_equal(different[which], keys)
    assert len({tuple(key) for key in different.tolist()}) == len(different)
