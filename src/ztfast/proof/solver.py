"""Can a formula be satisfied?  Decided exactly, by samples first and a solver then.

Contract: a sample that satisfies it is an answer at once, else z3 decides; where the time limit
ends a proof `Undecided` is raised, never a guess.  `find_preferred` gives the same assignment
whatever version of the solver finds it.
z3 because it keeps what it learned from one query to the next (1,024 entries need some
hundred) and gives the reasons (unsat cores) that findings name; measured in docs/analysis.md.
Tested by tests/proof/test_formula.py.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from ztfast.errors import BackendError, Diagnostic
from ztfast.proof.formula import (
    FALSE,
    TRUE,
    And,
    Assignment,
    Comparison,
    Formulas,
    Literal,
    Samples,
    Test,
)

MODELS_AT_ONCE = 64  # so many of the solver's assignments become samples together


class Undecided(Exception):
    """No proof: the time limit came first, or what the message says."""


class Deadline:
    """A point in time after which no proof goes on; `seconds` None: none."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self._end = None if seconds is None else time.monotonic() + seconds

    def seconds_left(self) -> float:
        """At least 0."""
        return 1e6 if self._end is None else max(0.0, self._end - time.monotonic())


class Prover:
    """Decides formulas under a background, which every assignment satisfies."""

    def __init__(self, formulas: Formulas, deadline: Deadline) -> None:
        self.formulas = formulas
        self.deadline = deadline
        self._samples: list[Samples] = []
        self._models: list[Assignment] = []
        self.queries = 0
        self.background: list[Literal] = []
        self._z3 = _require_z3()
        self._context = self._z3.Context()
        self._solver = self._z3.SolverFor("QF_BV", ctx=self._context)
        self._solver.set("ctrl_c", False)  # z3 would take Ctrl-C for itself and say "unknown"
        self._variables: dict[str, Any] = {}
        self._made: dict[int, Any] = {TRUE: self._z3.BoolVal(True, self._context)}
        self._names: dict[int, Any] = {}

    def require(self, literal: Literal) -> None:
        """Every assignment satisfies this from now on (samples must already)."""
        self.background.append(literal)
        self._solver.add(self._expression(literal))

    def add_samples(self, rows: Sequence[Assignment]) -> None:
        """Take those of the rows that satisfy the background as samples."""
        inside = Samples(self.formulas, rows).inside(*self.background)
        kept = [row for index, row in enumerate(rows) if inside >> index & 1]
        self._samples.append(Samples(self.formulas, kept))

    def find(self, *literals: Literal, sample: bool = True) -> dict[str, int] | None:
        """An assignment that satisfies all of them, None where there is none; raises Undecided."""
        if FALSE in literals:
            return None
        for samples in self._samples if sample else ():
            inside = samples.inside(*literals)
            if inside:
                return dict(samples.row((inside & -inside).bit_length() - 1))
        return self._found() if self._check(literals) else None

    def _found(self) -> dict[str, int]:
        """The solver's assignment; it answers later questions too."""
        assignment = self._model()
        self._models.append(assignment)
        if len(self._models) == MODELS_AT_ONCE:
            self._samples.append(Samples(self.formulas, self._models))
            self._models = []
        return assignment

    def empty(self, *literals: Literal) -> bool:
        """Is there no assignment that satisfies all of them?  Raises Undecided."""
        return self.find(*literals) is None

    def unsat_core(
        self, literals: Sequence[Literal], among: Sequence[Literal], near: Assignment | None = None
    ) -> list[Literal] | None:
        """Few of `among` that cannot all hold beside `literals` (an unsat core), or None.

        The reasons are made minimal one by one as long as there is time.
        near: an assignment that satisfies all of `among`; it saves questions.
        """
        if FALSE in literals:
            return []
        for literal in among:
            if literal == FALSE:
                return [literal]
        if self._check((*literals, *among)):
            return None
        kept = self._core(among)
        needed: set[Literal] = set() if near is None else self._needed(literals, kept, near)
        for reason in list(kept):
            if reason in needed or reason not in kept or self.deadline.seconds_left() < 0.05:
                continue
            fewer = [other for other in kept if other != reason]
            try:
                if not self._check((*literals, *fewer)):
                    kept = self._core(fewer)
            except Undecided:
                break
        return kept

    def _needed(
        self, literals: Sequence[Literal], reasons: Sequence[Literal], near: Assignment
    ) -> set[Literal]:
        """The reasons that cannot be left out: with one field changed all hold but this one."""
        rows = [{**near, **self._against(reason, near)} for reason in reasons]
        samples = Samples(self.formulas, rows)
        inside = samples.inside(*self.background, *literals)
        for index, reason in enumerate(reasons):
            inside &= samples.inside(reason) ^ 1 << index
        return {reason for index, reason in enumerate(reasons) if inside >> index & 1}

    def _against(self, reason: Literal, near: Assignment) -> dict[str, int]:
        """The field that a test is about, with a value where the test says otherwise."""
        node = self.formulas.nodes[abs(reason)]
        if not isinstance(node, Test):
            return {}
        here = near.get(node.field, 0)
        if reason < 0:
            return {node.field: here & ~node.mask | node.low}
        other = node.low - 1 if node.low else node.high + 1
        return {node.field: here & ~node.mask | other & node.mask}

    def find_preferred(
        self, literals: Sequence[Literal], preferences: Sequence[Literal], *, smallest: bool = True
    ) -> dict[str, int] | None:
        """As `find`, and the same assignment whatever solver finds it.

        Of the preferences each is granted that goes with those granted before it; then each
        field, in the order in which they were declared, is as small as can be (`smallest`
        False: as it was found).  Where time runs out before that is settled, what was found so far.
        """
        for preference in preferences:
            self._name(preference)  # so that the assignment has its fields
        assignment = self.find(*literals, sample=False)
        if assignment is None:
            return None
        settled = list(literals)
        try:
            assignment = self._grant(settled, preferences)
            if smallest:
                zeros = [self.formulas.test(field, 0) for field in self._fields()]
                assignment = self._grant(settled, zeros)
                assignment = self._least_of_each(settled, assignment)
        except Undecided:
            pass  # one that grants fewer preferences is as true
        return assignment

    def _grant(self, settled: list[Literal], preferences: Sequence[Literal]) -> dict[str, int]:
        """An assignment that grants each preference that goes with those before it, now settled.

        All are asked for together.  Where they do not go together the solver names some that do
        not, and the last of those stands back: rightly where the others of them are granted in the
        end; else it is tried again.
        """
        known = self._known_fields(settled)
        order = [item for item in dict.fromkeys(preferences) if item not in (TRUE, FALSE)]
        order = [item for item in order if self._field_of(item) not in known]
        refused: dict[Literal, list[Literal]] = {}  # and what it does not go with
        while True:
            standing = [item for item in order if item not in refused]
            if not self._check((*settled, *standing)):
                *others, last = self._core(standing)
                refused[last] = others
                continue
            unsure = [item for item in refused if not refused.keys().isdisjoint(refused[item])]
            if not unsure:
                settled += standing
                return self._model()
            for item in unsure:
                del refused[item]

    def _least_of_each(self, settled: list[Literal], assignment: dict[str, int]) -> dict[str, int]:
        """An assignment in which each field is as small as those before it let it be."""
        known = self._known_fields(settled)
        fields = [field for field in self._fields() if field not in known]
        smaller = [
            self.formulas.test(field, 0, assignment[field] - 1)
            for field in fields
            if assignment[field]
        ]
        if smaller and self._check(settled, self._one_of(smaller)):
            for field in fields:
                assignment = self._least(settled, field, assignment)
                settled.append(self.formulas.test(field, assignment[field]))
        return assignment

    def _field_of(self, preference: Literal) -> str:
        node = self.formulas.nodes[abs(preference)]
        return node.field if isinstance(node, Test) else ""

    def _fields(self) -> list[str]:
        """The fields that the solver knows, in the order in which they were declared."""
        return [field for field in self.formulas.widths if field in self._variables]

    def _known_fields(self, settled: Sequence[Literal]) -> set[str]:
        """The fields whose value a test among these says."""
        nodes = [self.formulas.nodes[literal] for literal in settled if literal > 0]
        return {
            node.field
            for node in nodes
            if isinstance(node, Test)
            and node.low == node.high
            and node.mask == (1 << self.formulas.widths[node.field]) - 1
        }

    def _least(
        self, settled: Sequence[Literal], field: str, assignment: dict[str, int]
    ) -> dict[str, int]:
        """An assignment in which a field is as small as can be."""
        low, high = 0, assignment[field]
        middle = high - 1  # most are what they must be: nothing smaller goes
        while low < high:
            if self._check((*settled, self.formulas.test(field, low, middle))):
                assignment = self._model()
                high = assignment[field]
            else:
                low = middle + 1
            middle = (low + high) // 2
        return assignment

    def _core(self, among: Sequence[Literal]) -> list[Literal]:
        core = {str(name) for name in self._solver.unsat_core()}
        return [literal for literal in among if str(self._name(literal)) in core]

    def _one_of(self, literals: Sequence[Literal]) -> Any:
        """A solver variable that, assumed, asks for at least one of the literals."""
        name = self._z3.Bool(f"a{self.queries}", self._context)
        names = [self._name(literal) for literal in literals]
        self._solver.add(self._z3.Implies(name, self._z3.Or(*names)))
        return name

    def _check(self, literals: Sequence[Literal], *more: Any) -> bool:
        left = self.deadline.seconds_left()
        if left <= 0:
            raise Undecided
        self.queries += 1
        names = [self._name(literal) for literal in literals if literal != TRUE]
        self._solver.set("timeout", max(1, min(int(left * 1000), 0x7FFFFFFF)))
        answer = self._solver.check(*names, *more)
        if answer == self._z3.unknown:
            raise Undecided
        return bool(answer == self._z3.sat)

    def _model(self) -> dict[str, int]:
        """The solver's model as an assignment of all its fields."""
        model = self._solver.model()
        return {
            name: model.eval(variable, model_completion=True).as_long()
            for name, variable in self._variables.items()
        }

    def _name(self, literal: Literal) -> Any:
        """A solver variable that stands for a literal, so that it can be assumed."""
        name = self._names.get(literal)
        if name is None:
            name = self._z3.Bool(f"n{literal}", self._context)
            self._solver.add(self._z3.Implies(name, self._expression(literal)))
            self._names[literal] = name
        return name

    def _expression(self, literal: Literal) -> Any:
        number = abs(literal)
        stack = [number]
        while stack:
            top = stack[-1]
            if top in self._made:
                stack.pop()
                continue
            node = self.formulas.nodes[top]
            if isinstance(node, And):
                waiting = [n for n in (abs(node.left), abs(node.right)) if n not in self._made]
                if waiting:
                    stack += waiting
                    continue
                self._made[top] = self._defined(top, node)
            else:
                assert node is not None
                self._made[top] = self._leaf(node)
            stack.pop()
        made = self._made[number]
        return made if literal > 0 else self._z3.Not(made)

    def _defined(self, number: int, node: And) -> Any:
        """A variable for a conjunction: expressions stay flat however long the rules are."""
        parts = [
            self._made[abs(part)] if part > 0 else self._z3.Not(self._made[abs(part)])
            for part in node
        ]
        variable = self._z3.Bool(f"d{number}", self._context)
        self._solver.add(variable == self._z3.And(*parts))
        return variable

    def _variable(self, field: str) -> Any:
        variable = self._variables.get(field)
        if variable is None:
            width = self.formulas.widths[field]
            variable = self._variables[field] = self._z3.BitVec(field, width, self._context)
        return variable

    def _leaf(self, node: Test | Comparison) -> Any:
        z3 = self._z3
        if isinstance(node, Comparison):
            return _compare(z3, node, self._variable(node.left), self._variable(node.right))
        value = self._variable(node.field)
        full = (1 << self.formulas.widths[node.field]) - 1
        if node.mask != full:
            value = value & node.mask
        if node.low == node.high:
            return value == node.low
        bounds: list[Any] = []
        if node.low > 0:
            bounds.append(z3.UGE(value, node.low))
        if node.high < full:
            bounds.append(z3.ULE(value, node.high))
        return z3.And(*bounds)


def _compare(z3: Any, node: Comparison, left: Any, right: Any) -> Any:
    value = node.value
    if node.operator == "equal":
        return left == right
    if node.operator == "difference":
        larger = z3.If(z3.UGE(left, right), left - right, right - left)
        return z3.ULE(larger, value)
    if node.operator == "slice":
        at, at_right, bits = value >> 16 & 0xFF, value >> 8 & 0xFF, value & 0xFF
        return z3.Extract(at + bits - 1, at, left) == z3.Extract(
            at_right + bits - 1, at_right, right
        )
    if node.operator == "at most":
        return z3.ULE(z3.ZeroExt(8, left) + value, z3.ZeroExt(8, right))
    combined = {"and": left & right, "or": left | right, "xor": left ^ right}[node.operator]
    return combined == value


def _require_z3() -> Any:
    try:
        import z3  # type: ignore[import-untyped]
    except ImportError:
        raise BackendError(
            Diagnostic(
                "ZT290",
                "the analysis needs z3-solver, which is not installed",
                help="pip install 'ztfast[analysis]'",
            )
        ) from None
    return z3
