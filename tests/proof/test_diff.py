"""Differences: classes in words, proofs, limits; random policies."""

from __future__ import annotations

import random

import pytest

import ztfast
from tests import seeds
from tests.needs import needs
from tests.proof.changing import changed, network_assignment, outcomes, random_policy
from tests.proof.drawing import random_frame
from ztfast.errors import UsageError
from ztfast.model.policy import Policy, Rule
from ztfast.proof.diff import Difference, PolicyPair, _Classes, compare
from ztfast.proof.formula import Samples
from ztfast.proof.symbolic_policy import network_constraints
from ztfast.proof.verdict_classes import copy_lengths, event_formulas, verdict_text

pytestmark = needs("z3")

SEED = seeds.seed(29)
ROUNDS = seeds.rounds(40)
FRAMES = seeds.frames(40)
TAIL = "Drop\n"
OLD = "accept ipprotocol tcp and dport 80;\naccept ipprotocol udp;\n"
NEW = OLD + "accept ipprotocol tcp and dport 22 and ipdest 10.1.1.0/24;\n"


def difference(old: str, new: str, **options: object) -> Difference:
    return compare(ztfast.compile(old), ztfast.compile(new), **options)  # type: ignore[arg-type]


def words(found: Difference) -> list[str]:
    assert found.complete
    return [f"{c.words}: {c.old}, now {c.new}" for c in found.changes]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            OLD + TAIL,
            NEW + TAIL,
            [
                "TCP to port 22 from any to 10.1.1.0/24: dropped by `drop` in line 3,"
                " now accepted by `accept` in line 3"
            ],
        ),
        (OLD + TAIL, OLD + OLD + TAIL, []),
        ("accept dport 1-9;\n" + TAIL, "accept dport 1-5;\naccept dport 6-9;\n" + TAIL, []),
        (
            "accept ipdest 10.0.0.0/8;\n" + TAIL,
            "accept ipdest 10.0.0.0/9;\naccept ipdest 10.128.0.0/9;\n" + TAIL,
            [],
        ),
        (
            "accept;\n",
            "drop ethertype arp;\naccept;\n",
            ["ARP: accepted by `accept` in line 1, now dropped by `drop` in line 1"],
        ),
        ("accept;\n", "tee 64 1122334455;\naccept;\n", None),
        ("tee 0 1122334455;\naccept;\n", "tee -1 1122334455;\naccept;\n", []),
        ("cap c id 1 accept;\nbreak;\n", "cap c id 1 default accept;\nbreak;\n", None),
        ("accept random 0.5;\n" + TAIL, "accept random 0.5;\n" + TAIL, []),
    ],
)
def test_classes_in_words(old: str, new: str, expected: list[str] | None) -> None:
    found = words(difference(old, new))
    assert found == expected if expected is not None else found


def test_copies_of_other_lengths() -> None:
    found = difference("tee 64 1122334455;\naccept;\n", "tee 100 1122334455;\naccept;\n")
    assert found.complete
    assert found.changes
    for change in found.changes:
        assert change.frame.length > 64
        assert "tee of 64 bytes" in str(change.old)
    small = "framesize 0-64"
    same = [f"drop not {small};\ntee {n} 1122334455;\naccept;\n" for n in (64, 100)]
    assert words(difference(*same)) == []


def test_engines_and_sides() -> None:
    text = "tag r id 1;\ndrop not tseq r 1;\naccept;\n"
    found = words(difference(text, text, engines=("1.12", "1.14")))
    assert found == [
        "every frame where the sender has no tag r: dropped by `drop` in line 2,"
        " now accepted by `accept` in line 3"
    ]
    inbound = "drop chr inbound;\naccept;\n"
    assert words(difference(inbound, "accept;\n", side="out")) == []
    assert words(difference(inbound, "accept;\n", side="in"))
    with pytest.raises(UsageError):
        difference(text, text, side="up")


def test_the_limit_of_classes_and_of_time_is_said() -> None:
    many = "".join(f"accept dport {port};\n" for port in range(10, 50, 4))
    found = difference(TAIL, many + TAIL, max_classes=3)
    assert len(found.changes) == 3
    assert not found.complete
    assert difference(OLD + TAIL, NEW + TAIL, max_classes=1).complete
    stopped = difference(TAIL, many + TAIL, time_limit=0.0)
    assert not stopped.complete
    assert "0 seconds" in stopped.incomplete


