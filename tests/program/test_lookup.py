"""Look-ups against a plain reading of the same terms, on the values at every edge."""

from __future__ import annotations

import importlib
import random

import numpy as np
import pytest

from tests.needs import needs_loops
from ztfast.engine.engine import Engine
from ztfast.frames.batch import FrameBatch
from ztfast.lang import compile_text
from ztfast.program.dnf import Comparison, Term
from ztfast.program.lookup import (
    BY_BYTE,
    BY_SEARCH,
    BY_TRIE,
    BY_WORD,
    MAX_ENUMERATED,
    ColumnTable,
    can_classify,
    class_of_values,
    make_lookup,
)

SEED = 11
lookups_pass = importlib.import_module("ztfast.program.passes.lookups")
lookup_tables = importlib.import_module("ztfast.program.lookup")


def class_of(table: ColumnTable, value: int) -> int:
    return int(class_of_values(table, np.array([value], dtype=np.uint64))[0])


def holds(test: Comparison, value: int, width: int) -> bool:
    full = (1 << width) - 1
    return ((((value & test.mask) - test.low) & full) <= test.span) != test.negate


def edges(tests: list[Comparison], width: int) -> list[int]:
    full = (1 << width) - 1
    values = {0, full}
    for test in tests:
        free = full & ~test.mask
        for value in (test.low, test.low + test.span, (test.low + test.span) | free):
            values |= {value - 1, value, value + 1}
    return sorted(value for value in values if 0 <= value <= full)


def random_test(rng: random.Random, width: int) -> Comparison:
    full = (1 << width) - 1
    negate = rng.random() < 0.2
    if rng.random() < 0.5:
        bits = rng.randrange(width + 1)
        mask = full & ~((1 << (width - bits)) - 1)
        low = rng.getrandbits(width) & (mask if rng.random() < 0.9 else full)
        return Comparison(0, mask, low, 0, negate)
    low = rng.getrandbits(width)
    return Comparison(
        0, full, low, rng.randrange(min(full - low, 1 << rng.randrange(width)) + 1), negate
    )


