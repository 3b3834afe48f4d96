"""Formulas over header fields, as an and-inverter graph whose leaves are tests of fields.

Contract: a formula is a literal (an int: the number of a node, negated for its negation) of one
`Formulas`, made of tests over named fields of up to 128 bits; formulas made alike are one
literal.  It stands for the set of the assignments that satisfy it.  `Samples` says which of many
assignments do; solver.py decides whether any does.
Tested by tests/proof/test_formula.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

Literal = int  # positive: a node; negative: its negation
TRUE: Literal = 1
FALSE: Literal = -1

Assignment = Mapping[str, int]  # field to value; a field that is not there is 0


class Test(NamedTuple):
    """`low <= field & mask <= high`."""

    field: str
    mask: int
    low: int
    high: int


class Comparison(NamedTuple):
    """A comparison of two fields with a number, by one of the operators of `COMPARISONS`."""

    operator: str
    left: str
    right: str
    value: int


class And(NamedTuple):
    """Both of two formulas."""

    left: Literal
    right: Literal


def _slices_equal(left: int, right: int, value: int) -> bool:
    """`value`: the lowest bit in `left`, the lowest bit in `right`, how many; 8 bits each."""
    shift_left, shift_right, mask = value >> 16 & 0xFF, value >> 8 & 0xFF, (1 << (value & 0xFF)) - 1
    return (left >> shift_left ^ right >> shift_right) & mask == 0


# operator -> (left, right, value) -> bool; solver.py says the same to z3.
COMPARISONS: dict[str, Callable[[int, int, int], bool]] = {
    "equal": lambda left, right, value: left == right,
    "difference": lambda left, right, value: abs(left - right) <= value,
    "and": lambda left, right, value: left & right == value,
    "or": lambda left, right, value: left | right == value,
    "xor": lambda left, right, value: left ^ right == value,
    "at most": lambda left, right, value: left + value <= right,
    "slice": _slices_equal,
}

Node = Test | Comparison | And


class Formulas:
    """Fields, tests over them and their combinations, each kept once.

    widths: of the fields in bits, in the order in which they were declared.
    """

    def __init__(self) -> None:
        self.widths: dict[str, int] = {}
        self.nodes: list[Node | None] = [None, None]  # no node 0; 1 is TRUE
        self._known: dict[Node, Literal] = {}

    def field(self, name: str, width: int) -> str:
        """Declare a field of `width` bits (once; the same name again is the same field)."""
        assert self.widths.setdefault(name, width) == width, name
        return name

    def test(
        self, field: str, low: int, high: int | None = None, mask: int | None = None
    ) -> Literal:
        """`low <= field & mask <= high` (`high` None: equal to `low`; `mask` None: all bits)."""
        full = (1 << self.widths[field]) - 1
        mask = full if mask is None else mask & full
        high = low if high is None else min(high, mask)
        if low > high or (low == high and low & ~mask):
            return FALSE
        if low <= 0 and high >= mask:
            return TRUE
        return self._node(Test(field, mask, low, high))

    def flag(self, field: str) -> Literal:
        """A field of one bit is 1."""
        return self.test(field, 1)

    def compare(self, operator: str, left: str, right: str, value: int = 0) -> Literal:
        """A comparison of `COMPARISONS` holds of two fields."""
        return self._node(Comparison(operator, left, right, value))

    def slices(self, left: str, at: int, right: str, at_right: int, bits: int) -> Literal:
        """`bits` bits of one field, from bit `at` up, are those of another."""
        return self._node(Comparison("slice", left, right, at << 16 | at_right << 8 | bits))

    def both(self, left: Literal, right: Literal) -> Literal:
        """Conjunction."""
        if FALSE in (left, right) or left == -right:
            return FALSE
        if left in (TRUE, right):
            return right
        if right == TRUE:
            return left
        return self._node(And(*sorted((left, right))))

    def all(self, parts: Iterable[Literal]) -> Literal:
        """Conjunction of many."""
        whole = TRUE
        for part in parts:
            whole = self.both(whole, part)
        return whole

    def either(self, left: Literal, right: Literal) -> Literal:
        """Disjunction."""
        return -self.both(-left, -right)

    def any(self, parts: Iterable[Literal]) -> Literal:
        """Disjunction of many."""
        return -self.all(-part for part in parts)

    def differ(self, left: Literal, right: Literal) -> Literal:
        """One of them holds and not the other."""
        if left in (right, -right):
            return FALSE if left == right else TRUE
        return self.either(self.both(left, -right), self.both(-left, right))

    def implies(self, left: Literal, right: Literal) -> Literal:
        """Where `left` holds, `right` does."""
        return -self.both(left, -right)

    def leaves(self, roots: Iterable[Literal]) -> list[Literal]:
        """The tests (as positive literals) that formulas are made of, in order of making."""
        seen: set[int] = set()
        stack = [abs(root) for root in roots]
        found: list[Literal] = []
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

    def _node(self, node: Node) -> Literal:
        known = self._known.get(node)
        if known is None:
            known = self._known[node] = len(self.nodes)
            self.nodes.append(node)
        return known


class Samples:
    """Assignments kept as columns; which of them satisfy a formula is the bits of one integer.

    rows: kept as they are, and not to be changed.
    """

    def __init__(self, formulas: Formulas, rows: Sequence[Assignment]) -> None:
        self._formulas = formulas
        self._rows = rows
        self._bits: dict[int, int] = {}
        self._columns: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, index: int) -> Assignment:
        """One assignment."""
        return self._rows[index]

    def inside(self, *literals: Literal) -> int:
        """The samples that satisfy all of the literals: bit i is sample i."""
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
            node = self._formulas.nodes[top]
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

    def _leaf(self, node: Test | Comparison) -> int:
        if isinstance(node, Comparison):
            compare = COMPARISONS[node.operator]
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
