"""Copies that go round: a tee's target copies what it is sent to another one, and so back again.

Contract: `copy_cycles` gives ZT214, an error, where three or four targets of tees and watches send
one frame to each other in a ring without end.  The frame is found by the solver and every hop of
it is judged by both evaluators.  Nobody in the ring owns the frame's address: the copies are of a
frame of somebody else.  Source: docs/spec/evaluation.md sections 5 and 7.
Tested by tests/proof/test_copy_cycles.py, against deliveries too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

from ztfast.errors import Diagnostic, Severity
from ztfast.frames.text import frame_text
from ztfast.model.kinds import Kind
from ztfast.proof.analysis import Analysis
from ztfast.proof.formula import Assignment, Formulas, Literal
from ztfast.proof.frame_model import MAX_LENGTH
from ztfast.proof.match_formulas import SideFields
from ztfast.proof.symbolic import SideTrace, trace_side
from ztfast.proof.symbolic_policy import witness_preferences
from ztfast.proof.witness import SideNames, context_of, contradiction, frame_of, replay

SHORTEST, LONGEST = 3, 4  # nobody copies a frame back to the node that it has it from
MOST_TARGETS = 6
_COPIES = (Kind.ACTION_TEE, Kind.ACTION_WATCH)


def copy_cycles(analysis: Analysis) -> Iterator[Diagnostic]:
    """One finding: the first ring that there is, the shortest first."""
    rule_sets = analysis.traces["in"].rule_sets
    copies = [step.entry for rules in rule_sets for step in rules.steps]
    targets = sorted({entry.value[0] or 0 for entry in copies if entry.kind in _COPIES} - {0})
    for count in range(SHORTEST, LONGEST + 1):
        rings = [ring for ring in permutations(targets, count) if ring[0] == min(ring)]
        if len(targets) < count or len(targets) > MOST_TARGETS:
            return
        asked = _Ring(analysis, count)
        for ring in rings:
            found = asked.find(ring)
            if found is not None:
                yield found
                return


class _Ring:
    """Some hops of one frame, each to the next node, the last to the first."""

    def __init__(self, analysis: Analysis, count: int) -> None:
        self.analysis, self.count = analysis, count
        self.formulas: Formulas = analysis.formulas
        self.names = [
            SideNames("in", f"ring{(hop - 1) % count}", f"ring{hop}", f"hop{hop}:")
            for hop in range(count)
        ]
        self.traces = [self._trace(names) for names in self.names]

    def _trace(self, names: SideNames) -> SideTrace:
        members = names.sender, names.receiver
        fields = SideFields(self.formulas, self.analysis.frame, "in", names.prefix, None, *members)
        return trace_side(self.analysis.views["in"], fields)

    def find(self, ring: tuple[int, ...]) -> Diagnostic | None:
        """The finding about a ring of nodes, where a frame goes round in it."""
        analysis = self.analysis
        parts = [analysis.frame.test("owns_ip", 0), analysis.frame.test("owns_mac", 0)]
        for hop, node in enumerate(ring):
            parts += self._hop(hop, node, ring[hop - 1], ring[(hop + 1) % self.count])
        where = self.formulas.all(parts)
        if not analysis.possible(where):
            return None
        wanted = [where, analysis.frame.buildable]
        preferences = witness_preferences(analysis.frame)
        assignment = analysis.prover.find_preferred(wanted, preferences, smallest=False)
        return None if assignment is None else self._confirmed(ring, assignment)

    def _hop(self, hop: int, node: int, source: int, to: int) -> Iterator[Literal]:
        """A node that gets the frame from the one before it, and copies all of it to the next."""
        formulas, prefix, trace = self.formulas, self.names[hop].prefix, self.traces[hop]
        yield formulas.test(f"{prefix}in.node", node)
        yield formulas.test(f"{prefix}in.zt_dest", node)
        yield formulas.test(f"{prefix}zt_source", source)
        ways: list[Literal] = []
        for number, rules in enumerate(trace.rule_sets):
            passes = trace.accepted if number == 0 else rules.passes(formulas)
            for index, noted in rules.copies:
                entry = rules.steps[index].entry
                if entry.value[0] == to:
                    whole = self.analysis.frame.test("length", 0, entry.value[1] or MAX_LENGTH)
                    ways.append(formulas.all((noted, passes, whole)))
        yield formulas.any(ways)

    def _confirmed(self, ring: tuple[int, ...], assignment: Assignment) -> Diagnostic:
        analysis, frame = self.analysis, frame_of(assignment)
        view = analysis.views["in"]
        for hop, names in enumerate(self.names):
            unowned = {**assignment, f"{names.prefix}owns_ip": 0, f"{names.prefix}owns_mac": 0}
            outcome = replay(view, frame, context_of(unowned, view, frame, names))
            to = ring[(hop + 1) % self.count]
            if not outcome.accepted or to not in [copy.to for copy in outcome.copies]:
                raise contradiction("copies were said to go round and do not", frame)
        shown = " to ".join(f"{node:010x}" for node in (*ring, ring[0]))
        found = analysis.warning(
            "ZT214",
            f"copies never end: {frame_text(frame)} goes from {shown}, and round again",
            None,
            "let the targets of tees copy nothing: put `accept ztdest TARGET;` before the tees",
        )
        return replace(found, severity=Severity.ERROR)
