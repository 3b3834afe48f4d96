"""What edits do: by example, and no random frame contradicts what was proved."""

from __future__ import annotations

import random

import pytest

import ztfast
from tests import pages, seeds
from tests.needs import needs
from tests.proof.changing import changed, network_assignment, outcomes, random_policy
from tests.proof.drawing import random_frame
from ztfast.proof.diff import PolicyPair
from ztfast.proof.edit_effects import (
    CopyChange,
    EditEffect,
    EditReport,
    _EditEffects,
    compare_edits,
)
from ztfast.proof.edits import edits_between
from ztfast.proof.formula import Samples
from ztfast.proof.verdict_classes import verdict_text

pytestmark = needs("z3")

SEED = seeds.seed(53)
ROUNDS = seeds.rounds(25)
FRAMES = seeds.frames(40)
TAIL = "Drop\n"


def report(old: str, new: str, **options: object) -> EditReport:
    return compare_edits(ztfast.compile(old), ztfast.compile(new), **options)  # type: ignore[arg-type]


def kinds(found: EditReport) -> list[list[tuple[str, str]]]:
    assert not found.incomplete
    every = [*found.edits, found.rest]
    assert all(one.decided for one in every)
    return [[(effect.before, effect.after) for effect in one.effects] for one in every]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("drop dport 23;\naccept;\n", "accept;\n", [[("dropped", "accepted")], []]),
        ("accept;\n", "drop dport 23;\naccept;\n", [[("accepted", "dropped")], []]),
        (TAIL, "Accept\naccept dport 2;\n" + TAIL, [[("dropped", "accepted")], [], []]),
        ("accept;\n", "redirect 1122334455;\naccept;\n", [[("accepted", "redirected")], []]),
        (
            "tag t id 1 default 1;\ndrop not tseq t 1;\naccept;\n",
            "tag t id 1 default 2;\ndrop not tseq t 1;\naccept;\n",
            [[], [("accepted", "dropped")]],
        ),
    ],
)
def test_kinds(old: str, new: str, expected: list[list[tuple[str, str]]]) -> None:
    assert kinds(report(old, new)) == expected


def test_what_changes_where_no_edited_rule_acts() -> None:
    """A match that is no longer evaluated arms nothing, though its rule acts on no frame."""
    gone = "break treq t 1 and dport 1 and dport 2;\n"
    rest = "tag t id 1;\ndrop dport 5;\naccept;\n"
    found = report(rest.replace("drop", gone + "drop"), rest, side="out")
    assert kinds(found) == [[], [("accepted", "dropped")]]


def test_who_decides_now_and_what_is_copied() -> None:
    rest = "tee 64 1122334455;\ndrop dport 80;\naccept dport 22;\naccept dport 23;\n"
    found = report(rest + TAIL, rest.replace("tee 64 1122334455;\ndrop dport 80;\n", "") + TAIL)
    tee, drop = found.edits
    assert tee.effects[0].copies == (CopyChange("tee", 0x1122334455, False, True),)
    assert drop.effects == ()
    opened = report("drop dport 22-23;\n" + rest + TAIL, rest + TAIL).edits[0]
    accepted = next(one for one in opened.effects if one.after == "accepted")
    places = [one.place if one is not None else None for one in accepted.deciders]
    assert sorted(map(str, places)) == ["line 1", "line 3", "line 4"]
    assert not accepted.others
    assert accepted.copies == (CopyChange("tee", 0x1122334455, True, True),)


def test_more_rules_than_are_named() -> None:
    many = "".join(f"accept sport {port};\n" for port in range(10, 50, 4))
    (edit,) = report("drop dport 23;\n" + many + TAIL, many + TAIL).edits
    (effect,) = (one for one in edit.effects if one.after == "accepted")
    assert effect.others
    assert len(effect.deciders) == 6


def test_time_that_runs_out_is_said() -> None:
    found = report("drop dport 23;\naccept;\n", "accept;\n", time_limit=0.0)
    assert not found.same
    assert not found.edits[0].decided
    assert "0 seconds" in found.incomplete
    assert report("accept;\n", "# same\naccept;\n", time_limit=0.0).same


