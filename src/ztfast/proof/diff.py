"""Which frames two policies (or two engine versions) judge differently, or proof of none.

Contract: `compare(old, new)` gives a `Difference`: classes that are proved to be judged
differently throughout, each with a witness that both evaluators judged, and `complete`:
True where it is proved that outside the classes nothing differs.  Compared are delivery,
redirects, copies and QoS; the k-th `random` match of a rule set draws the same in both;
members without a tag have its default.  Frames of up to 65,535 payload bytes; with `ends`, those
between members of a network.
Tested by tests/proof/test_diff.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ztfast.frames.frame import Frame
from ztfast.model.policy import Policy
from ztfast.proof.class_text import class_text
from ztfast.proof.formula import (
    FALSE,
    Assignment,
    Comparison,
    Formulas,
    Literal,
    Node,
    Samples,
    Test,
)
from ztfast.proof.frame_model import FrameFormulas
from ztfast.proof.member_ends import MemberEnds
from ztfast.proof.solver import Deadline, Prover, Undecided
from ztfast.proof.symbolic_policy import (
    SymbolicPolicy,
    WitnessVerdict,
    circumstances_text,
    network_constraints,
    refuse_unbuildable,
    witness_preferences,
)
from ztfast.proof.verdict_classes import Event, copy_lengths, event_formulas
from ztfast.proof.witness import contradiction, frame_of

TIME_LIMIT = 8.0
MAX_CLASSES = 20
# Up to so many formulas the classes and their witnesses are the same whatever solver finds them.
# In larger rules that takes four times as long, and time is what ends the proofs: there only a
# witness within its class is made a usual one.
SMALL = 1000


@dataclass(frozen=True)
class Change:
    """A class of frames that both policies judge alike throughout, and differently from another.

    words: the class; frame and circumstances: a witness in it; old, new: the two verdicts.
    assignment: the witness's fields; literals: the class, as formulas of the comparison.
    """

    words: str
    frame: Frame
    circumstances: str
    old: WitnessVerdict
    new: WitnessVerdict
    assignment: Assignment = field(repr=False, default_factory=dict[str, int])
    literals: tuple[Literal, ...] = field(repr=False, default=())


@dataclass(frozen=True)
class Difference:
    """The classes, and whether it is proved that there are no others.

    incomplete: why that is not proved, empty where it is.
    """

    changes: tuple[Change, ...]
    complete: bool
    incomplete: str = ""


def compare(
    old: Policy,
    new: Policy,
    *,
    engines: tuple[str, str] = ("1.14", "1.14"),
    side: str = "both",
    time_limit: float | None = TIME_LIMIT,
    max_classes: int = MAX_CLASSES,
    ends: MemberEnds | None = None,
) -> Difference:
    """The frames that `old` (on the first engine) and `new` (on the second) judge differently.

    side: "both", "out" or "in".  time_limit: in seconds, None: none.  ends: members that sender
    and receiver are.
    Raises BackendError where z3 is missing, or where a witness contradicts a claim (ZT291),
    UsageError for another side.
    """
    return _Classes(PolicyPair(old, new, engines, side, time_limit, ends)).find(max_classes)


class EventPair(NamedTuple):
    """Where the old and where the new policy has an event."""

    event: Event
    old: Literal
    new: Literal


class PolicyPair:
    """Two policies over the same fields.

    events: of either.  differs: where they judge differently.
    """

    def __init__(
        self,
        old: Policy,
        new: Policy,
        engines: tuple[str, str],
        side: str,
        time_limit: float | None,
        ends: MemberEnds | None = None,
    ) -> None:
        self.deadline, self.ends = Deadline(time_limit), ends
        self.formulas = formulas = Formulas()
        self.frame = FrameFormulas(formulas)
        self.old, self.new = (
            SymbolicPolicy(
                policy,
                engine,
                side,
                formulas,
                self.frame,
                None if ends is None else ends.held(policy),
            )
            for policy, engine in zip((old, new), engines, strict=True)
        )
        lengths = copy_lengths([*self.old.traces.values(), *self.new.traces.values()])
        olds = event_formulas(formulas, self.old.traces, lengths)
        news = event_formulas(formulas, self.new.traces, lengths)
        self.events = [
            EventPair(event, olds.get(event, FALSE), news.get(event, FALSE))
            for event in {**olds, **news}
        ]
        self.differs = formulas.any(formulas.differ(pair.old, pair.new) for pair in self.events)
        self.known_tags = {tag.id: tag for tag in (*old.tags, *new.tags)}
        self.tags = {number: tag.name or str(number) for number, tag in self.known_tags.items()}

    def prover(self) -> Prover:
        """What decides about frames and circumstances that there are."""
        prover = Prover(self.formulas, self.deadline)
        constraints = network_constraints(self.formulas, self.old.directions)
        if self.ends is not None:
            constraints += self.ends.constraints((self.old.policy, self.new.policy), self.frame)
        for literal in (*constraints, *self.frame.structure()):
            prover.require(literal)
        return prover

    def preferences(self) -> list[Literal]:
        """What makes a witness one that people know, and between the ends' own addresses."""
        first, *others = witness_preferences(self.frame)
        return [first, *([] if self.ends is None else self.ends.preferences(self.frame)), *others]

    def circumstances(self, assignment: Assignment, frame: Frame) -> str:
        """A witness's circumstances in words."""
        called = None if self.ends is None else self.ends.names
        return circumstances_text((self.old, self.new), assignment, frame, self.known_tags, called)

    def literals(self) -> Iterator[Literal]:
        """Where either policy has any of the events."""
        for pair in self.events:
            yield from (pair.old, pair.new)


