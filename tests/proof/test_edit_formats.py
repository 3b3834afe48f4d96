"""A change as text, Markdown, HTML and JSON; whatever names hold stays text."""

from __future__ import annotations

import json
import re

from ztfast.frames.notation import parse_frame
from ztfast.model.policy import Policy, Rule
from ztfast.proof.edit_effects import CopyChange, EditEffect, EditReport, Effect
from ztfast.proof.edit_formats import (
    ChangeText,
    change_text,
    markdown,
    page,
    report_json,
    text_lines,
)
from ztfast.proof.edit_lines import EditLine, EditWriter
from ztfast.proof.edits import Edit, statements
from ztfast.proof.symbolic_policy import WitnessVerdict
from ztfast.proof.verdict_classes import VerdictText

FRAME = parse_frame("ethertype 0x88cc data 0102 mac 02:00:00:00:00:01 > 02:00:00:00:00:02").frame
POLICY = Policy((Rule({"type": "ACTION_ACCEPT"}),))
EVIL = "<script>`x`</script> [a](b) *c* \x1b[31m\u202e|"


def effect() -> Effect:
    dropped = WitnessVerdict(VerdictText("dropped"), "as nothing accepts it")
    accepted = WitnessVerdict(VerdictText("accepted"), "by `accept` in entry 0")
    deciders = tuple(statements(POLICY.rules))
    copies = (CopyChange("tee", 0x1122334455, True, True),)
    found = (FRAME, "VLAN 5", dropped, accepted)
    return Effect("dropped", "accepted", deciders, False, copies, *found, whole=True)


def report() -> tuple[EditReport, EditWriter]:
    (statement,) = statements(POLICY.rules)
    edit = Edit("added", None, statement)
    found = EditReport((EditEffect(edit, (effect(),), True),), EditEffect(None, (), True))
    return found, EditWriter(Policy(()), POLICY, {0x1122334455: EVIL})


def test_text() -> None:
    found, writer = report()
    lines = text_lines(change_text(found, writer, 20, True, [("For members", ["nobody"])]))
    assert lines == [
        f"entry 0 added: every frame is now accepted, and teed to {EVIL}",
        "no other frame is judged otherwise: proved",
        "",
        "For members",
        "nobody",
        "",
        "entry 0 added:",
        "  accept",
        "  such as ethertype 0x88cc, 02:00:00:00:00:01 > 02:00:00:00:00:02, 2 bytes",
        "    dropped as nothing accepts it",
        "    now accepted by `accept` in entry 0",
        "    (VLAN 5)",
    ]


def test_json() -> None:
    document = report_json(*report())
    json.dumps(document)
    assert document["complete"] is True
    assert document["open"] is None
    (edit,) = document["edits"]
    assert (edit["edit"], edit["kind"], edit["rule"]) == ("entry 0 added", "added", "accept")
    (change,) = document["changes"]
    assert (change["edit"], change["before"], change["after"]) == (0, "dropped", "accepted")
    assert change["by"] == ["entry 0"]
    assert (change["named"], change["all"]) == (None, True)
    assert change["copies"] == [{"kind": "tee", "to": "1122334455", "starts": True, "all": True}]
    assert change["witness"]["circumstances"] == "VLAN 5"


def hostile() -> ChangeText:
    line = EditLine(EVIL, EVIL, EVIL)
    return ChangeText([line], EVIL, [(line, [EVIL, "````"])], [(EVIL, [EVIL])])


def test_markdown_and_html_show_names_as_they_are() -> None:
    shown = markdown(hostile())
    for text in (shown, page(hostile())):
        assert all(letter.isprintable() or letter == "\n" for letter in text)
    outside = re.sub(r"(?ms)^(`{3,})text\n.*?^\1$", "", shown)
    assert "<script>" not in outside + page(hostile())
    assert "\\[a\\](b)" in shown
    assert "\\*c\\*" in shown
    assert "`````text\n" in shown  # longer than any fence inside
    assert "&lt;script&gt;" in page(hostile())


def test_a_limit_says_how_many_are_left() -> None:
    found, writer = report()
    many = EditReport(found.edits * 5, found.rest)
    change = change_text(many, writer, 2, False)
    assert [line.head for line in change.lines] == ["entry 0 added"] * 2 + ["3 more edits"]
    assert change.details == []
