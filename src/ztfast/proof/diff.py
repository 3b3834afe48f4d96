"""Which frames two policies (or two engine versions) judge differently, or proof of none.

Contract: `compare(old, new)` gives a `Difference`: classes that are proved to be judged
differently throughout, each with a witness that both evaluators judged, and `complete`:
True where it is proved that outside the classes nothing differs.  Compared are delivery,
redirects, copies and QoS; the k-th `random` match of a rule set draws the same in both;
members without a tag have its default.  Frames of up to 65,535 payload bytes.
Tested by tests/proof/test_diff.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ztfast.engine.context import FrameContext, Outcome
from ztfast.errors import usage
from ztfast.frames.frame import Frame
from ztfast.model.kinds import KINDS
from ztfast.model.policy import Policy
from ztfast.model.view import DIRECTIONS, View, make_view
from ztfast.proof.class_text import context_text, describe
from ztfast.proof.formula import FALSE, TRUE, Lit, Node, Pair, Samples, Sets, Test
from ztfast.proof.frame_model import FrameSets
from ztfast.proof.match_formulas import Side
from ztfast.proof.solver import Deadline, Prover, Undecided
from ztfast.proof.symbolic import SideWalk, walk
from ztfast.proof.verdict_classes import Happened, copy_lengths, happened, labels
from ztfast.proof.witness import Held, context_of, contradiction, frame_of, replay
from ztfast.proof.witness_text import USUAL_MACS, Asked, told

TIME_LIMIT = 8.0
MAX_CLASSES = 20
# Up to so many sets the classes and their witnesses are the same whatever solver finds them.  In
# larger rules that takes four times as long, and time is what ends the proofs: there only a
# witness within its class is made a usual one.
SMALL = 1000
SIDES = ("both", "out", "in")


@dataclass(frozen=True)
class Judged:
    """One policy's word on a witness: in words, and the entry that decided."""

    verdict: Happened
    by: str

    def __str__(self) -> str:
        return f"{self.verdict} {self.by}".rstrip()


@dataclass(frozen=True)
class Change:
    """A class of frames that both policies judge alike throughout, and differently from another.

    words: the class; frame and circumstances: a witness in it; old, new: the two verdicts.
    model: the witness's fields; literals: the class, in the comparison's own sets.
    """

    words: str
    frame: Frame
    circumstances: str
    old: Judged
    new: Judged
    model: Mapping[str, int] = field(repr=False, default_factory=dict[str, int])
    literals: tuple[Lit, ...] = field(repr=False, default=())


@dataclass(frozen=True)
class Difference:
    """changes, and whether it is proved that there are no others (`open_` says why not)."""

    changes: tuple[Change, ...]
    complete: bool
    open_: str = ""


class Judge:
    """A policy on one or both sides, symbolically and for witnesses."""

    def __init__(
        self, policy: Policy, engine: str, side: str, sets: Sets, frame: FrameSets
    ) -> None:
        if side not in SIDES:
            raise usage(f"unknown side {side!r}", "use 'out', 'in' or 'both'")
        self.policy, self.sets = policy, sets
        self.sides = DIRECTIONS if side == "both" else (side,)
        self.views: dict[str, View] = {
            direction: make_view(policy, direction, engine) for direction in self.sides
        }
        self.defaults = {
            tag.id: tag.default & 0xFFFFFFFF for tag in policy.tags if tag.default is not None
        }
        self.everyone = frozenset(cap.id for cap in policy.capabilities if cap.default)
        holds = dict.fromkeys(self.everyone, TRUE)
        self.walks: dict[str, SideWalk] = {
            direction: walk(view, Side(sets, frame, direction, defaults=self.defaults), holds)
            for direction, view in self.views.items()
        }
        self.asked = Asked(policy, self.walks)

    def contexts(self, model: Mapping[str, int], frame: Frame) -> dict[str, FrameContext]:
        """Each side's circumstances."""
        return {
            side: context_of(model, view, frame, Held(side), self.defaults, self.everyone)
            for side, view in self.views.items()
        }

    def outcomes(self, model: Mapping[str, int], frame: Frame) -> dict[str, Outcome]:
        """What the sides do, by both evaluators; the receiver only where the frame gets there."""
        found: dict[str, Outcome] = {}
        for side, context in self.contexts(model, frame).items():
            found[side] = replay(self.views[side], frame, context)
            if not found[side].accept:
                break
        return found

    def judged(self, model: Mapping[str, int], frame: Frame) -> Judged:
        """The verdict on a witness, and which entry gave it."""
        outcomes = self.outcomes(model, frame)
        return Judged(happened(outcomes), self._decider(*list(outcomes.items())[-1]))

    def _decider(self, side: str, outcome: Outcome) -> str:
        number = 0 if outcome.capability is None else outcome.capability + 1
        if outcome.entry < 0:
            return "as nothing accepts it"
        entry = self.walks[side].rule_sets[number].steps[outcome.entry].entry
        ordered = self.policy.ordered_capabilities
        rules = self.policy.rules if number == 0 else ordered[number - 1].rules
        rule = rules[entry.rule]
        word = KINDS[entry.kind].word or entry.kind.name
        place = f"entry {outcome.entry}" if rule.span is None else f"line {rule.span.line}"
        held = ordered[number - 1] if number else None
        inside = f" of capability {held.name or held.id}" if held else ""
        return f"by `{word}` in {place}{inside}"


