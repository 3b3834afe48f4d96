"""Assignments that are likely to be asked for: each set of matches just met, just missed.

Contract: a help, never a proof: `candidates` aims (as test generators for circuits do) and
the caller checks what was hit.  With them most questions of `proof.findings` are answered
without the solver.  Tested through tests/proof/test_findings.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ztfast.proof.formula import TRUE, Comparison, Formulas, Literal, Test
from ztfast.proof.symbolic import SymbolicStep

_BASE = {
    "ethertype": 0x0800,
    "length": 100,
    "position": 20,
    "chain_valid": 1,
    "protocol": 6,
    "source4": 0xC6336401,
    "dest4": 0xC6336402,
    "source6": 0x20010DB8 << 96 | 1,
    "dest6": 0x20010DB8 << 96 | 2,
    "sport": 49999,
    "dport": 49998,
    "mac_source": 0x02FEFEFE0001,
    "mac_dest": 0x02FEFEFE0002,
    "receiver_known": 1,
}


def candidates(formulas: Formulas, steps: Sequence[SymbolicStep]) -> list[dict[str, int]]:
    """Assignments around every set of matches of a rule set."""
    made = [dict(_BASE), _finished({"ethertype": 0x0806}), _finished({"ethertype": 0x86DD})]
    matches: list[Literal] = []
    for step in steps:
        if not step.is_action:
            matches.append(step.match)
            continue
        made += _around(formulas, matches)
        matches = []
    return made


def _around(formulas: Formulas, matches: Sequence[Literal]) -> Iterable[dict[str, int]]:
    yield _aimed(formulas, matches)
    for index, match in enumerate(matches):
        yield _aimed(formulas, [*matches[:index], -match])
        yield _aimed(formulas, [match])


def _aimed(formulas: Formulas, wanted: Sequence[Literal]) -> dict[str, int]:
    row = dict(_BASE)
    for literal in wanted:
        _aim(formulas, literal, row)
    return _finished(row)


def _finished(row: dict[str, int]) -> dict[str, int]:
    """The row with what its IP version needs."""
    whole = {**_BASE, **row}
    whole["position"] = 40 if whole["ethertype"] == 0x86DD else 20
    return whole


def _aim(formulas: Formulas, literal: Literal, row: dict[str, int]) -> None:
    """Change fields so that a literal is likely to hold; of alternatives, the most special one."""
    stack = [literal]
    while stack:
        literal = stack.pop()
        if abs(literal) == TRUE:
            continue
        node = formulas.nodes[abs(literal)]
        if isinstance(node, Test):
            _hit(formulas, node, literal > 0, row)
        elif isinstance(node, Comparison):
            if node.operator not in ("at most", "slice"):
                row[node.left] = row[node.right] = node.value if literal > 0 else ~node.value & 7
        elif node is not None:
            left, right = sorted(node, key=abs)
            stack += [right, left] if literal > 0 else [-right]


def _hit(formulas: Formulas, node: Test, holds: bool, row: dict[str, int]) -> None:
    full = (1 << formulas.widths[node.field]) - 1
    if holds:
        low = max(node.low, min(row.get(node.field, 0) & node.mask, node.high))
        if not node.low <= row.get(node.field, 0) & node.mask <= node.high:
            row[node.field] = row.get(node.field, 0) & ~node.mask & full | (low & node.mask)
    elif node.low <= row.get(node.field, 0) & node.mask <= node.high:
        outside = node.high + 1 if node.high < node.mask else node.low - 1
        row[node.field] = row.get(node.field, 0) & ~node.mask & full | (outside & node.mask)
