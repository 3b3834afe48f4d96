"""Tables that somebody made: good ones run, bad ones are refused before they do."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from tests.needs import needs_loops
from tests.program.building import program_of
from ztfast.engine.native import NativeEvaluator
from ztfast.engine.native_tables import NativeSide
from ztfast.errors import TableError
from ztfast.frames.batch import FrameBatch
from ztfast.network.member_table import member_table
from ztfast.network.resolve import Endpoints, member_index, resolve
from ztfast.program.program import Program
from ztfast.program.verify import verify

RULES = """
tag role id 5 default 1;
drop not ethertype ipv4 and not ethertype arp;
tee 64 8e30f50a25 chr tcp_syn or random 0.5;
drop treq role 7 and dport 22-23;
cap web id 9 default accept dport 80 or ipdest 10.1.0.0/16; ;
break chr ipauth;
accept;
"""
SEED = 20261122


@pytest.fixture(params=["out", "in"])
def program(request: pytest.FixtureRequest) -> Program:
    return program_of(RULES, request.param)


def test_what_the_encoder_makes_verifies(program: Program) -> None:
    assert verify(program) is program
    side = NativeSide(program)
    verify(side.fast)
    verify(side.exact)


@pytest.mark.parametrize(
    ("field", "row", "value", "message"),
    [
        ("op", 0, 99, "unknown operation"),
        ("flags", 0, 7, "unknown flags"),
        ("column", 1, 23, "no column 23"),
        ("column", 1, 900, "no column 900"),
        ("entry", 1, 5000, "entry 5000"),
        ("jump", 1, 0, "forward"),
        ("jump", 1, 10_000, "forward"),
        ("column", 0, 0, "8 bits"),
    ],
)
def test_what_is_wrong_is_named(field: str, row: int, value: int, message: str) -> None:
    program = program_of(RULES)
    table = program.table.copy()
    table[field][row] = value
    with pytest.raises(TableError, match=message):
        verify(replace(program, table=table))


def test_a_table_without_its_end_is_refused() -> None:
    program = program_of(RULES)
    for table in (program.table[:-1].copy(), program.table[:0].copy()):
        with pytest.raises(TableError):
            verify(replace(program, table=table))


def frames(rng: random.Random) -> FrameBatch:
    data = [rng.randbytes(rng.randrange(90)) for _ in range(40)]
    data += [b"\2" * 12 + b"\x08\x00\x45" + rng.randbytes(60) for _ in range(40)]
    return FrameBatch.from_frames(data)


@needs_loops
def test_a_corrupted_table_is_refused_or_runs_safely() -> None:
    """Random bytes over a table: whatever verifies is run, and must come to an end."""
    rng = random.Random(SEED)
    ran = 0
    for _ in range(3000):
        program = program_of(RULES, rng.choice(["out", "in"]))
        raw = bytearray(program.table.tobytes())
        for _ in range(rng.choice([1, 1, 2, 8])):
            raw[rng.randrange(len(raw))] = rng.choice([0, 1, 255, rng.randrange(256)])
        table = np.frombuffer(bytes(raw), dtype=program.table.dtype).copy()
        try:
            broken = verify(replace(program, table=table))
        except TableError:
            continue
        ran += 1
        table = member_table(None, broken.view)
        batch = frames(rng)
        zeros = np.zeros(len(batch), dtype=np.uint64)
        batch_context = resolve(
            member_index(None, table), broken.view.direction, Endpoints(zeros, zeros)
        )
        judge = NativeEvaluator((NativeSide(broken, ()),), (0,))
        (verdicts,) = judge.evaluate(batch, (batch_context,))
        assert len(verdicts.accepted) == len(batch)
    assert ran > 100, f"seed {SEED}: only {ran} of 3,000 tables verified"
