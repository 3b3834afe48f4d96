"""Sets over header fields: a small algebra.

Contract: a set is a literal (an int; its negation is its complement) of one `Sets`, made of
tests over named fields of up to 128 bits; equal sets made alike are one literal.  `Samples`
says which of many assignments lie in a set; solver.py decides whether any does.
Tested by tests/proof/test_formula.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

Lit = int
TRUE: Lit = 1
FALSE: Lit = -1

Assignment = Mapping[str, int]


class Test(NamedTuple):
    """`low <= field & mask <= high`."""

    field: str
    mask: int
    low: int
    high: int


class Pair(NamedTuple):
    """A comparison of two fields of equal width with a number."""

    how: str
    left: str
    right: str
    value: int


class And(NamedTuple):
    """The intersection of two sets."""

    left: Lit
    right: Lit


PAIRS: dict[str, Callable[[int, int, int], bool]] = {
    "equal": lambda left, right, value: left == right,
    "difference": lambda left, right, value: abs(left - right) <= value,
    "and": lambda left, right, value: left & right == value,
    "or": lambda left, right, value: left | right == value,
    "xor": lambda left, right, value: left ^ right == value,
    "at most": lambda left, right, value: left + value <= right,
}


def _slices_equal(left: int, right: int, value: int) -> bool:
    shift_left, shift_right, mask = value >> 16 & 0xFF, value >> 8 & 0xFF, (1 << (value & 0xFF)) - 1
    return (left >> shift_left ^ right >> shift_right) & mask == 0


PAIRS["slice"] = _slices_equal

Node = Test | Pair | And


class Sets:
    """The algebra: fields, tests over them, and their combinations, each kept once."""

    def __init__(self) -> None:
        self.widths: dict[str, int] = {}
        self.nodes: list[Node | None] = [None, None]  # 1 is the full set
        self._known: dict[Node, Lit] = {}

    def field(self, name: str, width: int) -> str:
        """Declare a field of `width` bits (once; the same name again is the same field)."""
        assert self.widths.setdefault(name, width) == width, name
        return name

    def test(self, field: str, low: int, high: int | None = None, mask: int | None = None) -> Lit:
        """The set where `low <= field & mask <= high` (`high` None: equal to `low`)."""
        full = (1 << self.widths[field]) - 1
        mask = full if mask is None else mask & full
        high = low if high is None else min(high, mask)
        if low > high or (low == high and low & ~mask):
            return FALSE
        if low <= 0 and high >= mask:
            return TRUE
        return self._node(Test(field, mask, low, high))

    def flag(self, field: str) -> Lit:
        """The set where a field of one bit is 1."""
        return self.test(field, 1)

    def pair(self, how: str, left: str, right: str, value: int = 0) -> Lit:
        """The set where a comparison of `PAIRS` holds of two fields."""
        return self._node(Pair(how, left, right, value))

    def slices(self, left: str, at: int, right: str, at_right: int, bits: int) -> Lit:
        """The set where `bits` bits of one field, from bit `at` up, are those of another."""
        return self._node(Pair("slice", left, right, at << 16 | at_right << 8 | bits))

    def both(self, left: Lit, right: Lit) -> Lit:
        """Intersection."""
        if FALSE in (left, right) or left == -right:
            return FALSE
        if left in (TRUE, right):
            return right
        if right == TRUE:
            return left
        return self._node(And(*sorted((left, right))))

    def all(self, parts: Iterable[Lit]) -> Lit:
        """Intersection of many."""
        whole = TRUE
        for part in parts:
            whole = self.both(whole, part)
        return whole

    def either(self, left: Lit, right: Lit) -> Lit:
        """Union."""
        return -self.both(-left, -right)

    def any(self, parts: Iterable[Lit]) -> Lit:
        """Union of many."""
        return -self.all(-part for part in parts)

    def differ(self, left: Lit, right: Lit) -> Lit:
        """In one and not in the other."""
        if left in (right, -right):
            return FALSE if left == right else TRUE
        return self.either(self.both(left, -right), self.both(-left, right))

    def implies(self, left: Lit, right: Lit) -> Lit:
        """Where `left` holds, `right` does."""
        return -self.both(left, -right)

    def leaves(self, roots: Iterable[Lit]) -> list[Lit]:
        """The tests (as positive literals) that sets are made of, in order of making."""
        seen: set[int] = set()
        stack = [abs(root) for root in roots]
        found: list[Lit] = []
        while stack:
            number = stack.pop()
            if number in seen or number == TRUE:
                continue
            seen.add(number)
            node = self.nodes[number]
            if isinstance(node, And):
                stack += (abs(node.left), abs(node.right))
            else:
                found.append(number)
        return sorted(found)

    def _node(self, node: Node) -> Lit:
        known = self._known.get(node)
        if known is None:
            known = self._known[node] = len(self.nodes)
            self.nodes.append(node)
        return known


class Samples:
    """Assignments kept as columns; which of them lie in a set is the bits of one integer.

    rows: what is kept for good; a field that a row does not name is 0.
    """

    def __init__(self, sets: Sets, rows: Sequence[Assignment]) -> None:
        self._sets = sets
        self._rows = rows
        self._bits: dict[int, int] = {}
        self._columns: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, index: int) -> Assignment:
        """One assignment."""
        return self._rows[index]

    def inside(self, *literals: Lit) -> int:
        """The samples in the intersection: bit i is sample i."""
        everything = whole = (1 << len(self._rows)) - 1
        for literal in literals:
            bits = self._of(abs(literal), everything)
            whole &= bits if literal > 0 else bits ^ everything
        return whole

    def _of(self, number: int, everything: int) -> int:
        stack = [number]
        bits = self._bits
        bits[TRUE] = everything
        while stack:
            top = stack[-1]
            if top in bits:
                stack.pop()
                continue
            node = self._sets.nodes[top]
            if isinstance(node, And):
                waiting = [n for n in (abs(node.left), abs(node.right)) if n not in bits]
                if waiting:
                    stack += waiting
                    continue
                left, right = bits[abs(node.left)], bits[abs(node.right)]
                left = left if node.left > 0 else left ^ everything
                bits[top] = left & (right if node.right > 0 else right ^ everything)
            else:
                assert node is not None
                bits[top] = self._leaf(node)
            stack.pop()
        return bits[number]

    def _leaf(self, node: Test | Pair) -> int:
        if isinstance(node, Pair):
            compare = PAIRS[node.how]
            columns = zip(self._column(node.left), self._column(node.right), strict=True)
            held = [compare(left, right, node.value) for left, right in columns]
        else:
            _, mask, low, high = node
            held = [low <= value & mask <= high for value in self._column(node.field)]
        packed = np.packbits(np.array(held, dtype=np.bool_), bitorder="little")
        return int.from_bytes(packed.tobytes(), "little")

    def _column(self, field: str) -> list[int]:
        column = self._columns.get(field)
        if column is None:
            column = self._columns[field] = [row.get(field, 0) for row in self._rows]
        return column
