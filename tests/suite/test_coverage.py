"""Counts of outcomes: what an evaluation adds to each entry, and what is still missing."""

from __future__ import annotations

import pytest

from ztfast.engine.context import FrameContext
from ztfast.engine.reference import evaluate
from ztfast.frames.notation import parse_frame
from ztfast.lang import compile_text
from ztfast.model.policy import Policy, Rule
from ztfast.model.view import make_view
from ztfast.suite.coverage import Coverage, EntryCoverage
from ztfast.suite.render import cases_text

HTTP, DNS = "tcp 10.0.0.1 > 10.0.0.2:80", "udp 10.0.0.1 > 10.0.0.2:53"
OTHER = "tcp 10.0.0.1 > 10.0.0.2:81"


def covered(
    rules: str | Policy, *frames: str, held: tuple[int, ...] = (), direction: str = "out"
) -> Coverage:
    policy = compile_text(rules) if isinstance(rules, str) else rules
    coverage, view = Coverage(policy), make_view(policy, direction)
    for text in frames:
        frame = parse_frame(text).frame
        coverage.add(evaluate(view, frame, FrameContext(held=held), want_steps=True).trials)
    return coverage


def counts(coverage: Coverage) -> list[tuple[str, int, int, tuple[str, ...]]]:
    return [(e.text, e.true, e.false, e.missing) for e in coverage.entries()]


def test_nothing_evaluated_covers_nothing() -> None:
    coverage = covered("accept dport 80;")
    assert counts(coverage) == [
        ("dport 80", 0, 0, ("true", "false")),
        ("accept", 0, 0, ("taken",)),
    ]
    assert (coverage.outcomes(), coverage.reached(), coverage.percent) == ((0, 3), (0, 2), 0)


def test_a_match_has_two_outcomes_and_an_action_one() -> None:
    coverage = covered("accept dport 80;", HTTP)
    assert counts(coverage) == [("dport 80", 1, 0, ("false",)), ("accept", 1, 0, ())]
    assert (coverage.outcomes(), coverage.reached()) == ((2, 3), (2, 2))
    assert coverage.percent == pytest.approx(200 / 3)
    assert covered("accept dport 80;", HTTP, OTHER, HTTP).percent == 100


def test_an_action_whose_set_is_false_is_not_taken() -> None:
    coverage = covered("accept dport 80;", DNS)
    assert counts(coverage)[1] == ("accept", 0, 0, ("taken",))
    assert coverage.reached() == (1, 2)


def test_outcomes_are_those_after_not() -> None:
    assert counts(covered("accept not dport 80;", HTTP))[0] == ("not dport 80", 0, 1, ("true",))


def test_a_skipped_match_and_what_is_behind_the_end_have_no_outcome() -> None:
    coverage = covered("drop dport 80 and sport 1; Accept; break;", DNS)
    skipped, accept, behind = (counts(coverage)[index] for index in (1, 3, 4))
    assert skipped == ("sport 1", 0, 0, ("true", "false"))
    assert accept == ("accept", 1, 0, ())
    assert behind == ("break", 0, 0, ("taken",))


def test_capabilities_are_listed_by_id_and_counted_where_they_were_tried() -> None:
    rules = "cap late id 9 accept dport 53; ; cap early id 2 accept dport 80; ;"
    coverage = covered(rules, HTTP, held=(0, 1))
    found = [(e.rule_set, e.entry, e.true, e.false) for e in coverage.entries()]
    assert found == [
        ("capability early", 0, 1, 0),
        ("capability early", 1, 1, 0),
        ("capability late", 0, 0, 0),
        ("capability late", 1, 0, 0),
    ]
    both_tried = covered(rules, DNS, held=(0, 1))
    assert [(e.true, e.false) for e in both_tried.entries()] == [(0, 1), (0, 0), (1, 0), (1, 0)]


def test_both_sides_add_up() -> None:
    policy = compile_text("accept chr inbound;")
    coverage, frame = Coverage(policy), parse_frame(HTTP).frame
    for direction in ("out", "in"):
        view = make_view(policy, direction)
        coverage.add(evaluate(view, frame, FrameContext(), want_steps=True).trials)
    assert counts(coverage) == [("chr inbound", 1, 1, ()), ("accept", 1, 0, ())]
    assert coverage.percent == 100


def test_an_entry_of_unknown_type_is_no_entry() -> None:
    known = compile_text("accept dport 80;")
    unknown = Rule({"type": "MATCH_NOTHING_KNOWN"})
    policy = Policy(rules=(unknown, *known.rules))
    coverage = covered(policy, HTTP)
    assert [(e.entry, e.text) for e in coverage.entries()] == [(0, "dport 80"), (1, "accept")]
    assert coverage.outcomes() == (2, 3)


def test_rules_without_entries_are_covered() -> None:
    coverage = covered("", HTTP)
    assert list(coverage.entries()) == []
    assert (coverage.outcomes(), coverage.percent) == ((0, 0), 100.0)


def test_a_macro_names_the_include_that_was_not_met() -> None:
    rules = "macro open($p)\n accept dport $p;\n;\ninclude open(80)\ninclude open(81)\n"
    coverage = covered(rules, HTTP)
    lines = cases_text([], coverage).splitlines()
    assert lines[-3:] == [
        "  <text>:2 (included in line 4): `dport 80` was never false",
        "  <text>:2 (included in line 5): `dport 81` was never evaluated",
        "  <text>:2 (included in line 5): `accept` was never taken",
    ]


def test_an_entry_has_its_place_in_the_text() -> None:
    first, second = covered("accept\n  dport 80;").entries()
    assert isinstance(first, EntryCoverage)
    assert first.span is not None
    assert second.span is not None
    assert (first.span.line, second.span.line) == (2, 1)
    assert (first.action, second.action) == (False, True)