def natural(sets: Sets, sides: Sequence[str]) -> list[Lit]:
    """What holds of members' addresses on a network (spec sections 7 and 8)."""
    for name in ("zt_source", "out.node", "out.zt_dest", "in.node", "in.zt_dest"):
        sets.field(name, 40)
    found: list[Lit] = []
    if "out" in sides:
        found.append(sets.pair("equal", "out.node", "zt_source"))
    if "in" in sides:
        found.append(sets.pair("equal", "in.node", "in.zt_dest"))
    if "out" in sides and "in" in sides:
        known = sets.test(sets.field("receiver_known", 1), 1)
        unicast = -sets.test("out.zt_dest", 0)
        found.append(sets.implies(unicast, sets.pair("equal", "out.zt_dest", "in.node")))
        found += [sets.implies(unicast, known), sets.implies(known, unicast)]
    return found


def compare(
    old: Policy,
    new: Policy,
    *,
    engines: tuple[str, str] = ("1.14", "1.14"),
    side: str = "both",
    time_limit: float | None = TIME_LIMIT,
    most: int = MAX_CLASSES,
) -> Difference:
    """The frames that `old` (on the first engine) and `new` (on the second) judge differently.

    Raises BackendError where z3 is missing, or where a witness contradicts a claim (ZT291).
    """
    return _Comparison(old, new, engines, side, time_limit).run(most)


class _Comparison:
    def __init__(
        self,
        old: Policy,
        new: Policy,
        engines: tuple[str, str],
        side: str,
        time_limit: float | None,
    ) -> None:
        self.deadline = Deadline(time_limit)
        self.sets = Sets()
        self.frame = FrameSets(self.sets)
        self.old = Judge(old, engines[0], side, self.sets, self.frame)
        self.new = Judge(new, engines[1], side, self.sets, self.frame)
        every = [*self.old.walks.values(), *self.new.walks.values()]
        lengths = copy_lengths(every)
        olds = labels(self.sets, self.old.walks, lengths)
        news = labels(self.sets, self.new.walks, lengths)
        self.labels = [
            (olds.get(label, FALSE), news.get(label, FALSE)) for label in {**olds, **news}
        ]
        self.differs = self.sets.any(self.sets.differ(*pair) for pair in self.labels)
        self.rest = self.differs
        self.tags = {tag.id: tag.name or str(tag.id) for tag in (*old.tags, *new.tags)}

    def run(self, most: int) -> Difference:
        changes: list[Change] = []
        if self.differs == FALSE:
            return Difference((), True)
        prover = self._prover()
        try:
            for change in self._changes(prover):
                changes.append(change)
                if len(changes) >= most and not prover.empty(self.rest):
                    return Difference(tuple(changes), False, f"only {most} classes are shown")
        except Undecided as reason:
            why = str(reason) or f"the time limit of {self.deadline.seconds:g} seconds came first"
            return Difference(tuple(changes), False, why)
        return Difference(tuple(changes), True)

    def _prover(self) -> Prover:
        prover = Prover(self.sets, self.deadline)
        for literal in (*natural(self.sets, self.old.sides), *self.frame.structure()):
            prover.require(literal)
        return prover

    def _changes(self, prover: Prover) -> Iterator[Change]:
        leaves = self.sets.leaves(part for pair in self.labels for part in pair)
        shown: list[Lit] = []
        small = len(self.sets.nodes) <= SMALL
        while True:
            # Outside the classes shown; each class is proved as it stands, also where two overlap.
            where = (self.differs, *(-part for part in shown))
            buildable = self.frame.buildable
            usual = wishes(self.frame)
            if small:
                model = prover.preferring([*where, buildable], usual)
            else:
                model = prover.find(*where, buildable, sample=False)
            if model is None:
                refuse_unbuildable(prover, buildable, where)
                return
            holding = [self._polarity(leaf, model) for leaf in leaves]
            alike = self._alike(model)
            cube = self._cube(prover, alike, holding, model)
            shown.append(self.sets.all(cube))
            self.rest = self.sets.both(self.differs, -self.sets.any(shown))
            if not small:
                inside = [*cube, self.differs, buildable]
                model = prover.preferring(inside, usual, smallest=False) or model
            yield self._change(model, cube)

    def _polarity(self, leaf: Lit, model: Mapping[str, int]) -> Lit:
        return leaf if Samples(self.sets, [model]).inside(leaf) else -leaf

    def _alike(self, model: Mapping[str, int]) -> Lit:
        """The frames that both policies judge as they judge this one."""
        sample = Samples(self.sets, [model])
        return self.sets.all(
            part if sample.inside(part) else -part for pair in self.labels for part in pair
        )

    def _cube(
        self, prover: Prover, alike: Lit, holding: Sequence[Lit], model: Mapping[str, int]
    ) -> list[Lit]:
        """Few tests that all such frames have in common and that make them judged alike.

        Tests that hold say more than tests that do not, so they are tried alone first.
        """
        positive = [literal for literal in holding if literal > 0]
        try:
            found = prover.reasons([-alike], positive, model)
            if found is None:
                every = [*_inviting(self.sets, holding), *positive]
                found = prover.reasons([-alike], every, model)
        except Undecided:
            return list(holding)
        return list(holding) if found is None else self._widened(prover, alike, found, positive)

    def _widened(
        self, prover: Prover, alike: Lit, cube: list[Lit], positive: Sequence[Lit]
    ) -> list[Lit]:
        """The cube with each test replaced by a wider one that does as well, where there is one."""
        for index, literal in enumerate(cube):
            node = self.sets.nodes[abs(literal)]
            for other in positive if literal > 0 else ():
                wider = self.sets.nodes[other]
                if other in cube or not _contains(wider, node):
                    continue
                changed = [*cube[:index], other, *cube[index + 1 :]]
                try:
                    if prover.empty(-alike, *changed):
                        cube, node = changed, wider
                except Undecided:
                    return cube
        return cube

    def _change(self, model: Mapping[str, int], cube: Sequence[Lit]) -> Change:
        frame = frame_of(model)
        old, new = self.old.judged(model, frame), self.new.judged(model, frame)
        if old.verdict == new.verdict:
            raise contradiction(f"a difference was claimed and there is none ({old})", frame)
        where = circumstances((self.old, self.new), model, frame, self.tags)
        words = describe(self.sets, cube, self.tags, self.old.defaults.keys())
        return Change(words, frame, where, old, new, dict(model), tuple(cube))