@pytest.mark.parametrize("width", [8, 16, 32, 64])
@pytest.mark.parametrize("round_", range(6))
def test_rows_say_which_terms_can_hold(width: int, round_: int) -> None:
    rng = random.Random(SEED * 100 + round_)
    terms: list[Term] = [
        tuple(random_test(rng, width) for _ in range(rng.randrange(3)))
        for _ in range(rng.choice([1, 5, 64, 65, 200]))
    ]
    tests = [test for term in terms for test in term]
    lookup = make_lookup(terms, [0] * len(terms), [3] * len(terms), {0: width})
    assert lookup is not None
    (table,) = lookup.tables
    form = {8: BY_BYTE, 16: BY_WORD, 32: BY_TRIE, 64: BY_SEARCH}[width]
    assert table.form == form
    for value in edges(tests, width):
        row = table.rows[class_of(table, value)]
        for number, term in enumerate(terms):
            expected = all(holds(test, value, width) for test in term)
            assert bool(int(row[number // 64]) >> (number % 64) & 1) == expected


def test_a_mask_that_is_no_prefix_is_enumerated_where_narrow_and_refused_where_wide() -> None:
    odd = ((Comparison(0, 0x12, 0x12, 0),), (Comparison(0, 0x12, 0, 0, negate=True),))
    lookup = make_lookup(list(odd), [0, 1], [3, 3], {0: 16})
    assert lookup is not None
    table = lookup.tables[0]
    for value in range(64):
        row = int(table.rows[class_of(table, value)][0])
        assert row & 1 == int(value & 0x12 == 0x12)
        assert row >> 1 & 1 == int(value & 0x12 != 0)
    assert make_lookup(list(odd), [0, 1], [3, 3], {0: 32}) is None


def test_values_with_the_same_terms_are_one_class() -> None:
    nested: list[Term] = [(Comparison(0, 0xFFFF, 1000, 1000),), (Comparison(0, 0xFFFF, 1400, 0),)]
    lookup = make_lookup(nested, [0, 1], [3, 3], {0: 16})
    assert lookup is not None
    (table,) = lookup.tables
    assert len(table.rows) == 3
    assert [class_of(table, value) for value in (999, 1000, 1400, 1401, 2001)] == [0, 1, 2, 1, 0]


def test_tables_beyond_the_bound_are_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    terms: list[Term] = [(Comparison(0, 0xFFFF, 2 * number, 0),) for number in range(600)]
    arguments = terms, [0] * 600, [3] * 600, {0: 16}
    assert make_lookup(*arguments) is not None
    monkeypatch.setattr(lookup_tables, "MAX_BYTES", 1199 * 16 * 8)
    assert make_lookup(*arguments) is None


def test_so_many_enumerated_tests_are_refused() -> None:
    terms: list[Term] = [
        (Comparison(0, 0xFFF5, number << 4 & 0xFFF5, 0),) for number in range(MAX_ENUMERATED + 1)
    ]
    arguments = [0] * len(terms), [3] * len(terms), {0: 16}
    assert make_lookup(terms, *arguments) is None
    assert not can_classify(terms[0][0], 32)
    assert can_classify(terms[0][0], 16)


def test_the_summary_covers_groups_beyond_the_63rd() -> None:
    terms: list[Term] = [(Comparison(0, 0xFF, number % 256, 0),) for number in range(65 * 512)]
    lookup = make_lookup(terms, list(range(len(terms))), [3] * len(terms), {0: 8})
    assert lookup is not None
    assert lookup.words == 65 * 8
    assert (lookup.tables[0].summary[1:] >> np.uint64(63) == 1).all()


RULES = {
    "one shape": lambda i: f"accept ipprotocol tcp ipdest 10.0.{i % 250}.{i}/32 dport {i + 1};",
    "prefixes": lambda i: (
        f"drop ipsrc 10.{i % 7}.0.0/{8 + i % 16} ipdest 10.0.{i % 250}.0/{16 + i % 9} "
        f"{'not ' * (i % 5 == 0)}ipprotocol tcp dport {i % 50}-{i};"
    ),
    "many shapes": lambda i: (
        f"drop ipsrc 10.{i % 7}.0.0/16 not dport {i};",
        f"accept sport {i}-{i + 40} chr tcp_syn;",
        f"drop ipdest fd00::{i}/128 or framesize {i};",
        f"break iptos 0x1e {i % 256}-255 and icmp 8 {i % 256};",
        f"accept macsrc 02000000{i:04x} vlan {i % 5};",
    )[i % 5],
}


@needs_loops
@pytest.mark.parametrize("shape", RULES)
@pytest.mark.parametrize("sets", [30, 200, 600])
def test_the_loops_find_the_set_that_the_plain_table_finds(
    shape: str, sets: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups_pass, "_WORTH_DENSE", 160)
    rng = random.Random(SEED + sets)
    text = "\n".join(RULES[shape](i) for i in range(sets)) + "\nDrop;"
    policy = compile_text(text)
    looked, plain = (Engine(policy, backend="native", passes=p) for p in (None, ()))
    assert looked.native("out").fast.lookups
    verdicts = [
        engine.evaluate(frames_near(rng, sets)) for engine in (looked, plain) if not rng.seed(sets)
    ]
    for name in ("entry", "action", "capability"):
        assert np.array_equal(getattr(verdicts[0], name), getattr(verdicts[1], name))
    assert len(np.unique(verdicts[0].entry)) > 5


def frames_near(rng: random.Random, sets: int) -> FrameBatch:
    """Frames whose fields are those that the rules above name, more or less."""
    frames = []
    for _ in range(3000):
        i = rng.randrange(sets)
        mac = bytes.fromhex(f"02000000{i:04x}")
        protocol = rng.choice([6, 6, 17, 1])
        source = bytes([10, i % 7, rng.randrange(256), 1])
        dest = bytes([10, 0, i % 250, i % 256])
        ports = rng.choice([i, i + 1, i + 20]).to_bytes(2, "big") + (i + rng.randrange(2)).to_bytes(
            2, "big"
        )
        head = bytes([0x45, i % 256, 0, 60, 0, 0, 0, 0, 64, protocol, 0, 0]) + source + dest
        rest = bytes([8, i % 256]) if protocol == 1 else ports
        frame = mac[::-1] + mac + b"\x08\x00" + head + rest + bytes(9) + b"\x02" + bytes(20)
        if rng.random() < 0.2:
            address = bytes.fromhex("fd00" + "0" * 24 + f"{int(str(i), 16):04x}")
            body = b"\x60" + bytes(5) + b"\x06\x40" + address * 2 + ports + bytes(20)
            frame = mac * 2 + b"\x86\xdd" + body
        frames.append(frame + bytes(rng.randrange(3)))
    return FrameBatch.from_frames(frames)