def test_the_office_is_proved() -> None:
    """No time is asserted; a limit would only make it incomplete."""
    old = ztfast.load(pages.EXAMPLES / "office.ztrules")
    text = (pages.EXAMPLES / "office.ztrules").read_text()
    new = ztfast.compile(text.replace("drop ipprotocol tcp and dport 23;\n", ""))
    found = compare_edits(old, new, time_limit=None, usual=False)
    assert kinds(found) == [[("dropped", "accepted"), ("dropped", "dropped")], []]


def test_a_full_policy_is_compared() -> None:
    """1,021 entries with three edits; no time is asserted."""
    rng = random.Random(SEED)
    lines = [
        f"accept ipprotocol tcp and ipdest 10.{rng.randrange(4)}.{rng.randrange(256)}.0/24"
        f" and dport {rng.randrange(1000, 65536)};\n"
        for _ in range(255)
    ]
    new = ["accept ipprotocol udp;\n", *lines[:99], lines[99].replace("dport", "sport")]
    new += [*lines[100:150], *lines[151:]]
    found = report("".join(lines) + TAIL, "".join(new) + TAIL, time_limit=None, usual=False)
    assert kinds(found)[0] == [("dropped", "accepted")]
    assert ("accepted", "dropped") in kinds(found)[1]
    assert kinds(found)[3] == []


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_no_frame_contradicts_a_report(round_: int) -> None:
    """A frame judged otherwise has an effect of each edit that acts on it, by the right rule."""
    rng = random.Random(SEED * 6151 + round_)
    old = random_policy(rng)
    new = changed(rng, old)
    pair = PolicyPair(old, new, ("1.14", "1.14"), "both", 20)
    edits = edits_between(old, new)
    effects = _EditEffects(pair, usual=False)
    found = effects.find(edits)
    touched = [effects._touched(edit) for edit in edits]
    for _ in range(FRAMES):
        frame = random_frame(rng)
        first, second = (
            network_assignment(rng, symbolic, frame, list(pair.formulas.widths))
            for symbolic in (pair.old, pair.new)
        )
        assignment = second | first
        results = [outcomes(one, assignment, frame) for one in (pair.old, pair.new)]
        before, after = (verdict_text(result) for result in results)
        if before == after:
            continue
        assert not found.same, (SEED, round_)
        sample = Samples(pair.formulas, [assignment])
        mine = [number for number, where in enumerate(touched) if sample.inside(where)]
        actors = [found.edits[number] for number in mine] or [found.rest]
        change = before.action.split()[0], after.action.split()[0]
        for actor in actors:
            part = class_of(actor, effects, sample)
            named = [
                one
                for one in actor.effects
                if (one.before, one.after) == change and one.part == part
            ]
            assert named or not actor.decided, (SEED, round_, change)
            for effect in named if actor.decided else ():
                places = [one and (one.capability, one.first, one.last) for one in effect.deciders]
                assert effect.others or decider(pair, results[1]) in places, (SEED, round_)
    for one in (*found.edits, found.rest):
        for effect in one.effects:
            assert effect.old.verdict != effect.new.verdict
            assert effect.old.verdict.action.startswith(effect.before)
            assert effect.new.verdict.action.startswith(effect.after)


def class_of(actor: EditEffect, effects: _EditEffects, sample: Samples) -> str:
    """The class that the one assignment of a sample is in."""
    classes = effects._classes.of(actor.edit)
    return next((part for part, where in classes.items() if sample.inside(where)), "")


def decider(pair: PolicyPair, results: dict[str, object]) -> object:
    """(capability, first, last) of the statement whose entry decided, None for the end."""
    name, outcome = list(results.items())[-1]
    number = outcome.capability  # type: ignore[attr-defined]
    if outcome.entry < 0:  # type: ignore[attr-defined]
        return None
    view = pair.new.views[pair.new.passes[name].direction]
    entries = view.base if number is None else view.capabilities[number]
    at = entries[outcome.entry].rule  # type: ignore[attr-defined]
    held = None if number is None else pair.new.policy.ordered_capabilities[number]
    rules = pair.new.policy.rules if held is None else held.rules
    ends = [n for n, rule in enumerate(rules) if rule.json["type"].startswith("ACTION_")]
    last = min((n for n in ends if n >= at), default=len(rules) - 1)
    first = max((n + 1 for n in ends if n < at), default=0)
    return (None if held is None else held.id), first, last