def _contains(wider: Node | None, node: Node | None) -> bool:
    """Does one test say less than another of the same field?"""
    if isinstance(wider, Pair) and isinstance(node, Pair) and wider.how == "at most":
        return wider[:3] == node[:3] and wider.value < node.value
    if not isinstance(wider, Test) or not isinstance(node, Test) or wider.field != node.field:
        return False
    if wider.mask == node.mask:
        return wider.low <= node.low and node.high <= wider.high
    exact = wider.low == wider.high and node.low == node.high
    return exact and wider.mask & ~node.mask == 0 and node.low & wider.mask == wider.low


def _inviting(sets: Sets, holding: Sequence[Lit]) -> list[Lit]:
    """The tests that do not hold, the most telling fields last (the last are kept longest)."""

    def rank(literal: Lit) -> int:
        node = sets.nodes[-literal]
        telling = ("protocol", "ethertype")
        return int(isinstance(node, Test) and node.field in telling)

    return sorted((literal for literal in holding if literal < 0), key=rank)


def refuse_unbuildable(prover: Prover, buildable: Lit, where: Sequence[Lit]) -> None:
    """Raise Undecided where only frames are left of which it is not known that they exist."""
    if buildable != TRUE and not prover.empty(*where):
        raise Undecided("INTEGER_RANGE in IPv6 packets with extension headers is not decided")


def circumstances(
    judges: Sequence[Judge], model: Mapping[str, int], frame: Frame, tags: Mapping[int, str]
) -> str:
    """A witness's circumstances in words, for the policies that judge it; the first one's tags."""
    side = judges[0].sides[0]
    asked = [judge.asked for judge in judges]
    addressed = any(one.addresses for one in asked)
    text = context_text(judges[0].contexts(model, frame)[side], side, tags, addressed)
    return "; ".join([text] * bool(text) + told(asked, model, frame))


def wishes(frame: FrameSets) -> list[Lit]:
    """What makes a witness look like a frame that people know, the first first."""
    test, sets = frame.test, frame.sets
    return [
        frame.plain,
        sets.test("receiver_known", 1),
        test("length", 60, 1500),
        test("ethertype", 0x0800),
        test("vlan", 0),
        test("owns_ip", 1),
        test("owns_mac", 1),
        test("protocol", 6),
        test("tcp", 2),
        test("tcp", 0x10),
        test("tos", 0),
        test("mac_dest", 0, 0, 1 << 40),
        test("source4", 0x0A000000, mask=0xFF000000),
        test("source4", 0x0A000001),
        test("source4", 1, mask=0xFF),
        test("dest4", 0x0A000002),
        test("dest4", 2, mask=0xFF),
        test("source6", 0xFD00 << 112 | 1),
        test("dest6", 0xFD00 << 112 | 2),
        test("sport", 40000),
        test("dport", 443),
        test("mac_source", USUAL_MACS[0]),
        test("mac_dest", USUAL_MACS[1]),
        test("length", 60),
        sets.test("zt_source", 0x1111111111),
        *(sets.test(name, 0x2222222222) for name in ("in.node", "out.zt_dest")),
        *(
            sets.test(name, 0, 99 if ".tag." in name else 0)
            for name in sorted(sets.widths)
            if name.startswith(("from.", "to."))
        ),
    ]
