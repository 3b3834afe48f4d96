"""What each edit of the rules does to frames: proved, with a witness for each kind of change.

Contract: `compare_edits(old, new)` gives for each edit what changes on the frames that its rules
act on: dropped and now accepted, accepted and now dropped, sent elsewhere, copied otherwise.  Each
such kind of change has a witness that both evaluators judged; that there is no other is proved,
or `decided` is False.  Of a changed rule they are told by whose frames they are: the old text's,
the new one's, or both's (`proof.edit_classes`).  What changes elsewhere (a `break` that hid a
rule, say) belongs to all edits together.
Tested by tests/proof/test_edit_effects.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import NamedTuple

from ztfast.engine.context import Outcome
from ztfast.frames.frame import Frame
from ztfast.model.policy import Policy
from ztfast.proof.diff import SMALL, EventPair, PolicyPair
from ztfast.proof.edit_classes import EditClasses, Relation, Whole, acts
from ztfast.proof.edits import Edit, Statement, edits_between, statements
from ztfast.proof.formula import FALSE, TRUE, Assignment, Formulas, Literal, Samples
from ztfast.proof.member_ends import MemberEnds
from ztfast.proof.solver import Prover, Undecided
from ztfast.proof.symbolic import RuleSetTrace, SideTrace
from ztfast.proof.symbolic_policy import (
    SymbolicPolicy,
    WitnessVerdict,
)
from ztfast.proof.verdict_classes import PASSES
from ztfast.proof.witness import frame_of

TIME_LIMIT = 4.0
MOST_DECIDERS = 6
_ACTIONS = ("accepted", "redirected", "dropped")


class CopyChange(NamedTuple):
    """A copy that begins (`starts`) or ends: kind ("tee", "watch") and target.

    whole: it does for every frame of its class that has the effect's end, proved.
    """

    kind: str
    target: int
    starts: bool
    whole: bool = False


@dataclass(frozen=True)
class Effect:
    """One kind of change of an edit's frames.

    before, after: accepted, dropped or redirected.  deciders: the rules that say so now, as
    statements of the new policy, None for the end of the rules; others: there are more.  copies:
    what begins or ends beside it.  frame, circumstances, old, new: a witness.  part: the class of
    frames, as in `edit_classes`; whole: no frame of the class contradicts it, proved.
    """

    before: str
    after: str
    deciders: tuple[Statement | None, ...]
    others: bool
    copies: tuple[CopyChange, ...]
    frame: Frame
    circumstances: str
    old: WitnessVerdict
    new: WitnessVerdict
    assignment: Assignment = field(repr=False, default_factory=dict[str, int])
    part: str = ""
    whole: bool = False


@dataclass(frozen=True)
class EditEffect:
    """An edit with what it does; decided: that is all, proved.

    relation: which classes of a changed rule there are.
    """

    edit: Edit | None
    effects: tuple[Effect, ...]
    decided: bool
    relation: Relation = field(default_factory=Relation)


class EditReport(NamedTuple):
    """What edits do; `rest`: what changes on frames that no edited rule acts on.

    incomplete: why not everything is proved, empty where it is.
    """

    edits: tuple[EditEffect, ...]
    rest: EditEffect
    incomplete: str = ""

    @property
    def same(self) -> bool:
        """Is it proved that no frame is judged otherwise?"""
        return not self.incomplete and not any(one.effects for one in (*self.edits, self.rest))


def compare_edits(
    old: Policy,
    new: Policy,
    *,
    engines: tuple[str, str] = ("1.14", "1.14"),
    side: str = "both",
    time_limit: float | None = TIME_LIMIT,
    usual: bool = True,
    ends: MemberEnds | None = None,
) -> EditReport:
    """What each edit between two policies does to frames, as far as the time limit lets prove it.

    side: "both", "out" or "in".  time_limit: in seconds, None: none.  usual: witnesses are to look
    like frames that people know, which takes time.  ends: members that sender and receiver are.
    Raises BackendError where z3 is missing, or where a witness contradicts a claim (ZT291),
    UsageError for another side.
    """
    pair = PolicyPair(old, new, engines, side, time_limit, ends)
    edits = edits_between(old, new)
    if pair.differs == FALSE:
        nothing = [EditEffect(edit, (), True) for edit in edits]
        return EditReport(tuple(nothing), EditEffect(None, (), True))
    return _EditEffects(pair, usual).find(edits)


class _EditEffects:
    """The effects of edits between two policies over the same fields."""

    def __init__(self, pair: PolicyPair, usual: bool) -> None:
        self._wants_usual = usual
        # the same witness whatever solver finds it, where that takes no time worth speaking of
        self._settles = len(pair.formulas.nodes) <= SMALL
        self._old, self._new = pair.old, pair.new
        self._formulas: Formulas = pair.formulas
        self._prover: Prover = pair.prover()
        self._deadline = pair.deadline
        self._differs, self._buildable = pair.differs, pair.frame.buildable
        self._preferences = pair.preferences()
        self._events = pair.events
        self._actions = [_actions(self._formulas, self._events, new) for new in (False, True)]
        self._literals = _DeciderFormulas(self._formulas, self._new.traces)
        self._circumstances, self._why = pair.circumstances, ""
        self._classes = EditClasses(self._formulas, self._prover, (self._old, self._new))
        actions = self._actions[0], self._actions[1]
        self._whole = Whole(self._formulas, self._prover, self._new, actions, self._events)

    def find(self, edits: Sequence[Edit]) -> EditReport:
        """The effects of each edit, in their order, and what is left."""
        touched = [self._touched(edit) for edit in edits]
        rest = self._formulas.both(self._differs, -self._formulas.any(touched))
        wheres = [*(self._formulas.both(self._differs, where) for where in touched), rest]
        begun = [self._begin(where) for where in wheres]
        classes = [self._classes.of(edit) for edit in (*edits, None)]
        found = [
            self._all(edit, where, something, named)
            for edit, where, something, named in zip(
                (*edits, None), wheres, begun, classes, strict=True
            )
        ]
        # what is true of whole classes comes last: without time for it, less is said of them
        *told, left = [self._told(*one) for one in zip(found, classes, strict=True)]
        return EditReport(tuple(told), left, self._why)

    def _begin(self, where: Literal) -> bool | None:
        """Does anything change there?  None: no time to know.  Each edit is asked about first."""
        try:
            return not self._prover.empty(where)
        except Undecided as reason:
            self._undecided(reason)
            return None

    def _undecided(self, reason: Undecided) -> None:
        seconds = f"the time limit of {self._deadline.seconds:g} seconds came first"
        self._why = self._why or str(reason) or seconds

    def _all(
        self,
        edit: Edit | None,
        where: Literal,
        begun: bool | None,
        classes: Mapping[str, Literal],
    ) -> EditEffect:
        """The effects among the frames that an edit's rules act on, class by class."""
        if begun is False:
            return EditEffect(edit, (), True)
        found: list[Effect] = []
        try:
            for part, named in (classes or {"": TRUE}).items():
                inside = self._formulas.both(where, named)
                if len(classes) > 1 and self._prover.empty(inside):
                    continue
                for before, after in product(_ACTIONS, _ACTIONS):
                    effect = self._effect(inside, before, after)
                    found += [replace(effect, part=part)] if effect is not None else []
        except Undecided as reason:
            self._undecided(reason)
            return EditEffect(edit, tuple(found), False)
        return EditEffect(edit, tuple(found), True)

    def _effect(self, where: Literal, before: str, after: str) -> Effect | None:
        """A witness of a kind of change and what else is true of it; None where there is none."""
        kind = self._formulas.all((where, self._actions[0][before], self._actions[1][after]))
        assignment = self._usual(kind)
        if assignment is None:
            return None
        frame = frame_of(assignment)
        old, new = (one.verdict_on(assignment, frame) for one in (self._old, self._new))
        deciders, others = self._deciders(kind, assignment, frame)
        copies = tuple(self._copies(kind, before, after))
        circumstances = self._circumstances(assignment, frame)
        found = (frame, circumstances, old, new, dict(assignment))
        return Effect(before, after, deciders, others, copies, *found)

    # --- what is true of whole classes

    def _told(self, one: EditEffect, classes: Mapping[str, Literal]) -> EditEffect:
        if not one.effects or not classes:
            return one
        effects = (self._whole_of(effect, one.edit, classes[effect.part]) for effect in one.effects)
        return replace(one, effects=tuple(effects), relation=self._classes.relation(classes))

    def _whole_of(self, effect: Effect, edit: Edit | None, named: Literal) -> Effect:
        """The effect with what of it is true of all of its class."""
        after, whole = effect.after, self._whole
        copies = tuple(
            copy._replace(
                whole=whole.copy(named, after, copy.target, self._copied(copy)[1], copy.starts)
            )
            for copy in effect.copies
        )
        if effect.before == after and not copies:
            every = whole.otherwise(named, self._differs)
        else:
            # who decides is said of frames that change, where it is not the edited rule
            own = edit is not None and effect.deciders == (edit.new,)
            every = whole.verdict(named, after, not own and effect.before != after)
        return replace(effect, whole=every, copies=copies)

    def _usual(self, where: Literal) -> Assignment | None:
        """A witness that looks like a frame that people know, where there is time to find one."""
        if where == FALSE or not self._wants_usual:
            return self._witness(where)
        inside = [where, self._buildable]
        found = self._prover.find_preferred(inside, self._preferences, smallest=self._settles)
        return found if found is not None else self._witness(where)

    def _witness(self, where: Literal) -> Assignment | None:
        if where == FALSE:
            return None
        assignment = self._prover.find(where, self._buildable)
        if assignment is None and self._buildable != TRUE and not self._prover.empty(where):
            raise Undecided("INTEGER_RANGE in IPv6 packets with extension headers is not decided")
        return assignment

    # --- who decides now

    def _deciders(
        self, kind: Literal, assignment: Assignment | None, frame: Frame
    ) -> tuple[tuple[Statement | None, ...], bool]:
        """The statements that have the last word on these frames, and whether there are more."""
        found: list[Statement | None] = []
        while assignment is not None:
            if len(found) == MOST_DECIDERS:
                return tuple(found), True
            name, outcome = list(self._new.outcomes(assignment, frame).items())[-1]
            decided = self._literals.decided(name, outcome)
            assert Samples(self._formulas, [assignment]).inside(decided), (name, outcome)
            statement = _statement(self._new, outcome)
            found += [statement] if statement not in found else []
            kind = self._formulas.both(kind, -decided)
            assignment = self._witness(kind)
            frame = frame_of(assignment) if assignment is not None else frame
        return tuple(found), False

    def _copies(self, kind: Literal, before: str, after: str) -> Iterator[CopyChange]:
        """Copies that begin or end somewhere among these frames."""
        if after == "dropped" != before:
            return  # that nothing is copied any more goes without saying
        for name, target in {pair.event[1:3]: 0 for pair in self._events if _is_copy(pair)}:
            for starts in (True, False):
                copy = CopyChange(str(name), int(target), starts)
                old, new = self._copied(copy)
                if not self._prover.empty(kind, *((-old, new) if starts else (old, -new))):
                    yield copy

    def _copied(self, copy: CopyChange) -> tuple[Literal, Literal]:
        """Where the old and where the new policy sends such a copy."""
        key = copy.kind, copy.target
        pairs = [pair for pair in self._events if _is_copy(pair) and pair.event[1:3] == key]
        old, new = (pair.old for pair in pairs), (pair.new for pair in pairs)
        return self._formulas.any(old), self._formulas.any(new)

    # --- whose frames these are

    def _touched(self, edit: Edit) -> Literal:
        """Where an edited rule acts, in the old policy or in the new one."""
        parts = [
            where
            for policy, statement in ((self._old, edit.old), (self._new, edit.new))
            if statement is not None
            for where in acts(policy, statement)
        ]
        return self._formulas.any(parts)