def test_a_full_policy_is_compared() -> None:
    """1,021 entries against a shuffled copy, and one with an entry more; no time is asserted."""
    rng = random.Random(SEED)
    lines = [
        f"accept ipprotocol tcp and ipdest 10.{rng.randrange(4)}.{rng.randrange(256)}.0/24"
        f" and dport {rng.randrange(1000, 65536)};\n"
        for _ in range(255)
    ]
    old = "".join(lines) + TAIL
    added = [*lines[:99], "accept ipprotocol tcp and dport 22 and ipdest 10.1.1.0/24;\n"]
    more = words(difference(old, "".join(added + lines[99:]) + TAIL, time_limit=None))
    assert len(more) == 1
    assert more[0].startswith("TCP to port 22 from any to 10.1.1.0/24: dropped")
    rng.shuffle(lines)
    assert words(difference(old, "".join(lines) + TAIL, time_limit=None)) == []


# --- random policies


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_no_frame_contradicts_a_comparison(round_: int) -> None:
    """Frames outside the classes are judged alike; the events are what the frames get."""
    rng = random.Random(SEED * 6007 + round_)
    old = random_policy(rng)
    new = changed(rng, old)
    engines = rng.choice([("1.14", "1.14"), ("1.12", "1.14")])
    policies = PolicyPair(old, new, engines, "both", 20)
    found = _Classes(policies).find(200)
    formulas, fields, pair = policies.formulas, policies.frame, [policies.old, policies.new]
    lengths = copy_lengths([trace for symbolic in pair for trace in symbolic.traces.values()])
    given = [event_formulas(formulas, symbolic.traces, lengths) for symbolic in pair]
    background = [*network_constraints(formulas, ("out", "in")), *fields.structure()]
    for _ in range(FRAMES):
        frame = random_frame(rng)
        first, second = (
            network_assignment(rng, symbolic, frame, list(formulas.widths)) for symbolic in pair
        )
        assignment = second | first
        sample = Samples(formulas, [assignment])
        assert all(sample.inside(literal) for literal in background), (SEED, round_)
        before, after = (verdict_text(outcomes(symbolic, assignment, frame)) for symbolic in pair)
        differs = any(
            sample.inside(given[0].get(event, -1)) != sample.inside(given[1].get(event, -1))
            for event in {**given[0], **given[1]}
        )
        assert differs == (before != after), (SEED, round_, before, after)
        if found.complete and not found.changes:
            assert before == after, (SEED, round_)
        within = [change for change in found.changes if sample.inside(*change.literals)]
        for change in within:
            claimed = (change.old.verdict.action, change.new.verdict.action)
            assert (before.action, after.action) == claimed
        if found.complete and before != after:
            assert within, (SEED, round_, "a difference that no class has")
    for change in found.changes:
        assert change.old.verdict != change.new.verdict


def test_bytes_of_extension_headers_are_left_undecided() -> None:
    """What no witness can be built for is neither claimed nor denied."""
    integer = {
        "type": "INTEGER_RANGE",
        "start": 60,
        "end": 60,
        "idx": 40,
        "bits": 8,
        "little": True,
    }
    ipv6 = {"type": "MATCH_ETHERTYPE", "etherType": 0x86DD}
    tcp = {"type": "MATCH_IP_PROTOCOL", "ipProtocol": 6, "not": True}
    size = {"type": "MATCH_FRAME_SIZE_RANGE", "start": 48, "end": 48}
    udp = {"type": "MATCH_IP_PROTOCOL", "ipProtocol": 17, "not": True}
    accept, drop = {"type": "ACTION_ACCEPT"}, {"type": "ACTION_DROP"}
    long = {"type": "MATCH_IP_DEST_PORT_RANGE", "start": 0, "end": 65535, "not": True}
    new = [ipv6, size, integer, tcp, udp, long, accept, drop]
    found = compare(
        Policy((Rule(drop),)), Policy(tuple(Rule(rule) for rule in new)), time_limit=None
    )
    assert all("accepted" in str(change.new) for change in found.changes)
    assert found.complete or "extension headers" in found.incomplete
