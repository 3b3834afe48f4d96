"""Notes of single frames: the status of each entry, who decides, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ztfast.explain.contexts import ContextResolver, Ends, described_member
from ztfast.explain.explain import EntryNote, Explanation, explain
from ztfast.explain.render import to_object, to_text
from ztfast.frames.notation import parse_frame
from ztfast.lang import compile_text

HTTP = "tcp 10.0.0.1 > 10.0.0.2:80 zt 1111111111 > 2222222222"


def explained(
    rules: str,
    frame: str = HTTP,
    side: str = "both",
    engine: str = "1.14",
    held: frozenset[int] = frozenset(),
    known: bool = True,
) -> Explanation:
    resolver, spec = ContextResolver(compile_text(rules), engine=engine), parse_frame(frame)
    ends = Ends(described_member(spec, True, {}, held), described_member(spec, False, {}))
    contexts = resolver.described_contexts(spec, ends if known else Ends(None, None))
    return explain(resolver, contexts, side)


def entries(found: Explanation, side: int = 0, rule_set: int = 0) -> tuple[EntryNote, ...]:
    return found.sides[side].rule_sets[rule_set].entries


def statuses(found: Explanation, side: int = 0) -> list[str]:
    return [entry.status for entry in entries(found, side)]


def test_each_entry_has_the_status_that_it_had() -> None:
    found = explained("drop dport 81 and sport 1; accept dport 80; break;")
    assert statuses(found) == [
        "false",
        "skipped",
        "passed over",
        "true",
        "taken",
        "not reached",
    ]
    drop, accept, last = (entries(found)[index] for index in (2, 4, 5))
    assert (drop.why, accept.why, last.why) == ("the set is false", "accepted here", "")
    assert [entry.set_after for entry in entries(found)][:5] == [False, False, None, True, None]


def test_what_was_not_captured_makes_a_verdict_uncertain() -> None:
    spec = parse_frame(HTTP)
    cut = replace(spec, frame=spec.frame._replace(payload=spec.frame.payload[:16]))
    resolver = ContextResolver(compile_text("accept dport 0; drop dport 80; accept;"))
    found = explain(resolver, resolver.described_contexts(cut, Ends(None, None)))
    lines = to_text(found).splitlines()
    assert lines[0].endswith("(not captured: destination address, ports)")
    assert lines[2] == (
        "uncertain: the rules looked at what was not captured: the destination port (taken as zero)"
    )
    assert entries(found)[0].why == "dport is 0 (not captured: taken as zero)"
    made = to_object(found)
    assert made["uncertain"]
    assert made["frame"]["not_captured"] == ["destination address", "ports"]
    assert (made["frame"]["mac_source"], made["frame"]["mac_dest"]) == (None, None)
    whole = to_object(explained("accept dport 80;"))
    assert (whole["uncertain"], whole["frame"]["not_captured"]) == (False, [])


@pytest.mark.parametrize(
    ("rules", "verdict", "why"),
    [
        ("accept;", "accept", "accepted here"),
        ("drop;", "drop", "dropped here"),
        ("break;", "drop", "these rules end here without a decision"),
        ("redirect 3333333333;", "redirect", "redirected here"),
    ],
)
def test_the_deciding_entry(rules: str, verdict: str, why: str) -> None:
    found = explained(rules)
    by = found.sides[0].by
    assert by is not None
    assert (found.verdict, by.entry, by.why) == (verdict, 0, why)


def test_the_end_of_the_rules_decides_without_an_entry() -> None:
    sender = explained("accept dport 81;").sides[0]
    assert (sender.verdict, sender.by) == ("drop", None)
    assert sender.rule_sets[0].result == "no match"
    assert any("holds no capability" in note for note in sender.notes)


def test_the_accepting_capability_decides() -> None:
    rules = "cap none id 3 accept dport 81; ; cap web id 5 accept dport 80; ;"
    sender = explained(rules, held=frozenset({3, 5})).sides[0]
    assert [item.name for item in sender.rule_sets] == [
        "base rules",
        "capability none",
        "capability web",
    ]
    assert (sender.verdict, sender.rule_set) == ("accept", "capability web")
    assert sender.by is not None
    assert sender.by.text == "accept"
    assert any("2 of 2" in note for note in sender.notes)


def test_a_receiver_is_not_asked_when_the_sender_drops() -> None:
    sender, receiver = explained("drop;").sides
    assert (sender.reached, receiver.reached) == (True, False)
    assert (receiver.verdict, receiver.rule_sets, receiver.by) == ("drop", (), None)


@pytest.mark.parametrize(("side", "directions"), [("out", ["out"]), ("in", ["in"])])
def test_one_side_alone(side: str, directions: list[str]) -> None:
    found = explained("accept chr inbound; drop;", side=side)
    assert [note.direction for note in found.sides] == directions
    assert found.verdict == ("accept" if side == "in" else "drop")


def test_a_receiver_can_drop_what_its_sender_accepts() -> None:
    found = explained("drop chr inbound; accept;")
    assert [note.verdict for note in found.sides] == ["accept", "drop"]
    assert found.verdict == "drop"


def test_what_not_does_not_turn_is_said_for_the_engine_that_has_it() -> None:
    rules = "accept not ipsrc fd00::/8;"
    new, old = (entries(explained(rules, engine=engine))[0] for engine in ("1.14", "1.12"))
    assert (new.status, old.status) == ("false", "true")
    assert new.why.endswith("; `not` does not turn that")
    assert "`not`" not in old.why


def test_an_armed_skip_drop_is_said_where_it_is_armed_and_used() -> None:
    rules = "tag t id 1; drop treq t 5; accept;"
    found = explained(rules)
    assert found.sides[0].verdict == "accept"
    drop = entries(found)[1]
    assert (drop.status, "skipDrop" in drop.why) == ("taken", True)
    said = " ".join(found.sides[0].notes)
    assert "skipDrop is armed" in said
    assert "passed over because skipDrop was armed" in said
    # The receiver knows that it has no such tag.
    assert statuses(found, 1) == ["false", "passed over", "taken"]


def test_copies_are_noted_cleared_and_sent() -> None:
    sent = explained("tee 10 3333333333; accept;")
    assert entries(sent)[0].why == "a copy of 10 bytes of payload to 3333333333 is noted"
    assert [(copy.to, copy.length) for copy in sent.sides[0].copies] == [(0x3333333333, 10)]
    cleared = explained("tee 10 3333333333; tee 10 0000000000; accept;")
    assert entries(cleared)[1].why == "the noted copy is cleared"
    assert cleared.sides[0].copies == ()
    nothing = explained("tee 10 1111111111; accept;")
    assert entries(nothing)[0].why.startswith("it has nothing to do here")


def test_the_target_of_a_copy_super_accepts() -> None:
    receiver = explained("tee -1 2222222222; drop chr inbound; accept;").sides[1]
    assert receiver.super_accept
    assert receiver.verdict == "accept"
    assert receiver.rule_sets[0].result == "super-accept"


def test_what_nobody_gave_is_assumed_and_said() -> None:
    frame = HTTP.partition(" zt")[0]
    sender = explained("accept ztsrc 1111111111; accept;", frame, known=False).sides[0]
    assert "unknown ZeroTier addresses" in sender.assumed
    assert explained("accept ztsrc 1111111111;").sides[0].assumed == ()


def test_an_entry_of_a_macro_names_its_include() -> None:
    rules = "macro open($p)\n accept dport $p;\n;\ninclude open(80)\ninclude open(81)\n"
    found = explained(rules, "tcp 10.0.0.1 > 10.0.0.2:81")
    assert "line 2 (included in line 5), `accept`" in to_text(found)
    assert "\n  2 (4)    dport 80  false" in to_text(found)
    assert "\n  2 (5)    dport 81  true" in to_text(found)
    by = to_object(found)["sides"][0]["by"]
    assert (by["line"], by["included"]) == (2, 5)