def _actions(formulas: Formulas, events: Iterable[EventPair], new: bool) -> dict[str, Literal]:
    """Where the old or the new policy delivers, redirects, and drops."""
    delivered: Literal = FALSE
    redirected: Literal = FALSE
    for pair in events:
        literal = pair.new if new else pair.old
        if pair.event == ("delivered",):
            delivered = literal
        elif pair.event[1] == "redirect":
            redirected = formulas.either(redirected, literal)
    return {
        "accepted": delivered,
        "redirected": redirected,
        "dropped": formulas.both(-delivered, -redirected),
    }


def _is_copy(pair: EventPair) -> bool:
    """At least one copy, of whatever length."""
    return len(pair.event) == 5 and pair.event[3:] == (0, 1)


def _statement(policy: SymbolicPolicy, outcome: Outcome) -> Statement | None:
    """The statement whose entry decided, None where the list ended."""
    if outcome.entry < 0:
        return None
    held, number = None, 0
    if outcome.capability is not None:
        held, number = (
            policy.policy.ordered_capabilities[outcome.capability],
            outcome.capability + 1,
        )
    rules = policy.policy.rules if held is None else held.rules
    steps = next(iter(policy.traces.values())).rule_sets[number].steps
    at = steps[outcome.entry].entry.rule
    return next(one for one in statements(rules, held) if one.first <= at <= one.last)


