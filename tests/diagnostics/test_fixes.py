"""Fixes as data: which are chosen, which go together, what they make of a text."""

from __future__ import annotations

import random

from ztfast.diagnostics.fixes import apply, chosen, compatible, unified_diff
from ztfast.errors import Diagnostic, Edit, Fix

TEXT = "accept dport 80;\ndrop;\n"
FIRST = Fix("write drop", (Edit(0, 6, "drop"),), True)
PORT = Fix("write 81", (Edit(13, 15, "81"),))
BOTH = Fix("swap", (Edit(0, 6, "drop"), Edit(17, 21, "accept")))
PUT = Fix("put it first", (Edit(0, 0, "accept ethertype arp;\n"),))
PUT_LATER = Fix("put it there", (Edit(17, 17, "accept ethertype arp;\n"),))


def finding(*fixes: Fix) -> Diagnostic:
    return Diagnostic("ZT111", "x", fixes=fixes)


def test_the_best_fix_of_each_finding_once() -> None:
    found = [finding(PORT, FIRST), finding(FIRST), finding(), finding(BOTH)]
    assert chosen(found) == [FIRST]
    assert chosen(found, unsafe=True) == [PORT, FIRST, BOTH]


def test_the_same_text_is_inserted_once() -> None:
    assert chosen([finding(PUT), finding(PUT_LATER)], unsafe=True) == [PUT]


def test_what_touches_one_place_waits() -> None:
    assert compatible([FIRST, BOTH, PORT]) == [FIRST, PORT]
    assert compatible([PUT, FIRST]) == [PUT]
    assert apply(TEXT, [FIRST, BOTH, PORT]) == "drop dport 81;\ndrop;\n"
    assert apply(TEXT, [BOTH]) == "drop dport 80;\naccept;\n"
    assert apply(TEXT, [PUT_LATER]) == "accept dport 80;\naccept ethertype arp;\ndrop;\n"
    assert apply(TEXT, []) == TEXT


def test_edits_are_made_as_one_by_one_from_behind() -> None:
    rng = random.Random(4)
    for _ in range(300):
        text = "".join(rng.choice("ab;\n") for _ in range(rng.randrange(30)))
        edits = []
        for _ in range(rng.randrange(6)):
            start = rng.randrange(len(text) + 1)
            end = min(len(text), start + rng.randrange(4))
            edits.append(Fix("", (Edit(start, end, rng.choice(["", "x", "yz"])),)))
        expected = text
        for fix in sorted(compatible(edits), key=lambda one: one.edits[0], reverse=True):
            (edit,) = fix.edits
            expected = expected[: edit.start] + edit.text + expected[edit.end :]
        assert apply(text, edits) == expected


def test_a_diff() -> None:
    shown = unified_diff("a.ztrules", TEXT, apply(TEXT, [PORT]))
    assert shown.splitlines()[:2] == ["--- a.ztrules", "+++ a.ztrules"]
    assert "-accept dport 80;\n+accept dport 81;\n" in shown
    assert unified_diff("a", TEXT, TEXT) == ""
    assert unified_diff("a", "x", "y").endswith("-x\n+y\n")