class _Classes:
    """The classes in which two policies differ."""

    def __init__(self, pair: PolicyPair) -> None:
        self.pair, self.formulas, self.frame = pair, pair.formulas, pair.frame
        self.rest = pair.differs  # what no class has that was found so far

    def find(self, max_classes: int) -> Difference:
        """The classes, up to so many."""
        changes: list[Change] = []
        if self.pair.differs == FALSE:
            return Difference((), True)
        prover = self.pair.prover()
        try:
            for change in self._changes(prover):
                changes.append(change)
                if len(changes) >= max_classes and not prover.empty(self.rest):
                    why = f"only {max_classes} classes are shown"
                    return Difference(tuple(changes), False, why)
        except Undecided as reason:
            why = (
                str(reason)
                or f"the time limit of {self.pair.deadline.seconds:g} seconds came first"
            )
            return Difference(tuple(changes), False, why)
        return Difference(tuple(changes), True)

    def _changes(self, prover: Prover) -> Iterator[Change]:
        leaves = self.formulas.leaves(self.pair.literals())
        found: list[Literal] = []
        small = len(self.formulas.nodes) <= SMALL
        # Outside the classes found; each class is proved as it stands, also where two overlap.
        while (assignment := self._outside(prover, found, small)) is not None:
            cube = self._cube(prover, leaves, assignment)
            found.append(self.formulas.all(cube))
            self.rest = self.formulas.both(self.pair.differs, -self.formulas.any(found))
            if not small:
                assignment = self._usual(prover, cube) or assignment
            yield self._change(assignment, cube)

    def _outside(self, prover: Prover, found: Sequence[Literal], small: bool) -> Assignment | None:
        """A frame outside these classes that is judged differently, None where there is none."""
        where = (self.pair.differs, *(-part for part in found))
        buildable = self.frame.buildable
        preferences = self.pair.preferences()
        if small:
            assignment = prover.find_preferred([*where, buildable], preferences)
        else:
            assignment = prover.find(*where, buildable, sample=False)
        if assignment is None:
            refuse_unbuildable(prover, buildable, where)
        return assignment

    def _usual(self, prover: Prover, cube: Sequence[Literal]) -> Assignment | None:
        """A frame of the class that looks like one that people know."""
        inside = [*cube, self.pair.differs, self.frame.buildable]
        return prover.find_preferred(inside, self.pair.preferences(), smallest=False)

    # --- the class of a frame

    def _cube(
        self, prover: Prover, leaves: Sequence[Literal], assignment: Assignment
    ) -> list[Literal]:
        """Few tests that all frames of its class have in common and that make them judged alike.

        Tests that hold say more than tests that do not, so they are tried alone first.
        """
        sample = Samples(self.formulas, [assignment])
        holding = [leaf if sample.inside(leaf) else -leaf for leaf in leaves]
        alike = self._alike(sample)
        positive = [literal for literal in holding if literal > 0]
        found = prover.unsat_core([-alike], positive, assignment)
        if found is None:
            every = [*_negative(self.formulas, holding), *positive]
            found = prover.unsat_core([-alike], every, assignment)
        return holding if found is None else self._widened(prover, alike, found, positive)

    def _alike(self, sample: Samples) -> Literal:
        """The frames that both policies judge as they judge this one."""
        return self.formulas.all(
            part if sample.inside(part) else -part for part in self.pair.literals()
        )

    def _widened(
        self, prover: Prover, alike: Literal, cube: list[Literal], positive: Sequence[Literal]
    ) -> list[Literal]:
        """The cube with each test replaced by a wider one that does as well, where there is one."""
        for index, literal in enumerate(cube):
            node = self.formulas.nodes[abs(literal)]
            for other in positive if literal > 0 else ():
                wider = self.formulas.nodes[other]
                if other in cube or not _contains(wider, node):
                    continue
                changed = [*cube[:index], other, *cube[index + 1 :]]
                try:
                    if prover.empty(-alike, *changed):
                        cube, node = changed, wider
                except Undecided:
                    return cube
        return cube

    def _change(self, assignment: Assignment, cube: Sequence[Literal]) -> Change:
        frame = frame_of(assignment)
        old, new = (
            policy.verdict_on(assignment, frame) for policy in (self.pair.old, self.pair.new)
        )
        if old.verdict == new.verdict:
            raise contradiction(f"a difference was claimed and there is none ({old})", frame)
        where = self.pair.circumstances(assignment, frame)
        words = class_text(self.formulas, cube, self.pair.tags, self.pair.old.defaults)
        return Change(words, frame, where, old, new, dict(assignment), tuple(cube))


def _contains(wider: Node | None, node: Node | None) -> bool:
    """Does one test say less than another of the same field?"""
    if isinstance(wider, Comparison) and isinstance(node, Comparison):
        same = wider.operator == "at most" and wider[:3] == node[:3]
        return same and wider.value < node.value
    if not isinstance(wider, Test) or not isinstance(node, Test) or wider.field != node.field:
        return False
    if wider.mask == node.mask:
        return wider.low <= node.low and node.high <= wider.high
    exact = wider.low == wider.high and node.low == node.high
    return exact and wider.mask & ~node.mask == 0 and node.low & wider.mask == wider.low


def _negative(formulas: Formulas, holding: Sequence[Literal]) -> list[Literal]:
    """The tests that do not hold, the most telling fields last (the last are kept longest)."""

    def rank(literal: Literal) -> int:
        node = formulas.nodes[-literal]
        telling = ("protocol", "ethertype")
        return int(isinstance(node, Test) and node.field in telling)

    return sorted((literal for literal in holding if literal < 0), key=rank)
