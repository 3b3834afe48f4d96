"""Assignments to frames and back: what the solver may choose, a frame has."""

from __future__ import annotations

import random

import pytest

from tests import seeds
from tests.engine.cases import IPV4, ipv4, ports
from tests.needs import needs
from tests.proof.drawing import add_integers, random_view
from ztfast.engine.reference import evaluate
from ztfast.frames.frame import Frame
from ztfast.proof.formula import Formulas, Samples
from ztfast.proof.frame_model import WIDTHS, FrameFormulas
from ztfast.proof.match_formulas import SideFields
from ztfast.proof.solver import Deadline, Prover
from ztfast.proof.symbolic import trace_side
from ztfast.proof.witness import SideNames, context_of, contradiction, fields_of, frame_of, replay

SEED = seeds.seed(23)


def test_a_usual_frame() -> None:
    assignment = {
        "ethertype": IPV4,
        "length": 28,
        "position": 20,
        "protocol": 17,
        "sport": 5,
        "dport": 6,
        "source4": 0x0A000001,
        "dest4": 0x0A000002,
    }
    frame = frame_of(assignment)
    expected = bytearray(ipv4(17, ports(5, 6)))
    expected[2:4], expected[10:12], expected[24:26] = b"\0\x1c", b"\x66\xcf", b"\0\x08"
    assert frame.payload == bytes(expected)
    assert {**fields_of(frame), **assignment} == fields_of(frame)


@needs("z3")
@pytest.mark.parametrize("round_", range(seeds.rounds(40)))
def test_random_wishes_come_true(round_: int) -> None:
    """Fields drawn at random, as far as the structure allows them, are those of the frame."""
    rng = random.Random(SEED * 733 + round_)
    formulas = Formulas()
    fields = FrameFormulas(formulas)
    prover = Prover(formulas, Deadline(30))
    for literal in fields.structure():
        prover.require(literal)
    preferences = [
        fields.test("ethertype", rng.choice([0x0800, 0x0800, 0x86DD, 0x86DD, 0x0806, 0x1234])),
        fields.test("length", rng.choice([0, 19, 20, 22, 33, 40, 47, 60, 64, 300, 2100])),
        fields.test("protocol", rng.choice([1, 6, 17, 58, 44, 132, 136])),
        fields.test("position", rng.choice([0, 4, 8, 12, 16, 20, 24, 40, 48, 2088])),
        *(fields.test(name, rng.getrandbits(width)) for name, width in WIDTHS.items()),
    ]
    assignment = prover.find_preferred([], preferences)
    assert assignment is not None
    frame = frame_of(assignment)
    again = fields_of(frame, bool(assignment["owns_ip"]), bool(assignment["owns_mac"]))
    samples = Samples(formulas, [assignment, again])
    for literal in (
        fields.ipv4,
        fields.ipv6,
        fields.ipv6_valid,
        fields.has_ports,
        fields.has_icmp,
        fields.ipauth,
        *(fields.port(name, 0, 300) for name in ("sport", "dport")),
        *(fields.tcp_bits(1 << bit) for bit in range(12)),
        *(formulas.both(fields.ipv4, fields.test("tos", n)) for n in (0, assignment["tos"])),
    ):
        assert samples.inside(literal) in (0, 3), (SEED, round_, literal)


@needs("z3")
@pytest.mark.parametrize("round_", range(seeds.rounds(60)))
def test_each_outcome_of_random_rules_has_a_witness_that_both_confirm(round_: int) -> None:
    rng = random.Random(SEED * 1511 + round_)
    view = random_view(rng)
    formulas = Formulas()
    fields = FrameFormulas(formulas)
    found = trace_side(view, SideFields(formulas, fields, view.direction))
    prover = Prover(formulas, Deadline(60))
    for literal in fields.structure():
        prover.require(literal)
    checked = 0
    for number, rules in enumerate(found.rule_sets):
        for index, ends in rules.ends:
            wanted = (ends,) if number == 0 else (ends, found.accepted, rules.accepts)
            # An IPv6 header chain and an INTEGER_RANGE may want the same byte: not a witness.
            assignment = prover.find(*wanted, fields.plain, sample=False)
            if assignment is None:
                continue
            frame = frame_of(assignment)
            context = context_of(assignment, view, frame, SideNames(view.direction))
            outcome = replay(view, frame, context)
            assert outcome == evaluate(view, frame, context)
            if number == 0 and outcome.capability is None:
                assert outcome.entry == index, (SEED, round_, index)
            elif number:
                assert (outcome.capability, outcome.entry) == (number - 1, index), (SEED, round_)
            checked += 1
    assert checked or not found.base.ends


def test_integers_are_where_they_are_read() -> None:
    assignment = {"ethertype": 0x1234, "length": 30, "byte.12": 0xAB, "byte.13": 0xCD}
    frame = frame_of(assignment)
    add_integers(assignment, frame, ["integer.6.16.big", "integer.12.16.little"])
    assert assignment["integer.6.16.big"] == 0xABCD
    assert assignment["integer.12.16.little"] == 0xCDAB


def test_a_contradiction_names_the_frame() -> None:
    error = contradiction("no", Frame(b"\x01", 1, 0x0800))
    assert error.diagnostics[0].code == "ZT291"
    assert "payload 01" in str(error)