class _DeciderFormulas:
    """Where an entry has the last word on a frame, over the passes of one policy."""

    def __init__(self, formulas: Formulas, traces: Mapping[str, SideTrace]) -> None:
        self._formulas, self._traces = formulas, traces
        self._final: dict[str, Literal] = {}
        reached: Literal = TRUE
        names = [name for name in PASSES if name in traces]
        for name in names:
            trace = traces[name]
            asked = reached
            if name == "again":
                asked = formulas.both(reached, formulas.test(traces["out"].fields.zt_dest, 0))
            last = name == names[-1]
            self._final[name] = asked if last else formulas.both(asked, -trace.delivered)
            reached = formulas.both(reached, formulas.implies(asked, trace.delivered))

    def decided(self, name: str, outcome: Outcome) -> Literal:
        """Where a pass is the last and ends as this outcome did."""
        formulas, trace = self._formulas, self._traces[name]
        accepted = trace.accepted if outcome.accepted else -trace.accepted
        where = formulas.both(self._final[name], accepted)
        if outcome.capability is not None:
            rules = trace.capabilities[outcome.capability]
            own = formulas.both(rules.steps[outcome.entry].ends, rules.passes(formulas))
            return formulas.both(where, own)
        return formulas.both(where, _ended(formulas, trace.base, outcome.entry))


def _ended(formulas: Formulas, rules: RuleSetTrace, entry: int) -> Literal:
    if entry >= 0:
        return rules.steps[entry].ends
    return formulas.all((rules.start, *(-where for _, where in rules.ends)))
