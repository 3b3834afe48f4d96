"""The sums over batches: in any order, by any backend, and rules named as the source has them."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

import ztfast
from tests.engine.recipients_cases import cases
from ztfast import dispatch
from ztfast.engine.network_verdicts import Unasked
from ztfast.frames.batch import FrameBatch
from ztfast.lang import load_json
from ztfast.model.addresses import mac_of
from ztfast.network.members import Member, Network, make_network
from ztfast.pipeline.tally import Count, Decider, Tally

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


POLICY = ztfast.compile(RULES)


def packet(port: int, size: int = 60) -> bytes:
    head = bytes(12) + b"\x08\x00\x45" + bytes(8) + b"\x06" + bytes(10)
    return (head + bytes(2) + port.to_bytes(2, "big")).ljust(size, b"\0")


FRAMES = [
    *(packet(port, 60 + port % 50) for port in (80, 443, 443, 53, 5353, 1, 2)),
    bytes(12) + b"\x08\x06" + bytes(40),
    bytes(12) + b"\x00\x02" + bytes(46),
]


def tally(
    frames: list[bytes], size: int, backend: str = "auto", policy: ztfast.Policy | None = None
) -> Tally:
    engine = ztfast.Engine(policy or POLICY, backend=backend)
    found = Tally(engine.policy)
    for low in range(0, len(frames), size):
        batch = ztfast.FrameBatch.from_frames(frames[low : low + size])
        found.add(engine.evaluate(batch), batch.lengths)
    return found


def test_batches_in_any_order_say_the_same(backend: str) -> None:
    expected = tally(FRAMES, len(FRAMES)).to_json()
    draw = random.Random(3)
    for size in (1, 2, 5):
        shuffled = draw.sample(FRAMES, len(FRAMES))
        assert tally(shuffled, size, backend).to_json() == expected


def test_figures_by_verdict_rule_and_copy() -> None:
    found = tally(FRAMES, 4)
    assert found.total == Count(len(FRAMES), sum(map(len, FRAMES)))
    assert found.verdict("accept").frames == 7
    assert found.verdict("drop").frames == 2
    assert found.copies == {
        (side, "tee", 0x8E30F50A25): Count(1, 20) for side in ("sender", "receiver")
    }
    names = ("frames", "verdict", "capability", "line", "included", "rule")
    rows = [tuple(row[name] for name in names) for row in found.rows()]
    assert sorted(rows, key=str) == sorted(
        [
            (2, "accept", None, 4, 9, "accept dport 443 and not sport 7"),
            (1, "accept", None, 3, 9, "accept dport 80"),
            (1, "accept", None, 3, 10, "accept dport 53"),
            (1, "accept", None, 4, 10, "accept dport 5353 and not sport 7"),
            (2, "drop", None, None, None, "end of the rules"),
            (1, "accept", None, 12, None, "accept ethertype arp"),
            (1, "accept", "own", 16, None, "accept ethertype 2"),
        ],
        key=str,
    )


def test_rows_of_equal_frames_stand_in_one_order() -> None:
    """What no entry decided is told apart by its words alone: whoever was counted first."""
    unasked = [Decider("drop", "sender", -1, -1 - why) for why in Unasked]
    orders = []
    for deciders in (unasked, unasked[::-1]):
        found = Tally(POLICY)
        found.deciders.update((decider, Count(1, 60)) for decider in deciders)
        orders.append([row["rule"] for row in found.rows()])
    assert orders[0] == orders[1]
    assert len(set(orders[0])) == len(Unasked)


def test_rules_from_json_are_named_by_number_and_type() -> None:
    policy = load_json(json.dumps(POLICY.to_json()), "network.json")
    rows = tally(FRAMES, 9, policy=policy).rows()
    base = [row for row in rows if row["capability"] is None]
    found = [row["rule"] for row in base if row["rule"] != "end of the rules"]
    assert len(set(found)) == len(found) > 2
    known = [rule.json for rule in policy.rules]
    for text in found:
        number = int(text.removeprefix("entry ").removesuffix(": ACTION_ACCEPT"))
        assert known[number]["type"] == "ACTION_ACCEPT"


@pytest.mark.parametrize(
    ("limit", "side", "said"),
    [(32, "receiver", "reaches nobody"), (0, "sender", "the network lets no such frames out")],
)
def test_what_no_rule_decided_says_why(limit: int, side: str, said: str, backend: str) -> None:
    """A multicast of the only member, and one in a network without multicasts."""
    made = make_network([Member(0x1111111111, name="anna")], id=0x8056C2E21C000001)
    network = Network(made.id, made.members, multicast_limit=limit)
    source = mac_of(0x1111111111, 0x8056C2E21C000001).to_bytes(6, "big")
    frames = [b"\xff" * 6 + source + bytes([8, kind]) + bytes(40) for kind in (0, 6)]
    policy = ztfast.compile("accept ethertype arp;\n")
    engine = ztfast.Engine(policy, network=network, backend=backend)
    found = Tally(policy)
    found.add(engine.evaluate(FrameBatch.from_frames(frames)), np.full(2, 54, np.uint32))
    rows = {(row["side"], row["rule"]): row["frames"] for row in found.rows()}
    unheard = {("sender", "end of the rules"): 1} if limit else {}
    assert rows == {(side, said): 1 if limit else 2, **unheard}
    again = Tally.from_json(json.loads(json.dumps(found.to_json())), policy)
    assert again.to_json() == found.to_json()
    assert again.deciders == found.deciders


def of_parts(cut: int) -> tuple[Tally, Tally]:
    return tally(FRAMES[:cut], 3), tally(FRAMES[cut:], 2)


@pytest.mark.parametrize("cut", range(len(FRAMES) + 1))
def test_parts_merge_to_the_whole_and_go_through_json(cut: int) -> None:
    expected = tally(FRAMES, 4).to_json()
    one, other = of_parts(cut)
    one.merge(other)
    assert one.to_json() == expected
    text = json.dumps(of_parts(cut)[0].to_json())
    again = Tally.from_json(json.loads(text), ztfast.compile(RULES))
    again.merge(of_parts(cut)[1])
    assert again.to_json() == expected


def test_what_was_not_known_merges_too() -> None:
    policy = ztfast.compile("drop not chr ipauth;\naccept dport 80;\naccept;\n")
    engine = ztfast.Engine(policy)
    batch = ztfast.FrameBatch.from_frames([FRAMES[0], FRAMES[0][:30]], lengths=[60, 60])
    parts = [Tally(policy), Tally(policy)]
    for part in parts:
        part.add(engine.evaluate(batch), batch.lengths)
    parts[0].merge(parts[1])
    assert parts[0].uncertain == 2
    assert parts[0].assumed["ownership"] == 4
    assert parts[0].missing
    read = Tally.from_json(parts[0].to_json(), policy)
    assert read.to_json() == parts[0].to_json()


def test_figures_of_other_rules_are_refused() -> None:
    other = ztfast.compile("accept;\n")
    with pytest.raises(ztfast.UsageError, match="other rules"):
        Tally(POLICY).merge(Tally(other))
    with pytest.raises(ztfast.UsageError, match="other rules"):
        Tally.from_json(Tally(POLICY).to_json(), other)


def test_the_digest_is_of_meaning_not_of_layout() -> None:
    again = ztfast.compile(RULES.replace("\t", "  ").replace("# echo", "# something else"))
    assert again.digest == POLICY.digest
    assert ztfast.compile(RULES.replace("5353", "5354")).digest != POLICY.digest
    assert len(POLICY.digest) == 64


def spoiled() -> list[object]:
    whole = tally(FRAMES, 4).to_json()
    row = whole["rules"][0]

    def with_row(**changes: object) -> dict[str, object]:
        return {**whole, "rules": [{**row, **changes}]}

    return [
        None,
        [],
        {},
        {**whole, "rules": 3},
        {**whole, "copies": [{}]},
        {**whole, "uncertain": -1},
        {**whole, "assumed": {}},
        {**whole, "missing": {"ports": "many"}},
        with_row(frames=1.5),
        with_row(bytes=True),
        with_row(capability="nobody's"),
        with_row(entry=999),
        with_row(verdict="perhaps"),
        with_row(side="both"),
    ]


@pytest.mark.parametrize("document", spoiled(), ids=repr)
def test_what_is_no_tally_is_refused(document: object) -> None:
    with pytest.raises(ztfast.UsageError):
        Tally.from_json(document, POLICY)


@pytest.mark.skipif(dispatch.core is None, reason="the extension is not built")
@pytest.mark.parametrize(
    "sizes", [(3, 2, 3, 9, 9), (3, 3, 2, 9, 9), (3, 4, 4, 9, 9), (3, 3, 3, 9, 8)]
)
def test_the_compiled_tally_refuses_columns_of_several_lengths(sizes: tuple[int, ...]) -> None:
    types = (np.int32, np.uint8, np.uint32, np.uint64, np.uint64)
    columns = [np.zeros(size, kind) for size, kind in zip(sizes, types, strict=True)]
    with pytest.raises(ValueError, match="must be as many"):
        dispatch.require().tally(*columns)
    assert not columns[3].any()


# --- frames that no rule was asked about, redirects, both sides: as columns count them ---------


@pytest.mark.skipif(dispatch.core is None, reason="the extension is not built")
@pytest.mark.parametrize("seed", range(60))
def test_the_loops_own_results_say_what_columns_say(seed: int) -> None:
    for policy, net, batch, options in cases([3000 + 2 * seed, 3001 + 2 * seed]):
        found = []
        for backend in ("native", "reference"):
            engine = ztfast.Engine(policy, network=net, backend=backend, **options)
            counted = Tally(policy)
            counted.add(engine.evaluate(batch), batch.lengths)
            found.append(counted.to_json())
        assert found[0] == found[1]


@pytest.mark.skipif(dispatch.core is None, reason="the extension is not built")
@pytest.mark.parametrize("short", range(5))
def test_the_compiled_tally_of_sides_refuses_columns_of_several_lengths(short: int) -> None:
    types = (np.int32, np.uint8, np.int32, np.uint8, np.uint32)
    columns = [np.zeros(3 - (n == short), kind) for n, kind in enumerate(types)]
    totals = [np.zeros((2, 9), np.uint64) for _ in range(2)]
    with pytest.raises(ValueError, match="must be as many"):
        dispatch.require().tally_sides(*columns, *totals)
    assert not totals[0].any()
